/** An agent: whether it may run, and what it is told beside every request. */

import { send } from "../lib/api.js";
import { make } from "../lib/dom.js";
import { connect, put } from "../lib/form.js";
import { mark } from "./task-state.js";

/** Characters of guidance at most. */
const LONGEST_GUIDANCE = 8_000;

/**
 * @param {{name: string, title: string, enabled: boolean, guidance: string | null}} agent
 * @returns {HTMLDetailsElement}
 */
export function agentForm(agent) {
  const id = `agent-${agent.name}`;
  const state = make("span", {}, mark(agent.enabled, ["May run", "Switched off"]));
  const form = make(
    "form",
    { class: "form", "aria-label": agent.title },
    make("div", { class: "check" }, make("input", { type: "checkbox", id: `${id}-enabled`, name: "enabled" }), make("label", { for: `${id}-enabled` }, "May run")),
    make(
      "div",
      { class: "field" },
      make("label", { for: `${id}-guidance` }, "Guidance"),
      make("textarea", { id: `${id}-guidance`, name: "guidance", maxlength: LONGEST_GUIDANCE, "aria-describedby": `${id}-hint` }),
      make("p", { class: "hint", id: `${id}-hint` }, "Said to the agent with every request, and shown in its prompt. No secrets: agents may repeat it."),
    ),
    make("div", { class: "row" }, make("button", { class: "button main", type: "submit" }, `Save ${agent.title}`)),
  );
  put(form, agent);
  connect(form, {
    send: (values) => send("PATCH", `/api/agents/${encodeURIComponent(agent.name)}`, values),
    done: `${agent.title} is saved.`,
    after: () => state.replaceChildren(mark(form.elements.enabled.checked, ["May run", "Switched off"])),
  });
  return make("details", { class: "agent" }, make("summary", {}, make("strong", {}, agent.title), " ", state), form);
}
