// What one does with a callback that is owed: call, note what came of it, close it, answer a wish. Each is one press.
import { signal, useSignal } from "@preact/signals";
import type { CallbackJson } from "../../protocol/ringback/v1/callback_pb";
import { ApiError, call, newRequestId } from "../shell/api";
import { put } from "../shell/callbacks";
import { Dialog, Loading, Tag } from "../shell/parts";
import { nameOf, phoneOf, telephoneLink } from "../shell/phone";
import { iso, ms, nowMs, when } from "../shell/time";
import { toast, toastError } from "../shell/toasts";
import { warningInWords } from "../shell/warnings";
import { shellWords } from "../shell/words";
import { deskWords } from "./desk_words";
import { TimePicker } from "./time_picker";
import { useSlots } from "./use_slots";
import { armedPromise } from "./who";

type Outcome = "REACHED" | "NO_ANSWER" | "BUSY" | "VOICEMAIL" | "WRONG_NUMBER";

// Whom the rep is busy with: stays in front after a call, so that the next press is for the same customer.
export const atHand = signal("");

// Whatever it is, a second press while the first is on its way does nothing.
export function useOnce(): [boolean, (work: () => Promise<void>) => void] {
  const busy = useSignal(false);
  return [busy.value, (work) => {
    if (busy.value) return;
    busy.value = true;
    work().catch(toastError).finally(() => (busy.value = false));
  }];
}

// Tapping the number says "calling now" to everybody; it settles nothing.
export function tellCalling(c: CallbackJson): void {
  atHand.value = c.id ?? "";
  call("CallbackService", "startCall", { requestId: newRequestId(), callbackId: c.id })
    .then((answer) => put(answer.callback))
    // Closed or gone meanwhile: the call is what counts.
    .catch((error: ApiError) => error.code !== "NOT_FOUND" && toastError(error));
}

export function CallLink({ callback: c, large = false }: { callback: CallbackJson; large?: boolean }) {
  const w = deskWords();
  const phone = c.caller?.phone;
  if (!phone) return <p class="soft">{w.noPhone}</p>;
  return (
    <a class={large ? "button main large call-link" : "button call-link"} href={telephoneLink(phone)} onClick={() => tellCalling(c)}>
      <span aria-hidden="true">☎</span>
      <span>{w.call}<span class="unseen">: {nameOf(c.caller)}</span> <span class="numbers">{phoneOf(c.caller)}</span></span>
    </a>
  );
}

// `promising`: with the way to a new promise, where the page has none of its own.
export function Outcomes({ callback: c, promising = true }: { callback: CallbackJson; promising?: boolean }) {
  const w = deskWords();
  const [busy, once] = useOnce();
  const log = (outcome: Outcome): void => once(async () => {
    atHand.value = c.id ?? "";
    const calledTime = iso(nowMs());
    const answer = await call("CallbackService", "logAttempt", { requestId: newRequestId(), callbackId: c.id, outcome: `ATTEMPT_OUTCOME_${outcome}`, calledTime });
    put(answer.callback);
    toast([w.logged(w.outcomes[outcome], nameOf(c.caller)), ...(answer.warnings ?? []).map(warningInWords)].join(" · "));
  });
  const all: Outcome[] = ["REACHED", "NO_ANSWER", "BUSY", "VOICEMAIL", "WRONG_NUMBER"];
  return (
    <fieldset class="outcomes" disabled={busy}>
      <legend>{w.outcome}</legend>
      <div class="actions">
        {all.map((outcome) => (
          <button key={outcome} type="button" class="button" onClick={() => log(outcome)}>{w.outcomes[outcome]}</button>
        ))}
        {promising && <a class="button" href={`/desk/${c.id}/speak`}>{w.newPromise}</a>}
        <Complete callback={c} />
      </div>
    </fieldset>
  );
}

// Closing needs a call; whoever presses it without one has just talked, and the button says so.
function Complete({ callback: c }: { callback: CallbackJson }) {
  const w = deskWords();
  const [busy, once] = useOnce();
  const close = (): void => once(async () => {
    if (c.phase !== "PHASE_TALKED") {
      await call("CallbackService", "logAttempt", {
        requestId: newRequestId(), callbackId: c.id, outcome: "ATTEMPT_OUTCOME_REACHED", calledTime: iso(nowMs()),
      });
    }
    const answer = await call("CallbackService", "completeCallback", { requestId: newRequestId(), callbackId: c.id, disposition: w.complete });
    put(answer.callback);
    toast(w.completed(nameOf(c.caller)));
  });
  return <button type="button" class={c.phase === "PHASE_TALKED" ? "button main" : "button"} disabled={busy} onClick={close}>{c.phase === "PHASE_TALKED" ? w.complete : w.talkedComplete}</button>;
}

