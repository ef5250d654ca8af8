/**
 * The life of a part of a page: what it waits for, in words; what went wrong and how to go on; or its contents.
 */

import { Problem } from "./api.js";
import { isSafe, make, prose } from "./dom.js";

/** Milliseconds until a page says that it takes longer, and until it offers another try. */
export const SLOW = 3_000;
export const VERY_SLOW = 15_000;
/** How often, and milliseconds apart, it is asked again what the person sees. */
const RIGHTS_TRIES = 7;
const RIGHTS_PAUSE = 2_000;

/**
 * Loads and shows. While it waits, `place` says for what; when it is there, `place` is emptied and `ready` is shown.
 *
 * @template T
 * @param {{place: HTMLElement, ready: HTMLElement, words: string, load: () => Promise<T>, show: (value: T) => void,
 *   failed?: (error: unknown) => boolean}} part
 *   `words`: what is being asked, as `Asking GitHub which repositories you can see`. `failed`: whether an error was
 *   dealt with otherwise.
 */
export async function fill({ place, ready, words, load, show, failed = () => false }) {
  const again = () => fill({ place, ready, words, load, show, failed });
  const stop = sayWaiting(place, words, again);
  const turn = Symbol("turn");
  place.turn = turn;
  try {
    const value = await whenKnown(place, load);
    if (place.turn !== turn) return;
    show(value);
    place.replaceChildren();
    ready.hidden = false;
  } catch (error) {
    if (place.turn !== turn) return;
    ready.hidden = true;
    // Made for one person, and another is signed in now.
    if (error instanceof Problem && error.code === "other_person") return location.reload();
    if (failed(error)) return;
    place.replaceChildren(explain(error, again));
  } finally {
    stop();
  }
}

/** Just after a sign-in Porter may still be asking GitHub what the person sees: that is waited for. */
async function whenKnown(place, load) {
  for (let tries = 0; ; tries += 1) {
    try {
      return await load();
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== "rights_unknown" || tries === RIGHTS_TRIES) throw error;
      place.firstElementChild.textContent = "Asking GitHub which repositories you can see …";
      await new Promise((resolve) => setTimeout(resolve, RIGHTS_PAUSE));
    }
  }
}

function sayWaiting(place, words, again) {
  const line = make("p", { class: "quiet new" }, `${words} …`);
  place.replaceChildren(line);
  const later = setTimeout(() => {
    line.className = "quiet";
    line.textContent = `${words} … This takes longer than usual.`;
  }, SLOW);
  const muchLater = setTimeout(() => {
    line.textContent = `${words} … There is no answer yet. `;
    place.append(make("p", {}, make("button", { type: "button", class: "button", onclick: again }, "Try again")));
  }, VERY_SLOW);
  return () => {
    clearTimeout(later);
    clearTimeout(muchLater);
  };
}

/**
 * What went wrong, why, and what to do.
 *
 * @param {unknown} error
 * @param {() => void} again
 */
export function explain(error, again) {
  const retry = make("button", { type: "button", class: "button", onclick: again }, "Try again");
  if (!(error instanceof Problem)) {
    console.error(error);
    return notice("This page has a fault", "It could not show what Porter sent. Load it again; if it stays so, tell the operator.", retry);
  }
  switch (error.status) {
    case 0:
      return notice("Porter cannot be reached", error.message, retry);
    case 401:
      return notice("Sign in to see this page", error.code === "sign_in_again" ? error.message : "You are signed out, or your time here has run out.", signIn());
    case 403:
      return notice("You may not see this", error.message, make("a", { class: "button", href: "/" }, "Go to the overview"));
    case 404:
      return notice("It is not here", error.message, make("a", { class: "button", href: "/" }, "Go to the overview"));
    case 429:
      return notice("Too many requests", error.message, retry);
    default:
      return notice(error.status >= 500 ? "Porter could not answer" : "This did not work", error.message, next(error) ?? retry);
  }
}

/** Leads to sign-in and back to this page. */
export function signIn(properties = {}) {
  const here = location.pathname + location.search;
  return make(
    "a",
    { class: "button main", href: `/api/auth/github?return=${encodeURIComponent(here)}`, ...properties },
    "Sign in with GitHub",
  );
}

/**
 * The way on that an error names, if it names one.
 * @param {Problem} problem
 */
export function next(problem) {
  return isSafe(problem.action) ? make("a", { class: "button", href: problem.action }, "Go on") : null;
}

/**
 * @param {string} title
 * @param {string} text
 * @param {...(Node | null)} actions
 */
export function notice(title, text, ...actions) {
  return make("div", { class: "notice bad", role: "alert" }, make("h2", {}, title), make("p", {}, prose(text)), ...actions);
}
