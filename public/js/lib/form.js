/**
 * Forms: one concern each, saved by itself. What is wrong stands beside its field and in a summary that takes the
 * focus; what was typed stays.
 */

import { Problem } from "./api.js";
import { announce, make, prose } from "./dom.js";
import { next, signIn, SLOW, VERY_SLOW } from "./wait.js";

/**
 * Makes a form work.
 *
 * @param {HTMLFormElement} form fields lie in `.field`, each with a `name`; the button that saves is the last.
 * @param {object} work
 * @param {(values: Record<string, any>) => Promise<unknown>} work.send only fields that differ from what was there.
 * @param {string} work.done what is said when it is saved.
 * @param {(answer: any) => string | void} [work.after] may return what is said besides.
 * @param {boolean} [work.whole] all fields, changed or not.
 */
export function connect(form, { send, done, after = () => {}, whole = false }) {
  form.noValidate = true;
  for (const field of form.querySelectorAll("[data-number]")) field.inputMode = "numeric";
  remember(form);
  form.addEventListener("input", () => form.toggleAttribute("data-typed", true));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (form.getAttribute("aria-busy") === "true") return;
    clear(form);
    const wrong = check(form);
    if (wrong.length > 0) return showErrors(form, wrong);
    const values = changed(form, whole);
    if (!whole && Object.keys(values).length === 0) return say(form, "Nothing was changed.");
    const rest = busy(form);
    const stop = sayLate(form);
    try {
      const answer = await send(values);
      keep(form, values);
      say(form, done);
      const more = after(answer);
      if (typeof more === "string" && more !== "") say(form, `${done} ${more}`);
    } catch (error) {
      say(form, "");
      showErrors(form, error instanceof AggregateError ? error.errors : [error]);
    } finally {
      stop();
      rest();
    }
  });
}

/** Says while it is saved that it takes long, so that nobody looks at a button that does nothing. */
function sayLate(form) {
  const later = setTimeout(() => say(form, "This takes longer than usual …"), SLOW);
  const muchLater = setTimeout(
    () => say(form, "There is no answer yet. Porter is given a minute; what you typed is kept."),
    VERY_SLOW,
  );
  return () => {
    clearTimeout(later);
    clearTimeout(muchLater);
  };
}

/** Takes what was sent for what is saved; what was typed meanwhile is still to be saved. */
function keep(form, values) {
  for (const field of fields(form)) if (field.name in values) field.saved = values[field.name];
  form.toggleAttribute("data-typed", Object.keys(changed(form, false)).length > 0);
}

/** Takes what the fields hold for what is saved. */
export function remember(form) {
  form.removeAttribute("data-typed");
  for (const field of fields(form)) field.saved = read(field);
}

/** Puts values into the fields of their names, as what is saved. */
export function put(form, values) {
  for (const field of fields(form)) write(field, values[field.name]);
  remember(form);
}

/**
 * Puts newer values into the fields that nobody typed into since they were filled.
 * @returns {string[]} the labels of those that hold something else now.
 */
export function renew(form, values) {
  const other = [];
  for (const field of fields(form)) {
    if (!(field.name in values) || read(field) !== field.saved) continue;
    write(field, values[field.name]);
    const now = read(field);
    if (now !== field.saved) other.push(labelOf(field));
    field.saved = now;
  }
  return other;
}

/**
 * The fields of those names that hold something else than was typed, and than was there when they were filled. From
 * now on they count as filled with the newer value: whoever saves again means to replace it.
 *
 * @param {HTMLFormElement} form
 * @param {string[]} names
 * @param {Record<string, any>} values the newest.
 * @returns {{name: string, before: string, now: string, typed: string, take: () => void}[]} each value in words;
 *   `take` puts the newest into the field.
 */
export function overtaken(form, names, values) {
  return fields(form).flatMap((field) => {
    if (!names.includes(field.name) || !(field.name in values)) return [];
    const typed = field.type === "checkbox" ? field.checked : field.value;
    const [saved, mine] = [field.saved, read(field)];
    write(field, values[field.name]);
    const newest = read(field);
    const words = [saved, newest, mine].map((value) => inWords(field, value));
    if (field.type === "checkbox") field.checked = typed;
    else field.value = typed;
    if (newest === saved || newest === mine) return [];
    field.saved = newest;
    const take = () => write(field, newest);
    return [{ name: field.name, before: words[0], now: words[1], typed: words[2], take }];
  });
}

function write(field, value) {
  if (field.type === "checkbox") field.checked = value === true;
  else field.value = value === null || value === undefined ? "" : String(value);
}

/** Characters of a value that a sentence repeats. */
const LONGEST_WORDS = 100;

/** A value as the person sees it in the field. */
function inWords(field, value) {
  if (field.type === "checkbox") return value ? "on" : "off";
  const option = [...(field.options ?? [])].find((one) => one.value === String(value ?? ""));
  const text = option?.textContent ?? value;
  if (text === null) return "nothing";
  const letters = [...String(text)];
  return `“${letters.length > LONGEST_WORDS ? `${letters.slice(0, LONGEST_WORDS).join("")} …` : text}”`;
}

function fields(form) {
  return [...form.elements].filter((field) => field.name && !field.disabled);
}

function read(field) {
  if (field.type === "checkbox") return field.checked;
  const text = field.type === "password" || field.tagName === "TEXTAREA" ? field.value : field.value.trim();
  if (text === "") return null;
  if (field.dataset.flag !== undefined) return text === "true";
  return field.dataset.number !== undefined ? Number(text) : text;
}

