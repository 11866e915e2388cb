// Which callbacks stand where on the desk. Pure.
import type { CallbackJson, PromiseJson } from "../../protocol/ringback/v1/callback_pb";
import type { Take } from "./takes";

export const newestPromise = (c: CallbackJson): PromiseJson | undefined => c.promises?.[c.promises.length - 1];
export const armedPromise = (c: CallbackJson): PromiseJson | undefined => c.promises?.find((p) => p.state === "STATE_ARMED");
export const pendingPromise = (c: CallbackJson): PromiseJson | undefined => c.promises?.find((p) => p.state === "STATE_PENDING");

// Nobody has promised anything, and it is for this member or for anybody.
export function waitsFor(c: CallbackJson, member: string): boolean {
  return c.phase === "PHASE_WAITING" && !pendingPromise(c) && (!c.assigneeId || c.assigneeId === member);
}
// Owed by this member: promised, to be called again, or to be closed.
export function owedBy(c: CallbackJson, member: string): boolean {
  return c.assigneeId === member && (["PHASE_PROMISED", "PHASE_FOLLOW_UP", "PHASE_TALKED"].includes(c.phase ?? "") || !!pendingPromise(c));
}
// When to call; of what is to be closed, when it was talked about.
export function callMs(c: CallbackJson): number {
  if (c.phase === "PHASE_TALKED") return Date.parse(c.attempts?.[c.attempts.length - 1]?.calledTime ?? c.createTime ?? "");
  if (c.phase === "PHASE_PROMISED") return Date.parse(armedPromise(c)?.promisedTime ?? c.dueTime ?? "");
  return Date.parse((c.phase === "PHASE_WAITING" && pendingPromise(c)?.promisedTime) || c.dueTime || "");
}

// Each time is read once: teams have thousands.
function sorted(list: CallbackJson[], time: (c: CallbackJson) => number): CallbackJson[] {
  return list.map((c) => ({ c, at: time(c) })).sort((a, b) => a.at - b.at).map(({ c }) => c);
}

export function waiting(all: Iterable<CallbackJson>, member: string): CallbackJson[] {
  return sorted([...all].filter((c) => waitsFor(c, member)), (c) => Date.parse(c.createTime ?? ""));
}
export function owed(all: Iterable<CallbackJson>, member: string): CallbackJson[] {
  return sorted([...all].filter((c) => owedBy(c, member)), callMs);
}
// A message for this caller is in the outbox.
export const onItsWay = (id: string | undefined, takes: Take[]): Take | undefined =>
  takes.find((t) => t.callbackId === id && (t.state === "held" || t.state === "queued"));
export const nextCaller = (all: Iterable<CallbackJson>, member: string, takes: Take[], passed: string[]): CallbackJson | undefined =>
  waiting(all, member).find((c) => !onItsWay(c.id, takes) && !passed.includes(c.id ?? ""));
