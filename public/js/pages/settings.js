/** A person's settings, or with `data-scope="shared"` on the body the team's: one form a concern. */

import { get, getChanged, send, sendTagged } from "../lib/api.js";
import { checkButton } from "../lib/checks.js";
import { announce, byId, link, make, prose } from "../lib/dom.js";
import { ask, connect, put, renew, say } from "../lib/form.js";
import { start } from "../lib/page.js";
import { shared } from "../lib/shared.js";
import { time } from "../lib/time.js";
import { notice } from "../lib/wait.js";
import { agentForm } from "../elements/agent-form.js";
import { keyRow } from "../elements/key-row.js";
import { mark } from "../elements/task-state.js";

const isTeam = document.body.dataset.scope === "shared";
const scope = isTeam ? "?scope=shared" : "";
const CREDENTIALS = "/api/config/provider-credentials";
const FORMS = isTeam ? ["defaults", "limits"] : ["defaults", "limits", "gist"];
const HINTS = [
  ["_HEADERS", "`Name: value`, each on a line of its own."],
  ["_BASE_URL", "Where calls go instead of the provider: an address that begins with `https://`."],
];
const AGAIN = 3_000;
const LOOKS = 20;
/** So many of the last changes are looked through for whoever made one. */
const LAST_CHANGES = 50;
let needsFly = false;
let look = 0;
let person = null;
/** Labels of fields that changed before the person's eyes, until that is said. */
const others = new Set();

const settings = shared({
  read: () => getChanged(`/api/config${scope}`, null),
  write: (values, etag) => sendTagged("PATCH", `/api/config${scope}`, values, { etag }),
  who: whoChanged,
  moved: bringUpToDate,
});

start({
  forAdmins: isTeam,
  words: isTeam ? "Asking for the team’s settings" : "Asking for your settings",
  load: async () => {
    const [config, { providers }, { credentials }, { agents }] = await Promise.all([
      getChanged(`/api/config${scope}`, null),
      get("/api/config/providers"),
      get(CREDENTIALS + scope),
      get("/api/agents"),
    ]);
    return { config, providers, credentials, agents };
  },
  show: ({ config: tagged, providers, credentials, agents }, me) => {
    const config = settings.know(tagged);
    person = me;
    showKeys(providers, credentials);
    showAgentChoice(agents);
    showConfig(config);
    needsFly = config.effective.executor === "fly";
    showFly(config.fly);
    if (isTeam) byId("agents").replaceChildren(...agents.map(agentForm));
  },
});

for (const [id, done] of [["defaults", "Agent and model are saved."], ["limits", "The limits are saved."]]) {
  connect(byId(id), { send: (values) => settings.save(byId(id), values), done, after: tellOthers });
}

if (!isTeam) {
  connect(byId("gist"), {
    whole: true,
    send: (values) => settings.save(byId("gist"), values),
    done: "Your choice is saved.",
    after: tellOthers,
  });
}

function showConfig(config) {
  for (const form of FORMS.map(byId)) {
    showBounds(form, config);
    put(form, config);
  }
  if (!isTeam) watchGist(config.gist);
}

/** Puts the newest settings into all forms; what is typed stays. */
function bringUpToDate() {
  const config = settings.now();
  for (const form of FORMS.map(byId)) {
    showBounds(form, config);
    for (const label of renew(form, config)) others.add(label);
  }
  if (!isTeam) watchGist(config.gist);
}

/** After a save: which fields show something else now, because others saved too. */
function tellOthers() {
  bringUpToDate();
  const names = [...others].map((label) => `“${label}”`).join(", ");
  others.clear();
  return names && `Changed elsewhere meanwhile, and shown here as it is now: ${names}.`;
}

function showBounds(form, config) {
  for (const [name, { minimum, maximum }] of Object.entries(config.limits)) {
    const field = form.elements[name];
    if (field) Object.assign(field.dataset, { low: minimum, high: maximum });
  }
  for (const field of form.elements) field.disabled = config.fixed_by_operator.includes(field.name);
  for (const place of form.querySelectorAll("[data-now]")) place.textContent = now(config, place.dataset.now);
}

/** Who changed a setting last, as the record of changes tells admins; one's own only oneself can change. */
async function whoChanged(name) {
  const you = "You, in another window,";
  if (!isTeam) return you;
  try {
    const { entries } = await get("/api/audit", { action: "settings.changed", limit: LAST_CHANGES });
    const last = entries.find(({ subject, detail }) => subject === "shared" && (detail ?? "").split(", ").includes(name));
    if (!last) return "Somebody";
    return last.actor_id === person.id ? you : last.actor;
  } catch {
    return "Somebody";
  }
}

/** Shows how the gist stands, and asks again for a minute while Porter is about to write it. */
function watchGist(gist, left = LOOKS) {
  showGist(gist);
  clearTimeout(look);
  if (gist.state !== "waiting") {
    if (left < LOOKS) announce(byId("gist-state").textContent);
    return;
  }
  if (left === 0) return;
  look = setTimeout(async () => {
    try {
      watchGist((await get("/api/config")).gist, left - 1);
    } catch {
      // The line stays as it is; the next save asks anew.
    }
  }, AGAIN);
}

