/**
 * Letting go of what is held down, wherever that happens: what was pressed may look another way by then, and who
 * goes to another window lets go unseen.
 */

/**
 * Calls `done` once.
 *
 * @param by  {pointer: id} or {key: name}: what came down; neither, where a press began it and a press ends it
 * @returns how to stop waiting for it
 */
export function onRelease(done, { pointer = null, key = null } = {}) {
  const all = new AbortController();
  const on = (target, type, is = () => true) => target.addEventListener(type, (event) => {
    if (!is(event)) return;
    all.abort();
    done();
  }, { signal: all.signal });
  for (const type of ["pointerup", "pointercancel"]) on(window, type, ({ pointerId }) => pointerId === pointer);
  on(window, "keyup", (event) => event.key === key);
  on(window, "blur");
  on(document, "visibilitychange", () => document.hidden);
  return () => all.abort();
}
