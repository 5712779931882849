import { html, useEffect, useRef, useState } from "../lib/html.js";

const PAUSE_MS = 200;

/**
 * One of many, found by typing: `ask(words)` gives `[{id, name, about?}]`. `chosen` is `{id, name}` or null; an
 * empty box chooses nobody. The pattern is ARIA's combobox with a list.
 */
export function Choose({ id, label, chosen, any, ask, onChoose }) {
  const [words, setWords] = useState(null); // what is typed; null while nobody types
  const [found, setFound] = useState(null);
  const [at, setAt] = useState(-1);
  const [trouble, setTrouble] = useState(null);
  const box = useRef(null);
  const isOpen = words !== null;
  useEffect(() => {
    if (!isOpen) return undefined;
    let wanted = true;
    const timer = setTimeout(() => ask(words.trim()).then(
      (items) => wanted && (setFound(items), setAt(items.length > 0 && words.trim() ? 0 : -1), setTrouble(null)),
      (error) => wanted && setTrouble(error.message),
    ), PAUSE_MS);
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [words]);
  const close = () => {
    setWords(null);
    setFound(null);
    setAt(-1);
  };
  const choose = (one) => {
    close();
    if (one?.id !== chosen?.id) onChoose(one);
  };
  const left = () => {
    if (words !== null && words.trim() === "" && chosen) choose(null);
    else close();
  };
  const keys = (event) => {
    const count = found?.length ?? 0;
    const acts = {
      ArrowDown: () => (isOpen ? setAt(count && (at + 1) % count) : setWords("")),
      ArrowUp: () => count && setAt((at - 1 + count) % count),
      Enter: () => isOpen && (found?.[at] ? choose(found[at]) : words.trim() === "" && choose(null)),
      Escape: () => isOpen && close(),
    };
    if (!acts[event.key] || (event.key === "Escape" && !isOpen)) return;
    event.preventDefault();
    acts[event.key]();
  };
  return html`<div class="field choose">
    <label for=${id}>${label}</label>
    <input id=${id} ref=${box} type="text" role="combobox" autocomplete="off" spellcheck=${false} dir="auto" maxlength="100"
      aria-expanded=${Boolean(isOpen && found)} aria-controls="${id}-list" aria-autocomplete="list" placeholder=${any}
      aria-activedescendant=${found?.[at] ? `${id}-${at}` : undefined} value=${words ?? chosen?.name ?? ""}
      onFocus=${(event) => event.target.select()} onInput=${(event) => setWords(event.target.value)} onKeyDown=${keys} onBlur=${left} />
    <ul id="${id}-list" role="listbox" aria-label=${label} class="choices" hidden=${!(isOpen && found?.length > 0)}>
      ${isOpen && found?.map((one, i) => html`<li key=${one.id} id="${id}-${i}" role="option" aria-selected=${i === at}
        onPointerDown=${(event) => event.preventDefault()} onClick=${() => choose(one)}>
        <span dir="auto">${one.name}</span>${one.about && html` <span class="faint" dir="auto">${one.about}</span>`}</li>`)}
    </ul>
    <p class="choose-told" role="status">${isOpen && (trouble ?? (found?.length === 0 ? "Nobody and nothing fits." : ""))}</p>
  </div>`;
}
