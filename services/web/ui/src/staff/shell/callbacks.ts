// Every open callback that the member may see, as the server has it now: read once, then kept by the live stream. What one
// does oneself shows at once through `put`.
import { batch, signal } from "@preact/signals";
import type { CallbackJson } from "../../protocol/ringback/v1/callback_pb";
import type { WatchCallbacksResponseJson } from "../../protocol/ringback/v1/callback_service_pb";
import { call } from "./api";

// By id. The map is changed in place; `callbacksVersion` counts up with every change and is what to subscribe to.
export const callbacks = new Map<string, CallbackJson>();
export const callbacksVersion = signal(0);
export const loadState = signal<"loading" | "ready" | "failed">("loading");
// All of them are there, not only the first page.
export const loadedWhole = signal(false);
export const loadError = signal<unknown>(null);
// What this browser kept for the desk is all there is: one's own and what nobody owes, not the team's.
export const fromMemory = signal(false);

type Listener = (callback: CallbackJson, change: WatchCallbacksResponseJson) => void;
const listeners = new Set<Listener>();
// What happens from now on, one by one: for sounds and notices.
export function onChange(listener: Listener): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

// Which callbacks are others than before, or gone, from whatever cause: for lists that are kept in an order.
const touches = new Set<(id: string) => void>();
export function onTouch(touch: (id: string) => void): () => void {
  touches.add(touch);
  return () => void touches.delete(touch);
}
const touched = (id: string): void => touches.forEach((touch) => touch(id));

let revision = "0";
let reading: Promise<void> | null = null;
let again = false;
// Came while the list was being read.
let waiting: WatchCallbacksResponseJson[] = [];
export const currentRevision = (): string => revision;

const PAGE = 500;
const later = (a = "0", b = "0"): boolean => BigInt(a) > BigInt(b);

// Newer than what is there: answers of commands and the stream may cross.
function set(callback: CallbackJson): boolean {
  if (!callback.id) return false;
  const known = callbacks.get(callback.id);
  if (known && later(known.version, callback.version)) return false;
  if (callback.phase === "PHASE_CLOSED") callbacks.delete(callback.id);
  else callbacks.set(callback.id, callback);
  touched(callback.id);
  return true;
}

export function put(callback: CallbackJson | undefined): void {
  if (callback && set(callback)) callbacksVersion.value++;
}

export function applyChange(change: WatchCallbacksResponseJson): void {
  if (reading) waiting.push(change);
  apply(change);
}

function apply(change: WatchCallbacksResponseJson): void {
  if (!later(change.revision, revision)) return;
  revision = change.revision ?? revision;
  const { gone } = change;
  if (gone) {
    callbacks.delete(gone);
    touched(gone);
  } else if (change.callback) {
    set(change.callback);
    for (const listener of listeners) listener(change.callback, change);
  }
  callbacksVersion.value++;
}

// Reads everything anew; while it is being read: once more afterwards.
export function loadCallbacks(): Promise<void> {
  if (reading) {
    again = true;
    return reading;
  }
  reading = (async () => {
    do {
      again = false;
      await readAll();
    } while (again);
  })().finally(() => (reading = null));
  return reading;
}

async function readAll(): Promise<void> {
  const first = callbacks.size === 0;
  const seen = new Map<string, CallbackJson>();
  let start = "";
  waiting = [];
  try {
    let pageToken = "";
    do {
      const page = await call("CallbackService", "listCallbacks", { pageSize: PAGE, pageToken });
      start ||= page.revision ?? "0";
      for (const callback of page.callbacks ?? []) seen.set(callback.id ?? "", callback);
      // The first page is on screen before the others come.
      if (first) for (const callback of page.callbacks ?? []) set(callback);
      if (first) batch(() => ((loadState.value = "ready"), callbacksVersion.value++));
      pageToken = page.nextPageToken ?? "";
    } while (pageToken);
  } catch (error) {
    loadError.value = error;
    if (callbacks.size === 0) loadState.value = "failed";
    throw error;
  }
  batch(() => {
    for (const id of callbacks.keys()) if (!seen.has(id)) touched(id);
    callbacks.clear();
    for (const callback of seen.values()) set(callback);
    revision = start;
    for (const change of waiting) apply(change);
    waiting = [];
    loadError.value = null;
    loadState.value = "ready";
    loadedWhole.value = true;
    fromMemory.value = false;
    callbacksVersion.value++;
  });
}

// From this browser's memory, while there is no network.
export function restoreCallbacks(kept: CallbackJson[]): void {
  for (const callback of kept) set(callback);
  loadState.value = "ready";
  loadedWhole.value = true;
  fromMemory.value = true;
  callbacksVersion.value++;
}