function showGist({ state, at, url, message }) {
  const began = { written: [mark(true, ["Written", ""]), " ", time(at), ". "], failed: [mark(false, ["", "Not written"]), ". "] };
  byId("gist-state").replaceChildren(...(began[state] ?? []), prose(message), ...(url ? [" ", link(url, "Open the gist")] : []));
}

function now(config, name) {
  const { minimum, maximum } = config.limits[name];
  if (config.fixed_by_operator.includes(name)) return `Fixed by the operator at ${config.effective[name]}.`;
  const above = `as ${isTeam ? "the operator" : "the team"} has it`;
  const now = config[name] === null ? `now ${config.effective[name]}, ${above}` : `empty: ${above}`;
  return `From ${minimum} to ${maximum}; ${now}.`;
}

function showAgentChoice(agents) {
  const words = (agent) => (agent.enabled ? (agent.usable ? agent.title : `${agent.title} (no key yet)`) : `${agent.title} (switched off)`);
  byId("default_agent").replaceChildren(
    make("option", { value: "" }, isTeam ? "The first that has a key" : "As the team, or the first that has a key"),
    ...agents.map((agent) => make("option", { value: agent.name }, words(agent))),
  );
}

function showKeys(providers, credentials) {
  const rowOf = (provider, name, more) => {
    const held = credentials.find((one) => one.provider === provider.name && one.name === name && one.configured);
    return keyRow({
      title: provider.title,
      name,
      held: held ?? null,
      save: (value) => send("PUT", CREDENTIALS + scope, { provider: provider.name, name, value }),
      remove: () => send("DELETE", `${CREDENTIALS}/${encodeURIComponent(provider.name)}/${encodeURIComponent(name)}${scope}`),
      loss: () => lossOf(provider, name),
      check: null,
      page: null,
      hint: null,
      lines: false,
      ...more,
    });
  };
  byId("keys").replaceChildren(
    ...providers.flatMap((provider) =>
      provider.keys.map((name) =>
        rowOf(provider, name, {
          page: provider.keys_page,
          check: provider.can_be_checked ? () => send("POST", `/api/config/validate/${encodeURIComponent(provider.name)}${scope}`) : null,
        }),
      ),
    ),
  );
  if (!isTeam) return;
  byId("gateways").replaceChildren(
    ...providers.flatMap((provider) =>
      provider.admin_variables.map((name) =>
        rowOf(provider, name, {
          loss: async () => `Calls to ${provider.title} go on without it.`,
          lines: name.endsWith("_HEADERS"),
          hint: HINTS.find(([end]) => name.endsWith(end))?.[1] ?? "As the program’s own documentation says.",
        }),
      ),
    ),
  );
}

/** What it means to remove a key, as things are now: of one provider a person's own keys or the team's are used. */
async function lossOf({ name: provider, title }, name) {
  if (isTeam) {
    return `Runs of people who have no key of their own for ${title} end with \`provider_key_missing\`, unless the team or the operator has another one for them.`;
  }
  try {
    const [{ providers }, { credentials }] = await Promise.all([get("/api/config/providers"), get(CREDENTIALS)]);
    const other = credentials.find((one) => one.provider === provider && one.name !== name && one.configured);
    if (other) {
      return `Your \`${other.name}\` stays, and no key of the team’s for ${title} is used beside it. Runs that need \`${name}\` end with \`provider_key_missing\`.`;
    }
    return providers.find((one) => one.name === provider)?.configured.shared_key
      ? `The team has a key for ${title}: your runs use that one from then on.`
      : `No key of the team’s takes its place: runs that need one for ${title} end with \`provider_key_missing\` until you add another.`;
  } catch {
    return `If the team has a key for ${title}, your runs use that one from then on; otherwise those that need one end with \`provider_key_missing\`.`;
  }
}

function showFly(fly) {
  const need = needsFly
    ? "Runs go to Fly Machines, so this is needed."
    : "Runs happen on this Porter’s own box, so this is not needed.";
  byId("fly-state").replaceChildren(
    ...(fly.configured ? [mark(true, ["Configured", ""]), ", ", time(fly.updated_at)] : ["Not configured. ", need]),
  );
  byId("fly-remove").hidden = !fly.configured;
  byId("fly-check").hidden = !fly.configured;
  put(byId("fly"), fly);
}

connect(byId("fly"), {
  whole: true,
  send: (values) => send("PUT", `/api/config/fly${scope}`, values),
  done: "Access to Fly is saved.",
  after: () => showFly({ configured: true, app: byId("fly-app").value, region: byId("fly-region").value, updated_at: new Date().toISOString() }),
});

checkButton(byId("fly-check"), byId("fly-checks"), "Asking Fly", () => send("POST", `/api/config/validate/fly${scope}`));

byId("fly-remove").addEventListener("click", async () => {
  if (!(await ask("Remove access to Fly?", "Porter forgets the token, the app and the region, and cannot bring the token back.", "Remove Fly access"))) return;
  try {
    await send("DELETE", `/api/config/fly${scope}`);
    byId("fly-checks").replaceChildren();
    showFly({ configured: false });
    say(byId("fly"), "Access to Fly is removed.");
    byId("fly-token").focus();
  } catch (error) {
    byId("fly-checks").replaceChildren(notice("Access to Fly is still there", error.message));
  }
});

if (isTeam) {
  checkButton(byId("github-check"), byId("github-checks"), "Asking GitHub about the App", () => send("POST", "/api/config/validate/github?scope=shared"));
}
