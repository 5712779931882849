/** What tutor engines, their use and its cost are called on the page; and what a form of them changes. */

export const ENGINES = {
  "nova-sonic": { title: "Amazon Nova 2 Sonic", about: "Listens and speaks by itself, in seven languages. Needs an access key for AWS." },
  "openai-realtime": { title: "OpenAI Realtime", about: "Listens and speaks by itself, in many languages. Needs a key for OpenAI." },
  cascade: { title: "A language model", about: "Any language model, with ears and a voice around it. Typed lessons go to it first." },
  offline: { title: "Built-in tutor", about: "Runs on this server and goes through the plan by rules. It always comes last, so that no lesson stops." },
};
export const PROVIDERS = {
  openai: { title: "OpenAI", fields: [["api_key", "API key", true]] },
  aws: { title: "Amazon Web Services", fields: [["access_key", "Access key ID", true], ["secret_key", "Secret access key", true], ["token", "Session token", false]] },
};

/** The fields of the form, in groups: `[name, label, hint, choices]`. */
export const FIELDS = [
  { title: "OpenAI", name: "openai", fields: [
    ["openai_realtime_model", "Model that listens and speaks"],
    ["openai_voice", "Voice", "As marin, cedar or sage."],
    ["openai_turns", "Who notices that a student has finished speaking", null, [["theirs", "OpenAI"], ["ours", "This server"]]],
    ["openai_transcription_model", "Model that writes down what students say"],
    ["openai_chat_model", "Language model"],
    ["openai_speech_model", "Model that reads aloud"],
    ["openai_base_url", "Address", "Another server that speaks OpenAI's protocol; the operator must allow it."],
  ] },
  { title: "Amazon", name: "amazon", fields: [
    ["aws_region", "Region", "Where the models are asked for, as eu-north-1."],
    ["nova_model", "Model that listens and speaks"],
    ["nova_voice", "Voice", "As tiffany, matthew, amy, lupe, ambre, tina or kiara."],
    ["bedrock_text_model", "Language model"],
    ["bedrock_endpoint", "Address", "Empty: the region's own."],
    ["bedrock_text_endpoint", "Address of the text model", "Empty: the same."],
  ] },
  { title: "The language model", name: "cascade", fields: [
    ["cascade_mind", "It is reached by", null, [["openai-chat", "OpenAI's chat, or a server like it"], ["openai-responses", "OpenAI's Responses"], ["bedrock", "Amazon Bedrock"]]],
    ["cascade_ears", "Its ears", null, [["local", "On this server (English only)"], ["openai", "OpenAI"]]],
    ["cascade_speaker", "Its voice", null, [["local", "On this server"], ["openai", "OpenAI"]]],
  ] },
];

export const engineTitle = (name) => ENGINES[name]?.title ?? (name === "summary" ? "Summaries" : name);

/** The engines of an order and those besides it, the built-in one at the end of the first. */
export function sorted(order) {
  const used = [...order.filter((name) => name !== "offline"), "offline"];
  return [used, Object.keys(ENGINES).filter((name) => !used.includes(name))];
}

/** An order with one engine moved by so many places; the built-in tutor stays last. */
export function moved(order, name, by) {
  const names = order.filter((one) => one !== "offline");
  const from = names.indexOf(name);
  const to = from + by;
  if (from < 0 || to < 0 || to >= names.length) return order;
  names.splice(to, 0, ...names.splice(from, 1));
  return [...names, "offline"];
}

export function withEngine(order, name, used) {
  const names = order.filter((one) => one !== "offline" && one !== name);
  return [...names, ...(used ? [name] : []), "offline"];
}

/** What to send for a form that was filled in: null where a field was emptied, which is as the server has it. */
export function changesOf(was, now) {
  const changed = Object.entries(now).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(was[name]));
  return Object.fromEntries(changed.map(([name, value]) => [name, value === "" && !name.startsWith("bedrock_") ? null : value]));
}

// ---- use and cost ------------------------------------------------------------------------------

const UNITS = {
  audio_in_ms: "Students' speech", audio_out_ms: "The tutor's speech", text_tokens_in: "Text read", cached_tokens_in: "Text read again",
  text_tokens_out: "Text written", audio_tokens_in: "Speech heard", cached_audio_tokens_in: "Speech heard again", audio_tokens_out: "Speech said",
  characters: "Text read aloud",
};

export const unitWords = (unit) => UNITS[unit] ?? unit.replaceAll("_", " ");

export function quantityWords(unit, quantity) {
  if (unit.endsWith("_ms")) return minutes(quantity);
  return `${quantity.toLocaleString("en")} ${unit.includes("tokens") ? "tokens" : "characters"}`;
}

export const minutes = (ms) => `${(ms / 60_000).toLocaleString("en", { maximumFractionDigits: ms < 600_000 ? 1 : 0 })} min`;

/** Money from millionths of a dollar; small sums with as many digits as tell them from nothing. */
export function money(micros) {
  if (micros === null || micros === undefined) return "unknown";
  if (micros === 0) return "$0";
  const dollars = micros / 1_000_000;
  const digits = dollars >= 0.1 ? 2 : dollars >= 0.001 ? 4 : 6;
  return `$${dollars.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: digits })}`;
}

export const LIMITS = { sessions: "lessons at the same time", minutes_day: "minutes of lessons today", money_month: "this month" };

/** "24 of 30 lessons at the same time". */
export function standingWords({ name, limit, used }) {
  const plain = name === "money_month" ? money : (number) => number.toLocaleString("en");
  return `${plain(used)} of ${plain(limit)} ${LIMITS[name] ?? name}`;
}

/** The months that one can look at: `[["2026-11", "November 2026"], …]`, the present one first. */
export function months(now = new Date(), count = 12) {
  return Array.from({ length: count }, (_, i) => {
    const day = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - i, 1));
    return [day.toISOString().slice(0, 7), day.toLocaleDateString("en", { month: "long", year: "numeric", timeZone: "UTC" })];
  });
}

/** A limit as it is typed: empty is none. `undefined`: it can't be meant so. */
export function limitOf(text, scale = 1) {
  if (text.trim() === "") return null;
  const number = Number(text.replace(",", "."));
  return Number.isFinite(number) && number >= 0 && (scale > 1 || Number.isInteger(number)) ? Math.round(number * scale) : undefined;
}
