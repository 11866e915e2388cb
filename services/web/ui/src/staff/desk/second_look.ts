// What deserves a second look before it goes: an address that is used for the first time, a time that is not the spoken one.
// The server is asked (validate_only), and what it refuses is thrown: better now than when the next caller is on screen.
// Without a line nothing is doubted but the address and what this page knows itself.
import type { CallbackJson } from "../../protocol/ringback/v1/callback_pb";
import { ApiError, call, newRequestId } from "../shell/api";
import { choice, choose } from "../shell/memory";
import { nameOf } from "../shell/phone";
import { me } from "../shell/session";
import { iso, when } from "../shell/time";
import { namesAnotherTime, warningInWords } from "../shell/warnings";
import { pastOf } from "./customer_history";
import { speakWords } from "./speak_words";
import type { Promising, Take } from "./takes";

export interface Doubts {
  title: string;
  lines: string[];
  // More than a new address.
  doubtful: boolean;
  // To be looked at: nothing has gone there yet.
  address?: string;
}

export async function doubtsAbout(c: CallbackJson, promise: Promising, take: Take | undefined): Promise<Doubts | null> {
  const w = speakWords();
  const { promisedMs, spokenText } = promise;
  const recordingId = take?.recordingId;
  // Checked as what it will be, or as good as that: without its recording, or to an address that the server does not have yet,
  // a voice message cannot be checked, but its time and its words can, and those need no way to the customer.
  const whole = promise.channel !== "PROMISE_CHANNEL_VOICE_MAIL" || (!!recordingId && !promise.email);
  const checked = await call("CallbackService", "makePromise", {
    requestId: newRequestId(), callbackId: c.id, promisedTime: iso(promisedMs), validateOnly: true,
    channel: whole ? promise.channel : "PROMISE_CHANNEL_SPOKEN",
    ...(promise.channel !== "PROMISE_CHANNEL_SPOKEN" && { spokenText, ...(whole && recordingId && { recordingId }) }),
  }).catch((error) => {
    if (error instanceof ApiError && FINAL.includes(error.code)) throw error;
    return null;
  });
  const warnings = checked?.warnings ?? [];
  const spokenMs = promise.channel === "PROMISE_CHANNEL_SPOKEN" ? undefined : take?.spokenMs;
  const spokeOther = spokenMs !== undefined && spokenMs !== promisedMs;
  const differs = spokeOther || warnings.some(namesAnotherTime);
  const lines = [
    ...(spokeOther ? [w.spokeOther(when(spokenMs), when(promisedMs))] : []),
    ...warnings.map(warningInWords),
  ];
  const to = promise.channel === "PROMISE_CHANNEL_VOICE_MAIL" ? (promise.email?.address ?? c.caller?.email ?? "") : "";
  const address = to && !(await usedBefore(c, to)) ? to : undefined;
  const title = spokeOther ? w.spokeOtherTitle : differs ? w.differTitle : w.warningTitle;
  if (lines.length) return { title, lines, doubtful: true, address };
  return address ? { title: w.firstTitle, lines: [w.firstText(nameOf(c.caller))], doubtful: false, address } : null;
}
// What the same again would be told as well.
const FINAL = ["INVALID_ARGUMENT", "FAILED_PRECONDITION", "NOT_FOUND", "PERMISSION_DENIED"];

const ADDRESSES = "addresses";
const KNOWN_MOST = 300;
const known = (): string[] => choice(ADDRESSES).split(" ");
async function usedBefore(c: CallbackJson, address: string): Promise<boolean> {
  if (known().includes(await shortHash(address))) return true;
  const arrived = (other: CallbackJson): boolean =>
    other.caller?.email === address && !!other.promises?.some((p) => p.channel === "PROMISE_CHANNEL_VOICE_MAIL" && p.acceptTime);
  if (arrived(c)) return true;
  return (await pastOf(c).catch(() => [])).some(arrived);
}
// Only what tells whether it is the same, not the address.
async function shortHash(address: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`${me.value?.team.id}:${address.toLowerCase()}`));
  return Array.from(new Uint8Array(digest).slice(0, 6), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
export function rememberAddress(address: string): void {
  void shortHash(address).then((hash) => choose(ADDRESSES, [...known().filter((k) => k !== hash), hash].slice(-KNOWN_MOST).join(" ").trim()));
}
