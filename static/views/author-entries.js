import { same } from "../js/draft-plan.js";
import { html, useLayoutEffect, useRef, useState } from "../lib/html.js";
import { Written, fieldId } from "./author-field.js";

/**
 * A field that is a list. `row(entry, change, ids)` draws one entry, `ids(part)` names its controls; `one` is what
 * an entry is called. Blank entries are shown while one fills them, and are no part of the draft.
 */
export function Entries({ pen, path, label, hint, one, blank, isBlank, row, most, least = 0 }) {
  return html`<${Written} pen=${pen} path=${path} label=${label} hint=${hint} group>${(control, value) => html`<${Rows} control=${control}
    path=${path} value=${value ?? []} one=${one} blank=${blank} isBlank=${isBlank} row=${row} most=${most} least=${least} announce=${pen.announce}
    onChange=${(entries, options) => pen.type(path, entries.length > 0 ? entries : null, options)} />`}<//>`;
}

function Rows({ control, path, value, one, blank, isBlank, row, most, least, announce, onChange }) {
  const filled = (rows) => rows.filter((entry) => !isBlank(entry));
  const [typed, setTyped] = useState(value);
  const current = same(filled(typed), filled(value)) ? typed : value;
  const rows = current.length < least ? [...current, ...Array(least - current.length).fill(blank)] : current;
  const wanted = useRef(null); // the id to focus once it is drawn
  useLayoutEffect(() => {
    if (wanted.current) document.getElementById(wanted.current)?.focus();
    wanted.current = null;
  });
  const set = (next, options) => {
    setTyped(next);
    onChange(filled(next), options);
  };
  const ids = (i) => (part) => fieldId(part ? `${path}.${i}.${part}` : `${path}.${i}`);
  const move = (i, by) => {
    set(rows.toSpliced(i, 1).toSpliced(i + by, 0, rows[i]), { wait: false });
    wanted.current = `${ids(i + by)()}-${by < 0 ? "up" : "down"}`;
    announce(`${one} ${i + 1} is now ${one.toLowerCase()} ${i + by + 1} of ${rows.length}.`);
  };
  const remove = (i) => {
    set(rows.toSpliced(i, 1), { wait: false });
    wanted.current = rows.length > 1 ? `${ids(Math.min(i, rows.length - 2))()}-remove` : `${control.id}-add`;
    announce(`${one} ${i + 1} removed.`);
  };
  const add = () => {
    set([...rows, blank]);
    wanted.current = `${ids(rows.length)()}`;
  };
  return html`<ol class="entries" onFocusout=${control.onBlur}>
      ${rows.map((entry, i) => html`<li class="entry" key=${i}>
        <div class="entry-body">${row(entry, (next) => set(rows.with(i, next)), ids(i), i)}</div>
        <div class="entry-ways">
          ${rows.length > 1 && html`
            <${Way} id="${ids(i)()}-up" word="Up" what="${one} ${i + 1}" off=${i === 0} act=${() => move(i, -1)} />
            <${Way} id="${ids(i)()}-down" word="Down" what="${one} ${i + 1}" off=${i === rows.length - 1} act=${() => move(i, 1)} />`}
          ${(rows.length > least || !isBlank(entry)) && html`<${Way} id="${ids(i)()}-remove" word="Remove" what="${one} ${i + 1}" act=${() => remove(i)} />`}
        </div>
      </li>`)}
    </ol>
    ${rows.length < most && html`<button type="button" class="button add" id="${control.id}-add" onClick=${add}>Add ${article(one)} ${one.toLowerCase()}</button>`}`;
}

function Way({ id, word, what, off = false, act }) {
  return html`<button type="button" class="way-button" id=${id} aria-disabled=${off} onClick=${() => !off && act()}>${word}<span
    class="for-screen-reader">: ${what}</span></button>`;
}

const article = (noun) => (/^[aeiou]/i.test(noun) ? "an" : "a");
