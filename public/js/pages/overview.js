/** The first page: what a stranger should know, or what stands between a person and the first command. */

import { get } from "../lib/api.js";
import { showChecks } from "../lib/checks.js";
import { byId, isSafe, prose } from "../lib/dom.js";
import { start } from "../lib/page.js";
import { poll } from "../lib/poll.js";
import { explain, fill } from "../lib/wait.js";
import { taskRow } from "../elements/task-row.js";

const RUNNING = "/api/tasks?status=queued,running&limit=20";
let mention = "porter";
const query = new URLSearchParams(location.search);

/** How a sign-in came out that failed; anybody can write an address, so that only a code of ours' form is believed. */
const failure = query.has("error") ? (/^[a-z_]{1,40}$/.exec(query.get("error") ?? "")?.[0] ?? "unknown") : null;

start({
  words: "Asking what is still missing",
  load: () => get("/api/startup/check"),
  show: showOverview,
  signedOut: showLanding,
  failed: (me) => {
    // What follows may fail as well, and fail again at another try: how the sign-in came out is told beside it, once.
    if (failure !== null && byId("error").hidden) showFailure(me !== null);
  },
});

/** Each way in which a sign-in can fail has its own words, in a template of the page. */
function showProblem(code, action) {
  const known = document.querySelector(`template[data-error="${CSS.escape(code)}"]`);
  const words = (known ?? document.querySelector("template[data-error=other]")).content.cloneNode(true);
  for (const place of words.querySelectorAll("[data-code]")) place.textContent = code;
  for (const way of words.querySelectorAll("[data-action]")) {
    if (isSafe(action)) way.href = action;
    else way.closest("p").remove();
  }
  byId("error").replaceChildren(words);
  byId("error").hidden = false;
  byId("error").focus();
}

/** Whoever is signed in here lost nothing by a second sign-in that did not come about. */
function showFailure(isSignedIn) {
  const isOver = isSignedIn && /^(state_|code_|access_denied$|unknown$)/.test(failure);
  showProblem(isOver ? "signed_in" : failure, null);
}

async function showLanding() {
  byId("title").textContent = "Write a comment, get a pull request";
  byId("wait").replaceChildren();
  byId("landing").hidden = false;
  if (failure !== null) showProblem(failure, null);
  const known = await get("/api/auth/diagnostics", { error: failure }).catch(() => null);
  if (failure !== null && isSafe(known?.sign_in_url)) byId("sign-in").href = known.sign_in_url;
  if (known?.set_up === false) {
    byId("sign-in").hidden = true;
    if (failure === null) showProblem("not_set_up", null);
  } else if (failure === null && known?.problem?.error === "keys_closed") {
    showProblem("keys_closed", null);
  } else if (failure !== null && isSafe(known?.problem?.action)) {
    showProblem(failure, known.problem.action);
  }
}

function showOverview(answer) {
  byId("title").textContent = "Overview";
  document.title = "Overview · Porter";
  if (failure !== null) showFailure(true);
  const open = answer.checks.filter((check) => !check.ok).length;
  byId("verdict").textContent =
    open === 0
      ? "Everything is in order. Write a command under an issue:"
      : `${open === 1 ? "One thing keeps" : `${open} things keep`} it from working:`;
  mention = answer.mention;
  byId("example").hidden = open > 0;
  byId("example").querySelector("code").textContent = `@${mention} add a test for the parser`;
  // What is to be done stands first.
  showChecks(byId("checks"), [...answer.checks].sort((one, other) => Number(one.ok) - Number(other.ok)));
  fill({
    place: byId("now-wait"),
    ready: byId("now-ready"),
    words: "Asking what runs",
    load: () => get(RUNNING),
    show: (page) => {
      showRuns(page);
      watch(page.tasks.length > 0);
    },
  });
}

function watch(busy) {
  const work = poll({
    path: () => RUNNING,
    busy,
    show: (page) => {
      showRuns(page);
      byId("now-wait").replaceChildren();
      return page.tasks.length > 0;
    },
    failed: (error) => byId("now-wait").replaceChildren(explain(error, () => work.restart())),
  });
}

function showRuns({ tasks }) {
  byId("now-table").hidden = tasks.length === 0;
  byId("now-empty").hidden = tasks.length > 0;
  byId("now-empty").replaceChildren(prose(`Nothing runs. Write \`@${mention} add a test\` under an issue to begin.`));
  byId("now-rows").replaceChildren(...tasks.map((task) => taskRow(task, false)));
}
