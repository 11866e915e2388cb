// Free times on the desk: the server's, and without a connection one's own reckoning: team hours, whole slots, no other
// promise of one's own less than a slot away, and nobody is called at night where they are. Pure but for the list of callbacks.
import type { CallbackJson } from "../../protocol/ringback/v1/callback_pb";
import type { TeamJson } from "../../protocol/ringback/v1/team_service_pb";
import type { Take } from "./takes";

const MINUTE = 60000;
const AHEAD_MS = 30 * MINUTE;
// As in core/domain/slots.cc; minutes since midnight where the customer is.
const DECENT_FROM = 7 * 60;
const DECENT_UNTIL = 20 * 60;

export const slotLengthMs = (team: TeamJson | null): number => (parseFloat(team?.slotLength ?? "") || 900) * 1000;

// When one owes other calls: promised ones, and those whose message is still in the outbox.
export function ownTimes(callbacks: Iterable<CallbackJson>, takes: Take[], member: string, except: string): number[] {
  const times: number[] = [];
  for (const c of callbacks) {
    if (c.assigneeId !== member || c.id === except) continue;
    for (const p of c.promises ?? []) if (p.state === "STATE_ARMED" || p.state === "STATE_PENDING") times.push(Date.parse(p.promisedTime ?? ""));
  }
  for (const t of takes) if (t.promise && t.callbackId !== except && (t.state === "held" || t.state === "queued")) times.push(t.promise.promisedMs);
  return times;
}

export const collides = (at: number, own: number[], slotMs: number): boolean => own.some((other) => Math.abs(other - at) < slotMs);

export function localSlots(team: TeamJson | null, own: number[], nowMs: number, zone: string, count: number, theirZone = zone): number[] {
  const slot = slotLengthMs(team);
  const there = new Intl.DateTimeFormat("en-GB", { timeZone: theirZone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const decent = (at: number): boolean => {
    const [hour, minute] = there.format(at).split(":").map(Number);
    return hour * 60 + minute >= DECENT_FROM && hour * 60 + minute + slot / MINUTE <= DECENT_UNTIL;
  };
  const format = new Intl.DateTimeFormat("en-GB", { timeZone: zone, weekday: "short", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const hours = team?.calendar?.hours ?? [];
  const holidays = new Set(team?.calendar?.holidays ?? []);
  const found: number[] = [];
  // Most zones are whole quarters of an hour off, so that the raster may be reckoned in UTC.
  for (let at = Math.ceil((nowMs + AHEAD_MS) / slot) * slot; found.length < count && at < nowMs + 14 * 1440 * MINUTE; at += slot) {
    const part = Object.fromEntries(format.formatToParts(at).map((p) => [p.type, p.value]));
    const weekday = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].indexOf(part.weekday) + 1;
    const minute = Number(part.hour) * 60 + Number(part.minute);
    if (holidays.has(`${part.year}-${part.month}-${part.day}`)) continue;
    const open = hours.length === 0 ? minute >= 420 && minute + slot / MINUTE <= 1200
      : hours.some((h) => h.weekday === weekday && minute >= (h.startMinute ?? 0) && minute + slot / MINUTE <= (h.endMinute ?? 0));
    if (open && (theirZone === zone || decent(at)) && !collides(at, own, slot)) found.push(at);
  }
  return found;
}
