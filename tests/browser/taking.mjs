/** A student who takes a lesson in writing, over the Realtime door: what tests of reviewing look at. */

import WebSocket from "ws";

import { ADDRESS, signIn } from "./live.mjs";

const PATIENCE_MS = 20_000;

/**
 * Opens a lesson; `say(text)` gives the tutor's answer, `finish()` ends it. `session` is the record's id. The
 * connection is gone with the `test`.
 */
export async function takeLesson(test, student = "student@demo.school", lesson = "fractions-as-parts") {
  const { cookie } = await signIn(student);
  const door = ADDRESS.replace(/^http/, "ws");
  const socket = new WebSocket(`${door}/v1/realtime?model=${lesson}`, ["realtime"], { headers: { cookie, origin: ADDRESS } });
  test.after(() => socket.terminate());
  const line = new Line(socket);
  const { session } = await line.until(({ type }) => type === "session.created");
  if (session.resumed) { // one that a test left behind: it ends first
    await finish(line);
    return takeLesson(test, student, lesson);
  }
  line.send({ type: "session.update", session: { type: "realtime", output_modalities: ["text"] } });
  const id = session.id.replace(/^sess_(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  return { session: id, line, say: (text) => say(line, text), finish: () => finish(line) };
}

/** A whole lesson: these words are said, and it is over. Returns the session's id. */
export async function takenLesson(test, words, { student, lesson } = {}) {
  const taken = await takeLesson(test, student, lesson);
  for (const text of words) await taken.say(text);
  await taken.finish();
  return taken.session;
}

async function say(line, text) {
  const content = [{ type: "input_text", text }];
  line.send({ type: "conversation.item.create", item: { type: "message", role: "user", content } });
  line.send({ type: "response.create" });
  const { response } = await line.until(({ type }) => type === "response.done");
  const [answer] = response.output;
  await line.saved(answer.id);
  return answer.content.map((part) => part.text ?? part.transcript).join(" ");
}

async function finish(line) {
  line.send({ type: "session.end" });
  await line.until(({ type }) => type === "session.ended");
  line.socket.close(1000);
}

/** What comes over the socket, in order; each `until` goes on after the one before, `saved` looks at all. */
class Line {
  #events = [];
  #read = 0;
  #look = () => {};
  #problem = null;

  constructor(socket) {
    this.socket = socket;
    socket.on("message", (data, isBinary) => {
      if (!isBinary) this.#events.push(JSON.parse(data));
      this.#look();
    });
    socket.on("error", (problem) => {
      this.#problem = problem;
      this.#look();
    });
  }

  send(event) {
    this.socket.send(JSON.stringify(event));
  }

  until(fits) {
    return this.#wait(fits, () => {
      while (this.#read < this.#events.length) {
        const event = this.#events[this.#read++];
        if (fits(event)) return event;
      }
      return null;
    });
  }

  /** An item's end may come before or after its response's. */
  saved(id) {
    const fits = ({ type, item }) => type === "conversation.item.done" && item.id === id;
    return this.#wait(`item ${id} is saved`, () => this.#events.find(fits));
  }

  #wait(what, find) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`it never came: ${what}; the last: ${JSON.stringify(this.#events.slice(-3))}`)), PATIENCE_MS);
      this.#look = () => {
        const refused = this.#problem ?? this.#events.find(({ type }) => type === "error");
        const found = refused ? null : find();
        if (!refused && !found) return;
        clearTimeout(timer);
        if (found) resolve(found);
        else reject(new Error(JSON.stringify(refused)));
      };
      this.#look();
    });
  }
}
