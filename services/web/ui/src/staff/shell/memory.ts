// What this browser remembers: the last state of the desk, and small choices. Signing out forgets the first; takes that are
// not sent yet stay (desk/takes.ts).
import type { CallbackJson } from "../../protocol/ringback/v1/callback_pb";
import type { TeamJson } from "../../protocol/ringback/v1/team_service_pb";
import type { Me } from "./api";
import { stored } from "./database";

export interface Snapshot {
  me: Me;
  team: TeamJson | null;
  callbacks: CallbackJson[];
}

// Private windows may refuse: the desk then works, and forgets.
const unless = <T>(work: Promise<T>, otherwise: T): Promise<T> => work.catch(() => otherwise);

export const keep = (snapshot: Snapshot): Promise<unknown> => unless(stored("snapshot", "readwrite", (s) => s.put(snapshot, "last")), null);
export const recall = (): Promise<Snapshot | null> =>
  unless(stored<Snapshot | undefined>("snapshot", "readonly", (s) => s.get("last")).then((found) => found ?? null), null);
export const forget = (): Promise<unknown> => unless(stored("snapshot", "readwrite", (s) => s.clear()), null);

// Small choices: the microphone, what was shown once.
export function choice(name: string): string {
  try {
    return localStorage.getItem("ringback-" + name) ?? "";
  } catch {
    return "";
  }
}
export function choose(name: string, value: string): void {
  try {
    localStorage.setItem("ringback-" + name, value);
  } catch {
    // Forgotten with the tab.
  }
}
