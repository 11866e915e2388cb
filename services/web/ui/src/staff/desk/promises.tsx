// My promises: the next one large, with everything for the call; then the day as a line of time.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { CallbackJson } from "../../protocol/ringback/v1/callback_pb";
import { call } from "../shell/api";
import { loadedWhole, onChange } from "../shell/callbacks";
import { Empty, Loading, Tag } from "../shell/parts";
import { nameOf, phoneOf } from "../shell/phone";
import { me } from "../shell/session";
import { clock, clockThere, countdown, halfMinute, isoDay, nowMs, relativeDay, second, span, when } from "../shell/time";
import { Acknowledge, atHand, Brief, CallLink, DeliveryAlarm, Outcomes, Proposal } from "./callback_actions";
import { deskWords } from "./desk_words";
import { noticesAllowed, remindersOn, switchReminders } from "./reminders";
import { armedPromise, callMs, newestPromise, pendingPromise } from "./who";

const AT_FIRST = 40;

export function MyPromises({ owed }: { owed: CallbackJson[] }) {
  const w = deskWords();
  const next = owed.find((c) => c.id === atHand.value) ?? owed.find((c) => c.phase === "PHASE_PROMISED" || c.phase === "PHASE_FOLLOW_UP") ?? owed[0];
  return (
    <section aria-labelledby="promises">
      <div class="spread section-head">
        <h2 id="promises">{w.promises} <span class="count">{owed.length}</span></h2>
        <Reminding />
      </div>
      {!next && !loadedWhole.value ? <Loading /> : next ? <Next key={next.id} callback={next} chosen={next.id === atHand.value} /> : <div class="card"><Empty title={w.promisesEmpty}><p>{w.promisesEmptyText}</p></Empty></div>}
      <Timeline owed={owed} next={next} choose={(id) => ((atHand.value = id), document.getElementById("next")?.scrollIntoView({ block: "nearest" }))} />
      <DoneToday />
    </section>
  );
}

function Reminding() {
  const w = deskWords();
  return (
    <label class="check small" title={w.remindText}>
      <input type="checkbox" checked={remindersOn.value} onChange={(event) => void switchReminders(event.currentTarget.checked)} />
      <span>{w.remind}{remindersOn.value && !noticesAllowed.value && <span class="soft remind-denied">{w.remindDenied}</span>}</span>
    </label>
  );
}

// Words that go with where it stands.
export function Standing({ callback: c }: { callback: CallbackJson }) {
  const w = deskWords();
  const promise = newestPromise(c);
  return (
    <>
      {c.phase === "PHASE_FOLLOW_UP" && <Tag kind="warn">{w.followUp}</Tag>}
      {c.phase === "PHASE_TALKED" && <Tag kind="good">{w.talked}</Tag>}
      {pendingPromise(c) && <Tag>{w.pending}</Tag>}
      {c.deliveryAlarm && <Tag kind="bad">{w.alarm}</Tag>}
      {armedPromise(c)?.agreedTime && <Tag kind="good">{w.agreed}</Tag>}
      {promise?.heardTime && <Tag kind="good">{w.heard}</Tag>}
      {c.proposal?.promisedTime && <Tag kind="warn">{w.wishes(when(c.proposal.promisedTime))}</Tag>}
      {!c.proposal && armedPromise(c)?.declineTime && <Tag kind="warn">{w.declined}</Tag>}
    </>
  );
}

// Customers were told their own time.
export function TheirClock({ callback: c, at }: { callback: CallbackJson; at: number }) {
  const there = clockThere(at, c.caller?.timeZone);
  return there ? <span class="soft their-clock numbers">{deskWords().theirClock(there)}</span> : null;
}

export function Countdown({ at }: { at: number }) {
  const w = deskWords();
  const left = at - second.value;
  if (left < -60000) return <span class="countdown over">{w.overdueBy(span(-left))}</span>;
  return <span class="countdown numbers" role="timer">{left <= 0 ? w.now : w.inTime(countdown(left))}</span>;
}

