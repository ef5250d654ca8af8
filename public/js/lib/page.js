/** What all pages of signed-in people share: who is here, the links that they have, and the way out. */

import { callFor, get, Problem, send } from "./api.js";
import { announce, byId, make } from "./dom.js";
import { keepTimesFresh } from "./time.js";
import { fill } from "./wait.js";

/**
 * Starts a page: finds out who is here, loads, shows. The page has `#wait`, `#ready`, `#status`.
 *
 * @template T
 * @param {object} page
 * @param {boolean} [page.forAdmins]
 * @param {string} page.words what is being asked.
 * @param {(me: Person) => Promise<T>} page.load
 * @param {(value: T, me: Person) => void} page.show
 * @param {() => void} [page.signedOut] shown instead of the words for people who are not signed in.
 * @param {(me: Person | null) => void} [page.failed] called when it cannot be shown, beside the words that say so.
 * @returns {Promise<void>}
 *
 * @typedef {{id: number, login: string, is_admin: boolean}} Person
 */
export function start({ forAdmins = false, words, load, show, signedOut, failed = () => {} }) {
  let here = null;
  forgetOthers();
  keepTimesFresh();
  return fill({
    place: byId("wait"),
    ready: byId("ready"),
    words,
    load: async () => {
      const me = await whoIsHere();
      here = me;
      showPerson(me);
      if (forAdmins && !me.is_admin) {
        throw new Problem(403, "forbidden", "This page is for admins of this Porter. Ask one of them for what you need.");
      }
      return { me, value: await load(me) };
    },
    show: ({ me, value }) => show(value, me),
    failed: (error) => {
      const isOut = signedOut && error instanceof Problem && error.status === 401;
      if (isOut) signedOut();
      else failed(here);
      return Boolean(isOut);
    },
  });
}

/** @returns {Promise<Person>} */
export function whoIsHere() {
  return get("/api/github/profile");
}

let shown = null;

/**
 * Fills the header: the name, the links, the way out.
 * @param {Person} me
 */
export function showPerson(me) {
  if (shown !== null && shown !== me.id) location.reload();
  shown = me.id;
  callFor(me.id);
  for (const part of document.querySelectorAll("[data-for=person]")) part.hidden = false;
  for (const part of document.querySelectorAll("[data-for=admin]")) part.hidden = !me.is_admin;
  byId("account").replaceChildren(
    make("a", { class: "who", href: "/sessions/", title: `${me.login}: where you are signed in` }, me.login),
    make("button", { type: "button", class: "button small", onclick: signOut }, "Sign out"),
  );
  byId("account").hidden = false;
}

async function signOut() {
  try {
    await send("POST", "/api/auth/logout");
    location.assign("/");
  } catch (error) {
    if (error instanceof Problem && error.status === 401) location.assign("/");
    else announce(`You are still signed in: ${error.message}`);
  }
}

/** A page that the browser brings back from its memory, or that another person came to meanwhile, starts anew. */
function forgetOthers() {
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
  addEventListener("pagehide", () => {
    document.documentElement.hidden = true;
  });
  document.addEventListener("visibilitychange", async () => {
    if (document.visibilityState !== "visible" || shown === null) return;
    try {
      if ((await whoIsHere()).id !== shown) location.reload();
    } catch (error) {
      if (error instanceof Problem && error.code === "other_person") location.reload();
      // Signed out elsewhere: nothing of the person stays on the screen. Unreachable: the next click will say so.
      if (error instanceof Problem && error.status === 401 && !document.querySelector("form[data-typed]")) location.reload();
    }
  });
}
