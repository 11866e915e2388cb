// Every open callback of the team, overdue first, and beside it the one that is chosen.
import { signal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { callbacks, callbacksVersion, fromMemory, loadCallbacks, loadedWhole, loadError, loadState } from "../shell/callbacks";
import { useKeys } from "../shell/keys";
import { heardMs, liveState } from "../shell/live";
import { Dialog, Empty, Failed, Loading } from "../shell/parts";
import { nameOf } from "../shell/phone";
import { navigate } from "../shell/router";
import { team } from "../shell/session";
import { clock, halfMinute, number, onServersClock } from "../shell/time";
import { filtered, rep, searched, setFilters, show, SHOWS, viewOf, type View } from "./filters";
import { active } from "./members";
import { Panel } from "./panel";
import { acknowledge, Reassign, reassigning, takeOver } from "./rescue";
import { Row } from "./row";
import { teamWords } from "./team_words";
import { scrollToRow, useRowsInSight } from "./virtual_rows";
import { wide } from "./wide";

const selected = signal("");
// Where there is no room for two columns, the chosen one opens above the list.
const opened = signal(false);

const rowHeight = (): number => parseFloat(getComputedStyle(document.documentElement).fontSize) * (wide.value ? 4.5 : 8.75);

export function List() {
  const w = teamWords();
  const box = useRef<HTMLDivElement>(null);
  const search = useRef<HTMLInputElement>(null);
  const place = useRef(0);
  const focusing = useRef(false);
  void callbacksVersion.value;
  const now = halfMinute.value;
  const view = viewOf(now);
  const height = rowHeight();
  const { from, to } = useRowsInSight(box, view.shown.length, height);
  // What is gone makes room for the one after it.
  let index = view.shown.findIndex((e) => e.id === selected.value);
  if (index < 0 && view.shown.length > 0) index = Math.min(selected.value ? place.current : 0, view.shown.length - 1);
  place.current = Math.max(0, index);
  const entry = view.shown[index];
  const choose = (to: number, focus: boolean): void => {
    const found = view.shown[Math.max(0, Math.min(view.shown.length - 1, to))];
    if (!found) return;
    selected.value = found.id;
    focusing.current = focus;
    if (focus) scrollToRow(box.current, view.shown.indexOf(found), height, wide.value ? 180 : 70);
  };
  useLayoutEffect(() => {
    if (!focusing.current) return;
    focusing.current = false;
    document.getElementById(`row-${selected.value}`)?.focus({ preventScroll: true });
  });
  useEffect(() => void (document.title = fromMemory.value ? w.title : `${w.title}: ${number(view.counts.overdue)} ${w.shows.overdue}`));
  const move = (by: number): void => choose(selected.value && entry ? index + by : 0, true);
  const open = (): void => {
    if (!entry) return;
    selected.value = entry.id;
    if (!wide.value) opened.value = true;
    else document.querySelector<HTMLElement>(".panel a, .panel button")?.focus();
  };
  const withChosen = (act: (c: NonNullable<typeof entry>["callback"]) => void) => () => entry && act(entry.callback);
  useKeys([
    { key: "j", help: w.keyDown, act: () => move(1) },
    { key: "k", help: w.keyUp, act: () => move(-1) },
    { key: "ArrowDown", act: () => move(1) },
    { key: "ArrowUp", act: () => move(-1) },
    { key: "Enter", help: w.keyOpen, act: open },
    { key: "/", help: w.keySearch, act: () => search.current?.focus() },
    { key: "c", help: w.callNow, act: () => document.querySelector<HTMLElement>(".panel .call-link, .team-row[aria-selected=true] .caller a")?.click() },
    { key: "t", help: w.takeOver, act: withChosen(takeOver) },
    { key: "r", help: w.reassign, act: withChosen((c) => (reassigning.value = c)) },
    { key: "v", help: w.rePromise, act: withChosen((c) => navigate(`/desk/${c.id}/speak`)) },
    { key: "a", help: w.acknowledge, act: withChosen(acknowledge) },
    ...SHOWS.map((one, i) => ({ key: String(i + 1), help: w.shows[one], act: () => setFilters({ show: one }) })),
    { key: "Escape", help: w.keyClear, act: () => setFilters({ show: "", rep: "", q: "" }) },
  ]);
  if (loadState.value === "loading") return <Loading />;
  if (loadState.value === "failed") return <Failed error={loadError.value} retry={() => void loadCallbacks().catch(() => {})} />;
  return (
    <>
      <NotLive />
      <Filters view={view} search={search} leave={() => choose(index, true)} />
      <div class="team-columns">
        <section aria-label={w.listLabel}>
          {!fromMemory.value && <p class="small soft found" role="status">{w.found(view.shown.length, view.all)}</p>}
          {view.shown.length === 0 ? <Nothing /> : (
            <div class="card team-list" role="grid" aria-label={w.listLabel} aria-rowcount={view.shown.length + 1}>
              <div role="row" class="team-head" aria-rowindex={1}>
                {(["due", "caller", "who", "message"] as const).map((head) => <span role="columnheader" key={head}>{w.heads[head]}</span>)}
              </div>
              <div role="rowgroup" ref={box} class="team-rows" style={{ height: `${view.shown.length * height}px` }}>
                {view.shown.slice(from, to).map((e, i) => (
                  <Row
                    key={e.id} entry={e} index={from + i} selected={e === entry} now={now} rowHeight={height}
                    choose={() => (choose(from + i, true), (opened.value = !wide.value))}
                  />
                ))}
              </div>
            </div>
          )}
        </section>
        {wide.value && <aside class="team-aside" aria-label={w.details}>{entry ? <Panel key={entry.id} callback={entry.callback} /> : <div class="card"><p class="soft">{w.choose}</p></div>}</aside>}
      </div>
      {!wide.value && opened.value && callbacks.has(selected.value) && (
        <Dialog title={nameOf(callbacks.get(selected.value)?.caller)} onClose={() => (opened.value = false)}>
          <Panel callback={callbacks.get(selected.value)!} />
        </Dialog>
      )}
      <Reassign />
    </>
  );
}

function NotLive() {
  const w = teamWords();
  if (fromMemory.value) return <p class="note warn" role="status">{w.onlyKept}</p>;
  if (liveState.value !== "lost") return null;
  return <p class="note warn" role="status">{heardMs.value ? w.staleFrom(clock(onServersClock(heardMs.value))) : w.stale}</p>;
}

function Nothing() {
  const w = teamWords();
  if (!loadedWhole.value) return <Loading />;
  const title = searched.value ? w.noneFound(searched.value) : {
    all: rep.value ? w.noneHere : w.none, overdue: w.noneOverdue, risk: w.noneRisk, unassigned: w.noneUnassigned,
  }[show.value];
  return (
    <div class="card">
      <Empty title={title}>
        {filtered.value ? <button type="button" class="button" onClick={() => setFilters({ show: "", rep: "", q: "" })}>{w.clear}</button> : <p>{w.noneText}</p>}
      </Empty>
    </div>
  );
}

function Filters({ view, search, leave }: { view: View; search: preact.RefObject<HTMLInputElement>; leave: () => void }) {
  const w = teamWords();
  return (
    <div class="team-filters">
      <div class="team-shows" role="group" aria-label={w.show}>
        {SHOWS.map((one) => (
          <button
            key={one} type="button" class={`button chip ${one}`} aria-pressed={show.value === one} title={one === "risk" ? w.riskText : undefined}
            onClick={() => setFilters({ show: one })}
          >
            {w.shows[one]} {!fromMemory.value && <span class={view.counts[one] > 0 && (one === "overdue" || one === "risk") ? `count ${one}` : "count"}>{number(view.counts[one])}</span>}
          </button>
        ))}
      </div>
      <div class="team-narrow">
        <select class="field" aria-label={w.rep} value={rep.value} onChange={(event) => setFilters({ rep: event.currentTarget.value })}>
          <option value="">{w.everybody}</option>
          {active(team.value?.members).map((m) => <option key={m.id} value={m.id}>{m.name}</option>)}
        </select>
        <input
          ref={search} class="field" type="search" aria-label={w.search} placeholder={w.searchHint} value={searched.value}
          onInput={(event) => setFilters({ q: event.currentTarget.value })}
          onKeyDown={(event) => {
            if (event.key === "ArrowDown" || event.key === "Enter") event.preventDefault(), leave();
            if (event.key === "Escape") setFilters({ q: "" }), event.currentTarget.blur();
          }}
        />
      </div>
    </div>
  );
}
