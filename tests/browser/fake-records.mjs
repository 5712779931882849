/** What the REST door of the fake gateway knows: a school, a student, lessons and past sessions. */

const DAY_MS = 86_400_000;
const PAST = "0192aaaa-0000-7000-8000-000000000001";

export function problem(status, detail, headers = {}) {
  return { status, headers, answer: { type: "about:blank", title: "Refused", status, detail } };
}

export const LESSONS = [
  {
    id: "l1", slug: "fractions-as-parts", title: "Fractions as parts", subject: "Maths", level: "Year 4", language: "en",
    goal: "Say what part of a whole something is, and find another name for it.", steps: 6, hears_speech: true,
    due_at: null, status: "new", live_session_id: null,
  },
  {
    id: "l2", slug: "photosynthesis", title: "Photosynthesis", subject: "Science", level: "Year 7", language: "en",
    goal: "Explain what a plant needs to make its food, and what it gives back.", steps: 5, hears_speech: true,
    due_at: new Date(Date.now() + 2 * DAY_MS).toISOString(), status: "in_progress",
    live_session_id: "0192bbbb-0000-7000-8000-000000000002",
  },
  {
    id: "l3", slug: "conversacion-en-espanol", title: "Conversación en español", subject: "Spanish", level: "A1",
    language: "es", goal: "Presentarte y pedir algo en un café.", steps: 5, hears_speech: false, due_at: null,
    status: "done", live_session_id: null,
  },
];

export const AMINA = {
  id: "p1", name: "Amina Yusuf", email: "student@demo.school", roles: ["student"], locale: "en",
  preferences: { mic_checked: true }, school: { id: "t1", slug: "demo", name: "Riverside School" }, csrf: "csrf-1",
};

export class Records {
  constructor(changes = {}) {
    this.school = { name: "Riverside School", school_field: false };
    this.me = structuredClone(AMINA);
    this.password = "correct horse";
    this.signedIn = true;
    this.lessons = structuredClone(LESSONS);
    this.readers = [
      { name: "Ms Okafor", role: "instructor", at: new Date(Date.now() - 2 * 3_600_000).toISOString() },
    ];
    this.summaryAfter = 1; // asked so often before it is written
    this.past = [sessionCard(PAST, this.lessons[0], "ended")];
    this.sessionState = { status: "live" };
    this.keyRefused = null; // [status, message]
    this.calls = [];
    Object.assign(this, changes);
  }

  /** The answer to one call, or null where there is no such address. */
  answer(call) {
    this.calls.push(call);
    const { method, path, body, headers } = call;
    const route = `${method} ${path}`;
    if (route === "GET /api/v1/school") return { answer: this.school };
    if (route === "POST /api/v1/sign-in") return this.#signIn(body);
    if (!this.signedIn) return problem(401, "Please sign in.");
    if (method !== "GET" && headers["x-csrf-token"] !== this.me.csrf) return problem(403, "The page is too old. Reload it.");
    return this.#signedIn(route, call);
  }

