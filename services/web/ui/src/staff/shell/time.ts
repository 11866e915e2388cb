// Times and numbers as people of this language say them, in the team's time zone. The clock is the server's.
import { signal } from "@preact/signals";
import { choice, choose } from "./memory";
import { language } from "./words";

export const zone = signal(Intl.DateTimeFormat().resolvedOptions().timeZone);
// Remembered, so that a desk that opens without a network has it too.
let ahead = Number(choice("clock-ahead")) || 0;

export function setServerTime(now: string): void {
  ahead = Date.parse(now) - Date.now();
  choose("clock-ahead", String(ahead));
  second.value = halfMinute.value = nowMs();
}
// The server said so just now: this clock is not behind it, whatever this browser slept through.
export function seenAt(time: string | undefined): void {
  if (time && Date.parse(time) > nowMs()) setServerTime(time);
}
export const nowMs = (): number => Date.now() + ahead;
// A moment that this browser's clock measured.
export const onServersClock = (at: number): number => at + ahead;

// Ticks every second, for countdowns; whoever reads it draws anew.
export const second = signal(nowMs());
setInterval(() => (second.value = nowMs()), 1000);
// The same every 30 s, for lists.
export const halfMinute = signal(nowMs());
setInterval(() => (halfMinute.value = nowMs()), 30000);

const formats = new Map<string, Intl.DateTimeFormat>();
function format(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const locale = language.value === "de" ? "de-DE" : "en-GB";
  const key = locale + zone.value + JSON.stringify(options);
  let made = formats.get(key);
  if (!made) formats.set(key, (made = new Intl.DateTimeFormat(locale, { timeZone: zone.value, ...options })));
  return made;
}

export type Instant = string | number | Date | undefined;
export const ms = (at: Instant): number => (at === undefined ? 0 : typeof at === "string" ? Date.parse(at) : +at);

// "13:00"
export const clock = (at: Instant): string => format({ hour: "2-digit", minute: "2-digit" }).format(ms(at));
// "Dienstag, 24. November"
export const day = (at: Instant): string => format({ weekday: "long", day: "numeric", month: "long" }).format(ms(at));
// "Di., 24.11."
export const shortDay = (at: Instant): string => format({ weekday: "short", day: "numeric", month: "numeric" }).format(ms(at));
export const weekday = (at: Instant): string => format({ weekday: "long" }).format(ms(at));
// "2026-11-24", of the team's zone.
export function isoDay(at: Instant): string {
  const parts = new Intl.DateTimeFormat("en-CA", { timeZone: zone.value, year: "numeric", month: "2-digit", day: "2-digit" });
  return parts.format(ms(at));
}
export const daysFromToday = (at: Instant): number =>
  Math.round((Date.parse(isoDay(at)) - Date.parse(isoDay(nowMs()))) / 86400000);

// "heute", "morgen", "Donnerstag", "Do., 3.12."
export function relativeDay(at: Instant): string {
  const days = daysFromToday(at);
  if (Math.abs(days) <= 1) return relative("auto").format(days, "day");
  return days > 1 && days < 7 ? weekday(at) : shortDay(at);
}
// "13:00", "morgen 13:00", "Do., 3.12., 13:00"
export function when(at: Instant): string {
  const days = daysFromToday(at);
  return days === 0 ? clock(at) : `${relativeDay(at)}${Math.abs(days) < 7 && days >= -1 ? " " : ", "}${clock(at)}`;
}
// "08:30" on the clock of another zone, "Mo 23:30" where it is another day there; nothing where both show the same.
export function clockThere(at: Instant, there: string | undefined): string {
  if (!there) return "";
  const shown = (timeZone: string, options: Intl.DateTimeFormatOptions): string =>
    new Intl.DateTimeFormat(language.value === "de" ? "de-DE" : "en-GB", { timeZone, ...options }).format(ms(at));
  const minute = { hour: "2-digit", minute: "2-digit" } as const;
  const otherDay = shown(there, { weekday: "short" }) !== shown(zone.value, { weekday: "short" });
  if (!otherDay && shown(there, minute) === shown(zone.value, minute)) return "";
  return (otherDay ? shown(there, { weekday: "short" }) + " " : "") + shown(there, minute);
}

function relative(numeric: "auto" | "always"): Intl.RelativeTimeFormat {
  return new Intl.RelativeTimeFormat(language.value, { numeric });
}

// "vor 5 Minuten", "in 2 Stunden"
export function ago(at: Instant, from = nowMs()): string {
  const minutes = Math.trunc((ms(at) - from) / 60000);
  if (Math.abs(minutes) < 60) return relative("auto").format(minutes, "minute");
  if (Math.abs(minutes) < 48 * 60) return relative("always").format(Math.trunc(minutes / 60), "hour");
  return relative("always").format(Math.trunc(minutes / 1440), "day");
}
// "45 min", "2 h 05", "3 d": how long somebody has waited.
export function span(milliseconds: number): string {
  const minutes = Math.max(0, Math.floor(milliseconds / 60000));
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")}`;
  return language.value === "de" ? `${Math.floor(minutes / 1440)} Tage` : `${Math.floor(minutes / 1440)} days`;
}
// "1:05:09", "4:09"
export function countdown(milliseconds: number): string {
  const left = Math.max(0, Math.ceil(milliseconds / 1000));
  const two = (n: number): string => String(n).padStart(2, "0");
  const hours = Math.floor(left / 3600);
  const minutes = Math.floor(left / 60) % 60;
  return hours ? `${hours}:${two(minutes)}:${two(left % 60)}` : `${minutes}:${two(left % 60)}`;
}
export const number = (n: number): string => n.toLocaleString(language.value);

// What <input type=datetime-local> shows and gives is in the team's zone.
export function toLocalInput(at: Instant): string {
  return `${isoDay(at)}T${new Intl.DateTimeFormat("en-GB", { timeZone: zone.value, hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(ms(at))}`;
}
export function fromLocalInput(value: string): number {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(value)) return NaN;
  const wanted = Date.parse(value.slice(0, 16) + ":00Z");
  // The zone's offset at that time; once more, where the first guess lies on the other side of a clock change.
  let at = wanted;
  for (let i = 0; i < 2; ++i) at += wanted - Date.parse(toLocalInput(at) + ":00Z");
  return at;
}
export const iso = (at: number): string => new Date(at).toISOString();
