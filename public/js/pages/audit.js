/** Who changed what, and when; never a value. */

import { get } from "../lib/api.js";
import { byId, make } from "../lib/dom.js";
import { start } from "../lib/page.js";
import { time } from "../lib/time.js";
import { notice } from "../lib/wait.js";

const PATH = "/api/audit";

start({
  forAdmins: true,
  words: "Asking what was changed",
  load: () => get(PATH, { limit: 100 }),
  show: (page) => {
    byId("rows").replaceChildren();
    add(page);
    byId("empty").hidden = page.entries.length > 0;
    byId("empty").textContent = "Nothing has been changed yet. The first change of a setting or key will stand here.";
  },
});

let next = null;

function add(page) {
  byId("rows").append(...page.entries.map(row));
  next = page.next ?? null;
  byId("more").hidden = next === null;
}

function row(entry) {
  return make(
    "tr",
    {},
    make("td", {}, time(entry.at)),
    make("td", { "data-head": "Who", class: "whole" }, entry.actor),
    make("td", { "data-head": "What" }, entry.action.replace(/[._]/g, " ")),
    make("td", { "data-head": "Of what" }, entry.subject, entry.detail ? make("span", { class: "soft" }, ` ${entry.detail}`) : ""),
    make("td", { "data-head": "From", class: "whole" }, entry.address ?? ""),
  );
}

byId("older").addEventListener("click", async () => {
  const last = byId("rows").lastElementChild;
  try {
    add(await get(PATH, { limit: 100, cursor: next }));
    last?.nextElementSibling?.scrollIntoView({ block: "nearest" });
  } catch (error) {
    byId("more").append(notice("Older changes could not be read", error.message));
  }
});
