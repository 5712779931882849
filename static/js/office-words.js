/** What the school office's things are called on the page. */

export const ROLES = [
  ["student", "Student"], ["instructor", "Teacher"], ["tutor", "Tutor"], ["parent", "Parent"], ["admin", "Administrator"],
];
export const STATUSES = [["active", "Active"], ["deactivated", "Switched off"]];
export const CARE = [["active", "Active"], ["paused", "Paused"], ["completed", "Completed"]];

const ROLE_WORDS = new Map(ROLES);
const CARE_WORDS = new Map(CARE);

/** "Teacher, tutor": the roles of a person. */
export function roleWords(roles) {
  const words = ROLES.filter(([role]) => roles.includes(role)).map(([, word], i) => (i === 0 ? word : word.toLowerCase()));
  return words.join(", ");
}

export const roleWord = (role) => ROLE_WORDS.get(role) ?? role;

/** Where an assignment stands at a time: one that is active may not have begun, or have ended. */
export function careState({ status, starts_at: from, ends_at: to }, now = new Date()) {
  if (status !== "active") return { words: CARE_WORDS.get(status) ?? status, kind: status === "paused" ? "warn" : "" };
  if (new Date(from) > now) return { words: "Not begun yet", kind: "warn" };
  if (to && new Date(to) <= now) return { words: "Over", kind: "" };
  return { words: "Active", kind: "good" };
}

export function count(number, one, many = `${one}s`) {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

// ---- the audit log -----------------------------------------------------------------------------

export const VERBS = [
  ["sign_in", "signed in"], ["refuse_sign_in", "was refused at sign-in"], ["sign_out", "signed out"], ["change_password", "changed their password"],
  ["refuse_change_password", "gave a wrong password to change it"], ["create", "made"],
  ["change", "changed"], ["add", "added somebody to"], ["remove", "took somebody out of"], ["deactivate", "switched off"],
  ["activate", "switched on"], ["reset_password", "gave a new password to"], ["import", "imported"], ["issue", "made a key for"],
  ["read", "read"], ["review", "reviewed"], ["unreview", "took the review back of"], ["draft", "began"], ["drop", "dropped"],
  ["publish", "published"], ["save", "saved"], ["assign", "assigned"], ["archive", "archived"], ["restore", "brought back"],
  ["roll_back", "rolled back"], ["reset", "put back"], ["export", "exported"], ["renew", "had made anew"], ["try", "tried"],
  ["rate", "rated"], ["delete", "deleted"],
];
export const THINGS = [
  ["person", "an account"], ["class", "a class"], ["assignment", "who looks after whom"], ["guardian", "whose parent somebody is"],
  ["setting", "a setting"], ["roster", "a roster"], ["token", "an account"], ["lesson", "a lesson"], ["session", "a session"],
  ["transcript", "a transcript"], ["engine_key", "a key for a tutor engine"], ["engines", "the tutor engines"], ["summary", "a summary"], ["override", "a correction"], ["school", "the school"],
];
const VERB_WORDS = new Map(VERBS);
const THING_WORDS = new Map(THINGS);
const SETTINGS = { tutors_read: "who tutors may read", parents_read: "what parents see", rules: "the school's rules for tutors" };
const LIMIT_WORDS = {
  limit_sessions: "lessons at the same time", limit_minutes_day: "minutes a day", limit_money_month_micros: "money a month (millionths of a dollar)",
  limit_price_factor_permille: "the school's price (per mille)",
};
const PAGES = { person: "/admin/people/", class: "/admin/classes/", token: "/admin/people/", guardian: "/admin/people/", lesson: "/instructor/lessons/", session: "/tutor/sessions/", transcript: "/tutor/sessions/" };
const ACCOUNT = { create: "made the account of", change: "changed the account of" };
const SELF = new Set(["sign_in", "sign_out", "refuse_sign_in", "change_password", "refuse_change_password"]);

/** An entry of the log as a sentence without its subject: `{did, what, href}`. */
export function entryWords({ actor, verb, thing, thing_id: id, about }) {
  const did = VERB_WORDS.get(verb) ?? verb.replaceAll("_", " ");
  if (SELF.has(verb) && (!about || actor?.id === id)) return { did, what: "", href: null };
  if (verb === "add" && thing === "guardian") return { did: "made a parent of a student:", what: about ?? "somebody", href: pageOf(thing, id) };
  if (verb === "remove" && thing === "guardian") return { did: "is no longer a parent of a student:", what: about ?? "somebody", href: pageOf(thing, id) };
  if (thing === "person" && ACCOUNT[verb]) return { did: ACCOUNT[verb], what: about ?? "somebody", href: pageOf(thing, id) };
  if (thing === "setting") return settingWords(did, id);
  if (thing === "engine_key") return { did, what: `the key for ${id === "aws" ? "AWS" : "OpenAI"}`, href: "/admin/engines" };
  if (thing === "engines") return { did, what: "the tutor engines", href: "/admin/engines" };
  if (thing === "school" || thing === "roster") return { did, what: THING_WORDS.get(thing), href: null };
  return { did, what: about ?? THING_WORDS.get(thing) ?? thing.replaceAll("_", " "), href: pageOf(thing, id) };
}

function settingWords(did, id) {
  if (id.startsWith("engine_")) return { did, what: `tutor engines: ${id.slice(7).replaceAll("_", " ")}`, href: "/admin/engines" };
  if (id.startsWith("limit_")) return { did, what: `a limit: ${LIMIT_WORDS[id] ?? id}`, href: "/admin/usage" };
  return { did, what: SETTINGS[id] ?? id, href: "/admin/settings" };
}

function pageOf(thing, id) {
  return PAGES[thing] && /^[\da-f-]{36}$/.test(id) ? `${PAGES[thing]}${id}` : null;
}

/** What an entry keeps beside that, in short: roles before and after, how many, yes. */
export function detailWords(detail) {
  if (detail && "was" in detail && "now" in detail) return `${plain(detail.was)} → ${plain(detail.now)}`;
  return Object.entries(detail ?? {}).map(([name, value]) => {
    const word = name.replaceAll("_", " ");
    if (value === true) return word;
    if (value && typeof value === "object" && "was" in value) return `${word}: ${plain(value.was)} → ${plain(value.now)}`;
    return `${word}: ${plain(value)}`;
  }).filter((words) => !words.endsWith(": ")).join(" · ");
}

function plain(value) {
  if (Array.isArray(value)) return value.length > 0 && value.every(isId) ? String(value.length) : value.map(plain).join(", ");
  if (value && typeof value === "object") return Object.entries(value).map(([name, inner]) => `${name} ${plain(inner)}`).join(", ");
  if (isId(value)) return `${value.slice(0, 8)}…`;
  return (ROLE_WORDS.get(value)?.toLowerCase() ?? String(value ?? "nothing")).replaceAll("_", " ");
}

const isId = (value) => typeof value === "string" && /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/.test(value);
