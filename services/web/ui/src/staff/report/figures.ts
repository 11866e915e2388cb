// Counts of weeks as shares and sums. Pure.
import type { ReportWeekJson as ReportWeek } from "../../protocol/ringback/v1/team_service_pb";

export const VERDICTS = ["kept", "late", "missed", "movedByCustomer", "movedByTeam", "cancelledByCustomer"] as const;
export type VerdictKind = (typeof VERDICTS)[number];
export type Counted = VerdictKind | "attempted" | "reached" | "requested";
const COUNTED: Counted[] = [...VERDICTS, "attempted", "reached", "requested"];

export interface Figures extends Record<Counted, number> {
  week: string;
  verdicts: number;
  // Seconds; null: there was none.
  lateness: number | null;
  firstPromise: number | null;
}
const seconds = (text: string | undefined): number | null => (text ? Number(text.replace("s", "")) : null);

export function figuresOf(w: ReportWeek): Figures {
  const counts = Object.fromEntries(COUNTED.map((name) => [name, Number(w[name] ?? 0)])) as Record<Counted, number>;
  return {
    ...counts, week: w.week ?? "", verdicts: VERDICTS.reduce((sum, name) => sum + counts[name], 0),
    lateness: seconds(w.latenessMedian), firstPromise: seconds(w.firstPromiseMedian),
  };
}
export function sum(all: Figures[]): Record<Counted | "verdicts", number> {
  const total = Object.fromEntries([...COUNTED, "verdicts"].map((name) => [name, 0])) as Record<Counted | "verdicts", number>;
  for (const one of all) for (const name of [...COUNTED, "verdicts"] as const) total[name] += one[name];
  return total;
}
// Of the promises that came due, how many were kept: what moved in time breaks no word. Null: none came due.
export function keptShare({ kept, late, missed }: Pick<Figures, "kept" | "late" | "missed">): number | null {
  const due = kept + late + missed;
  return due === 0 ? null : kept / due;
}
export const share = (part: number, of: number): number => (of === 0 ? 0 : part / of);
