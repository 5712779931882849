/** Preact and htm from one place. Text is escaped by construction; no view sets inner HTML. */

export {
  Component, html, render, useEffect, useLayoutEffect, useMemo, useRef, useState,
} from "../vendor/htm/preact-standalone.module.js";

/** The class names whose condition holds. */
export function classes(names) {
  return Object.entries(names).filter(([, on]) => on).map(([name]) => name).join(" ");
}
