import { Component, html } from "../lib/html.js";

/**
 * A list as a real table. `columns`: `{key, title, cell(row), numeric?, wide?, sort?}`; the first column names
 * its row. With `sort` (`{key, descending}`) and `onSort(key)`, columns that have `sort` can be sorted by. With
 * `onOpen(row)` a click anywhere on a row opens it; for the keyboard the row's link does.
 */
export function Table({ caption, columns, rows, keyOf = (row) => row.id, sort, onSort, current, onOpen }) {
  return html`<div class="table-scroll" role="region" aria-label=${caption} tabindex="0">
    <table class="table">
      <caption class="for-screen-reader">${caption}</caption>
      <thead><tr>${columns.map((column) => head(column, sort, onSort))}</tr></thead>
      <tbody>${rows.map((row) => html`<${Row} key=${keyOf(row)} row=${row} columns=${columns} current=${current === keyOf(row)} onOpen=${onOpen} />`)}</tbody>
    </table>
  </div>`;
}

/** Drawn anew only when it changed, where its `columns` stay the same: a list of thousands grows by its new rows. */
class Row extends Component {
  shouldComponentUpdate({ row, columns, current }) {
    return row !== this.props.row || columns !== this.props.columns || current !== this.props.current;
  }

  render({ row, columns, current, onOpen }) {
    const open = onOpen && ((event) => !event.target.closest("a, button, input, label") && window.getSelection().isCollapsed && onOpen(row));
    return html`<tr aria-current=${current ? "true" : undefined} class=${onOpen ? "opens" : undefined} onClick=${open}>
      ${columns.map((column, i) => (i === 0
        ? html`<th scope="row" key=${column.key}>${column.cell(row)}</th>`
        : html`<td key=${column.key} data-title=${column.title} class=${column.numeric ? "numeric" : ""}>${column.cell(row)}</td>`))}
    </tr>`;
  }
}

function head({ key, title, sort: sortable, numeric }, sort, onSort) {
  const direction = sort?.key === key ? (sort.descending ? "descending" : "ascending") : undefined;
  return html`<th scope="col" key=${key} class=${numeric ? "numeric" : ""} aria-sort=${direction}>
    ${sortable && onSort
      ? html`<button type="button" class="sort" onClick=${() => onSort(key)}>${title}
          <span aria-hidden="true">${{ ascending: "↑", descending: "↓" }[direction] ?? ""}</span></button>`
      : title}</th>`;
}
