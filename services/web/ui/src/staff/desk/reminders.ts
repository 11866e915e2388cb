// Sound and notice shortly before a promised time, when allowed; in one tab alone, once for each promise.
import { signal } from "@preact/signals";
import { callbacks } from "../shell/callbacks";
import { choice, choose } from "../shell/memory";
import { nameOf, phoneOf } from "../shell/phone";
import { me, team } from "../shell/session";
import { clock, nowMs } from "../shell/time";
import { deskWords } from "./desk_words";
import { armedPromise, owed } from "./who";

export const remindersOn = signal(choice("reminders") === "on");
export const noticesAllowed = signal(typeof Notification !== "undefined" && Notification.permission === "granted");
const TOO_LATE_MS = 10 * 60000;
let sound: AudioContext | null = null;

export async function switchReminders(on: boolean): Promise<void> {
  remindersOn.value = on;
  choose("reminders", on ? "on" : "");
  if (!on) return;
  ring();  // Within the press, so that the browser lets it sound later.
  if (typeof Notification !== "undefined") noticesAllowed.value = (await Notification.requestPermission()) === "granted";
}

let started = false;
export function startReminders(): void {
  if (started) return;
  started = true;
  const watch = (): Promise<never> => new Promise(() => setInterval(check, 1000));
  if (navigator.locks) void navigator.locks.request("ringback-reminders", watch);
  else void watch();
}

function check(): void {
  if (!remindersOn.value || !me.value) return;
  const leadMs = (parseFloat(team.value?.policy?.reminderLead ?? "") || 300) * 1000;
  const told = new Set(choice("reminded").split(" "));
  for (const c of owed(callbacks.values(), me.value.member.id ?? "")) {
    const promised = Date.parse(armedPromise(c)?.promisedTime ?? "");
    const since = nowMs() - (promised - leadMs);
    const key = `${c.id}@${promised / 1000}`;
    if (!(since >= 0 && since < leadMs + TOO_LATE_MS) || told.has(key)) continue;
    choose("reminded", [...told, key].slice(-100).join(" ").trim());
    ring();
    void notice(c.id ?? "", deskWords().reminder(nameOf(c.caller), clock(promised)), [phoneOf(c.caller), c.brief?.text].filter(Boolean).join("\n"));
  }
}

async function notice(id: string, title: string, body: string): Promise<void> {
  if (typeof Notification === "undefined" || Notification.permission !== "granted") return;
  const worker = await navigator.serviceWorker?.getRegistration();
  if (worker) return worker.showNotification(title, { body, tag: id, data: `/desk/${id}`, requireInteraction: true });
  new Notification(title, { body, tag: id });
}

// Two soft tones; no file to load.
function ring(): void {
  sound ??= new AudioContext();
  void sound.resume();
  for (const [at, pitch] of [[0, 660], [0.22, 880]]) {
    const tone = sound.createOscillator();
    const loudness = sound.createGain();
    const begin = sound.currentTime + at;
    tone.frequency.value = pitch;
    loudness.gain.setValueAtTime(0, begin);
    loudness.gain.linearRampToValueAtTime(0.2, begin + 0.02);
    loudness.gain.exponentialRampToValueAtTime(0.001, begin + 0.5);
    tone.connect(loudness).connect(sound.destination);
    tone.start(begin);
    tone.stop(begin + 0.55);
  }
}
