/** Shapes. They never stand alone: a word is always beside them. */

import { html } from "../lib/html.js";

const SHAPES = {
  listening: html`<circle class="icon-halo" cx="24" cy="24" r="14" /><circle cx="24" cy="24" r="18" fill="none" />
    <circle class="icon-solid" cx="24" cy="24" r="8" />`,
  speaking: html`<path class="icon-bars" d="M8 20v8M16 14v20M24 8v32M32 14v20M40 20v8" />`,
  thinking: html`<circle class="icon-solid" cx="11" cy="24" r="4" /><circle class="icon-solid" cx="24" cy="24" r="4" />
    <circle class="icon-solid" cx="37" cy="24" r="4" />`,
  tutor: html`<path d="M8 9h32v23H24l-9 8v-8H8z" /><path d="M17 18v5M24 15v11M31 18v5" />`,
  human: html`<circle cx="24" cy="15" r="8" /><path d="M8 42c0-10 7-15 16-15s16 5 16 15z" />`,
  paused: html`<path class="icon-solid" d="M14 10h7v28h-7zM27 10h7v28h-7z" />`,
  off: html`<path d="M19 22V12a5 5 0 0 1 10 0v12M13 23c0 7 5 11 11 11s11-4 11-11M24 34v7M8 8l32 32" />`,
  type: html`<path d="M5 13h38v23H5zM12 20h2M20 20h2M28 20h2M36 20h0M16 29h16" />`,
  connecting: html`<circle cx="24" cy="24" r="17" fill="none" stroke-dasharray="7 8" />`,
  reconnecting: html`<path d="M40 24a16 16 0 1 1-5-11.500M36 5v8h-8" />`,
  over: html`<path d="M9 25l10 10 20-22" />`,
  up: html`<path d="M8 22h7v19H8zM15 23l8-15c4 0 6 3 5 7l-1 6h11c3 0 4 2 3 5l-4 12c-1 2-2 3-4 3H15" />`,
  down: html`<path d="M8 26h7V7H8zM15 25l8 15c4 0 6-3 5-7l-1-6h11c3 0 4-2 3-5L37 10c-1-2-2-3-4-3H15" />`,
  hold: html`<circle cx="24" cy="24" r="18" fill="none" /><circle class="icon-solid" cx="24" cy="24" r="12" />`,
};

export function Icon({ name, size = 48 }) {
  return html`<svg class="icon" viewBox="0 0 48 48" width=${size} height=${size} aria-hidden="true">${SHAPES[name]}</svg>`;
}
