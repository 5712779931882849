/** What the fields of the form write with: one draft, seen and changed by path. */

import { fieldOf, valueAt } from "./draft-plan.js";
import { editAt } from "./draft.js";

/**
 * `state`: of the draft; `findings`: of the last check; `merging`: paths one puts together by hand; `announce(text)`
 * tells a screen reader.
 */
export function penOf({ desk, state, findings, me, merging, onMerge, announce }) {
  const byField = grouped(findings);
  const { language } = state.plan;
  return {
    me, announce,
    language: typeof language === "string" && /^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/.test(language) ? language : "en",
    value: (path) => valueAt(state.plan, path),
    edit: (path) => editAt(state, path),
    findings: (path) => byField.get(path) ?? [],
    problemsIn: (path) => findings.filter((finding) => finding.severity === "error" && `${finding.path}.`.startsWith(`${path}.`)).length,
    type: (path, now, options) => desk.type(path, now, options),
    leave: (path) => desk.leave(path),
    isMerging: (path) => merging.has(path),
    merge(path, now) {
      desk.type(path, now);
      onMerge(path, true);
    },
    resolve(path, how) {
      desk.resolve(path, how);
      onMerge(path, false);
    },
  };
}

const placed = ({ path }) => (path ? fieldOf(path) : "");

function grouped(findings) {
  const all = new Map();
  for (const finding of findings) all.set(placed(finding), [...(all.get(placed(finding)) ?? []), finding]);
  return all;
}
