/** A roster as a file: what its columns mean, an empty one to begin with, and passwords to save. */

export const COLUMNS = [
  ["name", "as it should be shown", true],
  ["email", "what they sign in with; nobody else at the school has it", true],
  ["role", "student, instructor (or teacher), tutor, parent, admin; several with | between them", true],
  ["grade_level", "as your school writes it", false],
  ["class", "of students and teachers; several with | between them; new classes are made", false],
  ["guardian_email", "of a student: their parents, who have lines of their own or are here already", false],
  ["tutor_email", "of a student: the tutors who look after them", false],
];
export const LARGEST = 1 << 20; // bytes; the server takes no more at once

const EXAMPLE = [
  ["Amina Yilmaz", "amina@school.example", "student", "4", "Class 4b", "deniz@mail.example", "tayo@school.example"],
  ["Deniz Yilmaz", "deniz@mail.example", "parent", "", "", "", ""],
  ["Tayo Okafor", "tayo@school.example", "tutor|teacher", "", "Class 4b", "", ""],
];

/** The first line, and three people to show how it is meant. */
export const example = () => csv([COLUMNS.map(([name]) => name), ...EXAMPLE]);

/** New people and their passwords, as a file. */
export const passwordFile = (created) => csv([["name", "email", "password"], ...created.map((one) => [one.name, one.email, one.password])]);

/** CSV as spreadsheets read it; what begins like a formula is no formula. */
function csv(rows) {
  const cell = (text) => {
    const plain = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
    return /[",;\n\r]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
  };
  return `${rows.map((row) => row.map(cell).join(",")).join("\r\n")}\r\n`;
}

/** What would be done, in a sentence: "12 new people, 3 changed, 40 as they are". */
export function outcomeWords({ create, update, unchanged }, done = false) {
  const parts = [
    create > 0 && `${create.toLocaleString("en")} ${create === 1 ? "new person" : "new people"}`,
    update > 0 && `${update.toLocaleString("en")} ${done ? "brought up to date" : "to bring up to date"}`,
    unchanged > 0 && `${unchanged.toLocaleString("en")} ${unchanged === 1 ? "stays as it is" : "stay as they are"}`,
  ].filter(Boolean);
  return parts.length > 0 ? parts.join(", ") : "nobody";
}

/** Hands a text to the browser as a file. */
export function save(name, text) {
  const address = URL.createObjectURL(new Blob(["\uFEFF", text], { type: "text/csv;charset=utf-8" }));
  const link = Object.assign(document.createElement("a"), { href: address, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
