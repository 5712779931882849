/** The server's REST door: JSON both ways, refusals as `Refused` with a sentence people can read. */

const BASE = "/api/v1";
const OFFLINE = "We can't reach the school's server. Check your internet connection and try again.";

export class Refused extends Error {
  constructor(status, message, { code = null, retryAfterS = null, body = null } = {}) {
    super(message);
    this.status = status; // 0: no answer at all
    this.code = code;
    this.retryAfterS = retryAfterS;
    this.body = body; // problem details: what a page needs to help
  }
}

export class Api {
  #fetch;
  #csrf = null;

  constructor(fetcher = (...args) => fetch(...args)) {
    this.#fetch = fetcher;
  }

  school = () => this.#ask("GET", `${BASE}/school`);
  lessons = (cursor) => this.#ask("GET", `${BASE}/lessons${query({ cursor })}`);
  lesson = (slug, session) => this.#ask("GET", `${BASE}/lessons/${encodeURIComponent(slug)}${query({ session })}`);
  sessions = (filters) => this.#ask("GET", `${BASE}/sessions${query(filters)}`);
  session = (id) => this.#ask("GET", `${BASE}/sessions/${encodeURIComponent(id)}`);
  transcript = (id) => this.#ask("GET", `${BASE}/sessions/${encodeURIComponent(id)}/transcript`);
  summary = (id) => this.#ask("GET", `${BASE}/sessions/${encodeURIComponent(id)}/summary`);
  signOut = () => this.#ask("POST", `${BASE}/sign-out`, {});
  changePassword = (passwords) => this.#ask("POST", `${BASE}/me/password`, passwords);
  prefer = (preferences) => this.#ask("PATCH", `${BASE}/me`, { preferences });

  /** The rest of the API, for the pages of staff and families: `path` below /api/v1. */
  get = (path, filters) => this.#ask("GET", `${BASE}${path}${query(filters)}`);
  post = (path, body = {}, options) => this.#ask("POST", `${BASE}${path}`, body, options);
  put = (path, body = {}) => this.#ask("PUT", `${BASE}${path}`, body);
  patch = (path, body, options) => this.#ask("PATCH", `${BASE}${path}`, body, options);
  remove = (path) => this.#ask("DELETE", `${BASE}${path}`, {});
  upload = (path, text, type) => this.#ask("POST", `${BASE}${path}`, text, { type, withinMs: 90_000 });

  async me() {
    return this.#remember(await this.#ask("GET", `${BASE}/me`));
  }

  async signIn(credentials) {
    const { person } = await this.#ask("POST", `${BASE}/sign-in`, credentials);
    return this.#remember(person);
  }

  /** A short-lived key for the lesson's socket; refused as the socket would be, but with the reason. */
  key(lesson, session) {
    const wishes = { type: "realtime", ...(lesson && { model: lesson }) };
    return this.#ask("POST", `/v1/realtime/client_secrets${query({ session })}`, { session: wishes });
  }

  #remember(me) {
    this.#csrf = me.csrf;
    return me;
  }

  /** `keepalive`: the request goes on when the page is left. */
  async #ask(method, address, body, { type = "application/json", keepalive = false, withinMs = 15_000 } = {}) {
    const headers = { accept: "application/json" };
    if (body !== undefined) headers["content-type"] = type;
    if (body !== undefined && this.#csrf) headers["x-csrf-token"] = this.#csrf;
    const content = body && (type === "application/json" ? JSON.stringify(body) : body);
    const request = { method, headers, body: content, credentials: "same-origin", keepalive };
    let response;
    try {
      response = await this.#fetch(address, { ...request, signal: AbortSignal.timeout(withinMs) });
    } catch {
      throw new Refused(0, OFFLINE);
    }
    const answer = await response.json().catch(() => null);
    if (response.ok) return answer;
    throw refusal(response, answer);
  }
}

/** Both error shapes: problem details under /api, OpenAI's under /v1. */
function refusal(response, body) {
  const message = body?.detail ?? body?.error?.message ?? body?.title
    ?? `Something went wrong on our side (${response.status}). Please try again.`;
  const retryAfterS = Number.parseInt(response.headers.get("retry-after") ?? "", 10) || null;
  return new Refused(response.status, message, { code: body?.code ?? body?.error?.code ?? null, retryAfterS, body });
}

function query(parameters = {}) {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return given.length === 0 ? "" : `?${new URLSearchParams(given)}`;
}
