// The keyboard: single keys that work wherever nobody is typing; "?" shows them all. The newest part that knows a key has it.
import { signal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";

export interface Key {
  // As KeyboardEvent.key says it: "n", "ArrowDown", " ", "Enter".
  key: string;
  // What it does, in words; without them it is not shown.
  help?: string;
  act: (event: KeyboardEvent) => void;
  // Also while typing in a field (only with Ctrl, or Escape).
  withControl?: boolean;
}
const layers: { current: Key[] }[] = [];
export const keysShown = signal(false);

export const allKeys = (): Key[] => {
  const seen = new Set<string>();
  return layers.slice().reverse().flatMap((layer) => layer.current)
    .filter((k) => k.help && !seen.has(name(k)) && seen.add(name(k)));
};
const name = (k: Key): string => (k.withControl ? "Ctrl+" : "") + k.key;
export function keyName(k: Key): string {
  const shown: Record<string, string> = { " ": "␣", ArrowDown: "↓", ArrowUp: "↑", ArrowLeft: "←", ArrowRight: "→", Enter: "↵", Escape: "Esc" };
  return (k.withControl ? "Ctrl + " : "") + (shown[k.key] ?? k.key.toUpperCase());
}

export function useKeys(keys: Key[]): void {
  const layer = useRef(keys);
  layer.current = keys;
  useLayoutEffect(() => {
    layers.push(layer);
    return () => void layers.splice(layers.indexOf(layer), 1);
  }, []);
}

const typing = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(TEXTAREA|SELECT)$/.test(target.tagName) ||
    (target instanceof HTMLInputElement && !/^(checkbox|radio|button|submit|range|file)$/.test(target.type)));
// Space and Enter belong to whatever has the focus.
const pressing = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && !!target.closest("button, a[href], summary, input, [role=slider]");

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.altKey || event.metaKey || event.isComposing) return;
  if (document.querySelector("dialog[open]") && !(event.target as Element).closest?.("[data-keys]")) return;
  if (!event.ctrlKey && typing(event.target)) return;
  if ((event.key === " " || event.key === "Enter") && !event.ctrlKey && pressing(event.target)) return;
  if (event.key === "?") {
    keysShown.value = true;
    return event.preventDefault();
  }
  for (const layer of layers.slice().reverse()) {
    const found = layer.current.find((k) => k.key === event.key && !!k.withControl === event.ctrlKey);
    if (found) {
      event.preventDefault();
      return found.act(event);
    }
  }
});
