// A whole office for the browser tests: a real `ringback serve` on a data folder of its own, its command line, its mail.
import { spawn, execFile } from "node:child_process";
import { mkdtempSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync, renameSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
export const BUILD = process.env.RINGBACK_BUILD;
const RINGBACK = process.env.RINGBACK_PROGRAM || join(BUILD, "bin", "ringback");
export const SPEECH = join(BUILD, "speech", "bench_10.wav");
const PATIENCE_MS = 30000;

export async function until(sign, what) {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await sign();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`never came: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export class Office {
  // The clock starts at `now`, an instant: every story is on the same day at the same hour. `flags`: more for `serve`.
  static async open(now, flags = []) {
    const office = new Office();
    office.dir = mkdtempSync(join(tmpdir(), "ringback-browser-"));
    office.data = join(office.dir, "data");
    office.offsetFile = join(office.dir, "clock");
    office.setClock(now);
    office.port = await freePort();
    office.url = `http://127.0.0.1:${office.port}`;
    const log = openSync(join(office.dir, "serve.log"), "a");
    office.server = spawn(
      RINGBACK,
      ["serve", "--data", office.data, "--http", `127.0.0.1:${office.port}`, "--grpc", "127.0.0.1:0",
        "--set", `ringback.clock_offset_file=${office.offsetFile}`, "--set", `ringback.public_url=${office.url}`, ...flags],
      { stdio: ["ignore", log, log], cwd: office.dir, env: clean() });
    await until(async () => {
      if (office.server.exitCode !== null) throw new Error("the server ended: " + office.log());
      return office.cli("team", "show").catch(() => null);
    }, "the server's first answer");
    return office;
  }

  async close() {
    const ended = new Promise((resolve) => this.server.once("exit", resolve));
    this.server.kill("SIGTERM");
    const code = await ended;
    rmSync(this.dir, { recursive: true, force: true });
    if (code !== 0) throw new Error(`SIGTERM ended with ${code}`);
  }

  log() {
    return readFileSync(join(this.dir, "serve.log"), "utf8").slice(-4000);
  }

  setClock(now) {
    this.offset = (now.getTime() - Date.now()) / 1000;
    writeFileSync(this.offsetFile + ".part", `${this.offset.toFixed(3)}\n`);
    renameSync(this.offsetFile + ".part", this.offsetFile);
  }

  now() {
    return new Date(Date.now() + this.offset * 1000);
  }

  async cli(...args) {
    const { stdout } = await run(RINGBACK, [...args, "--json"], this.place());
    return stdout.trim() ? JSON.parse(stdout) : {};
  }

  // A mail as the mail server hands it over.
  async mailIn(mail) {
    const taking = run(RINGBACK, ["mail-in"], this.place());
    taking.child.stdin.end(mail);
    await taking;
  }

  place() {
    return { env: { ...clean(), RINGBACK_DATA: this.data, RINGBACK_CLOCK_OFFSET_FILE: this.offsetFile }, cwd: this.dir, timeout: 60000 };
  }

  // A caller with a spoken promise that has arrived; where their page is, as the mail says it.
  async promised({ name = "Herr Müller", language = "de", promise = "13:00", zone = "", assignee = "Anna Schmidt" } = {}) {
    const address = `customer${(this.customers = (this.customers || 0) + 1)}@example.com`;
    const text = join(this.dir, `${language}.txt`);
    writeFileSync(text, SPOKEN[language]);
    const requested = await this.cli("request", "--name", name, "--email", address, "--language", language,
      "--assignee", assignee, ...(zone ? ["--time-zone", zone] : []));
    const id = requested.callback.id;
    await this.cli("send", SPEECH, "--callback", id, "--promise", promise, "--text", text);
    const url = await until(() => this.linkIn(address), `the mail to ${address}`);
    return { id, url, address };
  }

  linkIn(address) {
    const folder = join(this.data, "outbox", "new");
    const files = readdirSync(folder).sort((a, b) => statSync(join(folder, a)).mtimeMs - statSync(join(folder, b)).mtimeMs);
    for (const file of files) {
      const mail = readFileSync(join(folder, file), "latin1");
      // A header may go on in the next line.
      if (!new RegExp(`^To:(?:.|\\r?\\n[ \\t])*${address}`, "m").test(mail)) continue;
      // Its text is quoted-printable, which breaks lines in the middle of a link, or base64.
      const texts = [mail.replace(/=\r?\n/g, "")];
      for (const [block] of mail.matchAll(/^(?:[A-Za-z0-9+/]{60,}\r?\n)*[A-Za-z0-9+/]+={0,2}\r?$/gm)) {
        texts.push(Buffer.from(block, "base64").toString("latin1"));
      }
      const found = texts.join("\n").match(/\/m\/pg[0-9a-z]+/);
      if (found) return this.url + found[0];
    }
    return null;
  }

  async show(id) {
    return (await this.cli("show", id)).callback;
  }
}

function clean() {
  return Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith("RINGBACK_")));
}

const SPOKEN = {
  de: "Guten Morgen Herr Müller, ich bin gerade von einer Geschäftsreise zurückgekehrt und habe gesehen, dass Sie um " +
    "Rückruf gebeten haben. Das will ich gerne tun, habe allerdings noch zwei Angelegenheiten, die ich ganz dringend " +
    "erledigen muss.\nMein Vorschlag: Sie senden mir eine kurze Mail, zwei bis drei Sätze, worum es geht, dann kann ich " +
    "mich besser vorbereiten. Und ich rufe Sie heute um 13 Uhr an. Versprochen!\n",
  en: "Good morning Ms Baker, I am just back from a business trip and have seen that you asked for a call. I would love to, " +
    "and have two urgent matters to settle first.\nMy suggestion: you send me two or three sentences on what it is about, " +
    "so that I am well prepared. And I will call you today at 1 pm. Promised!\n",
};
