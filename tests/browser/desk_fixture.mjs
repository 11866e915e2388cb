// The team's pages without ringback behind them: a small server that answers the pages' contract from memory, for work on the
// pages and for tests of what a real server does not do on demand (lost connections, ten thousand callbacks).
//   node tests/browser/desk_fixture.mjs --port 8088 --callbacks 10000 --role ROLE_MANAGER --language en
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { callbackOf, MEMBERS, team, TEAM_ID } from "./desk_data.mjs";
import { METHODS as DESK_METHODS, Refusal, withoutBytes } from "./desk_methods.mjs";
import { deadLetters, unmatched } from "./team_data.mjs";
import { METHODS as TEAM_METHODS } from "./team_methods.mjs";

const METHODS = { ...DESK_METHODS, ...TEAM_METHODS };

const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:; " +
  "media-src 'self' blob:; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const TYPES = { js: "text/javascript", css: "text/css", json: "application/json" };

export class DeskFixture {
  // pages: folder with staff.js, staff.css and sw.js. now: the office's clock when it opens.
  constructor({ pages, callbacks = 30, role = "ROLE_REP", language = "de", now = Date.now() }) {
    Object.assign(this, { pages, language });
    this.offset = now - Date.now();
    this.team = team();
    this.me = this.team.members.find((m) => m.role === role) ?? MEMBERS[0];
    this.revision = 1;
    this.changes = [];
    this.viewers = new Set();
    this.requests = new Map();
    this.recordings = new Map();
    this.uploads = 0;
    this.calls = [];
    this.signedIn = true;
    // What tests switch: uploads cut off, the stream refused, no way to send an SMS, answers that are long on their way.
    this.noSms = false;
    this.slowMs = 0;
    this.cutUploads = 0;
    this.lostWords = 0;
    this.streamDown = false;
    this.findings = [];
    this.unmatched = unmatched(now);
    this.tied = [];
    this.deadLetters = deadLetters(now);
    this.tokens = [];
    this.callbacks = new Map();
    for (let i = 0; i < callbacks; ++i) {
      const made = callbackOf(i, this.now());
      this.callbacks.set(made.id, made);
    }
  }

  now() {
    return Date.now() + this.offset;
  }

  async listen(port = 0) {
    this.server = createServer((request, response) => void this.answer(request, response));
    this.server.keepAliveTimeout = 500;
    await new Promise((resolve) => this.server.listen(port, "127.0.0.1", resolve));
    this.port = this.server.address().port;
    this.url = `http://127.0.0.1:${this.port}`;
    this.beat = setInterval(() => this.viewers.forEach((v) => v.write(": beat\n\n")), 10000);
    return this;
  }

