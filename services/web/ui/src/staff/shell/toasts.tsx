// Short notices at the foot of the page: said once, read out, with a button to undo where that is possible.
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { inWords } from "./refusals";
import { shellWords } from "./words";

interface Toast {
  id: number;
  text: string;
  bad: boolean;
  seconds: number;
  undo?: () => void;
  undoLabel?: string;
}
const shown = signal<Toast[]>([]);
let last = 0;

export function dismiss(id: number): void {
  shown.value = shown.value.filter((t) => t.id !== id);
}
export function toast(text: string, options: Partial<Pick<Toast, "bad" | "seconds" | "undo" | "undoLabel">> = {}): number {
  const id = ++last;
  shown.value = [...shown.value.slice(-2), { id, text, bad: false, seconds: options.undo ? 10 : 5, ...options }];
  return id;
}
export const toastError = (error: unknown): number => toast(inWords(error), { bad: true, seconds: 8 });

function One({ toast: it }: { toast: Toast }) {
  useEffect(() => {
    const timer = setTimeout(() => dismiss(it.id), it.seconds * 1000);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div class={it.bad ? "toast bad" : "toast"}>
      <span>{it.text}</span>
      {it.undo && (
        <button type="button" class="quiet-button" onClick={() => (dismiss(it.id), it.undo?.())}>{it.undoLabel ?? shellWords().undo}</button>
      )}
      <button type="button" class="icon-button" aria-label={shellWords().dismiss} onClick={() => dismiss(it.id)}><span aria-hidden="true">✕</span></button>
    </div>
  );
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {shown.value.map((t) => <One key={t.id} toast={t} />)}
    </div>
  );
}
