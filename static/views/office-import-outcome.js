import { count } from "../js/office-words.js";
import { outcomeWords, passwordFile, save } from "../js/roster-file.js";
import { html } from "../lib/html.js";
import { Slips } from "./office-secret.js";
import { Table } from "./table.js";

const COLUMNS = [
  { key: "line", title: "Line", cell: ({ line }) => line },
  { key: "column", title: "Column", cell: ({ column }) => (column ? html`<code>${column}</code>` : html`<span class="faint">all of it</span>`) },
  { key: "sentence", title: "What is wrong", cell: ({ sentence }) => html`<span dir="auto">${sentence}</span>` },
];

/** What importing would do, or everything that is wrong with the file. */
export function Tried({ outcome, busy, title, onImport }) {
  const { rows, problems, more_problems: more, new_classes: classes, create, update } = outcome;
  if (problems.length > 0) {
    return html`<section class="outcome" aria-labelledby="outcome-title">
      <h2 id="outcome-title" tabindex="-1" ref=${title}>${count(problems.length + more, "thing")} to mend first</h2>
      <p>Nothing was written. Mend these lines in your file, and try it again.</p>
      <${Table} caption="What is wrong, by line" columns=${COLUMNS} rows=${problems} keyOf=${({ line, column, sentence }) => `${line} ${column} ${sentence}`} />
      ${more > 0 && html`<p class="faint">And ${more.toLocaleString("en")} more. The first ${problems.length} are shown.</p>`}
    </section>`;
  }
  const nothing = create + update === 0;
  return html`<section class="card outcome" aria-labelledby="outcome-title">
    <h2 id="outcome-title" tabindex="-1" ref=${title}>${nothing ? "There is nothing to do" : "The file is all right"}</h2>
    <p>${count(rows, "line")}: ${outcomeWords(outcome)}.</p>
    ${classes.length > 0 && html`<p>New classes: ${classes.map((name, i) => html`${i > 0 && ", "}<b dir="auto" key=${name}>${name}</b>`)}. Is one of them a slip of the pen? Mend it in the file first.</p>`}
    ${nothing ? html`<p>Everybody in it is at the school as it says.</p>` : html`<div class="actions">
      <button type="button" class="button primary" aria-disabled=${busy} onClick=${onImport}>${busy ? "Importing…" : `Import ${count(create + update, "person", "people")}`}</button></div>`}
  </section>`;
}

/** It is done; new people's passwords, to print and to hand over. */
export function Done({ outcome, school, title }) {
  const { created } = outcome;
  const columns = [
    { key: "name", title: "Name", cell: ({ name }) => html`<span dir="auto">${name}</span>` },
    { key: "email", title: "E-mail", cell: ({ email }) => email },
    { key: "password", title: "Password", cell: ({ password }) => html`<code>${password}</code>` },
  ];
  return html`<div><h1 class="no-print" tabindex="-1" ref=${title}>Imported</h1>
    <p class="no-print">${outcomeWords(outcome, true)}.</p>
    ${created.length === 0 ? html`<p><a class="button primary" href="/admin">To the people</a></p>` : html`<div>
      <p class="note no-print"><b>These passwords are shown only now</b>, and kept nowhere. Print them as slips to cut apart, or save them, before you leave this page.</p>
      <div class="actions no-print"><button type="button" class="button primary" onClick=${() => window.print()}>Print ${count(created.length, "slip")}</button>
        <button type="button" class="button" onClick=${() => save("passwords.csv", passwordFile(created))}>Save as a file</button>
        <a class="button" href="/admin">I have them: to the people</a></div>
      <div class="no-print"><${Table} caption="New people and their passwords" columns=${columns} rows=${created} keyOf=${({ email }) => email} /></div>
      <${Slips} people=${created} school=${school} /></div>`}</div>`;
}
