import { useEffect, useState } from "../lib/html.js";

/**
 * Asks once for each `key`: `{value, error, again, set, stale}`; the answer to an older key is dropped. With `keep`
 * the value of the key before stays, `stale`, until the new one is here: a list does not vanish while one types.
 */
export function useLoad(ask, key, { keep = false } = {}) {
  const [state, setState] = useState({ value: null, error: null, stale: false });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    let wanted = true;
    setState((before) => ({ value: keep ? before.value : null, error: null, stale: keep && before.value !== null }));
    ask().then(
      (value) => wanted && setState({ value, error: null, stale: false }),
      (error) => wanted && setState({ value: null, error, stale: false }),
    );
    return () => {
      wanted = false;
    };
  }, [key, turn]);
  return {
    ...state,
    again: () => setTurn(turn + 1),
    set: (value) => setState({ value, error: null, stale: false }),
  };
}

/** A value once it has stood still for a moment, such as what is typed into a search. */
export function useSettled(value, pauseMs = 250) {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), pauseMs);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}