  async close() {
    clearInterval(this.beat);
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  // The network goes away and comes back on the same port.
  async down() {
    const { port } = this;
    await this.close();
    return () => this.listen(port);
  }

  // A change as a real server makes it: committed, then told to every viewer.
  commit(callback, what, author = "system", details = {}) {
    const version = String(Number(callback.version ?? "0") + 1);
    const whole = { ...callback, version, historyCount: (callback.historyCount ?? 0) + 1 };
    this.callbacks.set(whole.id, whole);
    const change = {
      revision: String(++this.revision), eventTime: new Date(this.now()).toISOString(), callback: whole,
      event: { number: whole.historyCount, eventTime: new Date(this.now()).toISOString(), author, what, details },
    };
    this.changes.push(change);
    for (const viewer of this.viewers) this.tell(viewer, change);
    return whole;
  }

  tell(viewer, change) {
    if (!this.visible(change.callback)) change = { revision: change.revision, eventTime: change.eventTime, gone: change.callback.id };
    viewer.write(`event: change\nid: ${change.revision}\ndata: ${JSON.stringify(change)}\n\n`);
  }

  visible(callback) {
    return this.me.role !== "ROLE_REP" || !callback.assigneeId || callback.assigneeId === this.me.id;
  }

  // Somebody rings.
  ring(caller, more = {}) {
    const id = `cb07new${String(this.callbacks.size).padStart(11, "0")}`;
    return this.commit({
      id, teamId: TEAM_ID, caller, rings: 1, phase: "PHASE_WAITING", createTime: new Date(this.now()).toISOString(),
      dueTime: new Date(this.now() + 4 * 3600000).toISOString(), pageUrl: `${this.url}/m/pg${id.slice(2)}`, ...more,
    }, "requested");
  }

  async answer(request, response) {
    const url = new URL(request.url, this.url);
    try {
      await this.route(request, response, url);
    } catch (error) {
      if (response.headersSent) return response.destroy();
      const status = error.status ?? 500;
      this.json(response, { code: error.code ?? "INTERNAL", message: error.message, field: error.field || undefined, reason: error.reason || undefined }, status);
    }
  }

  json(response, value, status = 200) {
    response.writeHead(status, { "Content-Type": "application/json", "Cache-Control": "no-store" });
    response.end(JSON.stringify(value));
  }

  async route(request, response, url) {
    const { pathname } = url;
    if (/^\/(desk|team|settings|report)(\/|$)/.test(pathname)) {
      if (!this.signedIn) return response.writeHead(303, { Location: "/sign-in?to=" + encodeURIComponent(pathname) }).end();
      response.writeHead(200, { "Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": POLICY, "Cache-Control": "no-cache" });
      return response.end(shell(this.language, this.hashed("staff.js"), this.hashed("staff.css")));
    }
    if (pathname === "/sign-in") return response.writeHead(200, { "Content-Type": "text/html; charset=utf-8" }).end("<title>Anmelden</title><h1>Anmelden</h1>");
    if (pathname === "/sign-out" || pathname === "/sign-out-everywhere") {
      if (new URLSearchParams((await bytesOf(request)).toString()).get("form") !== "form") throw new Refusal(403, "PERMISSION_DENIED", "form token");
      this.signedIn = false;
      return response.writeHead(303, { Location: "/sign-in" }).end();
    }
    if (pathname === "/favicon.ico") return response.writeHead(204).end();
    if (pathname === "/sw.js") return this.file(response, "sw.js", "no-cache");
    if (pathname.startsWith("/app/")) return this.file(response, pathname.slice(5).replace(/\.[0-9a-f]{16}\./, "."), "max-age=31536000, immutable");
    if (!pathname.startsWith("/api/v1/")) throw new Refusal(404, "NOT_FOUND", "");
    if (!this.signedIn) throw new Refusal(401, "UNAUTHENTICATED", "");
    if (pathname === "/api/v1/me") {
      if (this.lostWords > 0) return void (--this.lostWords, request.socket.destroy());
      const { id, name, timeZone } = this.team;
      const now = new Date(this.now()).toISOString();
      return this.json(response, { member: { ...this.me, language: this.language }, team: { id, name, language: this.language, timeZone }, formToken: "form", now });
    }
    if (pathname === "/api/v1/events") return this.events(request, response, url);
    const audio = /^\/api\/v1\/recordings\/(\w+)\/(opus|mp3|original)$/.exec(pathname);
    if (audio) return this.audio(response, audio[1]);
    if (request.method !== "POST") throw new Refusal(405, "INVALID_ARGUMENT", "method");
    if (request.headers["x-ringback-form"] !== "form") throw new Refusal(403, "PERMISSION_DENIED", "form token");
    if (pathname === "/api/v1/recordings") return this.upload(request, response, url);
    const body = JSON.parse((await bytesOf(request)).toString() || "{}");
    const [, service, method] = /^\/api\/v1\/(\w+)\/(\w+)$/.exec(pathname) ?? [];
    const name = method && method[0].toLowerCase() + method.slice(1);
    if (!METHODS[name]) throw new Refusal(501, "UNIMPLEMENTED", `${service}/${method}`);
    this.calls.push({ method: name, body });
    const once = body.requestId && !body.validateOnly;
    if (once && this.requests.has(body.requestId)) return this.json(response, this.requests.get(body.requestId));
    const answer = METHODS[name].call(this, body);
    if (this.slowMs) await new Promise((resolve) => setTimeout(resolve, this.slowMs));
    if (once) this.requests.set(body.requestId, answer);
    this.json(response, answer);
  }

  hashed(name) {
    const hash = createHash("sha256").update(readFileSync(join(this.pages, name))).digest("hex").slice(0, 16);
    return "/app/" + name.replace(/\.(\w+)$/, `.${hash}.$1`);
  }

  file(response, name, caching) {
    const path = join(this.pages, name);
    if (!/^[a-z.]+$/.test(name) || !existsSync(path)) throw new Refusal(404, "NOT_FOUND", name);
    response.writeHead(200, { "Content-Type": TYPES[name.split(".").pop()], "Cache-Control": caching, "Service-Worker-Allowed": "/" });
    response.end(readFileSync(path));
  }

  events(request, response, url) {
    if (this.streamDown) throw new Refusal(503, "UNAVAILABLE", "");
    response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
    const since = Number(request.headers["last-event-id"] || url.searchParams.get("since") || 0);
    response.write(`event: ready\ndata: ${JSON.stringify({ revision: String(this.revision) })}\n\n`);
    if (since < this.revision - this.changes.length) response.write(`event: resync\ndata: ${JSON.stringify({ revision: String(this.revision) })}\n\n`);
    else for (const change of this.changes) if (Number(change.revision) > since) this.tell(response, change);
    this.viewers.add(response);
    response.on("close", () => this.viewers.delete(response));
  }

  async upload(request, response, url) {
    if (this.cutUploads > 0) {
      --this.cutUploads;
      request.once("data", () => request.socket.destroy());
      return;
    }
    const bytes = await bytesOf(request);
    ++this.uploads;
    const id = url.searchParams.get("request_id");
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    if (url.searchParams.get("sha256") !== sha256) throw new Refusal(400, "INVALID_ARGUMENT", "not what was announced", "sha256");
    const known = this.recordings.get(id);
    const recording = known ?? {
      id: `rc07${sha256.slice(0, 14)}`, callbackId: url.searchParams.get("callback_id"), state: "STATE_READY", sha256, sizeBytes: String(bytes.length),
      durationSeconds: 9.6, createTime: new Date(this.now()).toISOString(), findings: this.findings,
      waveform: Buffer.from(Array.from({ length: 200 }, (_, i) => 60 + Math.round(150 * Math.abs(Math.sin(i / 7) * Math.sin(i / 31))))).toString("base64"), bytes,
    };
    this.recordings.set(id, recording);
    this.json(response, { recording: withoutBytes(recording), ...(known && { repeated: true }) });
  }

  audio(response, id) {
    const found = [...this.recordings.values()].find((r) => r.id === id);
    if (!found) throw new Refusal(404, "NOT_FOUND", id);
    response.writeHead(200, { "Content-Type": "audio/webm" }).end(found.bytes);
  }

  one(id) {
    const found = this.callbacks.get(id);
    if (!found || !this.visible(found)) throw new Refusal(404, "NOT_FOUND", id);
    return found;
  }

  promise(callback, more) {
    const promises = callback.promises ?? [];
    const author = this.me.id;
    const made = { revision: promises.length + 1, createTime: new Date(this.now()).toISOString(), state: "STATE_ARMED", author, ...more };
    const earlier = promises.map((p) => (p.state === "STATE_ARMED" ? { ...p, state: "STATE_SETTLED", verdict: "VERDICT_MOVED_BY_TEAM" } : p));
    const { proposal, ...rest } = callback;
    return this.commit({
      ...rest, phase: "PHASE_PROMISED", overdue: false, dueTime: made.promisedTime, assigneeId: callback.assigneeId ?? this.me.id,
      assigneeName: callback.assigneeName ?? this.me.name, promises: [...earlier, made],
    }, "promised", author);
  }
}

async function bytesOf(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts);
}

const shell = (language, script, style) => `<!DOCTYPE html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>ringback</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${style}">
<script defer src="${script}"></script>
</head>
<body></body>
</html>
`;

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const options = {};
  for (let i = 2; i < process.argv.length; i += 2) options[process.argv[i].slice(2)] = process.argv[i + 1];
  const here = fileURLToPath(new URL(".", import.meta.url));
  const fixture = await new DeskFixture({
    pages: options.pages ?? join(here, "../../services/web/ui/dist"), callbacks: Number(options.callbacks ?? 30), role: options.role, language: options.language,
    ...(options.now && { now: Date.parse(options.now) }),
  }).listen(Number(options.port ?? 8088));
  console.log(`${fixture.url}/desk`);
}
