/** The parts of a plan in words, for forms, comparisons and conflicts. */

export const FIELDS = {
  title: "Title", subject: "Subject", level: "Level", language: "Language", goal: "Goal",
  prior_knowledge: "What students know already", opening: "Opening", closing: "Closing", material: "Material",
  voice: "Voice", "voice.name": "Voice", "voice.speed": "Speed", "voice.rules": "How the tutor should sound",
  patience_s: "Patience", engines: "Tutor engines", step_order: "Order of the steps", steps: "Steps",
};
export const STEP_FIELDS = {
  say: "Explain first", ask: "Question", answers: "Accepted answers", choices: "Choices", hints: "Hints",
  solution: "Worked solution", misconceptions: "Misconceptions", exit: "Move on when", praise: "Praise",
  patience_s: "Patience",
};
export const KINDS = {
  number: "A number", expression: "An expression", equation: "An equation", words: "Words",
  choice: "One of the choices", yes_no: "Yes or no", open: "Anything: the tutor judges",
};
export const ENGINES = {
  "nova-sonic": "Nova Sonic", "openai-realtime": "OpenAI Realtime", cascade: "Ears, model and voice", offline: "Offline tutor",
};

/** Where a path of a draft lies, in words: "Step 2, hints"; `order`: the ids of the steps. */
export function placeOf(path, order) {
  if (path in FIELDS) return FIELDS[path];
  const [, id, field] = path.split(".");
  const step = `Step ${order.indexOf(id) + 1}`;
  return field ? `${step}, ${(STEP_FIELDS[field] ?? field).toLowerCase()}` : step;
}

/** Any value of a plan as text, one entry a line. */
export function spelled(value) {
  if (value === null || value === undefined) return "";
  if (Array.isArray(value)) return value.map(spelled).join("\n");
  if (typeof value !== "object") return String(value);
  if ("kind" in value) return answer(value);
  if ("response" in value || "says" in value) return `If they say ${(value.says ?? []).join(" or ")}: ${value.response ?? ""}`;
  if ("source" in value) return `From ${value.source}: ${value.text ?? ""}`;
  return Object.entries(value).map(([name, part]) => `${STEP_FIELDS[name] ?? FIELDS[name] ?? name}: ${spelled(part)}`).join("\n");
}

function answer({ kind, text = "", also = [] }) {
  const others = also.length > 0 ? ` (also: ${also.join("; ")})` : "";
  return `${KINDS[kind] ?? kind}${text && `: ${text}`}${others}`;
}
