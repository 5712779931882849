/** What the tests of the instructors' pages share: a lesson made over the API, and the fields of the editor. */

import { enter } from "./live.mjs";

export const settled = (page) => page.locator('.save-state[data-standing="saved"]').waitFor();
export const field = (page, path) => page.locator(`[data-path="${path}"]`);
export const questions = (page) => page.locator('[data-path$=".ask"]');
export const stepButton = (page, verb, number) => page.getByRole("button", { name: new RegExp(`^${verb} ?: step ${number}$`) });
export const named = (page, verb, what) => page.getByRole("button", { name: new RegExp(`^${verb} ?:? ${what}`) });

/** A lesson made over the API, with a plan that can be published. */
export async function made(ask, title = "Halves and quarters") {
  const yaml = `title: ${JSON.stringify(title)}
subject: Mathematics
level: Year 5
goal: Say what part of a whole a fraction is.
steps:
${[1, 2, 3].map((n) => `  - ask: You eat ${n} of 4 slices. What part have you eaten?
    answers: [{kind: number, text: "${n}/4"}]
    hints: [How many slices are there in all?]
    solution: There are 4 slices in all, so it is that many quarters.
    exit: Names the part.
`).join("")}`;
  return ask("POST", "/api/v1/school/lessons", { yaml });
}

/** Somebody at the editor of a lesson. */
export async function editor(t, role, id, view = {}) {
  const all = await enter(t, role, `/instructor/lessons/${id}`, view);
  await field(all.page, "title").waitFor();
  return all;
}
