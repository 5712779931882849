import { Correcting } from "../js/correcting.js";
import { kindOfSection } from "../js/desk-links.js";
import { Keeping } from "../js/keeping.js";
import { isTouched } from "../js/override-form.js";
import { kindsOf, thingOfItem, thingOfSentence } from "../js/things.js";
import { useMemo, useRef, useState } from "../lib/html.js";

/** What can be done on the desk: one correction at a time, the way from words to summary and back. */
export function useDesk({ api, me, record, links, setTold }) {
  const [opened, setOpened] = useState(null); // {at, id, correcting}
  const keeping = useMemo(() => new Keeping(`override ${me.id}`), [me.id]);
  const { card, items, summary, put } = record;
  const begun = useMemo(() => new Map(), [card?.id]); // the corrections of this page, each by what it corrects
  const now = useRef(null);
  now.current = { opened, record, links };

  const draftOf = (thing) => now.current.record.overrides?.findLast(({ state, target, author }) =>
    state === "draft" && author.id === me.id && target.kind === thing.kind && target.id === thing.id) ?? null;
  /** What one was writing here a moment ago: its draft may still be on the way to the server. */
  const isBegun = (thing) => {
    const correcting = begun.get(nameOf(thing));
    return correcting !== undefined && isTouched(correcting.state);
  };
  /** The form opens at once; one that was open before goes on where it was. */
  const begin = (at, id, kind) => {
    const thing = at === "item" ? itemThing(now.current.record.items, id, kind, (one) => isBegun(one) || draftOf(one)) : sentenceThing(now.current.links, id);
    if (!thing) return;
    const name = nameOf(thing);
    let correcting = begun.get(name);
    if (!correcting || (correcting.state.thing.base?.id ?? null) !== (thing.base?.id ?? null)) {
      correcting = new Correcting({ api, session: card.id, keeping }, thing, correcting?.made ?? draftOf(thing));
      begun.set(name, correcting);
    }
    setOpened({ at, id, correcting });
  };
  const done = ({ state: { thing } }) => begun.delete(nameOf(thing));
  /** What was written is saved as a draft, and the list of corrections knows it. */
  const leave = async (was) => {
    if (!was) return;
    await was.correcting.close();
    const { made } = was.correcting;
    if (made && made.state === "draft") put(({ overrides }) => ({ overrides: [...(overrides ?? []).filter((one) => one.id !== made.id), made] }));
  };
  const back = (id) => requestAnimationFrame(() => focusOn(id));

  const desk = {
    opened, reasons: record.reasons ?? [],
    open: (at, id, kind) => {
      leave(now.current.opened);
      begin(at, id, kind);
    },
    resume: (override) => {
      const { target: { kind, id } } = override;
      const at = kind === "sentence" || kind === "next_step" ? "sentence" : "item";
      if (at === "sentence" && !links.sentences.some((line) => line.id === id)) return void setTold({ text: "The summary was made anew since, and does not say this any more. Correct the new one instead." });
      return desk.open(at, id, kind);
    },
    renew: async () => {
      const { summary: { number } } = now.current.record;
      try {
        await api.post(`/sessions/${card.id}/summary/renew`);
        put({ renewing: number });
        setTold({ text: "The summary is being made anew from the corrected words." });
      } catch (error) {
        setTold({ text: `The summary is as it was. ${error.message}` });
      }
    },
    toItem: (event, id) => {
      event.preventDefault();
      focusOn(id);
    },
    toSentence: (event, id) => {
      event.preventDefault();
      focusOn(id);
    },
    form: {
      kind: (kind) => desk.open(opened.at, opened.id, kind),
      close: () => {
        setOpened(null);
        back(opened.id);
        leave(opened);
      },
      published: async (made) => {
        const { id, correcting } = opened;
        done(correcting);
        setOpened(null);
        back(id);
        const offers = ["words", "speaker", "answer"].includes(made.target.kind) && summary?.status === "ready" && card.may.renew;
        setTold({ text: "Published. The student reads it so from now on.", act: offers && { title: "Make the summary anew", run: () => desk.renew() } });
        await record.refresh("items", "summary", "overrides", "card");
      },
      dropped: async () => {
        const { at, id, correcting } = opened;
        const { kind } = correcting.state.thing;
        try {
          const restore = await correcting.drop();
          done(correcting);
          setOpened(null);
          back(id);
          put(({ overrides }) => ({ overrides: overrides?.filter((one) => one.id !== correcting.state.draft) }));
          const undo = () => {
            restore();
            setTold(null);
            begin(at, id, kind);
          };
          setTold({ text: "Your correction is thrown away.", act: { title: "Undo", run: undo } });
          await record.refresh("items", "summary", "overrides");
        } catch (error) {
          setTold({ text: `Your draft is still there. ${error.message}` });
        }
      },
    },
  };
  return desk;
}

let arrivesByKey = false;
const trail = []; // the sessions one went on from: the way back leads there, though they may have left the list

export const trailOf = {
  begin: () => trail.splice(0),
  on: (id) => trail.push(id),
  last: () => trail.at(-1) ?? null,
  back: () => trail.pop() ?? null,
};

/** One goes on by key: the next session begins at its first words. */
export function arriveByKey() {
  arrivesByKey = true;
}

/** Whether one came by key; asked once. */
export function cameByKey() {
  const came = arrivesByKey;
  arrivesByKey = false;
  return came;
}

/** The focus goes to an item or a sentence, which comes into sight. */
export function focusOn(id) {
  const node = id && document.getElementById(id);
  if (!node) return;
  node.focus({ preventScroll: true });
  node.scrollIntoView({ block: "nearest" });
}

const nameOf = (thing) => `${thing.kind} ${thing.id}`;

/** What of an item is corrected: the kind that is asked for, else what one has written of it, else the likeliest. */
function itemThing(items, id, kind, isWritten) {
  const item = items?.find((one) => one.id === id);
  if (!item) return null;
  const things = kindsOf(item).map((one) => thingOfItem(item, one));
  return things.find((thing) => thing.kind === kind) ?? things.find(isWritten) ?? things[0];
}

function sentenceThing({ sentences }, id) {
  const line = sentences.find((one) => one.id === id);
  return line && thingOfSentence(line.sentence, kindOfSection(line.section));
}
