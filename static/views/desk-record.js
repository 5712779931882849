import { follow } from "../js/news.js";
import { useEffect, useRef, useState } from "../lib/html.js";

const AGAIN_MS = 2_000;
const PATIENCE = 20; // times that a summary is asked for
const ahead = new Map(); // id -> what is asked for before one goes there
let reasons = null;

/**
 * What of a session can be had before it is opened. Not its words: that somebody read those is told to the
 * student, and nobody has yet.
 */
export function askAhead(api, id) {
  if (!id || ahead.has(id)) return;
  if (ahead.size > 3) ahead.clear();
  ahead.set(id, api.session(id).catch(() => null));
}

/**
 * A session as its reviewer needs it, `{card, items, summary, overrides, reasons, beside, error}`; what is not
 * here yet is null. `renewing`: the number of the summary that is made anew. `refresh(...names)` asks anew, `put(patch)` changes what is shown. It follows the school's
 * news, so that another one's correction appears by itself.
 */
export function useRecord(api, id, asked) {
  const [record, setRecord] = useState(EMPTY);
  const here = useRef(true);
  const put = (patch) => here.current && setRecord((now) => ({ ...now, ...(typeof patch === "function" ? patch(now) : patch) }));
  const ask = {
    card: () => api.session(id).then((card) => put({ card })),
    items: () => api.transcript(id).then(({ items }) => put({ items })),
    summary: () => api.summary(id).then((summary) => put(({ renewing }) => ({ summary, renewing: summary.number > renewing ? null : renewing }))),
    overrides: () => api.get(`/sessions/${id}/overrides`).then(({ items }) => put({ overrides: items })),
    beside: () => api.get(`/sessions/${id}/neighbours`, asked).then((beside) => {
      put({ beside });
      askAhead(api, beside.next_unreviewed);
    }),
  };
  const refresh = (...names) => Promise.all(names.map((name) => ask[name]())).catch(() => null);

  const load = async () => {
    put({ ...EMPTY });
    const known = ahead.get(id);
    ahead.delete(id);
    try {
      const before = await known;
      put({ card: before ?? (await api.session(id)) });
      if (before) refresh("card"); // what was asked ahead may have been reviewed since
      await Promise.all([ask.items(), ask.summary(), ask.overrides(), reasonsOnce(api).then((all) => put({ reasons: all }))]);
      ask.beside().catch(() => put({ beside: NOTHING_BESIDE }));
    } catch (error) {
      put({ error });
    }
  };

  useEffect(() => {
    here.current = true;
    load();
    const stop = follow({
      hear: (name, about) => {
        if (about.session_id !== id) return;
        const parts = { "override.published": ["items", "summary", "overrides", "card"], "summary.renewed": ["summary", "card"] }[name] ?? ["card"];
        refresh(...parts);
      },
      refresh: () => refresh("card", "items", "summary", "overrides"),
    });
    return () => {
      here.current = false;
      stop();
    };
  }, [id]);

  useSummaryWait(record, () => ask.summary());
  return { ...record, put, refresh, again: load };
}

const EMPTY = { card: null, items: null, summary: null, overrides: null, reasons: null, beside: null, renewing: null, error: null };
const NOTHING_BESIDE = { previous: null, next: null, next_unreviewed: null };

/** A summary is written a moment after the end; news of it may be missed. */
function useSummaryWait({ card, summary, renewing }, ask) {
  const waits = card?.status === "ended" && (summary?.status === "pending" || renewing !== null);
  useEffect(() => {
    if (!waits) return undefined;
    let left = PATIENCE;
    const timer = setInterval(() => {
      left -= 1;
      if (left === 0) clearInterval(timer);
      ask().catch(() => null);
    }, AGAIN_MS);
    return () => clearInterval(timer);
  }, [waits]);
}

async function reasonsOnce(api) {
  reasons ??= (await api.get("/reasons")).items;
  return reasons;
}
