// When the team works, and on which days it does not.
import { useSignal } from "@preact/signals";
import type { CalendarJson } from "../../protocol/ringback/v1/team_service_pb";
import { call, newRequestId } from "../shell/api";
import { Dialog, Tag } from "../shell/parts";
import { isAdmin, refreshTeam, team } from "../shell/session";
import { isoDay, nowMs } from "../shell/time";
import { toast, toastError } from "../shell/toasts";
import { language, shellWords } from "../shell/words";
import type { HolidayJson as Holiday } from "../../protocol/ringback/v1/team_service_pb";
import { FormBox, useForm, Wrong } from "./form";
import { rulesWords } from "./rules_words";
import { settingsWords } from "./settings_words";

const FILE_BYTES_MAX = 1 << 20;
// Monday first; the year of any Monday does.
const weekdayName = (weekday: number): string => new Intl.DateTimeFormat(language.value, { weekday: "long", timeZone: "UTC" }).format(Date.UTC(2024, 0, weekday));
const dateName = (date: string): string => new Intl.DateTimeFormat(language.value === "de" ? "de-DE" : "en-GB", { weekday: "short", day: "numeric", month: "long", year: "numeric", timeZone: "UTC" }).format(Date.parse(date));

const toClock = (minute: number): string => `${String(Math.floor((minute % 1440) / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
const toMinute = (clock: string): number => Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3, 5));

interface Span { weekday: number; start: number; end: number }
const spansOf = (calendar: CalendarJson | undefined): Span[] => (calendar?.hours ?? []).map((h) => ({ weekday: h.weekday ?? 1, start: h.startMinute ?? 0, end: h.endMinute ?? 0 }));

export function Hours() {
  const w = rulesWords();
  const locked = !isAdmin();
  const form = useForm({ spans: spansOf(team.value?.calendar), holidays: team.value?.calendar?.holidays ?? [] }, async ({ spans, holidays }) => {
    const hours = [...spans].sort((a, b) => a.weekday - b.weekday || a.start - b.start).map((s) => ({ weekday: s.weekday, startMinute: s.start, endMinute: s.end }));
    await call("TeamService", "updateTeam", { requestId: newRequestId(), team: { calendar: { hours, holidays } }, updateMask: "calendar" });
    await refreshTeam();
  });
  const { spans, holidays } = form.value;
  const change = (span: Span, more: Partial<Span>): void => form.set({ spans: spans.map((s) => (s === span ? { ...s, ...more } : s)) });
  const likeMonday = (): void => form.set({
    spans: [...spans.filter((s) => s.weekday === 1 || s.weekday > 5), ...[2, 3, 4, 5].flatMap((weekday) => spans.filter((s) => s.weekday === 1).map((s) => ({ ...s, weekday })))],
  });
  return (
    <FormBox form={form} locked={locked}>
      <section class="card">
        <h2>{w.hours}</h2>
        <p class="soft">{w.hoursText} {spans.length === 0 && <strong>{w.hoursAlways}</strong>}</p>
        {[1, 2, 3, 4, 5, 6, 7].map((weekday) => {
          const own = spans.filter((s) => s.weekday === weekday);
          const name = weekdayName(weekday);
          return (
            <div class="weekday" key={weekday}>
              <strong>{name}</strong>
              <div class="spans">
                {own.length === 0 && <span class="soft">{w.closed}</span>}
                {own.map((s, i) => (
                  <span class="span-row" key={i}>
                    <input class="field" type="time" aria-label={`${name} ${w.from}`} value={toClock(s.start)} onChange={(event) => event.currentTarget.value && change(s, { start: toMinute(event.currentTarget.value) })} />
                    <span aria-hidden="true">–</span>
                    <input class="field" type="time" aria-label={`${name} ${w.until}`} value={toClock(s.end)} onChange={(event) => event.currentTarget.value && change(s, { end: toMinute(event.currentTarget.value) || 1440 })} />
                    {!locked && <button type="button" class="icon-button" aria-label={w.removeSpan(name)} onClick={() => form.set({ spans: spans.filter((other) => other !== s) })}><span aria-hidden="true">✕</span></button>}
                  </span>
                ))}
                {!locked && (
                  <button type="button" class="quiet-button" onClick={() => form.set({ spans: [...spans, own.length ? { weekday, start: Math.min(own[own.length - 1].end + 60, 1380), end: Math.min(own[own.length - 1].end + 240, 1440) } : { weekday, start: 480, end: 1020 }] })}>
                    {w.addSpan}<span class="unseen">: {name}</span>
                  </button>
                )}
              </div>
            </div>
          );
        })}
        <Wrong field="calendar.hours" />
        <Wrong field="hours" />
        {!locked && <button type="button" class="button" onClick={likeMonday}>{w.likeMonday}</button>}
      </section>
      <Holidays days={holidays} locked={locked} set={(next) => form.set({ holidays: [...new Set(next)].sort() })} />
    </FormBox>
  );
}

function Holidays({ days, locked, set }: { days: string[]; locked: boolean; set: (days: string[]) => void }) {
  const w = rulesWords();
  const adding = useSignal("");
  const read = useSignal<Holiday[] | null>(null);
  const today = isoDay(nowMs());
  const ahead = days.filter((d) => d >= today);
  const past = days.length - ahead.length;
  const bring = async (input: HTMLInputElement): Promise<void> => {
    const file = input.files?.[0];
    input.value = "";
    if (!file) return;
    if (file.size > FILE_BYTES_MAX) return void toast(w.tooLarge, { bad: true });
    try {
      const bytes = new Uint8Array(await file.arrayBuffer());
      let binary = "";
      for (let i = 0; i < bytes.length; i += 8192) binary += String.fromCharCode(...bytes.subarray(i, i + 8192));
      read.value = ((await call("TeamService", "readHolidays", { ics: btoa(binary) })).holidays ?? []).filter((h) => (h.date ?? "") >= today);
    } catch (error) {
      toastError(error);
    }
  };
  return (
    <section class="card">
      <h2>{w.holidays}</h2>
      <p class="soft">{w.holidaysText}</p>
      {ahead.length === 0 && <p class="soft">{w.holidaysNone}</p>}
      <ul class="bare days">
        {ahead.map((d) => (
          <li key={d}>
            <span class="numbers">{dateName(d)}</span>
            {!locked && <button type="button" class="icon-button" aria-label={w.removeDay(dateName(d))} onClick={() => set(days.filter((other) => other !== d))}><span aria-hidden="true">✕</span></button>}
          </li>
        ))}
      </ul>
      {past > 0 && <p class="small soft">{w.past(past)}</p>}
      <Wrong field="holidays" />
      {!locked && (
        <div class="actions">
          <input class="field day-field" type="date" aria-label={w.day} value={adding.value} min={today} onInput={(event) => (adding.value = event.currentTarget.value)} />
          <button type="button" class="button" disabled={!adding.value} onClick={() => (set([...days, adding.value]), (adding.value = ""))}>{w.addDay}</button>
          <label class="button file-button">{w.bring}<input class="unseen" type="file" accept=".ics,text/calendar" onChange={(event) => void bring(event.currentTarget)} /></label>
        </div>
      )}
      {read.value && <Found holidays={read.value} known={days} take={(more) => (set([...days, ...more]), (read.value = null))} onClose={() => (read.value = null)} />}
    </section>
  );
}

function Found({ holidays, known, take, onClose }: { holidays: Holiday[]; known: string[]; take: (days: string[]) => void; onClose: () => void }) {
  const w = rulesWords();
  const left = useSignal<ReadonlySet<string>>(new Set());
  const fresh = holidays.filter((h) => !known.includes(h.date ?? ""));
  const taken = fresh.filter((h) => !left.value.has(h.date ?? "")).map((h) => h.date ?? "");
  const flip = (date: string): void => {
    const next = new Set(left.value);
    if (!next.delete(date)) next.add(date);
    left.value = next;
  };
  return (
    <Dialog title={w.found} onClose={onClose}>
      {holidays.length === 0 && <p>{w.foundNone}</p>}
      <div class="found-days">
        {holidays.map((h) => {
          const old = known.includes(h.date ?? "");
          return (
            <label class="check" key={h.date}>
              <input type="checkbox" disabled={old} checked={!old && !left.value.has(h.date ?? "")} onChange={() => flip(h.date ?? "")} />
              <span><span class="numbers">{dateName(h.date ?? "")}</span> <strong>{h.name}</strong> {old && <Tag>{w.known}</Tag>}</span>
            </label>
          );
        })}
      </div>
      <div class="actions form-end">
        <button type="button" class="button main" disabled={taken.length === 0} onClick={() => take(taken)}>{w.take(taken.length)}</button>
        <button type="button" class="button" onClick={onClose}>{settingsWords().discard}<span class="unseen">: {shellWords().cancel}</span></button>
      </div>
    </Dialog>
  );
}
