/**
 * A server of our own contract for the browser tests: pages, REST and one live lesson whose tutor says what
 * the test tells it to. It is honest where the page depends on it: order of events, replay, played reports.
 */

import { createServer } from "node:http";
import { WebSocketServer } from "ws";

import { FakeLesson } from "./fake-lesson.mjs";
import { Records, problem } from "./fake-records.mjs";
import { servePage } from "./pages.mjs";

export async function startGateway({ records = new Records(), ...lesson } = {}) {
  const gateway = new Gateway(records, lesson);
  await gateway.listen();
  return gateway;
}

class Gateway {
  #server;
  #sockets = new Set();

  constructor(records, lesson) {
    this.records = records;
    this.lesson = new FakeLesson(records, lesson);
    this.away = false; // no new connection gets an answer
    this.slowMs = 0; // so long the first word of a live connection takes
    this.#server = createServer((request, response) => this.#http(request, response));
    const door = new WebSocketServer({ noServer: true, handleProtocols: () => "realtime" });
    this.#server.on("upgrade", (request, socket, head) => {
      if (this.away || records.sessionState.status === "ended") socket.destroy();
      else setTimeout(() => door.handleUpgrade(request, socket, head, (connection) => this.#live(connection, request)), this.slowMs);
    });
  }

  async listen() {
    await new Promise((ready) => this.#server.listen(0, "127.0.0.1", ready));
    this.address = `http://localhost:${this.#server.address().port}`;
  }

  /** Cuts every live connection, as a train does in a tunnel. */
  cut() {
    for (const socket of this.#sockets) socket.terminate();
  }

  /** Closes every live connection with this code. */
  hangUp(code) {
    for (const socket of this.#sockets) socket.close(code);
  }

  async close() {
    this.cut();
    this.lesson.stop();
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
  }

  #live(socket, request) {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    const query = new URL(request.url, this.address).searchParams;
    this.lesson.attach(socket, { session: query.get("session"), after: query.get("after") });
  }

  async #http(request, response) {
    if (this.away) {
      request.socket.destroy();
      return;
    }
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const { pathname, searchParams } = new URL(request.url, this.address);
    if (pathname === "/v1/realtime/calls") {
      response.writeHead(501, { "content-type": "application/json" }).end('{"error":{"code":"calls_off","message":"No calls here."}}');
      return;
    }
    const body = chunks.length > 0 ? JSON.parse(Buffer.concat(chunks)) : null;
    if (!/^\/(api|v1)\//.test(pathname)) {
      servePage(pathname, response);
      return;
    }
    const call = { method: request.method, path: pathname, query: searchParams, body, headers: request.headers };
    const { status = 200, headers = {}, answer = null } = this.records.answer(call) ?? problem(404, "There is no such thing.");
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(answer === null ? "" : JSON.stringify(answer));
  }
}
