// Takes in this browser's database: what was spoken, and what is to be promised with it. A take leaves the database only when
// the server has said OK, or by a person's hand. For the pages and the service worker. What the database refuses (a private
// window, a full disk) this tab keeps itself.
import { changed, stored } from "../shell/database";
import type { Refusal } from "../shell/refusals";

export interface Finding {
  code: string;
  fatal?: boolean;
  textDe: string;
  textEn: string;
}
export interface Promising {
  requestId: string;
  promisedMs: number;
  channel: "PROMISE_CHANNEL_VOICE_MAIL" | "PROMISE_CHANNEL_SMS" | "PROMISE_CHANNEL_LINK_SHARED" | "PROMISE_CHANNEL_SPOKEN";
  spokenText: string;
  confirm?: boolean;
  // To be kept with the caller first.
  email?: { address: string; requestId: string };
}
export interface Take {
  // The upload's request id: sent again it is the same recording.
  id: string;
  author: string;
  callbackId: string;
  // As shown: "Herr Müller".
  who: string;
  // draft: not sent. held: sends at holdUntilMs. queued: on its way. late: its time passed first. refused: the server says no.
  state: "draft" | "held" | "queued" | "late" | "refused" | "sent";
  recordedMs: number;
  audio?: Blob;
  seconds: number;
  // The time that stood on the teleprompter when it was spoken; of a file nobody knows.
  spokenMs?: number;
  // And what it said; with the promise goes what it says then.
  spokenText?: string;
  // Still being spoken, or the tab was closed over it.
  unfinished?: boolean;
  // What the browser itself heard.
  heard?: "quiet" | "loud" | "silent" | "short" | "";
  recordingId?: string;
  findings?: Finding[];
  promise?: Promising;
  holdUntilMs?: number;
  // The server was asked, with an unknown end: asking again under the same id tells.
  tried?: boolean;
  sentMs?: number;
  pageUrl?: string;
  // Why the server refuses it, said in words where it is shown.
  refused?: Refusal;
  // The upload was refused, and is not tried again.
  error?: string;
}

const CHANNEL = "ringback-takes";
const channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel(CHANNEL);
const listeners = new Set<() => void>();
if (channel) channel.onmessage = () => listeners.forEach((l) => l());
function told(): void {
  channel?.postMessage(null);
  listeners.forEach((l) => l());
}

// When any tab or the service worker has changed one.
export function onTakes(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

const unkept = new Map<string, Take>();
// Whether the take goes with this tab.
export const isUnkept = (id: string): boolean => unkept.has(id);
export const unkeptTakes = (): Take[] => [...unkept.values()];

export const keptTakes = (): Promise<Take[]> => stored<Take[]>("takes", "readonly", (s) => s.getAll());
export async function allTakes(): Promise<Take[]> {
  const kept = await keptTakes().catch(() => []);
  return [...kept.filter((take) => !unkept.has(take.id)), ...unkept.values()];
}

export async function putTake(take: Take): Promise<void> {
  try {
    await stored("takes", "readwrite", (s) => s.put(take));
    unkept.delete(take.id);
  } catch {
    unkept.set(take.id, take);
  }
  told();
}
export async function dropTake(id: string): Promise<void> {
  if (unkept.delete(id)) await stored("takes", "readwrite", (s) => s.delete(id)).catch(() => {});
  else await stored("takes", "readwrite", (s) => s.delete(id));
  told();
}
// `null` when it is gone, or no longer in one of `states`.
export async function changeTake(id: string, states: Take["state"][], change: Partial<Take>): Promise<Take | null> {
  const changedBy = (found: Take): Take | null => (states.includes(found.state) ? { ...found, ...change } : null);
  const mine = unkept.get(id);
  if (mine) {
    const now = changedBy(mine);
    if (now) unkept.set(id, now);
    if (now) told();
    return now;
  }
  const now = await changed<Take>("takes", id, changedBy).catch(async () => {
    const found = (await keptTakes()).find((take) => take.id === id);
    const next = found ? changedBy(found) : null;
    if (next) unkept.set(id, next);
    return next;
  });
  if (now) told();
  return now;
}
