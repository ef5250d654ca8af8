/** A key: whether it is there and since when; a field to put one in, never filled; ways to check and to remove it. */

import { announce, link, make, prose } from "../lib/dom.js";
import { checkButton } from "../lib/checks.js";
import { ask, connect } from "../lib/form.js";
import { time } from "../lib/time.js";
import { notice } from "../lib/wait.js";
import { mark } from "./task-state.js";

/** Characters of a key at most. */
const LONGEST_KEY = 8192;

/**
 * @param {object} key
 * @param {string} key.title the provider.
 * @param {string} key.name the variable that the agent gets.
 * @param {{updated_at: string | null, source: string} | null} key.held what is known of the one that is there.
 * @param {(value: string) => Promise<unknown>} key.save
 * @param {() => Promise<unknown>} key.remove
 * @param {() => Promise<string>} key.loss what its removal would mean, in a sentence or two.
 * @param {(() => Promise<{ok: boolean, checks: any[]}>) | null} key.check
 * @param {string | null} key.page where the provider gives keys out.
 * @param {string | null} key.hint for what is no key.
 * @param {boolean} key.lines whether it has several lines.
 * @returns {HTMLLIElement}
 */
export function keyRow(key) {
  const row = make("li", { class: "key stack" });
  const place = make("div");
  const isOperators = key.held?.source === "environment";
  show(key.held ? { at: key.held.updated_at } : null);
  return row;

  function show(held) {
    const open = button(held && !isOperators ? "Replace" : "Add", () => showForm(open));
    const remove = held && !isOperators ? button("Remove", () => takeAway(remove), "danger") : null;
    const check = held && key.check ? button("Check", null) : null;
    if (check) checkButton(check, place, `Asking ${key.title}`, key.check);
    row.replaceChildren(
      make(
        "div",
        { class: "row spread" },
        make("span", { class: "stack tight" }, make("strong", {}, key.title), make("code", {}, key.name)),
        state(held),
        make("span", { class: "row" }, open, check, remove),
      ),
      place,
    );
  }

  function state(held) {
    if (!held) return make("span", { class: "soft" }, "None");
    return make("span", { class: "row" }, mark(true, ["Configured", ""]), isOperators ? make("span", {}, "by the operator") : time(held.at));
  }

  function button(word, onclick, more = "") {
    return make("button", { type: "button", class: `button small ${more}`, onclick }, word, make("span", { class: "only-heard" }, ` ${key.name}`));
  }

  function showForm(open) {
    const form = makeForm(() => {
      form.remove();
      open.hidden = false;
      open.focus();
    });
    open.hidden = true;
    place.replaceChildren();
    row.append(form);
    form.elements.value.focus();
    connect(form, {
      whole: true,
      send: ({ value }) => key.save(value),
      done: "",
      after: () => {
        show({ at: new Date().toISOString() });
        announce(`${key.name} is saved.`);
        row.querySelector("button").focus();
      },
    });
  }

  function makeForm(cancel) {
    const id = `value-${key.name.toLowerCase()}`;
    const isSecret = key.hint === null;
    const field = make(key.lines ? "textarea" : "input", {
      id,
      name: "value",
      type: key.lines ? null : isSecret ? "password" : "text",
      required: true,
      maxlength: LONGEST_KEY,
      "data-missing": isSecret ? "Enter the key." : "Enter the value.",
      autocomplete: "off",
      autocapitalize: "none",
      spellcheck: "false",
      "aria-describedby": `${id}-hint`,
    });
    const hint = make("p", { class: "hint", id: `${id}-hint` }, prose(key.hint ?? "It is kept encrypted and never shown again."));
    if (key.page) hint.append(" ", link(key.page, `Get one from ${key.title}`, { target: "_blank", rel: "noreferrer" }));
    return make(
      "form",
      { class: "form" },
      make("div", { class: "field" }, make("label", { for: id }, key.name), field, hint),
      make(
        "div",
        { class: "row" },
        make("button", { class: "button main", type: "submit" }, isSecret ? "Save key" : "Save value"),
        make("button", { class: "button", type: "button", onclick: cancel }, "Cancel"),
      ),
    );
  }

  async function takeAway(remove) {
    if (remove.getAttribute("aria-disabled") === "true") return;
    const words = remove.textContent;
    remove.setAttribute("aria-disabled", "true");
    remove.textContent = "Looking …";
    const loss = await key.loss();
    remove.textContent = words;
    remove.removeAttribute("aria-disabled");
    const yes = await ask(`Remove ${key.name}?`, `Porter cannot bring it back. ${loss}`, "Remove it");
    if (!yes) return remove.focus();
    try {
      await key.remove();
      place.replaceChildren();
      show(null);
      announce(`${key.name} is removed.`);
      row.querySelector("button").focus();
    } catch (error) {
      place.replaceChildren(notice("It is still there", error.message));
    }
  }
}
