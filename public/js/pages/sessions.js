/** Where a person is signed in, and the way out of each place. */

import { get, send } from "../lib/api.js";
import { announce, byId, make } from "../lib/dom.js";
import { ask } from "../lib/form.js";
import { start } from "../lib/page.js";
import { time } from "../lib/time.js";
import { notice } from "../lib/wait.js";

start({
  words: "Asking where you are signed in",
  load: () => get("/api/sessions"),
  show: ({ sessions }) => byId("rows").replaceChildren(...sessions.map(row)),
});

function row(session) {
  const name = browser(session.user_agent);
  const button = make(
    "button",
    { type: "button", class: "button small", onclick: () => end(session, button) },
    session.current ? "Sign out here" : "Sign out",
    make("span", { class: "only-heard" }, ` ${name}`),
  );
  return make(
    "tr",
    {},
    make("th", { scope: "row", title: session.user_agent ?? "" }, name, session.current ? make("span", { class: "soft" }, " (this one)") : ""),
    make("td", { "data-head": "Address" }, session.address ?? "unknown"),
    make("td", { "data-head": "Last used" }, time(session.used_at)),
    make("td", { "data-head": "Since" }, time(session.created_at)),
    make("td", {}, button),
  );
}

/** The little of a browser's long name that a person knows it by. */
function browser(agent) {
  const known = [["Firefox", /Firefox\//], ["Edge", /Edg\//], ["Opera", /OPR\//], ["Chrome", /Chrome\//], ["Safari", /Safari\//]];
  const systems = [["Windows", /Windows/], ["Android", /Android/], ["iPhone or iPad", /iPhone|iPad/], ["macOS", /Mac OS X/], ["Linux", /Linux/]];
  const name = known.find(([, shape]) => shape.test(agent ?? ""))?.[0] ?? (agent ? agent.slice(0, 40) : "Unknown browser");
  const system = systems.find(([, shape]) => shape.test(agent ?? ""))?.[0];
  return system ? `${name} on ${system}` : name;
}

async function end(session, button) {
  try {
    await send("DELETE", `/api/sessions/${encodeURIComponent(session.id)}`);
    if (session.current) return location.assign("/");
    const next = button.closest("tr").nextElementSibling ?? button.closest("tr").previousElementSibling;
    button.closest("tr").remove();
    next?.querySelector("button").focus();
    announce("That session is signed out.");
  } catch (error) {
    button.after(notice("It is still signed in", error.message));
  }
}

byId("everywhere").addEventListener("click", async () => {
  if (!(await ask("Sign out everywhere?", "Every browser where you are signed in is signed out, this one too. You can sign in again at once.", "Sign out everywhere"))) return;
  try {
    await send("POST", "/api/auth/logout", { everywhere: true });
    location.assign("/");
  } catch (error) {
    byId("everywhere").after(notice("You are still signed in", error.message));
  }
});
