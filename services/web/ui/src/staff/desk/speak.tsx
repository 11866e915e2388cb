// Speaking: the promise first, then the words, then the take, then who gets it. One page, from top to bottom, and the
// keyboard is enough.
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { CallbackJson } from "../../protocol/ringback/v1/callback_pb";
import { newRequestId } from "../shell/api";
import { callbacks } from "../shell/callbacks";
import { useKeys } from "../shell/keys";
import { Dialog, Failed, Loading, Tag } from "../shell/parts";
import { nameOf, phoneBeside } from "../shell/phone";
import { inWords } from "../shell/refusals";
import { cameFrom, navigate } from "../shell/router";
import { me, team } from "../shell/session";
import { ms, nowMs, span, when, zone } from "../shell/time";
import type { Language } from "../shell/words";
import { useCallback } from "./caller_page";
import { PastWithCustomer } from "./customer_history";
import { useOnce } from "./callback_actions";
import { deskWords } from "./desk_words";
import { dropOlder, HOLD_MS, refreshTakes, takes, takesLoaded } from "./outbox";
import { TheirClock } from "./promises";
import { fillPrompt, moveTime, spokenTime } from "./prompt";
import { recorderState } from "./recorder";
import { Recorder } from "./recorder_view";
import { lastPromisedMs, row, rowAdd, rowEnded, rowSent, skipped } from "./row";
import { doubtsAbout, rememberAddress, type Doubts } from "./second_look";
import { collides, slotLengthMs } from "./slots";
import { speakWords } from "./speak_words";
import { findingsInWords } from "./take_view";
import { putTake, type Promising, type Take } from "./takes";
import { TimePicker } from "./time_picker";
import { useSlots, type Slots } from "./use_slots";
import { validAddress, WayToCustomer, type Way } from "./way_to_customer";
import { nextCaller } from "./who";

// What was written for whom and not spoken yet; as long as the tab lives.
const written = new Map<string, { at: number; text: string }>();

// A take that is kept here brings back what was chosen with it.
export function Speak({ id }: { id: string }) {
  return takesLoaded.value ? <WithSlots id={id} /> : <Loading />;
}

function WithSlots({ id }: { id: string }) {
  const { callback, error, again } = useCallback(id);
  const slots = useSlots(id, lastPromisedMs.value && lastPromisedMs.value + slotLengthMs(team.value));
  if (!callback) return error ? <Failed error={error} retry={again} /> : <Loading />;
  if (!slots) return <Loading />;
  return <Speaking callback={callback} slots={slots} />;
}

// A slot after the last one of this row; else the first free one.
function firstTime({ times, own }: Slots): number | null {
  const slot = slotLengthMs(team.value);
  const free = times.filter((at) => !collides(at, own, slot));
  return free.find((at) => at >= lastPromisedMs.value + slot) ?? free[0] ?? null;
}

