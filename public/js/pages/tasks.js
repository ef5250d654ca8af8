/** The list of runs. Filters and the place in the list are in the address, so a link shows the same. */

import { get, toQuery } from "../lib/api.js";
import { announce, byId, prose } from "../lib/dom.js";
import { start } from "../lib/page.js";
import { poll } from "../lib/poll.js";
import { count } from "../lib/time.js";
import { explain } from "../lib/wait.js";
import { taskRow } from "../elements/task-row.js";
import { isUnfinished } from "../elements/task-state.js";

const query = new URLSearchParams(location.search);
const FILTERS = ["search", "status", "repo"];
const asked = Object.fromEntries([...FILTERS, "cursor"].map((name) => [name, query.get(name)]));
const isFiltered = FILTERS.some((name) => asked[name]);
const LIMIT = 50;
/** Pages of a search that are put together at most: each looks through 1,000 runs, and mostly finds few. */
const MOST_PAGES = 20;
const path = `/api/tasks${toQuery({ ...asked, limit: LIMIT })}`;

const filters = byId("filters");
for (const name of FILTERS) filters.elements[name].value = asked[name] ?? "";
byId("find").open = isFiltered || matchMedia("(width >= 48rem)").matches;
filters.addEventListener("submit", (event) => {
  event.preventDefault();
  const values = Object.fromEntries(FILTERS.map((name) => [name, filters.elements[name].value.trim()]));
  location.assign(`/tasks/${toQuery(values)}`);
});

start({
  words: "Asking for the runs",
  load: () => {
    byId("find").hidden = false;
    return get(path).then(goOn);
  },
  show: (page) => {
    byId("all").hidden = !isFiltered;
    showPage(page);
    watch(page.tasks.some(isUnfinished));
  },
});

/** A search's first page with what its next ones find, until there are enough runs. */
async function goOn({ tasks, next }) {
  for (let pages = 1; asked.search && next !== null && tasks.length < LIMIT && pages < MOST_PAGES; pages += 1) {
    try {
      const page = await get(`/api/tasks${toQuery({ ...asked, limit: LIMIT - tasks.length, cursor: next })}`);
      tasks = [...tasks, ...page.tasks];
      next = page.next;
    } catch {
      // What was found is shown; the link to older runs goes on where this stopped.
      break;
    }
  }
  return { tasks, next };
}

function showPage({ tasks, next }) {
  byId("news").hidden = true;
  byId("rows").replaceChildren(...tasks.map((task) => taskRow(task, true)));
  byId("table").hidden = tasks.length === 0;
  byId("empty").hidden = tasks.length > 0;
  byId("empty").replaceChildren(
    prose(
      next !== null
        ? "None of the newest runs is like this. Older ones may be: go on below."
        : isFiltered || asked.cursor
          ? "No run is like this. Change what you look for, or show all runs."
          : "No runs yet. The overview shows what to write under an issue of a repository that is served here.",
    ),
  );
  byId("more").hidden = next === null;
  byId("older").href = `/tasks/${toQuery({ ...asked, cursor: next })}`;
}

/** What is there is brought up to date in its place; what is new waits for a click, so that nothing moves. */
function watch(busy) {
  const work = poll({
    path: () => path,
    busy,
    show: (page) => {
      byId("wait").replaceChildren();
      const rows = new Map([...byId("rows").children].map((row) => [row.dataset.id, row]));
      const fresh = page.tasks.filter((task) => !rows.has(task.id));
      for (const task of page.tasks) update(rows.get(task.id), task);
      byId("news").hidden = fresh.length === 0;
      const words = `Show ${count(fresh.length, "new run")}`;
      if (fresh.length > 0 && byId("show-news").textContent !== words) announce(`${count(fresh.length, "new run")} at the top`);
      byId("show-news").textContent = words;
      byId("show-news").onclick = async () => {
        byId("show-news").onclick = null;
        showPage(await goOn(page));
        byId("table").querySelector("a")?.focus();
      };
      return page.tasks.some(isUnfinished);
    },
    failed: (error) => byId("wait").replaceChildren(explain(error, () => work.restart())),
  });
}

function update(row, task) {
  if (!row) return;
  const now = taskRow(task, true);
  for (const [index, cell] of [...row.children].entries()) {
    if (index === 1) continue;
    cell.replaceWith(now.children[index].cloneNode(true));
  }
}
