/** Lists of things that are right or not, each with its way out. */

import { icon, isSafe, link, make, prose } from "./dom.js";

/** What the checks are called for people; others show their own name. */
const TITLES = {
  github_app: "GitHub App",
  credentials: "Credentials",
  webhook: "Webhook",
  permissions: "Permissions",
  events: "Events",
  installation: "Installation",
  repository: "Repositories",
  agent: "Agent and key",
  engine: "Machines",
  executor: "Machines",
  watchdog: "Watchdog",
  key: "Key",
  address: "Address",
  answer: "Answer",
  token: "Token",
  app: "App",
  image: "Image",
};

/**
 * One line a check.
 *
 * @param {HTMLElement} list a `ul.checks`.
 * @param {{name: string, ok: boolean, message: string | null, action: string | null}[]} checks
 */
export function showChecks(list, checks) {
  list.replaceChildren(
    ...checks.map((check) =>
      make(
        "li",
        {},
        make("span", { class: `state ${check.ok ? "good" : "wait"}` }, icon(check.ok ? "done" : "to-do"), check.ok ? "In order" : "To do"),
        make("span", {}, make("strong", {}, TITLES[check.name] ?? check.name.replaceAll("_", " ")), check.message ? ": " : "", prose(check.message ?? "")),
        !check.ok && isSafe(check.action) ? link(check.action, words(check.action), { class: "button small" }) : null,
      ),
    ),
  );
}

/** Where an address leads, in words. */
function words(address) {
  const to = new URL(address, location.origin);
  if (to.origin !== location.origin) return `Go to ${to.hostname === "github.com" ? "GitHub" : to.hostname}`;
  const pages = { "/setup": "Set up Porter", "/settings/": "Open settings", "/team/": "Open team settings", "/repositories/": "Open repositories", "/help/": "Read the help" };
  return pages[to.pathname] ?? "Go there";
}

/**
 * Checks at the press of a button, and shows each as it came out.
 *
 * @param {HTMLButtonElement} button
 * @param {HTMLElement} place
 * @param {string} words what is being asked.
 * @param {() => Promise<{ok: boolean, checks: any[]}>} ask
 */
export function checkButton(button, place, words, ask) {
  button.addEventListener("click", async () => {
    if (button.getAttribute("aria-disabled") === "true") return;
    button.setAttribute("aria-disabled", "true");
    const said = make("p", { role: "status" }, `${words} …`);
    place.replaceChildren(said);
    const slow = setTimeout(() => {
      said.textContent = `${words} … This takes longer than usual.`;
    }, 3_000);
    try {
      const answer = await ask();
      const list = make("ul", { class: "checks" });
      showChecks(list, answer.checks);
      said.textContent = answer.ok ? "All is in order." : "Something is to be mended:";
      place.replaceChildren(said, list);
    } catch (error) {
      said.textContent = `The check was not made: ${error.message}`;
    } finally {
      clearTimeout(slow);
      button.removeAttribute("aria-disabled");
    }
  });
}
