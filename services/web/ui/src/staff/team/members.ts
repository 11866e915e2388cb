// Who could take over: who is away, who stands in, who has the least. Pure.
import type { MemberJson } from "../../protocol/ringback/v1/team_service_pb";
import { awayAt, type Entry } from "./standing";

// As near in time as the server looks when it spreads calls.
const NEAR_MS = 60 * 60000;

export interface Load {
  open: number;
  near: number;
}
export function loads(entries: Iterable<Entry>, at: number): Map<string, Load> {
  const found = new Map<string, Load>();
  for (const { callback, at: theirs } of entries) {
    if (!callback.assigneeId) continue;
    const load = found.get(callback.assigneeId) ?? { open: 0, near: 0 };
    ++load.open;
    if (Math.abs(theirs - at) <= NEAR_MS) ++load.near;
    found.set(callback.assigneeId, load);
  }
  return found;
}

export const active = (members: MemberJson[] | undefined): MemberJson[] => (members ?? []).filter((m) => !m.inactive);
export const awayUntil = (member: MemberJson, at: number): string | undefined =>
  member.absences?.find((a) => Date.parse(a.startTime ?? "") <= at && at < Date.parse(a.endTime ?? ""))?.endTime;

// The substitute, the substitute's substitute, …, until somebody is there.
export function substituteOf(member: MemberJson | undefined, members: MemberJson[], at: number): MemberJson | undefined {
  const passed = new Set([member?.id]);
  let next = member;
  for (;;) {
    const own = next?.absences?.find((a) => a.substituteId && Date.parse(a.startTime ?? "") <= at && at < Date.parse(a.endTime ?? ""))?.substituteId;
    const found = members.find((m) => m.id === (own || next?.substituteId));
    if (!found || passed.has(found.id)) return undefined;
    if (!found.inactive && !awayAt(found, at)) return found;
    passed.add(found.id);
    next = found;
  }
}

export interface Candidate extends Load {
  member: MemberJson;
  awayUntil?: string;
  substitute: boolean;
  least: boolean;
}
// Everybody but the assignee, the best first: present before absent, the substitute, then who has the least around that time.
export function candidates(members: MemberJson[], assigneeId: string | undefined, entries: Iterable<Entry>, at: number, now: number): Candidate[] {
  const load = loads(entries, at);
  const moment = Math.max(at, now);
  const assignee = members.find((m) => m.id === assigneeId);
  const substitute = substituteOf(assignee, members, moment);
  const all = members.filter((m) => m.id !== assigneeId).map((member): Candidate => ({
    member, ...(load.get(member.id ?? "") ?? { open: 0, near: 0 }), awayUntil: awayUntil(member, moment), substitute: member === substitute, least: false,
  }));
  all.sort((a, b) => Number(!!a.awayUntil) - Number(!!b.awayUntil) || Number(b.substitute) - Number(a.substitute) || a.near - b.near || a.open - b.open);
  const least = all.filter((c) => !c.awayUntil).sort((a, b) => a.near - b.near || a.open - b.open)[0];
  if (least) least.least = true;
  return all;
}

// Whom a handing over would reach, as the server decides it: in the order of the due times, each to whoever is not away then,
// has the least around that time, then the fewest in all. What only has to be closed is at no time.
export function spread(moving: Entry[], to: MemberJson[], all: Iterable<Entry>): Map<string, number> {
  const timeOf = (entry: Entry): number => (entry.callback.phase === "PHASE_TALKED" ? -Infinity : entry.at);
  const planned = new Map(to.map((m) => [m.id ?? "", [] as number[]]));
  for (const entry of all) planned.get(entry.callback.assigneeId ?? "")?.push(timeOf(entry));
  const counts = new Map(to.map((m) => [m.id ?? "", 0]));
  for (const at of moving.map(timeOf).sort((a, b) => a - b)) {
    const burden = (m: MemberJson): [number, number, number] => {
      const own = planned.get(m.id ?? "")!;
      return at === -Infinity ? [0, 0, own.length] : [Number(awayAt(m, at)), own.filter((other) => Math.abs(other - at) <= NEAR_MS).length, own.length];
    };
    const chosen = to.map((m) => ({ id: m.id ?? "", burden: burden(m) }))
      .sort((a, b) => a.burden[0] - b.burden[0] || a.burden[1] - b.burden[1] || a.burden[2] - b.burden[2])[0];
    if (!chosen) break;
    planned.get(chosen.id)!.push(at);
    counts.set(chosen.id, counts.get(chosen.id)! + 1);
  }
  return counts;
}
