// Of ten thousand rows only those in sight are in the document. Rows have one height, and the page itself scrolls: that is
// all it takes here, so there is no library for it.
import { useSignal } from "@preact/signals";
import { useLayoutEffect, type MutableRef } from "preact/hooks";

const MORE = 6;

export function useRowsInSight(box: MutableRef<HTMLElement | null>, count: number, rowHeight: number): { from: number; to: number } {
  const from = useSignal(0);
  const to = useSignal(30);
  useLayoutEffect(() => {
    const look = (): void => {
      if (!box.current) return;
      const { top } = box.current.getBoundingClientRect();
      from.value = Math.max(0, Math.floor(-top / rowHeight) - MORE);
      to.value = Math.max(0, Math.ceil((innerHeight - top) / rowHeight) + MORE);
    };
    look();
    addEventListener("scroll", look, { passive: true });
    addEventListener("resize", look);
    return () => (removeEventListener("scroll", look), removeEventListener("resize", look));
  }, [rowHeight, count === 0]);
  return { from: Math.min(from.value, count), to: Math.min(to.value, count) };
}

// So that the row is in sight below what sticks to the top.
export function scrollToRow(box: HTMLElement | null, index: number, rowHeight: number, above: number): void {
  if (!box) return;
  const top = box.getBoundingClientRect().top + index * rowHeight;
  if (top < above) scrollBy(0, top - above);
  else if (top + rowHeight > innerHeight - 12) scrollBy(0, top + rowHeight - innerHeight + 12);
}
