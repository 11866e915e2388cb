// The outbox of the open pages: which takes there are, how far an upload is, and the loop that sends them. Only one tab at
// a time sends what the browser keeps (Web Locks); the service worker goes on when the last one is closed. What only a tab
// has, that tab sends.
import { batch, signal } from "@preact/signals";
import type { RecordingJson } from "../../protocol/ringback/v1/recording_service_pb";
import { ApiError, call, errorOf, formHeaders, withForm } from "../shell/api";
import { put } from "../shell/callbacks";
import { liveState } from "../shell/live";
import { me } from "../shell/session";
import { nowMs } from "../shell/time";
import { sendWhatCan, sha256Of, uploadPath, type Means } from "./sending";
import { allTakes, changeTake, dropTake, keptTakes, onTakes, unkeptTakes, type Finding, type Take } from "./takes";

export const takes = signal<Take[]>([]);
export const takesLoaded = signal(false);
// Share of the bytes that are over, by take.
export const uploadShare = signal<Record<string, number>>({});

// A newer take takes the place of those before it.
export async function dropOlder(kept: Take): Promise<void> {
  for (const other of takes.value) {
    if (other.callbackId === kept.callbackId && other.id !== kept.id && ["draft", "late", "refused"].includes(other.state)) await dropTake(other.id);
  }
}

type Sent = (take: Take) => void;
const sentListeners = new Set<Sent>();
export function onSent(listener: Sent): () => void {
  sentListeners.add(listener);
  return () => void sentListeners.delete(listener);
}

const BEFORE_IT_WAITS_S = 20;
export const HOLD_MS = 10000;
const wakes = new Set<() => void>();
const wake = (): void => wakes.forEach((each) => each());
let started = false;

export async function refreshTakes(): Promise<void> {
  const author = me.value?.member.id;
  const all = await allTakes();
  batch(() => {
    takes.value = all.filter((take) => !author || take.author === author).sort((a, b) => a.recordedMs - b.recordedMs);
    takesLoaded.value = true;
  });
}

export function startOutbox(): void {
  if (started) return;
  started = true;
  onTakes(() => void refreshTakes().then(() => wake()));
  addEventListener("online", () => wake());
  liveState.subscribe((state) => state === "live" && wake());
  void refreshTakes();
  const kept = (): Promise<void> => loop(keptTakes);
  if (navigator.locks) void navigator.locks.request("ringback-outbox", kept);
  else void kept();
  void loop(() => Promise.resolve(unkeptTakes()));
  addEventListener("beforeunload", (event) => {
    if (unkeptTakes().some((take) => take.state !== "sent")) event.preventDefault();
  });
}

async function loop(these: Means["takes"]): Promise<void> {
  for (;;) {
    let woken = false;
    let rouse = (): void => {};
    const called = new Promise<void>((resolve) => (rouse = () => ((woken = true), resolve())));
    wakes.add(rouse);
    let again = 30000;
    // Without its session's word for forms nothing can be sent yet.
    if (me.value?.formToken) again = await sendWhatCan(means(me.value.member.id ?? "", these)).catch(() => 5000);
    if (!woken) await Promise.race([called, new Promise((resolve) => setTimeout(resolve, Math.min(again, 30000)))]);
    wakes.delete(rouse);
  }
}

function means(author: string, these: Means["takes"]): Means {
  return {
    author,
    takes: these,
    nowMs,
    upload,
    promised: (take, answer) => {
      put(answer.callback);
      for (const listener of sentListeners) listener(take);
    },
  };
}

// fetch() does not tell how far it is.
async function upload(take: Take): Promise<{ id: string }> {
  const audio = take.audio as Blob;
  const path = uploadPath(take, await sha256Of(audio));
  const share = (of: number): void => void (uploadShare.value = { ...uploadShare.value, [take.id]: of });
  const recording = await withForm(() => new Promise<RecordingJson>((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", path);
    for (const [name, value] of Object.entries(formHeaders())) request.setRequestHeader(name, value);
    request.setRequestHeader("Content-Type", audio.type || "application/octet-stream");
    request.upload.onprogress = ({ loaded, total }) => share(total ? loaded / total : 0);
    request.onerror = request.onabort = () => reject(new ApiError("OFFLINE", ""));
    request.onload = () => {
      const error = errorOf(request.status, request.responseText);
      if (error) reject(error);
      else resolve(JSON.parse(request.responseText).recording);
    };
    share(0);
    request.send(audio);
  }));
  share(1);
  // What listening shows comes later, and holds nothing up.
  void findingsOf(recording).then((findings) => changeTake(take.id, ["draft", "held", "queued"], { findings }));
  return { id: recording.id ?? "" };
}

async function findingsOf(recording: RecordingJson): Promise<Finding[]> {
  let now = recording;
  if (now.state === "STATE_RECEIVED") {
    const answer = await call("RecordingService", "getRecording", { id: now.id, waitSeconds: BEFORE_IT_WAITS_S }).catch(() => null);
    now = answer?.recording ?? now;
  }
  return (now.findings ?? []).map((f) => ({ code: f.code ?? "", fatal: f.fatal, textDe: f.textDe ?? "", textEn: f.textEn ?? "" }));
}