function Next({ callback: c, chosen }: { callback: CallbackJson; chosen: boolean }) {
  const w = deskWords();
  const at = callMs(c);
  const late = c.overdue || (c.phase !== "PHASE_TALKED" && at < nowMs() - 60000);
  return (
    <article id="next" class={late ? "card next late" : "card next"}>
      {!chosen && <p class="next-head">{w.next}</p>}
      <div class="next-when">
        <span class="when">{when(at)}</span>
        {c.phase !== "PHASE_TALKED" && <Countdown at={at} />}
        {c.phase !== "PHASE_TALKED" && <TheirClock callback={c} at={at} />}
      </div>
      <h3 class="next-who"><a href={`/desk/${c.id}`}>{nameOf(c.caller)}</a></h3>
      {c.caller?.company && <p class="soft next-company">{c.caller.company}</p>}
      <div class="row-tags"><Standing callback={c} /></div>
      <DeliveryAlarm callback={c} />
      <Proposal callback={c} />
      <Brief callback={c} />
      {c.note && <p class="small"><strong>{w.note}:</strong> {c.note}</p>}
      <div class="actions next-call">
        <CallLink callback={c} large />
        <Acknowledge callback={c} />
      </div>
      <Outcomes callback={c} />
    </article>
  );
}

function Timeline({ owed, next, choose }: { owed: CallbackJson[]; next?: CallbackJson; choose: (id: string) => void }) {
  const w = deskWords();
  const shown = useSignal(AT_FIRST);
  if (owed.length === 0) return null;
  void halfMinute.value;
  const today = isoDay(nowMs());
  const now = nowMs();
  const lines = owed.slice(0, shown.value);
  const ofToday = lines.filter((c) => isoDay(callMs(c)) <= today);
  const later = lines.filter((c) => isoDay(callMs(c)) > today);
  const nowAt = ofToday.findIndex((c) => callMs(c) > now);
  const line = (c: CallbackJson, label: string) => (
    <li key={c.id} class={`line ${c.overdue ? "late" : ""}`} aria-current={c.id === next?.id ? "true" : undefined}>
      <button type="button" class="line-button" onClick={() => choose(c.id ?? "")}>
        <span class="line-time numbers">{label}</span>
        <span class="line-who"><strong>{nameOf(c.caller)}</strong>{c.brief?.text && <span class="line-brief">{c.brief.text}</span>}</span>
        <span class="row-tags"><Standing callback={c} /></span>
      </button>
    </li>
  );
  return (
    <div class="card timeline">
      <h3>{w.today}</h3>
      <ol class="bare">
        {ofToday.flatMap((c, i) => [
          ...(i === nowAt ? [<li key="now" class="now-line" aria-hidden="true"><span class="numbers">{clock(now)}</span></li>] : []),
          line(c, isoDay(callMs(c)) < today ? relativeDay(callMs(c)) : clock(callMs(c))),
        ])}
      </ol>
      {later.length > 0 && <><h3 class="later">{w.laterDays}</h3><ol class="bare">{later.map((c) => line(c, when(callMs(c))))}</ol></>}
      {owed.length > shown.value && <button type="button" class="quiet-button" onClick={() => (shown.value += 100)}>{w.more(owed.length - shown.value)}</button>}
    </div>
  );
}

// What is behind one, today.
function DoneToday() {
  const w = deskWords();
  const done = useSignal<CallbackJson[]>([]);
  useEffect(() => {
    const member = me.value?.member.id;
    const today = (c: CallbackJson): boolean => c.assigneeId === member && !!c.closeTime && isoDay(c.closeTime) === isoDay(nowMs());
    call("CallbackService", "listCallbacks", { closed: true, assigneeId: member, pageSize: 50 })
      .then(({ callbacks }) => (done.value = (callbacks ?? []).filter(today)), () => {});
    return onChange((c) => {
      if (today(c)) done.value = [c, ...done.value.filter((other) => other.id !== c.id)];
    });
  }, []);
  if (done.value.length === 0) return null;
  return (
    <details class="card done">
      <summary>{w.done} <span class="count">{done.value.length}</span></summary>
      <ul class="bare">
        {done.value.map((c) => (
          <li key={c.id} class="line">
            <span class="line-time numbers">{clock(c.closeTime)}</span>
            <a class="line-who" href={`/desk/${c.id}`}>{nameOf(c.caller)}</a>
            <span class="soft numbers">{phoneOf(c.caller)}</span>
          </li>
        ))}
      </ul>
    </details>
  );
}
