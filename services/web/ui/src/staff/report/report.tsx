// "Keeping our word": what came of the promises, week by week. Reached stands apart from attempted, and who may see whose
// figures is the server's to say.
import { call } from "../shell/api";
import { useComputed, useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { ApiError } from "../shell/api";
import { download } from "../csv/csv";
import { Empty, Failed, Loading } from "../shell/parts";
import { navigate, path, query } from "../shell/router";
import { isAdmin, isManager, me, memberName, team } from "../shell/session";
import { isoDay, nowMs, number, span } from "../shell/time";
import { language } from "../shell/words";
import type { ReportWeekJson as ReportWeek } from "../../protocol/ringback/v1/team_service_pb";
import { Chart } from "./chart";
import { figuresOf, keptShare, share, sum, VERDICTS, type Figures } from "./figures";
import "./report.css";
import { reportWords } from "./report_words";
import { lastWeeks } from "./weeks";

const PERIODS = [12, 26, 53];
const COLOURS = { kept: "--kept", late: "--late", missed: "--missed", movedByCustomer: "--moved", movedByTeam: "--moved-team", cancelledByCustomer: "--cancelled" };

const percent = (of: number | null): string => (of === null ? "–" : of.toLocaleString(language.value, { style: "percent", maximumFractionDigits: of > 0.99 && of < 1 ? 1 : 0 }));
const minutes = (seconds: number | null): number | null => (seconds === null ? null : Math.round(seconds / 6) / 10);

function setQuery(name: string, value: string): void {
  const next = new URLSearchParams(query.value);
  if (value) next.set(name, value);
  else next.delete(name);
  const text = next.toString();
  navigate(path.value + (text && `?${text}`));
}

export function Report() {
  const w = reportWords();
  const period = PERIODS.find((n) => String(n) === query.value.get("weeks")) ?? 12;
  const chosen = isManager() ? query.value.get("rep") ?? "" : "";
  const ofTeam = useSignal<ReportWeek[] | null>(null);
  const ofMembers = useSignal<ReportWeek[] | "off">("off");
  const error = useSignal<unknown>(null);
  // What was asked for last; an older answer that comes behind it says nothing any more.
  const asking = useRef(0);
  const load = async (): Promise<void> => {
    const own = ++asking.current;
    error.value = null;
    const weeks = lastWeeks(period, Date.parse(isoDay(nowMs())));
    const asked = { fromWeek: weeks[0], toWeek: weeks[weeks.length - 1] };
    try {
      const [all, each] = await Promise.all([
        call("TeamService", "getReport", asked),
        !isManager() || !team.value?.memberFigures ? "off" as const : call("TeamService", "getReport", { ...asked, byMember: true }).catch((refused: ApiError) => {
          // Switched off a moment ago.
          if (refused.reason === "MEMBER_FIGURES_OFF") return "off" as const;
          throw refused;
        }),
      ]);
      if (own !== asking.current) return;
      ofTeam.value = all.weeks ?? [];
      ofMembers.value = each === "off" ? "off" : each.weeks ?? [];
    } catch (failed) {
      if (own === asking.current) error.value = failed;
    }
  };
  useEffect(() => void load(), [period, !!team.value?.memberFigures]);
  useEffect(() => void (document.title = w.title));
  // Weeks in which nothing happened stand there too.
  const shown = useComputed<Figures[]>(() => {
    const who = query.value.get("rep") ?? "";
    const found = who && ofMembers.value !== "off" ? ofMembers.value.filter((one) => one.memberId === who) : ofTeam.value ?? [];
    const byWeek = new Map(found.map((one) => [one.week, one]));
    return lastWeeks(period, Date.parse(isoDay(nowMs()))).map((week) => figuresOf(byWeek.get(week) ?? { week }));
  }).value;
  if (error.value) return <Failed error={error.value} retry={() => void load()} />;
  if (!ofTeam.value) return <Loading />;
  const empty = shown.every((one) => one.verdicts + one.attempted + one.requested === 0);
  return (
    <div class="report">
      <div class="report-head">
        <div>
          <h1>{w.title}{chosen && `: ${memberName(chosen)}`}</h1>
          <p class="soft">{isManager() ? w.ofTeam(chosen ? memberName(chosen) : me.value?.team.name ?? "") : team.value?.memberFigures ? w.ofYouAndManagers : w.ofYou}</p>
        </div>
        <div class="actions">
          <div class="report-period" role="group" aria-label={w.period}>
            {PERIODS.map((n) => <button key={n} type="button" class="button" aria-pressed={n === period} onClick={() => setQuery("weeks", n === 12 ? "" : String(n))}>{w.weeks(n)}</button>)}
          </div>
          {!empty && <button type="button" class="button" onClick={() => exportFigures(shown)}>{w.export}</button>}
        </div>
      </div>
      {empty ? <div class="card"><Empty title={w.none}><p>{w.noneText}</p></Empty></div> : <Shown figures={shown} />}
      {isManager() && !empty && <Members weeks={ofMembers.value} chosen={chosen} />}
    </div>
  );
}

function Shown({ figures }: { figures: Figures[] }) {
  const w = reportWords();
  const labels = useComputed(() => figures.map((one) => w.weekShort(Number(one.week.split("-W")[1])))).value;
  const total = sum(figures);
  const newest = figures[figures.length - 1];
  const due = total.kept + total.late + total.missed;
  const whole = (n: number): string => number(Math.round(n));
  return (
    <>
      <div class="big-figures">
        <Big value={percent(keptShare(total))} label={w.kept} hint={w.keptOf(number(due))} good />
        <Big value={percent(due ? total.late / due : null)} label={w.lateHead} hint={w.promises(number(total.late))} />
        <Big value={percent(due ? total.missed / due : null)} label={w.missedHead} hint={w.promises(number(total.missed))} />
        <Big value={percent(total.attempted ? total.reached / total.attempted : null)} label={w.reachedHead} hint={w.reachedOf(number(total.attempted))} />
        <Big value={newest.firstPromise === null ? "–" : newest.firstPromise > 0 && newest.firstPromise < 60 ? w.underAMinute : span(newest.firstPromise * 1000)} label={w.firstPromiseHead} hint={w.thisWeek} />
      </div>
      <Card title={w.shareTitle} text={w.shareText} wide table={
        <Table
          head={[w.week, ...VERDICTS.map((v) => w.verdicts[v])]} labels={labels}
          rows={figures.map((f) => VERDICTS.map((v) => (f.verdicts ? `${percent(share(f[v], f.verdicts))} (${number(f[v])})` : "–")))}
        />
      }>
        <Chart
          kind="stacked" labels={labels} max={1} say={percent} title={w.shareTitle}
          series={VERDICTS.map((v) => ({ label: w.verdicts[v], colour: COLOURS[v], values: figures.map((f) => share(f[v], f.verdicts)) }))}
        />
      </Card>
      <div class="report-grid">
        <Card title={w.reachTitle} text={w.reachText} table={
          <Table head={[w.week, w.requested, w.attempted, w.reached]} labels={labels} rows={figures.map((f) => [f.requested, f.attempted, f.reached].map(number))} />
        }>
          <Chart
            kind="nested" labels={labels} say={whole} title={w.reachTitle}
            series={[{ label: w.attempted, colour: "--moved", values: figures.map((f) => f.attempted) }, { label: w.reached, colour: "--kept", values: figures.map((f) => f.reached) }]}
          />
        </Card>
        <Card title={w.latenessTitle} text={w.latenessText} table={
          <Table head={[w.week, w.minutes]} labels={labels} rows={figures.map((f) => [minutes(f.lateness)?.toLocaleString(language.value) ?? w.noValue])} />
        }>
          <Chart kind="line" labels={labels} say={(v) => v.toLocaleString(language.value)} title={w.latenessTitle} series={[{ label: w.minutes, colour: "--late", values: figures.map((f) => minutes(f.lateness)) }]} />
        </Card>
        <Card title={w.firstTitle} text={w.firstText} table={
          <Table head={[w.week, w.minutes]} labels={labels} rows={figures.map((f) => [minutes(f.firstPromise)?.toLocaleString(language.value) ?? w.noValue])} />
        }>
          <Chart kind="line" labels={labels} say={(v) => v.toLocaleString(language.value)} title={w.firstTitle} series={[{ label: w.minutes, colour: "--kept", values: figures.map((f) => minutes(f.firstPromise)) }]} />
        </Card>
      </div>
    </>
  );
}

function Big({ value, label, hint, good = false }: { value: string; label: string; hint: string; good?: boolean }) {
  return (
    <div class={good ? "card big good" : "card big"}>
      <p><strong class="numbers">{value}</strong> {label}</p>
      <p class="soft small">{hint}</p>
    </div>
  );
}

function Card({ title, text, table, wide = false, children }: { title: string; text: string; table: ComponentChildren; wide?: boolean; children: ComponentChildren }) {
  return (
    <section class={wide ? "card report-card wide" : "card report-card"}>
      <h2>{title}</h2>
      <p class="soft small">{text}</p>
      {children}
      <details>
        <summary>{reportWords().asTable}</summary>
        <div class="table-box" tabIndex={0} role="region" aria-label={title}>{table}</div>
      </details>
    </section>
  );
}

// Newest first.
function Table({ head, labels, rows }: { head: string[]; labels: string[]; rows: string[][] }) {
  return (
    <table>
      <thead><tr>{head.map((one) => <th key={one} scope="col">{one}</th>)}</tr></thead>
      <tbody>
        {rows.map((cells, i) => <tr key={labels[i] + i}><th scope="row">{labels[i]}</th>{cells.map((cell, k) => <td key={k} class="numbers">{cell}</td>)}</tr>).reverse()}
      </tbody>
    </table>
  );
}

function Members({ weeks, chosen }: { weeks: ReportWeek[] | "off"; chosen: string }) {
  const w = reportWords();
  if (weeks === "off") {
    return (
      <div class="card">
        <h2>{w.memberTitle}</h2>
        <p class="soft">{w.memberOff} {isAdmin() && <>{w.memberOffAdmin} <a href="/settings/team">{w.toSettings}</a></>}</p>
      </div>
    );
  }
  const byMember = new Map<string, Figures[]>();
  for (const one of weeks) if (one.memberId) byMember.set(one.memberId, [...(byMember.get(one.memberId) ?? []), figuresOf(one)]);
  const rows = [...byMember].map(([id, all]) => ({ id, name: memberName(id) || id, total: sum(all) })).sort((a, b) => a.name.localeCompare(b.name, language.value));
  return (
    <section class="card report-card">
      <div class="spread">
        <h2>{w.memberTitle}</h2>
        {chosen && <button type="button" class="button" onClick={() => setQuery("rep", "")}>{w.everybody}</button>}
      </div>
      <div class="table-box" tabIndex={0} role="region" aria-label={w.memberTitle}>
        <table>
          <thead>
            <tr>{[w.member, w.kept, w.lateHead, w.missedHead, w.attempted, w.reached].map((one) => <th key={one} scope="col">{one}</th>)}</tr>
          </thead>
          <tbody>
            {rows.map(({ id, name, total }) => (
              <tr key={id} aria-current={id === chosen ? "true" : undefined}>
                <th scope="row"><button type="button" class="quiet-button" onClick={() => setQuery("rep", id)}>{name}</button></th>
                <td class="numbers">{percent(keptShare(total))} ({number(total.kept)})</td>
                {[total.late, total.missed, total.attempted, total.reached].map((n, i) => <td key={i} class="numbers">{number(n)}</td>)}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function exportFigures(figures: Figures[]): void {
  const w = reportWords();
  download(w.fileName(figures[0].week, figures[figures.length - 1].week), [
    [w.week, ...VERDICTS.map((v) => w.verdicts[v]), w.attempted, w.reached, w.requested, `${w.latenessTitle} (${w.minutes})`, `${w.firstTitle} (${w.minutes})`],
    ...figures.map((f) => [
      f.week, ...VERDICTS.map((v) => f[v]), f.attempted, f.reached, f.requested, minutes(f.lateness) ?? "", minutes(f.firstPromise) ?? "",
    ]),
  ]);
}
