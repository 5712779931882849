import { useEffect, useState } from "../lib/html.js";

/** Asks once for each `key`: `{value, error, again, set}`; the answer to an older key is dropped. */
export function useLoad(ask, key) {
  const [state, setState] = useState({ value: null, error: null });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    let wanted = true;
    setState({ value: null, error: null });
    ask().then(
      (value) => wanted && setState({ value, error: null }),
      (error) => wanted && setState({ value: null, error }),
    );
    return () => {
      wanted = false;
    };
  }, [key, turn]);
  return {
    ...state,
    again: () => setTurn(turn + 1),
    set: (value) => setState({ value, error: null }),
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
