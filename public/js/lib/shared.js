/** Saving what others may save too: nobody's value is replaced unseen. */

import { Problem } from "./api.js";
import { overtaken } from "./form.js";

/** How the newest value is taken, where it is no text. */
const WAYS = { nothing: "Leave it empty", on: "Leave it on", off: "Leave it off" };
/** How often it is tried when others save as well, but other fields. */
const TRIES = 4;

/**
 * Values that are read and saved with a tag of their state.
 *
 * @param {object} store
 * @param {() => Promise<Tagged>} store.read
 * @param {(values: Record<string, any>, etag: string | null) => Promise<Tagged>} store.write fails with 412 when the
 *   tag is not that of the state.
 * @param {(name: string) => Promise<string>} store.who who changed the field last, as a sentence begins.
 * @param {() => void} store.moved called when somebody else's change was read.
 * @returns {{know: (tagged: Tagged) => any, save: (form: HTMLFormElement, values: Record<string, any>) => Promise<any>,
 *   now: () => any}}
 *   `know`: what was read otherwise. `save`: saves, unless a field that was typed into was changed by somebody else
 *   since it was filled; that is told then, and saving again replaces their value. `now`: the newest values known.
 *
 * @typedef {{body: any, etag: string | null}} Tagged
 */
export function shared({ read, write, who, moved }) {
  let known = { body: {}, etag: null };
  return { know, save, now: () => known.body };

  function know(tagged) {
    known = tagged;
    return tagged.body;
  }

  async function save(form, values) {
    for (let tries = 1; ; tries += 1) {
      await refuseOvertaken(form, values);
      try {
        return know(await write(values, known.etag));
      } catch (error) {
        if (!(error instanceof Problem) || error.status !== 412 || tries === TRIES) throw error;
        know(await read());
        try {
          // Before untouched fields follow: a form that sends them as well must not put the former value back.
          await refuseOvertaken(form, values);
        } finally {
          moved();
        }
      }
    }
  }

  async function refuseOvertaken(form, values) {
    const late = overtaken(form, Object.keys(values), known.body);
    if (late.length === 0) return;
    throw new AggregateError(
      await Promise.all(
        late.map(async ({ name, before, now, typed, take }) => {
          const words = `${await who(name)} changed this meanwhile from ${before} to ${now}. You chose ${typed}: save again to put it in its place.`;
          return Object.assign(new Problem(412, "changed_meanwhile", words, { field: name }), { way: { words: WAYS[now] ?? `Take ${now}`, act: take } });
        }),
      ),
    );
  }
}
