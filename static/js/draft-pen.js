/** What the fields of the form write with: one draft, seen and changed by path. */

import { fieldOf, valueAt } from "./draft-plan.js";
import { editAt, editsIn } from "./draft.js";

/**
 * `state`: of the draft; `findings`: of the last check; `merging`: paths one puts together by hand; `taken`: where one
 * took somebody else's text, and one's own, `{path, mine}`; `announce(text)` tells a screen reader.
 */
export function penOf({ desk, state, findings, me, merging, taken, onDecide, announce }) {
  const byField = grouped(findings);
  const { language } = state.plan;
  return {
    me, announce,
    language: typeof language === "string" && /^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/.test(language) ? language : "en",
    value: (path) => valueAt(state.plan, path),
    edit: (path) => editAt(state, path),
    findings: (path) => byField.get(path) ?? [],
    editsIn: (path) => editsIn(state, path),
    findingsIn: (path) => findings.filter((finding) => `${finding.path}.`.startsWith(`${path}.`)),
    type: (path, now, options) => desk.type(path, now, options),
    leave: (path) => desk.leave(path),
    decided: [...merging, ...(taken ? [taken.path] : [])],
    isMerging: (path) => merging.includes(path),
    hasTaken: (path) => taken?.path === path,
    merge(path, now) {
      desk.type(path, now);
      onDecide(path, (known) => ({ ...known, merging: [...known.merging, path] }));
    },
    resolve(path, how) {
      const mine = editAt(desk.state, path)?.now;
      desk.resolve(path, how);
      onDecide(path, (known) => ({ merging: known.merging.filter((other) => other !== path), taken: how === "theirs" ? { path, mine } : null }));
    },
    /** One's own text after all, over the one that was taken; or, with `false`, that is that. */
    untake(path, back) {
      if (back) desk.type(path, taken.mine, { wait: false });
      onDecide(path, (known) => ({ ...known, taken: null }));
    },
  };
}

const placed = ({ path }) => (path ? fieldOf(path) : "");

function grouped(findings) {
  const all = new Map();
  for (const finding of findings) all.set(placed(finding), [...(all.get(placed(finding)) ?? []), finding]);
  return all;
}
