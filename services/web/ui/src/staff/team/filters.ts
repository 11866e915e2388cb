// What of the team's callbacks is shown. The address says it, so that a view can be kept and passed on.
import { computed } from "@preact/signals";
import { navigate, path, query } from "../shell/router";
import { team } from "../shell/session";
import { orderedCallbacks, signOfLifeMs } from "./live_order";
import { atRisk, awayAt, plain, type Entry } from "./standing";

export const SHOWS = ["all", "overdue", "risk", "unassigned"] as const;
export type Show = (typeof SHOWS)[number];

export const show = computed<Show>(() => SHOWS.find((s) => s === query.value.get("show")) ?? "all");
export const rep = computed(() => query.value.get("rep") ?? "");
export const searched = computed(() => query.value.get("q") ?? "");
export const filtered = computed(() => show.value !== "all" || rep.value !== "" || searched.value !== "");

export function setFilters(change: Partial<Record<"show" | "rep" | "q", string>>): void {
  const next = new URLSearchParams(query.value);
  for (const [name, value] of Object.entries(change)) {
    if (value && !(name === "show" && value === "all")) next.set(name, value);
    else next.delete(name);
  }
  const text = next.toString();
  navigate(path.value + (text && `?${text}`), { replace: "q" in change });
}

export interface View {
  shown: Entry[];
  all: number;
  // Of each kind, among those that rep and search leave.
  counts: Record<Show, number>;
}
// One pass over the ordered list; nothing is sorted.
export function viewOf(now: number): View {
  const words = plain(searched.value).split(/\s+/).filter(Boolean);
  const away = new Set((team.value?.members ?? []).filter((m) => awayAt(m, now)).map((m) => m.id ?? ""));
  const all = orderedCallbacks();
  const counts: Record<Show, number> = { all: 0, overdue: 0, risk: 0, unassigned: 0 };
  const shown: Entry[] = [];
  for (const entry of all) {
    if (rep.value && entry.callback.assigneeId !== rep.value) continue;
    if (words.length && !words.every((word) => entry.text.includes(word))) continue;
    const is: Record<Show, boolean> = {
      all: true, overdue: entry.late, risk: atRisk(entry, now, signOfLifeMs, (id) => away.has(id)), unassigned: !entry.callback.assigneeId,
    };
    for (const kind of SHOWS) if (is[kind]) ++counts[kind];
    if (is[show.value]) shown.push(entry);
  }
  return { shown, all: all.length, counts };
}