function Speaking({ callback: c, slots }: { callback: CallbackJson; slots: Slots }) {
  const w = speakWords();
  const take = takes.value.filter((t) => t.callbackId === c.id && ["draft", "late", "refused"].includes(t.state) && t.audio)
    .sort((a, b) => b.recordedMs - a.recordedMs)[0];
  const left = useRef(takes.value.find((t) => t.callbackId === c.id && t.state !== "sent")).current;
  const before = left?.promise;
  const wanted = useRef(before ? { at: before.promisedMs, text: before.spokenText } : left ? { at: left.spokenMs, text: left.spokenText } : written.get(c.id ?? "")).current;
  const spokenLanguage = (c.caller?.language || team.value?.language || "de") as Language;
  const facts = (promisedMs: number | null) => ({
    language: spokenLanguage === "en" ? ("en" as const) : ("de" as const), caller: c.caller, rep: me.value?.member.name ?? "", team: me.value?.team.name ?? "",
    zone: c.caller?.timeZone || zone.value, nowMs: nowMs(), promisedMs,
  });
  const template = team.value?.templates?.[`${facts(null).language}/teleprompter`] ?? "";
  const at = useSignal<number | null>(wanted?.at && wanted.at > nowMs() ? wanted.at : firstTime(slots));
  const filled = useSignal(fillPrompt(facts(at.value), template));
  // A time that has passed meanwhile is another one in the words, too.
  const moved = (words: string, from: number, saidMs: number, to: number): string => {
    const { language, zone: theirs } = facts(null);
    return moveTime(words, spokenTime(from, saidMs, theirs, language), spokenTime(to, nowMs(), theirs, language));
  };
  const text = useSignal(
    !wanted?.text ? filled.value
      : at.value === null || !wanted.at || at.value === wanted.at ? wanted.text : moved(wanted.text, wanted.at, left?.recordedMs ?? nowMs(), at.value));
  const way = useSignal<Way | "">(before?.channel ?? (c.caller?.email ? "PROMISE_CHANNEL_VOICE_MAIL" : ""));
  const address = useSignal(before?.email?.address ?? "");
  const asking = useSignal(!!before?.email);
  const confirm = useSignal(before?.confirm ?? false);
  const question = useSignal<Doubts | null>(null);
  const trouble = useSignal("");
  // A promise that is made anew is not of the row of those who wait: back to where its callback stands.
  const anew = useRef(c.phase === "PHASE_WAITING" ? "" : cameFrom() || "/desk").current;

  useEffect(() => void (document.title = w.title(nameOf(c.caller))));
  // Words that somebody has written are there again when the page is.
  useEffect(() => () => {
    if (text.value !== filled.value && at.value !== null) written.set(c.id ?? "", { at: at.value, text: text.value });
    else written.delete(c.id ?? "");
  }, []);
  // A tab was closed over it: what was spoken until then is the take.
  useEffect(() => {
    if (take?.unfinished && recorderState.value === "idle") void putTake({ ...take, unfinished: false });
  }, [take?.id]);

  const choose = (to: number | null): void => {
    const from = at.value;
    at.value = to;
    trouble.value = "";
    if (text.value === filled.value) text.value = fillPrompt(facts(to), template);
    else if (from !== null && to !== null) text.value = moved(text.value, from, nowMs(), to);
    filled.value = fillPrompt(facts(to), template);
  };
  const refill = (): void => void (text.value = filled.value = fillPrompt(facts(at.value), template));

  const spokenOnly = way.value === "PROMISE_CHANNEL_SPOKEN";
  const missing = (): string => {
    if (at.value === null || at.value <= nowMs()) return at.value === null ? w.needTime : w.past;
    if (way.value === "") return w.noAddress;
    if (way.value === "PROMISE_CHANNEL_VOICE_MAIL" && (asking.value || !c.caller?.email) && !validAddress(address.value)) return w.wrongAddress;
    if (!spokenOnly && (!take || take.unfinished)) return w.needTake;
    if (!spokenOnly && take && findingsInWords(take).some((f) => f.fatal)) return w.unusable;
    return "";
  };

  const [busy, once] = useOnce();
  const send = (asked = false): void => once(() => sending(asked));
  const sending = async (asked: boolean): Promise<void> => {
    if (recorderState.value !== "idle") return;
    trouble.value = missing();
    if (trouble.value || at.value === null || way.value === "") return;
    const newAddress = way.value === "PROMISE_CHANNEL_VOICE_MAIL" && asking.value && address.value.trim() !== (c.caller?.email ?? "") ? address.value.trim() : "";
    const promise: Promising = {
      requestId: newRequestId(), promisedMs: at.value, channel: way.value, spokenText: text.value.trim(), ...(spokenOnly && confirm.value && { confirm: true }),
      ...(newAddress && { email: { address: newAddress, requestId: newRequestId() } }),
    };
    if (!asked) {
      try {
        const doubts = await doubtsAbout(c, promise, take);
        if (doubts) return void (question.value = doubts);
      } catch (error) {
        return void (trouble.value = inWords(error));
      }
    }
    question.value = null;
    const { error: _, refused: __, tried: ___, ...kept } = take && !spokenOnly ? take : emptyTake(c);
    const held: Take = { ...kept, state: "held", promise, holdUntilMs: nowMs() + HOLD_MS };
    await putTake(held);
    await dropOlder(held);
    await refreshTakes();
    // "Sent" is said only when closing the tab changes nothing any more.
    await registerSync();
    if (promise.channel === "PROMISE_CHANNEL_VOICE_MAIL") rememberAddress(newAddress || c.caller?.email || "");
    if (anew) return navigate(anew);
    rowAdd({ takeId: held.id, callbackId: c.id ?? "", who: nameOf(c.caller), promisedMs: promise.promisedMs });
    goOn(c.id ?? "");
  };

  const lookAgain = (): void => {
    if (question.value?.address && !question.value.doubtful) {
      asking.value = true;
      address.value ||= question.value.address;
    }
    question.value = null;
  };

  useKeys([
    { key: "Enter", withControl: true, help: spokenOnly ? w.note : w.send, act: () => send() },
    { key: "t", help: w.when, act: () => document.querySelector<HTMLInputElement>(".times input:checked, .times input")?.focus() },
    { key: "e", help: w.say, act: () => document.querySelector<HTMLTextAreaElement>("#prompt")?.focus() },
    { key: "Escape", help: w.toDesk, act: () => navigate("/desk") },
  ]);

  return (
    <div class="speak">
      <div class="spread speak-head">
        <h1>{nameOf(c.caller)}</h1>
        <RowSoFar id={c.id ?? ""} />
      </div>
      <CallerLine callback={c} />
      <div class="speak-grid">
        <div class="card speak-when"><TimePicker slots={slots.times} own={slots.own} local={slots.local} chosen={at.value} choose={choose} /></div>
        {!spokenOnly && (
          <div class="speak-main">
            <Recorder whom={{ callbackId: c.id ?? "", who: nameOf(c.caller), promisedMs: at.value, text: text.value }} take={take} />
            <div class="card">
              <div class="spread">
                <label class="label" for="prompt">{w.say}</label>
                {text.value !== filled.value && <button type="button" class="quiet-button" onClick={refill}>{w.refill}</button>}
              </div>
              <Prompt text={text.value} write={(value) => (text.value = value)} lang={facts(null).language} />
              <p class="hint">{w.sayHelp}</p>
            </div>
          </div>
        )}
        <WayToCustomer callback={c} way={way} address={address} asking={asking} confirm={confirm} />
        <div class="card send-bar">
          <p class="send-when">{at.value !== null && <><strong class="numbers">{when(at.value)}</strong> <TheirClock callback={c} at={at.value} /></>}</p>
          <button type="button" class="button main large" disabled={busy} onClick={() => send()}>{spokenOnly ? w.note : w.send} <kbd>Ctrl ↵</kbd></button>
          {trouble.value && <p class="hint bad" role="alert">{trouble.value}</p>}
        </div>
      </div>
      {question.value && (
        <Dialog title={question.value.title} onClose={() => (question.value = null)}>
          {question.value.lines.map((line) => <p key={line}>{line}</p>)}
          {question.value.address && <p class="address large">{question.value.address}</p>}
          <div class="actions form-end">
            <button type="button" class="button main" disabled={busy} onClick={() => send(true)}>{question.value.doubtful ? w.differSend : w.firstYes}</button>
            <button type="button" class="button" onClick={lookAgain}>{question.value.doubtful ? w.differBack : w.firstNo}</button>
          </div>
        </Dialog>
      )}
    </div>
  );
}

