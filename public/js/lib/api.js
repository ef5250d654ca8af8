/**
 * Every call of the pages to Porter. Whatever goes wrong comes out as one kind of error, in words.
 */

/** Milliseconds after which a call is given up. */
const PATIENCE = 60_000;

/** A call that did not come out as it should; `message` is for the person. */
export class Problem extends Error {
  /**
   * @param {number} status HTTP status; 0 when nobody answered.
   * @param {string} code the code of Porter's error, or one of ours: `unreachable`, `unreadable`.
   * @param {string} message what happened and what to do.
   * @param {{action?: string | null, field?: string | null}} [more] where to go on, and which field is wrong.
   */
  constructor(status, code, message, { action = null, field = null } = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.action = action;
    this.field = field;
  }
}

let person = null;

/**
 * Says for whom the page is made: Porter refuses its calls once somebody else is signed in in this browser.
 * @param {number} id
 */
export function callFor(id) {
  person = id;
}

/**
 * Reads.
 * @param {string} path from `/api/` on.
 * @param {Record<string, string | number | null | undefined>} [query] absent and empty values are left out.
 * @returns {Promise<any>}
 */
export async function get(path, query = {}) {
  return (await call("GET", path + toQuery(query))).body;
}

/**
 * Reads what is asked for again and again.
 * @param {string} path
 * @param {string | null} etag of the last answer.
 * @returns {Promise<{body: any, etag: string | null}>} `body` is undefined when nothing has changed.
 */
export async function getChanged(path, etag) {
  return call("GET", path, { headers: etag ? { "If-None-Match": etag } : {} });
}

/**
 * Changes.
 * @param {"POST" | "PUT" | "PATCH" | "DELETE"} method
 * @param {string} path
 * @param {object} [body]
 * @param {{etag?: string | null, headers?: Record<string, string>}} [more] `etag`: only if nothing has changed since.
 * @returns {Promise<any>} undefined for an answer without a body.
 */
export async function send(method, path, body, more = {}) {
  return (await sendTagged(method, path, body, more)).body;
}

/**
 * Changes what has a tag of its state.
 * @param {"POST" | "PUT" | "PATCH" | "DELETE"} method
 * @param {string} path
 * @param {object} [body]
 * @param {{etag?: string | null, headers?: Record<string, string>}} [more]
 * @returns {Promise<{body: any, etag: string | null}>} with the tag of what is there now.
 */
export async function sendTagged(method, path, body, { etag = null, headers = {} } = {}) {
  const fields = { ...headers };
  if (body !== undefined) fields["Content-Type"] = "application/json";
  if (etag) fields["If-Match"] = etag;
  return call(method, path, { headers: fields, body: body === undefined ? undefined : JSON.stringify(body) });
}

/** @param {Record<string, unknown>} values */
export function toQuery(values) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== null && value !== undefined && value !== "") query.set(name, String(value));
  }
  const text = query.toString();
  return text ? `?${text}` : "";
}

async function call(method, path, { headers = {}, body } = {}) {
  let response;
  let text;
  try {
    response = await fetch(path, {
      method,
      headers: { Accept: "application/json", ...(person === null ? {} : { "X-Porter-Person": String(person) }), ...headers },
      body,
      cache: "no-store",
      credentials: "same-origin",
      redirect: "error",
      signal: AbortSignal.timeout(PATIENCE),
    });
    text = await response.text();
  } catch (error) {
    throw unreachable(error);
  }
  const etag = response.headers.get("ETag");
  if (response.status === 304) return { body: undefined, etag };
  const value = parse(text);
  if (response.ok && (text === "" || value !== undefined)) return { body: value, etag };
  throw refused(response.status, value);
}

function parse(text) {
  try {
    return text === "" ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unreachable(error) {
  const late = error instanceof DOMException && error.name === "TimeoutError";
  return new Problem(
    0,
    "unreachable",
    late
      ? "There was no answer within a minute, so it may be very busy. Nothing that it accepted is lost."
      : "Your connection may be down, or Porter may be restarting. Nothing that it accepted is lost.",
  );
}

function refused(status, value) {
  if (typeof value?.message !== "string") {
    return new Problem(status, "unreadable", `Porter’s answer (${status}) could not be understood. Tell the operator if it stays so.`);
  }
  const named = typeof value.field === "string" ? value.field : value.message.match(/^`([^`]+)`/)?.[1];
  return new Problem(status, String(value.error), value.message, { action: value.action ?? null, field: named ?? null });
}
