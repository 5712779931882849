import { html } from "../lib/html.js";

/**
 * A list as a real table. `columns`: `{key, title, cell(row), numeric?, wide?, sort?}`; the first column names
 * its row. With `sort` (`{key, descending}`) and `onSort(key)`, columns that have `sort` can be sorted by.
 */
export function Table({ caption, columns, rows, keyOf = (row) => row.id, sort, onSort, current }) {
  return html`<div class="table-scroll" role="region" aria-label=${caption} tabindex="0">
    <table class="table">
      <caption class="for-screen-reader">${caption}</caption>
      <thead><tr>${columns.map((column) => head(column, sort, onSort))}</tr></thead>
      <tbody>${rows.map((row) => html`<tr key=${keyOf(row)} aria-current=${current === keyOf(row) ? "true" : undefined}>
        ${columns.map((column, i) => (i === 0
          ? html`<th scope="row" key=${column.key}>${column.cell(row)}</th>`
          : html`<td key=${column.key} data-title=${column.title} class=${column.numeric ? "numeric" : ""}>${column.cell(row)}</td>`))}
      </tr>`)}</tbody>
    </table>
  </div>`;
}

function head({ key, title, sort: sortable, numeric }, sort, onSort) {
  const direction = sort?.key === key ? (sort.descending ? "descending" : "ascending") : undefined;
  return html`<th scope="col" key=${key} class=${numeric ? "numeric" : ""} aria-sort=${direction}>
    ${sortable && onSort
      ? html`<button type="button" class="sort" onClick=${() => onSort(key)}>${title}
          <span aria-hidden="true">${{ ascending: "↑", descending: "↓" }[direction] ?? ""}</span></button>`
      : title}</th>`;
}
