/** Asking again: every 3 s while something runs and the page is seen, every 30 s otherwise. */

import { getChanged, Problem } from "./api.js";

const BUSY = 3_000;
const CALM = 30_000;

/**
 * Asks until an error or until told to stop.
 *
 * @param {object} work
 * @param {() => string} work.path what to ask now.
 * @param {(body: any) => boolean} work.show called with what has changed; whether something still runs.
 * @param {(error: unknown) => void} work.failed asking has stopped; `restart` goes on.
 * @param {boolean} work.busy whether something runs at the beginning.
 * @param {() => void} [work.each] called after every answer, changed or not.
 * @returns {{restart: () => void, stop: () => void}}
 */
export function poll({ path, show, failed, busy, each = () => {} }) {
  let etag = null;
  let text = "";
  let isBusy = busy;
  let timer = 0;
  let turn = 0;

  const plan = () => {
    clearTimeout(timer);
    timer = setTimeout(look, isBusy && document.visibilityState === "visible" ? BUSY : CALM);
  };
  const look = async () => {
    const mine = ++turn;
    try {
      const answer = await getChanged(path(), etag);
      if (mine !== turn) return;
      etag = answer.etag;
      const now = JSON.stringify(answer.body);
      if (answer.body !== undefined && now !== text) {
        text = now;
        isBusy = show(answer.body);
      }
      each();
      plan();
    } catch (error) {
      // Made for one person, and another is signed in now.
      if (error instanceof Problem && error.code === "other_person") return location.reload();
      if (mine === turn) failed(error);
    }
  };
  const seen = () => {
    if (document.visibilityState === "visible" && timer) look();
  };
  const stop = () => {
    turn += 1;
    clearTimeout(timer);
    timer = 0;
    document.removeEventListener("visibilitychange", seen);
  };

  document.addEventListener("visibilitychange", seen);
  plan();
  return { restart: look, stop };
}