function changed(form, whole) {
  const values = {};
  for (const field of fields(form)) {
    const value = read(field);
    if (whole || value !== field.saved) values[field.name] = value;
  }
  return values;
}

/** What can be seen to be wrong without asking. */
function check(form) {
  return fields(form).flatMap((field) => {
    const value = read(field);
    const name = field.name;
    if (field.required && (value === null || value === "")) {
      return [new Problem(422, "invalid", field.dataset.missing ?? "Fill this in.", { field: name })];
    }
    if (field.dataset.number !== undefined && value !== null) {
      const low = Number(field.dataset.low);
      const high = Number(field.dataset.high);
      if (!Number.isInteger(value) || value < low || value > high) {
        return [new Problem(422, "invalid", `Enter a whole number from ${low} to ${high}; “${field.value}” is none.`, { field: name })];
      }
    }
    return [];
  });
}

function clear(form) {
  form.querySelector(".summary")?.remove();
  for (const error of form.querySelectorAll(".error")) error.remove();
  for (const field of fields(form)) clearField(field);
  say(form, "");
}

function clearField(field) {
  document.getElementById(`${field.id}-error`)?.closest(".error").remove();
  field.removeAttribute("aria-invalid");
  const others = describedBy(field).filter((id) => id !== `${field.id}-error`);
  if (others.length > 0) field.setAttribute("aria-describedby", others.join(" "));
  else field.removeAttribute("aria-describedby");
}

function describedBy(field) {
  return (field.getAttribute("aria-describedby") ?? "").split(" ").filter(Boolean);
}

function showErrors(form, errors) {
  const lines = errors.map((error) => {
    const field = fields(form).find((one) => one.name === error.field);
    if (!field) return make("li", {}, prose(words(error)), " ", wayOn(error));
    const id = `${field.id}-error`;
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-describedby", [...describedBy(field), id].join(" "));
    const line = make("div", { class: "error" }, make("p", { id }, prose(error.message)), error.way && wayOut(field, error.way));
    (field.closest(".check") ?? field).after(line);
    const jump = (event) => {
      event.preventDefault();
      field.focus();
    };
    return make("li", {}, make("a", { href: `#${field.id}`, onclick: jump }, `${labelOf(field)}: `, prose(error.message)));
  });
  // No heading: forms stand at different depths of their pages.
  const title = make("p", {}, make("strong", {}, "Nothing was saved"));
  const summary = make("div", { class: "notice bad summary", role: "alert", tabindex: "-1" }, title, make("ul", {}, ...lines));
  form.prepend(summary);
  summary.focus();
}

/** A button beside a field that mends it. */
function wayOut(field, { words, act }) {
  const onclick = () => {
    act();
    clearField(field);
    field.focus();
  };
  return make("p", {}, make("button", { type: "button", class: "button small", onclick }, words));
}

function words(error) {
  if (!(error instanceof Problem)) {
    console.error(error);
    return "This page has a fault. Load it again; if it stays so, tell the operator.";
  }
  if (isSignedOut(error)) return "You are signed out. Sign in in a new tab, then save here: what you typed is kept.";
  if (error.status === 412) return "Others are saving here at this moment. What you typed is kept: save again.";
  return error.status === 0 ? `Porter cannot be reached. ${error.message} What you typed is kept: try again.` : error.message;
}

function wayOn(error) {
  if (!(error instanceof Problem)) return null;
  if (error.code === "other_person") {
    return make("button", { type: "button", class: "button", onclick: () => location.reload() }, "Load the page again");
  }
  return isSignedOut(error) ? signIn({ class: "", target: "_blank" }) : next(error);
}

/** Set-up refuses its token with 401 as well, and has words of its own. */
function isSignedOut(error) {
  return error.status === 401 && !error.code.startsWith("setup_");
}

function labelOf(field) {
  return field.labels?.[0]?.textContent.trim() ?? field.name;
}

/** Says it in the form and to people who listen. */
export function say(form, text) {
  let line = form.querySelector(".said");
  if (!line) {
    line = make("span", { class: "said soft", hidden: true });
    (form.querySelector(".row:last-of-type") ?? form).append(line);
  }
  line.textContent = text;
  line.hidden = text === "";
  if (text) announce(text);
}

function busy(form) {
  const button = form.querySelector("[type=submit]");
  const text = button.textContent;
  form.setAttribute("aria-busy", "true");
  button.setAttribute("aria-disabled", "true");
  button.textContent = button.dataset.busy ?? "Saving …";
  return () => {
    form.removeAttribute("aria-busy");
    button.removeAttribute("aria-disabled");
    button.textContent = text;
  };
}

/**
 * Asks once before something that cannot be undone.
 *
 * @param {string} title
 * @param {string} text what it will do.
 * @param {string} verb the button, with its object.
 * @returns {Promise<boolean>}
 */
export function ask(title, text, verb) {
  return new Promise((resolve) => {
    const dialog = make(
      "dialog",
      { "aria-labelledby": "ask-title" },
      make(
        "form",
        { method: "dialog" },
        make("h2", { id: "ask-title" }, title),
        make("p", {}, prose(text)),
        make(
          "div",
          { class: "row" },
          make("button", { class: "button danger", value: "yes" }, verb),
          make("button", { class: "button", value: "no", autofocus: true }, "Leave it as it is"),
        ),
      ),
    );
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
