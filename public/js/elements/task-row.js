/** A run as a row of a table. */

import { link, make } from "../lib/dom.js";
import { span, time } from "../lib/time.js";
import { taskState } from "./task-state.js";

/** `octo-team/hello#12`, or the repository alone. */
export function issueName(task) {
  const repository = `${task.repo_owner}/${task.repo_name}`;
  return task.issue_number ? `${repository}#${task.issue_number}` : repository;
}

/** The page of a run. */
export function taskAddress(task) {
  return `/task/?id=${encodeURIComponent(task.id)}`;
}

/** Why a run ended as it did, in a word or two. */
function reason(task) {
  return task.reason ? [make("br"), make("span", { class: "soft" }, task.reason.replaceAll("_", " "))] : [];
}

/** How long it took, or has taken so far. */
function length(task) {
  const took = task.duration_ms ?? (task.started_at && !task.finished_at ? Date.now() - Date.parse(task.started_at) : null);
  if (took === null) return [];
  return [make("br"), make("span", { class: "soft narrow" }, `${task.finished_at ? "took" : "for"} ${span(took)}`)];
}

/**
 * @param {any} task
 * @param {boolean} long with duration and pull request.
 */
export function taskRow(task, long) {
  const cells = [
    make("td", {}, taskState(task), ...reason(task)),
    make(
      "td",
      {},
      make("a", { href: taskAddress(task) }, task.issue_title || "Run without a title"),
      make("br"),
      make("span", { class: "soft" }, issueName(task)),
    ),
    make("td", { "data-head": "Agent" }, task.agent ?? "not chosen yet"),
    make("td", { "data-head": "Asked by" }, task.created_by),
    make("td", { "data-head": long ? "When" : "Since" }, time(task.created_at), ...(long ? length(task) : [])),
  ];
  if (long) cells.push(make("td", { "data-head": "Pull request" }, task.pr_url ? link(task.pr_url, `#${task.pr_number}`) : ""));
  return make("tr", { "data-id": task.id }, ...cells);
}
