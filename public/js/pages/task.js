/** One run: what happened and whose turn it is, then its log, its history, what the agent was told, its facts. */

import { get, Problem, send } from "../lib/api.js";
import { announce, byId, link, make, prose } from "../lib/dom.js";
import { ask } from "../lib/form.js";
import { start } from "../lib/page.js";
import { poll } from "../lib/poll.js";
import { printable } from "../lib/terminal.js";
import { count, cost, span, time } from "../lib/time.js";
import { explain, notice } from "../lib/wait.js";
import { issueName, taskAddress } from "../elements/task-row.js";
import { isUnfinished, taskState } from "../elements/task-state.js";

/** Characters of log that are kept on the page. */
const LONGEST_LOG = 500_000;

const id = new URLSearchParams(location.search).get("id") ?? "";
const path = `/api/tasks/${encodeURIComponent(id)}`;
const log = byId("log");
let offset = 0;
let state = null;

start({
  words: "Asking for the run",
  load: () => (id ? get(path) : Promise.reject(new Problem(404, "not_found", "The address names no run: it ends in `?id=` and the run’s id."))),
  show: (task) => {
    showTask(task);
    readLog(task);
    watch(task);
  },
});

function watch(task) {
  let known = task;
  const work = poll({
    path: () => path,
    busy: isUnfinished(task),
    show: (task) => {
      byId("wait").replaceChildren();
      showTask(task);
      known = task;
      return isUnfinished(task);
    },
    each: () => readLog(known),
    failed: (error) => byId("wait").replaceChildren(explain(error, () => work.restart())),
  });
}

function showTask(task) {
  byId("title").textContent = task.issue_title || "Run";
  document.title = `${task.issue_title || "Run"} · Porter`;
  byId("state").replaceChildren(taskState(task));
  byId("where").textContent = `${issueName(task)} · ${task.agent ?? "no agent yet"} · asked by ${task.created_by}`;
  byId("sentence").replaceChildren(prose(sentence(task)));
  byId("next-step").replaceChildren(...nextStep(task));
  const links = [
    task.pr_url && link(task.pr_url, `Pull request #${task.pr_number}`, { class: "button main" }),
    task.comment_url && link(task.comment_url, "The command on GitHub", { class: "button" }),
    task.ending_comment_url && link(task.ending_comment_url, "How it ended on GitHub", { class: "button" }),
  ];
  byId("links").replaceChildren(...links.filter(Boolean));
  byId("stop").hidden = !isUnfinished(task);
  byId("retry").hidden = isUnfinished(task);
  byId("events").replaceChildren(...task.events.map(eventLine));
  byId("no-events").hidden = task.events.length > 0;
  byId("facts").replaceChildren(...facts(task));
  if (state !== null && state !== task.status) announce(sentence(task));
  state = task.status;
}

function sentence(task) {
  const phases = {
    clone: "It clones the repository.",
    setup: "It prepares the machine.",
    agent: "The agent works.",
    saving: "It saves what the agent did.",
    publishing: "It opens the pull request.",
  };
  switch (task.status) {
    case "queued":
      return "It waits for its turn. You need do nothing.";
    case "running":
      return phases[task.progress?.phase] ?? "Its machine starts.";
    case "success":
      if (task.pr_number) return `It is done: pull request #${task.pr_number} is yours to review.`;
      return task.reason === "no_changes" ? "The agent finished without changing anything." : "It is done.";
    default:
      return task.error_message ?? "It ended.";
  }
}

function nextStep(task) {
  const parts = [];
  if (task.reason && task.status !== "success") {
    parts.push(make("a", { href: `/help/#${encodeURIComponent(task.reason)}` }, "What to do about it"), " ");
  }
  if (!isUnfinished(task) && !task.pr_number && task.head_sha) parts.push(prose(`What there was is saved on the branch \`${task.branch}\`.`));
  return parts;
}

function eventLine(event) {
  return make("li", {}, time(event.at), make("span", {}, make("strong", {}, event.kind.replaceAll("_", " ")), event.detail ? `: ${event.detail}` : ""));
}