export function Brief({ callback: c }: { callback: CallbackJson }) {
  const w = deskWords();
  const topic = c.topic && w.topics[c.topic as keyof typeof w.topics];
  return (
    <div class="brief">
      <h3>{w.brief} {topic && <Tag kind={c.topic === "TOPIC_COMPLAINT" ? "warn" : "good"}>{topic}</Tag>}</h3>
      {c.brief?.text ? <blockquote>{c.brief.text}</blockquote> : <p class="soft">{w.briefNone}</p>}
    </div>
  );
}

// The customer wishes another time, or said that this one does not suit.
export function Proposal({ callback: c }: { callback: CallbackJson }) {
  const w = deskWords();
  const [busy, once] = useOnce();
  const offering = useSignal(false);
  const armed = armedPromise(c);
  const wish = c.proposal?.promisedTime;
  if (!wish && !armed?.declineTime) return null;
  const answer = (promisedTime?: string): void => once(async () => {
    const done = await call("CallbackService", "answerProposal", { requestId: newRequestId(), callbackId: c.id, ...(promisedTime && { promisedTime }) });
    put(done.callback);
    offering.value = false;
    toast(promisedTime ? w.countered(when(promisedTime)) : w.accepted(when(wish)));
  });
  const decline = (): void => once(async () => {
    put((await call("CallbackService", "declineProposal", { requestId: newRequestId(), callbackId: c.id })).callback);
    toast(w.declinedProposal);
  });
  return (
    <div class="note warn proposal">
      <p><strong>{wish ? w.wishes(when(wish)) : w.declined}</strong></p>
      <div class="actions">
        {wish && <button type="button" class="button main" disabled={busy} onClick={() => answer()}>{w.accept(when(wish))}</button>}
        <button type="button" class="button" disabled={busy} onClick={() => (offering.value = true)}>{w.counter}</button>
        {wish && <button type="button" class="button" disabled={busy} onClick={decline}>{w.decline}</button>}
      </div>
      {offering.value && <Offer callback={c} busy={busy} offer={(at) => answer(iso(at))} onClose={() => (offering.value = false)} />}
    </div>
  );
}

function Offer({ callback: c, busy, offer, onClose }: { callback: CallbackJson; busy: boolean; offer: (at: number) => void; onClose: () => void }) {
  const w = deskWords();
  const at = useSignal<number | null>(null);
  const slots = useSlots(c.id ?? "");
  return (
    <Dialog title={w.counter} onClose={onClose}>
      {slots ? <TimePicker slots={slots.times} local={slots.local} own={slots.own} chosen={at.value} choose={(value) => (at.value = value)} /> : <Loading />}
      <div class="actions form-end">
        <button type="button" class="button main" disabled={busy || at.value === null || at.value <= nowMs()} onClick={() => at.value && offer(at.value)}>{w.offer}</button>
        <button type="button" class="button" onClick={onClose}>{shellWords().cancel}</button>
      </div>
    </Dialog>
  );
}

// What mail servers answer stays as they say it.
export const deliveryReason = (reason: string | undefined): string => (/no SMS gateway is configured/.test(reason ?? "") ? deskWords().noGateway : (reason ?? ""));

export function DeliveryAlarm({ callback: c }: { callback: CallbackJson }) {
  const w = deskWords();
  const [busy, once] = useOnce();
  if (!c.deliveryAlarm) return null;
  const resend = (): void => once(async () => {
    await call("DeliveryService", "resendDelivery", { requestId: newRequestId(), callbackId: c.id });
    toast(w.resent);
  });
  return (
    <div class="note bad" role="alert">
      <p><strong>{w.alarm}</strong><br />{w.sickNote}<br /><span class="small">{deliveryReason(c.deliveryAlarm)}</span></p>
      <div class="actions">
        <button type="button" class="button" disabled={busy} onClick={resend}>{w.resend}</button>
        <a class="button" href={`/desk/${c.id}`}>{w.change}</a>
      </div>
    </div>
  );
}

export function Acknowledge({ callback: c }: { callback: CallbackJson }) {
  const w = deskWords();
  const [busy, once] = useOnce();
  if (!c.overdue) return null;
  const until = c.escalation?.acknowledgedUntil;
  if (until && ms(until) > nowMs()) return <p class="small soft">{w.acknowledged(when(until))}</p>;
  const take = (): void => once(async () => {
    const { callback } = await call("ReminderService", "acknowledgeCallback", { requestId: newRequestId(), callbackId: c.id });
    put(callback);
  });
  return <button type="button" class="button" disabled={busy} onClick={take}>{w.acknowledge}</button>;
}
