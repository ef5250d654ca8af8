/** Set-up: who owns the App, then GitHub makes it, then it is installed. One step at a time. */

import { get, Problem, send } from "../lib/api.js";
import { announce, byId, isSafe, make, prose } from "../lib/dom.js";
import { connect } from "../lib/form.js";
import { fill, notice } from "../lib/wait.js";

/** Which step a stage belongs to. */
const STEPS = { closed: 0, offered: 1, sent: 2, converting: 2, stored: 3, done: 3 };

/** What came back with the browser from GitHub. */
const ERRORS = {
  setup_token: "The address was used before, or a newer one was made. Run `porterctl setup-url` again, and open what it prints.",
  setup_token_expired: "The address was good for an hour, and that is over. Run `porterctl setup-url` again, and open what it prints.",
  setup_state: "GitHub did not come back to what was begun here, or came twice. Run `porterctl setup-url` again, and begin anew.",
  setup_state_expired: "It took longer than an hour. Run `porterctl setup-url` again, and begin anew.",
  setup_code: "GitHub does not take its own code any more, so the App’s keys did not arrive. Delete the App on GitHub if it is there, run `porterctl setup-url` again, and begin anew.",
  setup_github: "GitHub did not answer. Go back to the page that GitHub sent you to and load it again; nothing is lost.",
  unavailable: "Porter’s database did not answer. Load the page again that GitHub sent you to; nothing is lost.",
};

const token = new URLSearchParams(location.hash.slice(1)).get("token");

fill({
  place: byId("wait"),
  ready: byId("ready"),
  words: "Asking how far the set-up has come",
  load: () => get("/api/setup/status"),
  show: (status) => {
    showError(status);
    const canBegin = token !== null && status.stage !== "stored" && status.stage !== "done";
    showStep(canBegin ? 1 : STEPS[status.stage] ?? 0);
    byId("words").replaceChildren(prose(canBegin ? "Choose who is to own the App, and go on to GitHub." : status.message));
    byId("owner-form").hidden = !canBegin;
    byId("install").hidden = !isSafe(status.installation_url);
    if (isSafe(status.installation_url)) byId("install").href = status.installation_url;
    byId("address").textContent = status.public_url;
  },
  failed: (error) => {
    if (!(error instanceof Problem) || error.status !== 404) return false;
    const over = make(
      "div",
      { class: "notice good" },
      make("h2", {}, "Porter is set up"),
      make("p", {}, "There is nothing left to do here."),
      make("a", { class: "button main", href: "/" }, "Go to the first page"),
    );
    byId("wait").replaceChildren(over);
    return true;
  },
});

function showError(status) {
  const code = new URLSearchParams(location.search).get("error");
  if (code === null) return;
  const words = ERRORS[code] ?? `GitHub’s answer did not fit (\`${code.slice(0, 64)}\`). Run \`porterctl setup-url\` again, and begin anew.`;
  const way = code === "setup_code" ? make("a", { class: "button", href: `${status.github_url}/settings/apps` }, "Your Apps on GitHub") : null;
  byId("error").replaceChildren(notice("The set-up did not go on", words, way));
}

function showStep(number) {
  for (const [index, step] of [...byId("steps").children].entries()) {
    if (index + 1 === number) step.setAttribute("aria-current", "step");
    else step.removeAttribute("aria-current");
  }
}

for (const choice of document.querySelectorAll("[name=kind]")) {
  choice.addEventListener("change", () => {
    const isOrganisation = byId("kind-organisation").checked;
    byId("owner-field").hidden = !isOrganisation;
    byId("owner").required = isOrganisation;
  });
}

connect(byId("owner-form"), {
  whole: true,
  done: "",
  send: ({ owner, checks, gists }) =>
    send("POST", "/api/setup/manifest", { token, owner: byId("kind-organisation").checked ? owner : null, checks, gists }),
  after: ({ action, manifest }) => {
    announce("Going on to GitHub");
    // The token is used up: nobody who sees the address later should wonder.
    history.replaceState(null, "", location.pathname);
    const form = make("form", { method: "post", action, hidden: true }, make("input", { type: "hidden", name: "manifest" }));
    form.elements.manifest.value = JSON.stringify(manifest);
    document.body.append(form);
    form.submit();
  },
});
