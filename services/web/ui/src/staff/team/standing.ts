// How an open callback stands, as a manager sees it: when it is due, what endangers it, what of the message arrived. Pure.
import type { CallbackJson } from "../../protocol/ringback/v1/callback_pb";
import type { MemberJson } from "../../protocol/ringback/v1/team_service_pb";
import { armedPromise, callMs, newestPromise, pendingPromise } from "../desk/who";

export const RISK_MS = 30 * 60000;

export interface Entry {
  id: string;
  callback: CallbackJson;
  late: boolean;
  // When to call; what the list is ordered by.
  at: number;
  // Until when somebody has said "I have it".
  heldUntil: number;
  undelivered: boolean;
  // What the search looks in.
  text: string;
}

export function entryOf(callback: CallbackJson): Entry {
  const { caller, note, brief, assigneeName } = callback;
  const national = caller?.phoneNational;
  return {
    id: callback.id ?? "",
    callback,
    late: !!callback.overdue,
    at: callMs(callback) || 0,
    heldUntil: Date.parse(callback.escalation?.acknowledgedUntil ?? "") || 0,
    undelivered: !!callback.deliveryAlarm || newestPromise(callback)?.state === "STATE_NOT_DELIVERED",
    text: plain([caller?.name, caller?.company, caller?.phone, national, national?.replace(/\D/g, ""), caller?.email, note, brief?.text, assigneeName].join("\n")),
  };
}
// Overdue first, then by time; the same order everywhere.
export function before(a: Entry, b: Entry): number {
  if (a.late !== b.late) return a.late ? -1 : 1;
  return a.at - b.at || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

// "Öztürk" is found by "ozturk". Letters that Unicode does not take apart are taken apart here.
const LETTERS: Record<string, string> = { ß: "ss", ı: "i", ø: "o", ł: "l", đ: "d", æ: "ae", œ: "oe" };
export const plain = (text: string): string =>
  text.toLowerCase().normalize("NFD").replace(/\p{M}/gu, "").replace(/[ßıøłđæœ]/g, (letter) => LETTERS[letter]);

export const awayAt = (member: MemberJson | undefined, at: number): boolean =>
  !!member?.absences?.some((a) => Date.parse(a.startTime ?? "") <= at && at < Date.parse(a.endTime ?? ""));

// Due within half an hour, and nothing was heard of whoever owes it for as long: no call, no promise, no "I have it".
// Or the customer does not know of the promise.
export function atRisk(entry: Entry, now: number, signOfLifeMs: (member: string) => number, away: (member: string) => boolean): boolean {
  if (entry.undelivered) return true;
  if (entry.late || entry.callback.phase === "PHASE_TALKED" || entry.at - now > RISK_MS) return false;
  const { assigneeId } = entry.callback;
  if (!assigneeId || pendingPromise(entry.callback)) return true;
  return entry.heldUntil <= now && (away(assigneeId) || now - signOfLifeMs(assigneeId) > RISK_MS);
}

export type Delivered = "alarm" | "pending" | "heard" | "agreed" | "sent" | "spoken" | "shared" | "none";
export function delivered(c: CallbackJson): Delivered {
  const promise = armedPromise(c) ?? newestPromise(c);
  if (c.deliveryAlarm || promise?.state === "STATE_NOT_DELIVERED") return "alarm";
  if (pendingPromise(c)) return "pending";
  if (!promise) return "none";
  if (promise.agreedTime) return "agreed";
  if (promise.heardTime) return "heard";
  if (promise.channel === "PROMISE_CHANNEL_SPOKEN") return "spoken";
  return promise.channel === "PROMISE_CHANNEL_LINK_SHARED" ? "shared" : "sent";
}