function facts(task) {
  const usage = task.usage ?? {};
  const tokens = (number) => (number === null || number === undefined ? "unknown" : number.toLocaleString("en"));
  return [
    ["Run", task.id],
    ["Model", task.model ?? "the agent’s own choice"],
    ["Priority", task.priority],
    ["Branch", task.branch],
    ["From", task.base_branch ?? (task.finished_at ? "never known" : "not known yet")],
    ["Asked", time(task.created_at)],
    ["Began", time(task.started_at, task.finished_at ? "never" : "not yet")],
    ["Ended", time(task.finished_at, "not yet")],
    ["Took", task.duration_ms === null ? (task.finished_at ? "no time" : "not known yet") : span(task.duration_ms)],
    ["May take", span(task.timeout_s * 1000)],
    ["Tokens in, out", `${tokens(usage.input_tokens)}, ${tokens(usage.output_tokens)}`],
    ["Cost", cost(usage.cost_usd)],
    ["Machine", task.machine_id ?? "none"],
    ["Tries", count(task.attempt, "machine")],
  ].map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value)));
}

/** Reads on where it stopped; follows only while the end is in view. */
let reading = false;
let isWhole = false;
async function readLog(task) {
  if (reading || isWhole) return;
  reading = true;
  try {
    for (;;) {
      const piece = await get(`${path}/log`, { offset });
      const follows = log.scrollHeight - log.scrollTop - log.clientHeight < 8;
      if (piece.text) log.append(printable(piece.text));
      if (log.textContent.length > LONGEST_LOG) log.textContent = log.textContent.slice(-LONGEST_LOG);
      if (follows) log.scrollTop = log.scrollHeight;
      const moved = piece.next_offset > offset;
      offset = piece.next_offset;
      isWhole = piece.complete;
      if (piece.complete || !moved) break;
    }
    byId("log-note").textContent = offset === 0 ? (isUnfinished(task) ? "Nothing yet." : "There is none.") : "";
    log.hidden = offset === 0;
    byId("wrap").hidden = offset === 0;
  } catch (error) {
    byId("log-note").textContent = `The log could not be read: ${error.message}`;
  } finally {
    reading = false;
  }
}

byId("wrap").addEventListener("click", (event) => {
  const wraps = event.target.getAttribute("aria-pressed") !== "true";
  event.target.setAttribute("aria-pressed", String(wraps));
  log.classList.toggle("unwrapped", !wraps);
});

byId("prompt-part").addEventListener("toggle", async () => {
  if (!byId("prompt-part").open || byId("prompt").childElementCount > 0) return;
  byId("prompt").replaceChildren(make("p", { class: "quiet" }, "Asking for the prompt …"));
  try {
    const { prompt, omissions } = await get(`${path}/prompt`);
    byId("prompt").replaceChildren(
      prompt === null ? make("p", { class: "soft" }, "There is none: the run ended before one was made, or it is older than prompts are kept.") : make("pre", {}, prompt),
      ...(omissions.length > 0 ? [make("h3", {}, "Left out"), make("ul", {}, ...omissions.map((one) => make("li", {}, one)))] : []),
    );
  } catch (error) {
    byId("prompt").replaceChildren(explain(error, () => byId("prompt-part").dispatchEvent(new Event("toggle"))));
  }
});

byId("stop").addEventListener("click", async () => {
  if (!(await ask("Stop this run?", "The agent is stopped. What it has done so far is saved to its branch, and no pull request is opened.", "Stop this run"))) return;
  await act("stop", () => "It is being stopped; what there is, is saved first.");
});

byId("retry").addEventListener("click", () => act("retry", (task) => location.assign(taskAddress(task))));

async function act(verb, done) {
  byId("said").replaceChildren(make("p", { role: "status" }, "Telling Porter …"));
  try {
    const words = done(await send("POST", `${path}/${verb}`));
    byId("said").replaceChildren(make("p", { role: "status" }, words ?? ""));
  } catch (error) {
    byId("said").replaceChildren(notice("That was not done", error.message));
  }
}
