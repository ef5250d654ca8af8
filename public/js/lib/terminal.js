/** What a terminal program printed: its colours are shown, its other control codes are not. */

import { make } from "./dom.js";

// A sequence that ends in a letter, an operating system command, any other escape, and lone control characters.
const CODES = /\u001b\[([0-9;:?]*)[ -/]*([@-~])|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)|\u001b.|[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/**
 * @param {string} text
 * @returns {DocumentFragment}
 */
export function printable(text) {
  const whole = document.createDocumentFragment();
  let colour = "";
  let from = 0;
  const add = (until) => {
    const part = text.slice(from, until);
    if (part) whole.append(colour ? make("span", { class: colour }, part) : part);
  };
  for (const match of text.matchAll(CODES)) {
    add(match.index);
    from = match.index + match[0].length;
    if (match[2] === "m") colour = colourAfter(colour, match[1]);
  }
  add(text.length);
  return whole;
}

/** https://www.ecma-international.org/publications-and-standards/standards/ecma-48/, 8.3.117. */
function colourAfter(colour, parameters) {
  for (const word of parameters.split(";")) {
    const number = Number(word || 0);
    if (number === 0 || number === 39) colour = "";
    else if ((number >= 30 && number <= 37) || (number >= 90 && number <= 97)) colour = `ansi-${number % 10}`;
    else if (number === 38 || number === 48) break;
  }
  return colour;
}
