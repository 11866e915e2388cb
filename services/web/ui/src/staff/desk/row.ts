// Three in a row: after one message the next caller opens, a slot later; at the end one list. Lives as long as the tab.
import { computed, signal } from "@preact/signals";
import { takes } from "./outbox";

export interface RowEntry {
  takeId: string;
  callbackId: string;
  who: string;
  promisedMs: number;
}
export const row = signal<RowEntry[]>([]);
// What the server did not take, or what was too late, is not among the sent ones.
export const rowSent = computed(() => row.value.filter(({ takeId }) => !takes.value.some((t) => t.id === takeId && (t.state === "late" || t.state === "refused"))));
// Whom the rep passed over.
export const skipped = signal<string[]>([]);
export const rowEnded = signal(false);
export const lastPromisedMs = computed(() => Math.max(0, ...row.value.map((entry) => entry.promisedMs)));

export function rowAdd(entry: RowEntry): void {
  if (rowEnded.value) rowClear();
  row.value = [...row.value.filter((e) => e.callbackId !== entry.callbackId), entry];
}
export function rowTakeBack(takeId: string): void {
  row.value = row.value.filter((entry) => entry.takeId !== takeId);
}
export function rowClear(): void {
  row.value = [];
  skipped.value = [];
  rowEnded.value = false;
}
