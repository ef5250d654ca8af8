/** Which repositories are served, which are switched off, which cannot be reached and why. */

import { get, send } from "../lib/api.js";
import { announce, byId, icon, link, make } from "../lib/dom.js";
import { connect, put } from "../lib/form.js";
import { start } from "../lib/page.js";
import { count, time } from "../lib/time.js";
import { notice } from "../lib/wait.js";

/** From this number on there is a field to find one. */
const MANY = 10;

let all = [];
let agents = [];

start({
  forAdmins: true,
  words: "Asking which repositories are served",
  load: () => Promise.all([get("/api/github/repositories"), get("/api/agents")]),
  show: ([{ repositories, refreshed_at }, known]) => {
    all = repositories;
    agents = known.agents;
    byId("find-part").hidden = all.length < MANY;
    byId("table").hidden = all.length === 0;
    byId("empty").hidden = all.length > 0;
    byId("empty").textContent = "No repository yet. Install the App on an account that is served here; then its repositories stand here, switched on.";
    byId("seen").replaceChildren("GitHub was last looked at ", time(refreshed_at, "never, so the list may not be whole"), ".");
    showCount();
    byId("rows").replaceChildren(...all.map(row));
  },
});

function showCount() {
  const served = all.filter((one) => one.served).length;
  byId("count").textContent = all.length === 0 ? "" : `${count(served, "repository is", "repositories are")} served, of ${all.length}.`;
}

function row(repository) {
  const name = repository.full_name;
  const button = make(
    "button",
    { type: "button", class: "button small", onclick: () => turn(repository, button) },
    repository.enabled ? "Switch off" : "Switch on",
    make("span", { class: "only-heard" }, ` ${name}`),
  );
  return make(
    "tr",
    { "data-name": name.toLowerCase() },
    make("th", { scope: "row" }, link(repository.url, name)),
    make("td", {}, state(repository)),
    make("td", {}, repository.problem ?? ""),
    make("td", {}, make("span", { class: "row" }, button, defaultsButton(repository))),
  );
}

/** Opens a form under the row, made only then: there may be hundreds of rows. */
function defaultsButton(repository) {
  const button = make(
    "button",
    { type: "button", class: "button small", "aria-expanded": "false", onclick: () => turnOver() },
    "Agent and model",
    make("span", { class: "only-heard" }, ` of ${repository.full_name}`),
  );
  let opened = null;
  return button;

  function turnOver() {
    if (opened) opened.remove();
    opened = opened ? null : make("tr", { "data-name": repository.full_name.toLowerCase(), "data-defaults": true }, make("td", { colspan: 4 }, defaultsForm(repository)));
    button.setAttribute("aria-expanded", String(opened !== null));
    if (!opened) return;
    button.closest("tr").after(opened);
    opened.querySelector("select").focus();
  }
}

function defaultsForm(repository) {
  const id = `repository-${repository.id}`;
  const form = make(
    "form",
    { class: "form", "aria-label": `Agent and model of ${repository.full_name}` },
    make(
      "div",
      { class: "field" },
      make("label", { for: `${id}-agent` }, "Agent when a command names none"),
      make(
        "select",
        { id: `${id}-agent`, name: "default_agent" },
        make("option", { value: "" }, "As the person or the team"),
        ...agents.map((agent) => make("option", { value: agent.name }, agent.title)),
      ),
    ),
    make(
      "div",
      { class: "field" },
      make("label", { for: `${id}-model` }, "Model when a command names none"),
      make("input", { id: `${id}-model`, name: "default_model", maxlength: 100, autocomplete: "off", autocapitalize: "none", spellcheck: "false" }),
    ),
    make("div", { class: "row" }, make("button", { class: "button main", type: "submit" }, "Save agent and model")),
  );
  put(form, repository);
  connect(form, {
    send: (values) => send("PATCH", `/api/github/repositories/${repository.id}`, values),
    done: "Agent and model are saved.",
    after: (now) => Object.assign(repository, now),
  });
  return form;
}

function state(repository) {
  if (repository.served) return make("span", { class: "state good" }, icon("done"), "Served");
  if (!repository.enabled) return make("span", { class: "state wait" }, icon("cancelled"), "Switched off");
  return make("span", { class: "state bad" }, icon("failed"), "Unreachable");
}

async function turn(repository, button) {
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  const place = button.closest("td");
  place.querySelector(".notice")?.remove();
  try {
    Object.assign(repository, await send("PATCH", `/api/github/repositories/${repository.id}`, { enabled: !repository.enabled }));
    const now = row(repository);
    const opened = button.closest("tr").nextElementSibling;
    if (opened?.hasAttribute("data-defaults")) opened.remove();
    button.closest("tr").replaceWith(now);
    now.querySelector("button").focus();
    showCount();
    announce(`${repository.full_name} is switched ${repository.enabled ? "on" : "off"}.`);
  } catch (error) {
    button.removeAttribute("aria-disabled");
    place.append(notice("It was not switched", error.message));
  }
}

byId("find").addEventListener("input", () => {
  const words = byId("find").value.trim().toLowerCase();
  let seen = 0;
  for (const one of byId("rows").children) {
    one.hidden = !one.dataset.name.includes(words);
    seen += one.hidden || one.hasAttribute("data-defaults") ? 0 : 1;
  }
  byId("empty").hidden = seen > 0;
  byId("empty").textContent = "No repository has these letters in its name.";
  announce(count(seen, "repository", "repositories"));
});
