/** Dragging the rows of a list, with a mouse, a pen or a finger. Keyboards have buttons for it. */

const EDGE_PX = 70; // of the window, where it scrolls along
const SCROLL_PX = 14;

/** Where a row dropped at `y` would stand among the others: `middles` are theirs, from top to bottom. */
export function placeAt(middles, y) {
  return middles.filter((middle) => middle < y).length;
}

/**
 * What a grip needs to drag row `id` of the list `rows()` (`[[id, element]]`). `told({id, place})` while it is
 * dragged, `told(null)` at the end; `dropped(id, place)` once where it was let go. Escape gives up.
 */
export function gripOf(id, { rows, told, dropped }) {
  return {
    onPointerDown(event) {
      if (event.button !== 0) return;
      event.preventDefault();
      const grip = event.currentTarget;
      let place = null;
      const move = ({ clientY }) => {
        const others = rows().filter(([other]) => other !== id).map(([, row]) => row.getBoundingClientRect());
        place = placeAt(others.map(({ top, height }) => top + height / 2), clientY);
        told({ id, place });
        if (clientY < EDGE_PX) window.scrollBy(0, -SCROLL_PX);
        if (clientY > window.innerHeight - EDGE_PX) window.scrollBy(0, SCROLL_PX);
      };
      const end = (kept) => () => {
        for (const [name, listener] of listeners) grip.ownerDocument.removeEventListener(name, listener);
        told(null);
        if (kept && place !== null) dropped(id, place);
      };
      const escape = ({ key }) => key === "Escape" && end(false)();
      const listeners = [["pointermove", move], ["pointerup", end(true)], ["pointercancel", end(false)], ["keydown", escape]];
      for (const [name, listener] of listeners) grip.ownerDocument.addEventListener(name, listener);
      told({ id, place });
    },
  };
}
