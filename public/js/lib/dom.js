/** Building blocks: text goes in as text, never as markup. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * The element of that id.
 * @param {string} id
 * @returns {any}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found;
}

/**
 * An element. A property that is null or false is left out; `on…` takes a listener.
 * @param {string} tag
 * @param {Record<string, any>} [properties]
 * @param {...(Node | string | number | null | undefined | false)} children
 * @returns {any}
 */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child || child === 0).map((child) => (child instanceof Node ? child : String(child))));
  return element;
}

/**
 * A copy of a template's first element, its `data-slot` parts filled: a Node replaces what is there, text is set.
 * @param {string} id of the template.
 * @param {Record<string, Node | string | number | null | undefined>} slots a slot without a value is removed.
 * @returns {any}
 */
export function fromTemplate(id, slots) {
  const copy = byId(id).content.firstElementChild.cloneNode(true);
  for (const place of [copy, ...copy.querySelectorAll("[data-slot]")]) {
    const name = place.dataset.slot;
    if (!name) continue;
    const value = slots[name];
    if (value === null || value === undefined || value === "") place.remove();
    else if (value instanceof Node) place.replaceChildren(value);
    else place.textContent = String(value);
  }
  return copy;
}

/**
 * A link, or plain text when the address is none that a page may lead to.
 * @param {string | null | undefined} address
 * @param {string | Node} text
 * @param {Record<string, any>} [properties]
 */
export function link(address, text, properties = {}) {
  return isSafe(address) ? make("a", { href: address, ...properties }, text) : make("span", {}, text);
}

/**
 * Whether an address is of this site or a web address: data never becomes a script.
 * @param {unknown} address
 */
export function isSafe(address) {
  if (typeof address !== "string" || address === "") return false;
  try {
    return ["http:", "https:"].includes(new URL(address, location.origin).protocol);
  } catch {
    return false;
  }
}

/**
 * A picture of `icons.svg`; words stand beside it, so it is not read out.
 * @param {string} name
 */
export function icon(name) {
  const picture = document.createElementNS(SVG, "svg");
  picture.setAttribute("class", "mark");
  picture.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `/icons.svg#${name}`);
  picture.append(use);
  return picture;
}

/**
 * Text with what stands in backticks as code.
 * @param {string} text
 * @returns {DocumentFragment}
 */
export function prose(text) {
  const whole = document.createDocumentFragment();
  String(text)
    .split(/`([^`]+)`/)
    .forEach((part, index) => whole.append(index % 2 ? make("code", {}, part) : part));
  return whole;
}

/**
 * Says a change to people who listen; the page's one polite line.
 * @param {string} text
 */
export function announce(text) {
  byId("status").textContent = text;
}
