// Mail without a callback, and dead letters: read when the team page opens and once a minute, since no stream tells of them.
import { computed, signal, type Signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { AnswerJson } from "../../protocol/ringback/v1/answer_service_pb";
import type { DeadLetterJson } from "../../protocol/ringback/v1/delivery_service_pb";
import { call } from "../shell/api";
import { toast, toastError } from "../shell/toasts";

const PAGE = 100;
const EVERY_MS = 60000;
const HOLD_SECONDS = 8;

interface Inbox<T> {
  items: T[] | null;
  next: string;
  error: unknown;
}
const none = { items: null, next: "", error: null };
export const unmatched = signal<Inbox<AnswerJson>>(none);
export const deadLetters = signal<Inbox<DeadLetterJson>>(none);
// Dropped, but it can still be undone.
const hidden = signal<ReadonlySet<string>>(new Set());
const shown = <T extends { id?: string }>(box: Signal<Inbox<T>>) => computed(() => box.value.items?.filter((one) => !hidden.value.has(one.id ?? "")) ?? null);
export const shownUnmatched = shown(unmatched);
export const shownDeadLetters = shown(deadLetters);

const readMails = async (pageToken: string) => {
  const answer = await call("AnswerService", "listUnmatched", { pageSize: PAGE, pageToken });
  return { items: answer.answers ?? [], next: answer.nextPageToken ?? "" };
};
const readLetters = async (pageToken: string) => {
  const answer = await call("DeliveryService", "listDeadLetters", { pageSize: PAGE, pageToken });
  return { items: answer.deadLetters ?? [], next: answer.nextPageToken ?? "" };
};
async function load<T>(box: Signal<Inbox<T>>, read: (pageToken: string) => Promise<{ items: T[]; next: string }>, more = false): Promise<void> {
  try {
    const page = await read(more ? box.value.next : "");
    box.value = { items: more ? [...(box.value.items ?? []), ...page.items] : page.items, next: page.next, error: null };
  } catch (error) {
    box.value = { ...box.value, error };
    if (more) toastError(error);
  }
}
export const loadUnmatched = (more = false): Promise<void> => load(unmatched, readMails, more);
export const loadDeadLetters = (more = false): Promise<void> => load(deadLetters, readLetters, more);

export function useInboxes(): void {
  useEffect(() => {
    const both = (): void => {
      if (document.visibilityState !== "visible") return;
      void loadUnmatched();
      void loadDeadLetters();
    };
    both();
    const timer = setInterval(both, EVERY_MS);
    document.addEventListener("visibilitychange", both);
    return () => (clearInterval(timer), document.removeEventListener("visibilitychange", both));
  }, []);
}

export function remove<T extends { id?: string }>(box: Signal<Inbox<T>>, id: string): void {
  box.value = { ...box.value, items: box.value.items?.filter((one) => one.id !== id) ?? null };
}

// What the server cannot take back waits for some seconds here. A tab that is closed until then has dropped nothing.
export function dropLater<T extends { id?: string }>(box: Signal<Inbox<T>>, id: string, text: string, work: () => Promise<unknown>): void {
  const show = (): void => void (hidden.value = new Set([...hidden.value].filter((other) => other !== id)));
  hidden.value = new Set([...hidden.value, id]);
  const timer = setTimeout(() => void work().then(() => remove(box, id), toastError).finally(show), HOLD_SECONDS * 1000);
  toast(text, { seconds: HOLD_SECONDS, undo: () => (clearTimeout(timer), show()) });
}
