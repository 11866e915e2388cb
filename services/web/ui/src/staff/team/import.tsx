// Taking callers in from a file: see what is in it and what would become of it, say what its columns are, and watch it go. A
// line that the server refuses stops no other.
import { computed, effect, signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { download, read, textOf, type Row } from "../csv/csv";
import { ApiError, call } from "../shell/api";
import { put } from "../shell/callbacks";
import { Tag } from "../shell/parts";
import { phoneOf } from "../shell/phone";
import { inWords } from "../shell/refusals";
import { me, team } from "../shell/session";
import { ms, nowMs, number } from "../shell/time";
import { foresee, foreseen, forgetForeseen, stopForeseeing, type Foreseen } from "./import_check";
import { FIELDS, guess, isEmpty, lineOf, requestIdOf, type Field, type Line, type Mapping } from "./import_rows";
import { importWords } from "./import_words";
import { active } from "./members";
import { teamWords } from "./team_words";

const LINES_MAX = 5000;
const AT_ONCE = 4;
const SHOWN = 12;
const TRIES = 6;

type Outcome = "added" | "again" | "before" | "failed" | "twice";
interface Result {
  outcome: Outcome;
  // Why not; or the number as the server has it.
  said: string;
}
interface File {
  name: string;
  head: string[];
  rows: Row[];
}
// Survives a look at another page of the team.
const file = signal<File | null>(null);
const mapping = signal<Mapping>({});
const forAll = signal("");
const results = signal<ReadonlyMap<number, Result>>(new Map());
const lines = computed<Line[]>(() => file.value?.rows.map((row) => lineOf(row, mapping.value, active(team.value?.members), forAll.value)) ?? []);
const usable = computed(() => (["name", "phone", "email"] as const).some((field) => mapping.value[field] !== undefined));
const running = signal(false);
const trouble = signal("");

export function Import() {
  const w = importWords();
  useEffect(() => void (document.title = teamWords().parts.import), []);
  useEffect(() => {
    const unload = (event: BeforeUnloadEvent): void => {
      if (running.value) event.preventDefault();
    };
    addEventListener("beforeunload", unload);
    return () => removeEventListener("beforeunload", unload);
  }, []);
  // Nothing is asked once lines are being taken in.
  useEffect(() => {
    const stop = effect(() => void (results.value.size > 0 || running.value || !usable.value ? stopForeseeing() : void foresee(lines.value)));
    return () => (stop(), stopForeseeing());
  }, []);
  return (
    <>
      <section class="card">
        <h2>{w.title}</h2>
        <p class="soft">{w.text}</p>
        <Chooser />
      </section>
      {file.value && <Columns file={file.value} />}
      {file.value && <Lines head={file.value.head} lines={lines.value} />}
    </>
  );
}

function Chooser() {
  const w = importWords();
  const over = useSignal(false);
  const open = async (chosen: globalThis.File | undefined): Promise<void> => {
    if (!chosen || running.value) return;
    const { head, rows } = read(textOf(await chosen.arrayBuffer()));
    results.value = new Map();
    forgetForeseen();
    trouble.value = rows.length === 0 ? w.empty : rows.length > LINES_MAX ? w.tooMany(number(LINES_MAX)) : "";
    file.value = trouble.value ? null : { name: chosen.name, head, rows };
    mapping.value = guess(head);
  };
  return (
    <div
      class={over.value ? "drop-file over" : "drop-file"}
      onDragOver={(event) => (event.preventDefault(), (over.value = true))}
      onDragLeave={() => (over.value = false)}
      onDrop={(event) => (event.preventDefault(), (over.value = false), void open(event.dataTransfer?.files[0]))}
    >
      <label class={file.value ? "button file-button" : "button main file-button"}>
        {file.value ? w.another : w.choose}
        <input class="unseen" type="file" accept=".csv,.txt,text/csv" disabled={running.value} onChange={(event) => (void open(event.currentTarget.files?.[0]), (event.currentTarget.value = ""))} />
      </label>
      <span class="soft">{file.value ? file.value.name : w.drop}</span>
      {!file.value && trouble.value && <p class="hint bad" role="alert">{trouble.value}</p>}
    </div>
  );
}

function Columns({ file: { head } }: { file: File }) {
  const w = importWords();
  const set = (field: Field, value: string): void => {
    const next = { ...mapping.value };
    if (value === "") delete next[field];
    else next[field] = Number(value);
    mapping.value = next;
    results.value = new Map();
  };
  return (
    <section class="card">
      <h2>{w.mapping}</h2>
      <fieldset class="columns" disabled={running.value}>
        {FIELDS.map((field) => (
          <label key={field}>
            <span class="label">{w.fields[field]}</span>
            <select class="field" value={mapping.value[field] ?? ""} onChange={(event) => set(field, event.currentTarget.value)}>
              <option value="">{w.noColumn}</option>
              {head.map((title, i) => <option key={i} value={i}>{title || `${i + 1}.`}</option>)}
            </select>
          </label>
        ))}
        <label>
          <span class="label">{w.assigneeAll}</span>
          <select class="field" value={forAll.value} onChange={(event) => ((forAll.value = event.currentTarget.value), (results.value = new Map()))}>
            <option value="">{mapping.value.assignee === undefined ? w.nobody : w.asColumn}</option>
            {active(team.value?.members).map((m) => <option key={m.id} value={m.id}>{m.name}</option>)}
          </select>
        </label>
      </fieldset>
    </section>
  );
}

function Lines({ head, lines }: { head: string[]; lines: Line[] }) {
  const w = importWords();
  const done = results.value;
  const would = foreseen.value;
  const count = (outcome: Outcome): number => [...done.values()].filter((r) => r.outcome === outcome).length;
  const begun = done.size > 0;
  const failed = lines.filter((l) => (begun ? done.get(l.line)?.outcome === "failed" : would.get(l.line)?.outcome === "wrong"));
  const why = (l: Line): string => (begun ? done.get(l.line)?.said : would.get(l.line)?.said) ?? "";
  const left = lines.length - done.size;
  // Once all are checked: how many really would be taken in, or ring again.
  const good = would.size < lines.length ? lines.length : [...would.values()].filter(({ outcome }) => outcome === "new" || outcome === "again").length;
  const mapped = FIELDS.filter((f) => mapping.value[f] !== undefined);
  const save = (): void => download(w.wrongName, [[...head, w.why], ...failed.map((l) => [...head.map((_, i) => l.cells[i] ?? ""), why(l)])]);
  return (
    <>
      <section class="card">
        <div class="spread">
          <h2>{w.preview(number(Math.min(SHOWN, lines.length)), number(lines.length))}</h2>
          <div class="actions">
            {running.value ? <button type="button" class="button" onClick={() => (running.value = false)}>{w.stop}</button>
              : left > 0 ? <button type="button" class="button main" disabled={!usable.value || good === 0} onClick={() => void run(lines)}>{begun ? w.resume : w.go(number(good))}</button>
                : <a class="button main" href="/team">{w.toList}</a>}
          </div>
        </div>
        {!usable.value && <p class="hint bad" role="alert">{w.needsOne}</p>}
        {!begun && usable.value && would.size > 0 && (
          <p class="soft" role="status">
            {would.size < lines.length ? w.checking(number(would.size), number(lines.length)) : failed.length > 0 ? w.checkedWrong(number(failed.length)) : w.checkedGood}
          </p>
        )}
        {begun && (
          <div class="import-progress">
            <progress max={lines.length} value={done.size} aria-label={w.title} />
            <p role="status">
              <strong>{left === 0 ? w.done : w.progress(number(done.size), number(lines.length))}</strong>
              <span>{w.added(number(count("added")))}</span>
              {count("again") > 0 && <span>{w.again(number(count("again")))}</span>}
              {count("before") > 0 && <span>{w.before(number(count("before")))}</span>}
              {failed.length > 0 && <span class="bad-word">{w.failed(number(failed.length))}</span>}
            </p>
          </div>
        )}
        {trouble.value && <p class="note warn" role="alert">{trouble.value}</p>}
        <div class="table-box" tabIndex={0} role="region" aria-label={w.preview(number(Math.min(SHOWN, lines.length)), number(lines.length))}>
          <table class="import-table">
            <thead><tr><th scope="col">{w.line}</th>{mapped.map((f) => <th key={f} scope="col">{w.fields[f]}</th>)}<th scope="col">{w.result}</th></tr></thead>
            <tbody>
              {lines.slice(0, SHOWN).map((l) => (
                <tr key={l.line}>
                  <th scope="row" class="numbers">{l.line}</th>
                  {mapped.map((f) => <td key={f}>{l.cells[mapping.value[f]!] ?? ""}</td>)}
                  <td><Said line={l} result={done.get(l.line)} would={would.get(l.line)} /></td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </section>
      {failed.length > 0 && (
        <section class="card">
          <div class="spread"><h2>{w.wrongHead} <span class="count some">{number(failed.length)}</span></h2><button type="button" class="button" onClick={save}>{w.wrongFile}</button></div>
          <p class="soft">{begun ? w.wrongText : w.wouldBeWrongText}</p>
          <ul class="bare wrong-lines">
            {failed.slice(0, 200).map((l) => (
              <li key={l.line}><strong class="numbers">{w.line} {l.line}</strong> <span>{l.cells.filter(Boolean).slice(0, 4).join(" · ")}</span> <span class="bad-word">{why(l)}</span></li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

function Said({ line, result, would }: { line: Line; result: Result | undefined; would: Foreseen | undefined }) {
  const w = importWords();
  if (!result && would) {
    const kind = would.outcome === "wrong" ? "bad" : would.outcome === "new" ? "good" : "";
    return <span class="row-tags"><Tag kind={kind}>{w.foreseen[would.outcome]}</Tag> <span class="soft small numbers">{would.said}</span></span>;
  }
  if (!result) return line.unknownMember ? <Tag kind="warn">{w.unknownMember(line.unknownMember)}</Tag> : isEmpty(line) ? <Tag kind="warn">{w.nothing}</Tag> : null;
  const kind = result.outcome === "failed" ? "bad" : result.outcome === "added" ? "good" : "";
  return <span class="row-tags"><Tag kind={kind}>{w.outcomes[result.outcome]}</Tag> <span class="soft small numbers">{result.said}</span></span>;
}

// A few at once. What passes by itself is waited for; what does not is that line's own.
async function run(lines: Line[]): Promise<void> {
  const w = importWords();
  running.value = true;
  trouble.value = "";
  const began = nowMs();
  const seen = new Set<string>();
  const waiting: { line: Line; requestId: string }[] = [];
  const note = (line: Line, outcome: Outcome, said = ""): void => void (results.value = new Map(results.value).set(line.line, { outcome, said }));
  for (const line of lines) {
    const requestId = await requestIdOf(me.value?.team.id ?? "", line);
    const twice = seen.has(requestId);
    seen.add(requestId);
    if (results.value.has(line.line)) continue;
    if (line.unknownMember) note(line, "failed", w.unknownMember(line.unknownMember));
    else if (isEmpty(line)) note(line, "failed", w.nothing);
    else if (twice) note(line, "twice");
    else waiting.push({ line, requestId });
  }
  let next = 0;
  const work = async (): Promise<void> => {
    while (running.value && next < waiting.length) {
      const { line, requestId } = waiting[next++];
      try {
        const { callback, rangAgain } = await patiently(() => call("CallbackService", "createCallback", { requestId, ...line.request }));
        put(callback);
        note(line, rangAgain ? "again" : ms(callback?.createTime) < began - 5000 ? "before" : "added", phoneOf(callback?.caller));
      } catch (error) {
        if ((error as ApiError).passing || (error as ApiError).code === "UNAUTHENTICATED") {
          running.value = false;
          trouble.value = w.stopped(inWords(error));
          return;
        }
        note(line, "failed", inWords(error));
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  running.value = false;
}

async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; ++tries) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ApiError) || !error.passing || tries === TRIES || !running.value) throw error;
      await new Promise((resolve) => setTimeout(resolve, error.retryAfterMs || 250 * 2 ** tries));
    }
  }
}
