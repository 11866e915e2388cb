// What this browser keeps (IndexedDB): the last state of the desk, takes that are not sent yet, and small choices. Signing
// out empties all but the takes.
import type { CallbackJson } from "../../protocol/ringback/v1/callback_pb";
import type { TeamJson } from "../../protocol/ringback/v1/team_service_pb";
import type { Me } from "./api";

export interface Snapshot {
  me: Me;
  team: TeamJson | null;
  callbacks: CallbackJson[];
}

let opened: Promise<IDBDatabase> | null = null;

export function database(): Promise<IDBDatabase> {
  return (opened ??= new Promise((resolve, reject) => {
    const open = indexedDB.open("ringback", 1);
    open.onupgradeneeded = () => {
      open.result.createObjectStore("snapshot");
      open.result.createObjectStore("takes", { keyPath: "id" });
    };
    open.onsuccess = () => resolve(open.result);
    open.onerror = () => reject(open.error);
  }));
}

// One request of one store; done when it is on disk.
export async function stored<T>(store: string, mode: IDBTransactionMode, ask: (s: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const db = await database();
  return new Promise((resolve, reject) => {
    const work = db.transaction(store, mode, { durability: "strict" });
    const request = ask(work.objectStore(store));
    work.oncomplete = () => resolve(request.result);
    work.onabort = work.onerror = () => reject(work.error ?? request.error);
  });
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