const emptyTake = (c: CallbackJson): Take => ({
  id: newRequestId(), author: me.value?.member.id ?? "", callbackId: c.id ?? "", who: nameOf(c.caller), state: "draft", recordedMs: nowMs(), seconds: 0,
});

// Large, and as long as what is written in it.
function Prompt({ text, write, lang }: { text: string; write: (value: string) => void; lang: string }) {
  const field = useRef<HTMLTextAreaElement>(null);
  const width = useSignal(0);
  useEffect(() => {
    if (!field.current) return;
    field.current.style.height = "auto";
    field.current.style.height = `${field.current.scrollHeight + 4}px`;
  }, [text, width.value]);
  // A phone that is turned, a window that is drawn smaller: the same words need more lines.
  useEffect(() => {
    const watch = new ResizeObserver(() => (width.value = field.current?.clientWidth ?? 0));
    if (field.current) watch.observe(field.current);
    return () => watch.disconnect();
  }, []);
  return <textarea id="prompt" ref={field} class="field prompt" lang={lang} maxLength={4000} value={text} onInput={(event) => write(event.currentTarget.value)} />;
}

function CallerLine({ callback: c }: { callback: CallbackJson }) {
  const w = deskWords();
  return (
    <div class="caller-line">
      <div class="row-tags">
        {c.caller?.company && <span>{c.caller.company}</span>}
        {phoneBeside(c.caller) && <span class="numbers">{phoneBeside(c.caller)}</span>}
        <Tag>{w.waitsFor(span(nowMs() - ms(c.createTime)))}</Tag>
        {(c.rings ?? 1) > 1 && <Tag kind="warn">{w.rang(c.rings ?? 1)}</Tag>}
      </div>
      {c.note && <p class="row-note">{c.note}</p>}
      <details class="caller-past"><summary>{w.history}</summary><PastWithCustomer callback={c} /></details>
    </div>
  );
}

function RowSoFar({ id }: { id: string }) {
  const w = speakWords();
  const pass = (): void => {
    skipped.value = [...skipped.value, id];
    goOn(id);
  };
  if (row.value.length === 0 || rowEnded.value) return <a href="/desk">{w.toDesk}</a>;
  return (
    <div class="actions">
      {rowSent.value.length > 0 && <Tag kind="good">{w.row(rowSent.value.length)}</Tag>}
      <button type="button" class="button" onClick={pass}>{w.skip}</button>
      <button type="button" class="button" onClick={finishRow}>{w.finish}</button>
    </div>
  );
}

function finishRow(): void {
  rowEnded.value = true;
  navigate("/desk");
}
function goOn(from: string): void {
  const next = nextCaller([...callbacks.values()].filter((c) => c.id !== from), me.value?.member.id ?? "", takes.value, skipped.value);
  if (next) navigate(`/desk/${next.id}/speak`);
  else finishRow();
}

type Syncing = ServiceWorkerRegistration & { sync?: { register(tag: string): Promise<void> } };
const SYNC_WAIT_MS = 3000;

// Where the browser can, it goes on sending when the tab is closed. A worker that is still being installed, or a browser that
// does not answer, holds nobody up: the open page sends.
async function registerSync(): Promise<void> {
  const worker = await navigator.serviceWorker?.getRegistration();
  if (!worker) return;
  const registered = navigator.serviceWorker.ready.then((ready) => (ready as Syncing).sync?.register("outbox")).catch(() => {});
  if (worker.active) await Promise.race([registered, new Promise((resolve) => setTimeout(resolve, SYNC_WAIT_MS))]);
}
