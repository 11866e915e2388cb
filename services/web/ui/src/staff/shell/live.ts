// One live stream for all tabs of this browser: the tab that holds the lock reads /api/v1/events and passes each change on;
// when it closes, the next one takes over where it stands. Whoever sees a gap reads its list anew (callbacks.ts), so that
// after any loss what is shown is complete again by itself.
import { signal } from "@preact/signals";
import type { WatchCallbacksResponseJson } from "../../protocol/ringback/v1/callback_service_pb";

export type LiveState = "connecting" | "live" | "lost";
export const liveState = signal<LiveState>("connecting");
// When something was last heard of the server.
export const heardMs = signal(0);

const SILENCE_MS = 25000;
const RETRY_MS = [250, 1000, 2000, 5000, 10000];

// `before`: the revision that the reading tab had passed on until then.
type Message =
  | { kind: "change"; before: string; change: WatchCallbacksResponseJson }
  | { kind: "alive"; revision: string }
  | { kind: "resync"; revision: string }
  | { kind: "lost" }
  | { kind: "bye" }
  | { kind: "hello" };

export interface LiveReader {
  revision(): string;
  change(change: WatchCallbacksResponseJson): void;
  // Something was missed: read everything anew.
  anew(): void;
  signedOut(): void;
}

let channel: BroadcastChannel | null = null;
let reader: LiveReader;
let leading = false;
let stop = new AbortController();

export function startLive(member: string, to: LiveReader): void {
  reader = to;
  channel = new BroadcastChannel("ringback-live-" + member);
  channel.onmessage = ({ data }: MessageEvent<Message>) => {
    if (data.kind === "hello") {
      if (leading && liveState.value === "live") tell({ kind: "alive", revision: reader.revision() });
    } else if (!leading) take(data);
  };
  channel.postMessage({ kind: "hello" } satisfies Message);
  // Browsers give locks to HTTPS and localhost alone; elsewhere each tab reads for itself.
  if (navigator.locks) void navigator.locks.request("ringback-live-" + member, { signal: stop.signal }, () => lead()).catch(() => {});
  else void lead();
  setInterval(() => {
    if (liveState.value === "live" && Date.now() - heardMs.value > SILENCE_MS) liveState.value = "lost";
  }, 1000);
  // Back from sleep: ask where the others are.
  for (const name of ["pageshow", "visibilitychange", "resume"]) {
    document.addEventListener(name, () => {
      if (!leading && document.visibilityState === "visible") channel?.postMessage({ kind: "hello" } satisfies Message);
    });
  }
}

export function stopLive(): void {
  stop.abort();
  channel?.close();
  channel = null;
}

const tell = (message: Message): void => channel?.postMessage(message);
const later = (a: string, b: string): boolean => BigInt(a || "0") > BigInt(b || "0");

function take(message: Message): void {
  if (message.kind === "hello") return;
  if (message.kind === "lost") return void (liveState.value = "lost");
  if (message.kind === "bye") return reader.signedOut();
  heardMs.value = Date.now();
  liveState.value = "live";
  if (message.kind === "resync") return reader.anew();
  if (message.kind === "alive") {
    if (later(message.revision, reader.revision())) reader.anew();
    return;
  }
  if (later(message.before, reader.revision())) return reader.anew();
  if (later(message.change.revision ?? "0", reader.revision())) reader.change(message.change);
}

const pause = (forMs: number): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, forMs);
    // The network is back: no need to wait.
    addEventListener("online", () => (clearTimeout(timer), resolve()), { once: true });
  });

async function lead(): Promise<void> {
  leading = true;
  for (let failures = 0; !stop.signal.aborted; ) {
    const began = Date.now();
    try {
      await read();
    } catch {
      // Said below.
    }
    if (stop.signal.aborted) return;
    liveState.value = "lost";
    tell({ kind: "lost" });
    failures = Date.now() - began > 10000 ? 0 : failures + 1;
    await pause(failures === 0 ? 0 : RETRY_MS[Math.min(failures - 1, RETRY_MS.length - 1)]);
  }
}

// Reads one connection to its end.
async function read(): Promise<void> {
  const give = new AbortController();
  const giveUp = (): void => give.abort();
  stop.signal.addEventListener("abort", giveUp, { once: true });
  // The browser knows it before the silence is long enough.
  addEventListener("offline", giveUp, { once: true });
  let silence = setTimeout(giveUp, SILENCE_MS);
  try {
    const since = reader.revision();
    const answer = await fetch(`/api/v1/events?since=${since}`, {
      headers: { Accept: "text/event-stream", "Last-Event-ID": since }, cache: "no-store", signal: give.signal,
    });
    if (answer.status === 401) return reader.signedOut();
    if (!answer.ok || !answer.body) throw new Error(String(answer.status));
    const bytes = answer.body.getReader();
    const text = new TextDecoder();
    let rest = "";
    for (;;) {
      const { done, value } = await bytes.read();
      if (done) return;
      clearTimeout(silence);
      silence = setTimeout(giveUp, SILENCE_MS);
      rest += text.decode(value, { stream: true });
      const blocks = rest.split(/\r?\n\r?\n/);
      rest = blocks.pop() ?? "";
      for (const block of blocks) hear(block);
      heardMs.value = Date.now();
      if (liveState.value === "live") tell({ kind: "alive", revision: reader.revision() });
    }
  } finally {
    clearTimeout(silence);
    stop.signal.removeEventListener("abort", giveUp);
    removeEventListener("offline", giveUp);
  }
}

// One event of the stream: https://html.spec.whatwg.org/multipage/server-sent-events.html
function hear(block: string): void {
  let name = "message";
  let data = "";
  for (const line of block.split(/\r?\n/)) {
    const [, field, value] = /^([^:]+): ?(.*)$/.exec(line) ?? [];
    if (field === "event") name = value;
    if (field === "data") data += value;
  }
  if (!data && name !== "bye") return;
  if (name === "bye") {
    tell({ kind: "bye" });
    reader.signedOut();
  } else if (name === "ready") {
    heardMs.value = Date.now();
    liveState.value = "live";
  } else if (name === "resync") {
    tell({ kind: "resync", revision: JSON.parse(data).revision });
    reader.anew();
  } else if (name === "change") {
    const change = JSON.parse(data) as WatchCallbacksResponseJson;
    const before = reader.revision();
    if (later(change.revision ?? "0", before)) reader.change(change);
    tell({ kind: "change", before, change });
  }
}
