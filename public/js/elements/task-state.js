/** How a run stands: an icon, a word, a hue. */

import { icon, make } from "../lib/dom.js";

const STATES = {
  queued: ["queued", "Queued", "wait"],
  running: ["running", "Running", "busy"],
  success: ["done", "Done", "good"],
  failed: ["failed", "Failed", "bad"],
  timed_out: ["timed-out", "Timed out", "bad"],
  cancelled: ["cancelled", "Cancelled", "wait"],
};
const PHASES = { clone: "Starting", setup: "Starting", agent: "Running", saving: "Saving", publishing: "Publishing" };

/**
 * @param {{status: string, progress: {phase: string | null} | null}} task
 */
export function taskState(task) {
  const [picture, word, hue] = STATES[task.status] ?? ["queued", task.status, "wait"];
  const phase = task.status === "running" ? PHASES[task.progress?.phase ?? ""] : null;
  return make("span", { class: `state ${hue}` }, icon(picture), phase ?? word);
}

/** Whether a run may still change. */
export function isUnfinished(task) {
  return task.status === "queued" || task.status === "running";
}

/**
 * @param {boolean} ok
 * @param {[string, string]} words for good and not.
 */
export function mark(ok, [yes, no]) {
  return make("span", { class: `state ${ok ? "good" : "wait"}` }, icon(ok ? "done" : "to-do"), ok ? yes : no);
}
