// Brings takes to the server: the recording, the caller's address, the promise; each under the request id it was born with,
// so that whatever was cut off is asked again and never done twice. For the pages and the service worker, which differ in
// how they upload.
import { ApiError, call } from "../shell/api";
import { changeTake, dropTake, type Take } from "./takes";

export interface Means {
  author: string;
  // Those that this sender looks after.
  takes(): Promise<Take[]>;
  nowMs(): number;
  // POST /api/v1/recordings; answers the recording's id.
  upload(take: Take): Promise<{ id: string }>;
  promised?(take: Take, answer: Awaited<ReturnType<typeof makePromise>>): void;
}

// Requests are known to the server for 7 days; what is older is a person's to decide.
const ASK_AGAIN_MS = 6 * 86400000;
const SHOWN_MS = 12 * 3600000;

export async function sha256Of(audio: Blob): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", await audio.arrayBuffer());
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
export const uploadPath = (take: Take, sha256: string): string =>
  `/api/v1/recordings?${new URLSearchParams({ callback_id: take.callbackId, request_id: take.id, sha256 })}`;

// As it can be kept: an Error loses what it knows.
const reasonOf = ({ code, message, field, reason }: ApiError) => ({ code, message, field, reason });

// One round over everything that can go on. Answers when to come again, in ms; Infinity: nothing waits.
export async function sendWhatCan(means: Means): Promise<number> {
  let soonest = Infinity;
  const takes = (await means.takes()).filter((take) => take.author === means.author);
  // The nearest promise first.
  takes.sort((a, b) => (a.promise?.promisedMs ?? Infinity) - (b.promise?.promisedMs ?? Infinity));
  for (const take of takes) {
    try {
      soonest = Math.min(soonest, await advance(take, means));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.code === "UNAUTHENTICATED") return Infinity;
      soonest = Math.min(soonest, error.retryAfterMs || 3000);
      // Without a network the others need not try.
      if (error.code === "OFFLINE") return soonest;
    }
  }
  return soonest;
}

async function advance(take: Take, means: Means): Promise<number> {
  const now = means.nowMs();
  if (take.state === "sent" && now - (take.sentMs ?? 0) > SHOWN_MS) await dropTake(take.id);
  if (take.state === "held" && now < (take.holdUntilMs ?? 0)) {
    await recording(take, means);
    return (take.holdUntilMs ?? 0) - now;
  }
  if (take.state === "draft") await recording(take, means);
  if (take.state !== "held" && take.state !== "queued") return Infinity;
  const queued = await changeTake(take.id, ["held", "queued"], { state: "queued" });
  if (queued?.promise) await send(queued, means);
  return Infinity;
}

// The upload alone promises nothing: it may go ahead, and tells how the take sounds.
async function recording(take: Take, means: Means): Promise<string> {
  if (take.recordingId || take.unfinished || !take.audio || take.audio.size === 0 || take.error === "UPLOAD_REFUSED") return take.recordingId ?? "";
  try {
    const { id } = await means.upload(take);
    await changeTake(take.id, ["draft", "held", "queued", "late", "refused"], { recordingId: id });
    return id;
  } catch (error) {
    if (!(error instanceof ApiError) || error.passing || error.code === "UNAUTHENTICATED") throw error;
    await changeTake(take.id, ["draft"], { error: "UPLOAD_REFUSED" });
    if (take.state !== "draft") await changeTake(take.id, ["held", "queued"], { state: "refused", refused: reasonOf(error) });
    return "";
  }
}

function makePromise(take: Take, recordingId: string) {
  const { requestId, promisedMs, channel, spokenText, confirm } = take.promise!;
  return call("CallbackService", "makePromise", {
    requestId, callbackId: take.callbackId, promisedTime: new Date(promisedMs).toISOString(), channel, spokenText,
    ...(recordingId && { recordingId }), ...(confirm && { confirm }),
  });
}

async function send(take: Take, means: Means): Promise<void> {
  const promise = take.promise!;
  const past = promise.promisedMs <= means.nowMs();
  if ((past && !take.tried) || means.nowMs() - take.recordedMs > ASK_AGAIN_MS) {
    return void (await changeTake(take.id, ["queued"], { state: "late" }));
  }
  try {
    const recordingId = promise.channel === "PROMISE_CHANNEL_SPOKEN" ? "" : await recording(take, means);
    if (take.audio && promise.channel !== "PROMISE_CHANNEL_SPOKEN" && !recordingId) return;
    if (promise.email) {
      const { address, requestId } = promise.email;
      await call("CallbackService", "updateCaller", { requestId, callbackId: take.callbackId, caller: { email: address } });
    }
    await changeTake(take.id, ["queued"], { tried: true });
    const answer = await makePromise(take, recordingId);
    const sent = await changeTake(take.id, ["queued"], {
      state: "sent", sentMs: means.nowMs(), audio: undefined, recordingId, pageUrl: answer.callback?.pageUrl, refused: undefined, error: undefined,
    });
    if (sent) means.promised?.(sent, answer);
  } catch (error) {
    if (!(error instanceof ApiError) || error.passing || error.code === "UNAUTHENTICATED") throw error;
    const late = error.field.includes("promised_time") && promise.promisedMs <= means.nowMs();
    await changeTake(take.id, ["queued"], { state: late ? "late" : "refused", refused: reasonOf(error), tried: false });
  }
}