  #signIn({ email, password }) {
    if (password === "slow down") return problem(429, "Too many guesses.", { "retry-after": "120" });
    if (email !== this.me.email || password !== this.password) return problem(401, "Wrong e-mail or password.");
    this.signedIn = true;
    return { answer: { person: this.me } };
  }

  #signedIn(route, { path, body, query }) {
    if (route === "POST /api/v1/sign-out") {
      this.signedIn = false;
      return { status: 204 };
    }
    if (route === "GET /api/v1/me") return { answer: this.me };
    if (route === "PATCH /api/v1/me") {
      Object.assign(this.me.preferences, body.preferences);
      return { answer: this.me };
    }
    if (/^PUT .*\/feedback$/.test(route)) return { answer: body };
    if (route === "POST /v1/realtime/client_secrets") return this.#key(query);
    if (route === "GET /api/v1/lessons") return { answer: { items: this.lessons, next_cursor: null } };
    if (route === "GET /api/v1/sessions") return { answer: this.#sessions(query) };
    const [, kind, id, part] = /^\/api\/v1\/(lessons|sessions)\/([^/]+)(?:\/(\w+))?$/.exec(path) ?? [];
    if (kind === "lessons") return this.#lesson(id);
    return kind === "sessions" ? this.#session(id, part) : null;
  }

  #key(query) {
    const over = query.get("session") && this.sessionState.status === "ended";
    const [status, message] = this.keyRefused ?? (over ? [409, "This session is over."] : []);
    if (status) return { status, answer: { error: { message, type: "invalid_request_error", code: "refused" } } };
    return { answer: { value: "ek_demo_secret", expires_at: Date.now() / 1000 + 600, session: {} } };
  }

  #sessions(query) {
    return query.get("cursor") ? { items: this.past.slice(10), next_cursor: null }
      : { items: this.past.slice(0, 10), next_cursor: this.past.length > 10 ? "more" : null };
  }

  #lesson(slug) {
    const lesson = this.lessons.find((one) => one.slug === decodeURIComponent(slug));
    if (!lesson) return problem(404, "There is no such lesson for you.");
    const readers = "Your teacher Ms Okafor and the tutors of your school can read this lesson.";
    return { answer: { ...lesson, version: 1, version_id: "v1", readers } };
  }

  #session(id, part) {
    const known = this.past.find((one) => one.id === id);
    if (part === "transcript") return { answer: { session_id: id, items: transcript() } };
    if (part === "summary") return { answer: this.#summary() };
    const card = known ?? { ...sessionCard(id, this.lessons[0], "live"), ...this.sessionState };
    return { answer: { ...card, brief_hash: "0".repeat(64), version: 1, readers: this.readers } };
  }

  #summary() {
    if (this.summaryAfter-- > 0) return { status: "pending", narrative: [], next_steps: [], subjects: [], practice: [] };
    return {
      status: "ready", engine: "offline", subjects: ["fractions"],
      narrative: [
        { text: "You found what part of a pizza two of four slices are.", item_ids: ["i1"] },
        { text: "You saw that 2/4 and 1/2 are the same amount.", item_ids: ["i2"] },
      ],
      done_well: { text: "You corrected yourself when you looked at the slices again.", item_ids: ["i3"] },
      next_steps: [{ text: "Find other names for 3/6 and 2/8.", item_ids: [] }],
      practice: ["Cut a sheet of paper into 8 equal parts. Colour 1/4 of it.", "Which is more: 1/3 or 2/6?"],
    };
  }
}

function sessionCard(id, { id: lessonId, slug, title }, status) {
  return {
    id, lesson: { id: lessonId, slug, title }, student: { id: "p1", name: "Amina Yusuf" }, status, mode: "voice",
    started_at: new Date(Date.now() - DAY_MS).toISOString(), ended_at: null, end_reason: status === "ended" ? "finished" : null,
    wall_ms: 754_000, student_speech_ms: 128_000, tutor_speech_ms: 240_000, silence_ms: 386_000, step: 6, steps: 6,
    engines: ["offline"], has_summary: true,
  };
}

export function transcript() {
  const line = (id, role, said, more = {}) => ({
    id, role, speaker: role === "user" ? "student" : "ai", kind: "audio", said, heard: role === "user" ? null : said,
    status: "completed", interrupted: false, started_ms: 0, ended_ms: 1000, position: 0, sure: true, ...more,
  });
  return [
    line("i1", "assistant", "If a pizza is cut into 4 equal slices and you eat 2, what part have you eaten?"),
    line("i2", "user", "two quarters"),
    line("i3", "assistant", "Yes. Two quarters is $\\frac{2}{4}$. Can you say it another way?", {
      heard: "Yes. Two quarters is", interrupted: true, status: "incomplete",
    }),
    line("i4", "user", "one half"),
    line("i5", "system", "The tutor checked the answer.", { speaker: "system", tool: { name: "check_answer", words: null } }),
    line("i6", "system", "On the board: 1 of 2 equal parts are filled.", { speaker: "system", tool: { name: "show", words: null } }),
  ];
}
