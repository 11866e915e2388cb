// The team's open callbacks in their order. A change moves what changed and nothing else: the changed ones, sorted among
// themselves, are merged into the list in one pass.
import { callbacks, callbacksVersion, onChange, onTouch } from "../shell/callbacks";
import { before, entryOf, type Entry } from "./standing";

let ordered: Entry[] = [];
const byId = new Map<string, Entry>();
const changed = new Set<string>();
// When something was last heard of a member, by id.
const signs = new Map<string, number>();
export const signOfLifeMs = (member: string): number => signs.get(member) ?? 0;
// Who is on the phone, as far as it was heard: callback to when the call began.
const calls = new Map<string, number>();
const CALL_MS = 15 * 60000;
export const callingNow = (id: string, now: number): boolean => now - (calls.get(id) ?? 0) < CALL_MS;

let listening = false;
function listen(): void {
  listening = true;
  onTouch((id) => void changed.add(id));
  onChange(({ id = "" }, { event }) => {
    sign(event?.author, event?.eventTime);
    if (event?.what === "calling") calls.set(id, Date.parse(event.eventTime ?? ""));
    else calls.delete(id);
  });
  for (const id of callbacks.keys()) changed.add(id);
}

function sign(member: string | undefined, time: string | undefined): void {
  const at = Date.parse(time ?? "");
  if (member && at > signOfLifeMs(member)) signs.set(member, at);
}

// Whoever draws it subscribes to the callbacks' version.
export function orderedCallbacks(): Entry[] {
  void callbacksVersion.value;
  if (!listening) listen();
  if (changed.size === 0) return ordered;
  const fresh: Entry[] = [];
  for (const id of changed) {
    const callback = callbacks.get(id);
    if (!callback) {
      byId.delete(id);
      continue;
    }
    const entry = entryOf(callback);
    byId.set(id, entry);
    fresh.push(entry);
    for (const p of callback.promises ?? []) sign(p.author, p.createTime);
    for (const a of callback.attempts ?? []) sign(a.author, a.createTime);
  }
  fresh.sort(before);
  const merged: Entry[] = [];
  let next = 0;
  for (const entry of ordered) {
    if (changed.has(entry.id)) continue;
    while (next < fresh.length && before(fresh[next], entry) < 0) merged.push(fresh[next++]);
    merged.push(entry);
  }
  while (next < fresh.length) merged.push(fresh[next++]);
  changed.clear();
  return (ordered = merged);
}
export const entryById = (id: string): Entry | undefined => byId.get(id);
