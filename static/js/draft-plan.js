/**
 * A draft's plan and the paths into it, as the API names them: `title`, `voice.speed`, `step_order` (ids),
 * `steps.<id>` (a step without its id), `steps.<id>.hints`. What is not written is null. Nothing is changed in
 * place.
 */

export const isStep = (path) => /^steps\.[^.]+$/.test(path);
export const isStructure = (path) => path === "step_order" || isStep(path);

/** The step that a field belongs to, `steps.<id>`; null for fields of the lesson. */
export function stepOf(path) {
  return /^(steps\.[^.]+)\../.exec(path)?.[1] ?? null;
}

/** The field that a place of a finding lies in: `steps.a.hints.1` is in `steps.a.hints`. */
export function fieldOf(path) {
  const parts = path.split(".");
  return parts.slice(0, { steps: 3, voice: 2 }[parts[0]] ?? 1).join(".");
}

export const orderOf = (plan) => (plan.steps ?? []).map((step) => step.id);

export function valueAt(plan, path) {
  if (path === "step_order") return orderOf(plan);
  const [first, second, third] = path.split(".");
  if (first !== "steps") return (second ? plan[first]?.[second] : plan[first]) ?? null;
  const step = (plan.steps ?? []).find(({ id }) => id === second);
  if (!step) return null;
  return third ? step[third] ?? null : withoutId(step);
}

/** The plan with `value` at `path`; a new step stands after the step `after`, else at the end. */
export function put(plan, path, value, after = null) {
  const steps = plan.steps ?? [];
  if (path === "step_order") return { ...plan, steps: sorted(steps, value) };
  const [first, second, third] = path.split(".");
  if (first !== "steps") {
    return second ? set(plan, first, orNull(set(plan[first] ?? {}, second, value))) : set(plan, first, value);
  }
  const at = steps.findIndex(({ id }) => id === second);
  if (third) {
    if (at < 0) return plan;
    return { ...plan, steps: steps.with(at, set(steps[at], third, value)) };
  }
  if (value === null) return at < 0 ? plan : { ...plan, steps: steps.toSpliced(at, 1) };
  if (at >= 0) return { ...plan, steps: steps.with(at, { id: second, ...value }) };
  const before = steps.findIndex(({ id }) => id === after);
  return { ...plan, steps: steps.toSpliced(before < 0 ? steps.length : before + 1, 0, { id: second, ...value }) };
}

/** Whether two JSON values are the same; the order of keys means nothing. */
export function same(one, other) {
  if (one === other) return true;
  if (typeof one !== "object" || typeof other !== "object" || !one || !other) return false;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const [names, others] = [Object.keys(one), Object.keys(other)];
  return names.length === others.length && names.every((name) => name in other && same(one[name], other[name]));
}

/**
 * One's own order of steps brought into one where others meanwhile added and removed some; null where they
 * changed the order as well.
 */
export function mergedOrder(was, mine, theirs) {
  const stayed = theirs.filter((id) => was.includes(id));
  if (!same(stayed, was.filter((id) => theirs.includes(id)))) return null;
  return fitted(mine, theirs);
}

/** `order` with exactly the steps of `all`: what is new stands behind the one it stands behind there. */
export function fitted(order, all) {
  const kept = order.filter((id) => all.includes(id));
  all.forEach((id, i) => {
    if (!kept.includes(id)) kept.splice(kept.indexOf(all[i - 1]) + 1, 0, id);
  });
  return kept;
}

/** `order` with `id` moved to stand at `place`. */
export function moved(order, id, place) {
  return order.filter((other) => other !== id).toSpliced(place, 0, id);
}

function sorted(steps, order) {
  const place = new Map(fitted(order ?? [], steps.map(({ id }) => id)).map((id, i) => [id, i]));
  return [...steps].sort((one, other) => place.get(one.id) - place.get(other.id));
}

function set(object, name, value) {
  if (value !== null) return { ...object, [name]: value };
  const { [name]: _, ...rest } = object;
  return rest;
}

const orNull = (object) => (Object.keys(object).length === 0 ? null : object);

function withoutId({ id: _, ...step }) {
  return step;
}
