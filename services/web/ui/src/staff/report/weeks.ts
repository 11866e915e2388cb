// ISO 8601 weeks, "2026-W48". Pure.
const DAY_MS = 86400000;

export function mondayMs(week: string): number {
  const [year, number] = week.split("-W").map(Number);
  const fourth = Date.UTC(year, 0, 4);
  return fourth - ((new Date(fourth).getUTCDay() || 7) - 1) * DAY_MS + (number - 1) * 7 * DAY_MS;
}
export function weekOf(dayMs: number): string {
  const thursday = new Date(dayMs);
  thursday.setUTCDate(thursday.getUTCDate() + 4 - (thursday.getUTCDay() || 7));
  const year = thursday.getUTCFullYear();
  return `${year}-W${String(Math.ceil(((+thursday - Date.UTC(year, 0, 1)) / DAY_MS + 1) / 7)).padStart(2, "0")}`;
}
// `count` of them up to this one, oldest first.
export function lastWeeks(count: number, todayMs: number): string[] {
  return Array.from({ length: count }, (_, i) => weekOf(todayMs - (count - 1 - i) * 7 * DAY_MS));
}
