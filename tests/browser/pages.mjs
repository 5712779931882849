/** Serves the pages as the real server does: same paths, same Content-Security-Policy. */

import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const STATIC = fileURLToPath(new URL("../../static/", import.meta.url));
const TYPES = {
  ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
  ".woff2": "font/woff2",
};
export const POLICY = [
  "default-src 'none'", "script-src 'self'", "worker-src 'self'", "connect-src 'self'", "img-src 'self' data:",
  "media-src 'self' blob:", "style-src 'self'", "font-src 'self'", "form-action 'self'", "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

export async function servePage(path, response) {
  const file = fileOf(path);
  const body = file && (await readFile(file).catch(() => null));
  if (!body) {
    response.writeHead(path === "/" ? 302 : 404, path === "/" ? { location: "/student" } : {});
    response.end();
    return;
  }
  response.writeHead(200, {
    "content-type": TYPES[extname(file)] ?? "application/octet-stream", "content-security-policy": POLICY,
    "x-content-type-options": "nosniff", "cache-control": "no-store",
  });
  response.end(body);
}

function fileOf(path) {
  if (path === "/sign-in") return join(STATIC, "sign-in.html");
  const [, page] = /^\/(student|tutor)(?:\/|$)/.exec(path) ?? [];
  if (page) return join(STATIC, `${page}.html`);
  return path.startsWith("/static/") ? join(STATIC, normalize(path.slice("/static".length))) : null;
}
