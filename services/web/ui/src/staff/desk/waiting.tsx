// Who waits: callers without a promise, longest first.
import { useSignal } from "@preact/signals";
import type { CallbackJson } from "../../protocol/ringback/v1/callback_pb";
import { call, newRequestId } from "../shell/api";
import { loadedWhole, put } from "../shell/callbacks";
import { useKeys } from "../shell/keys";
import { Dialog, Empty, Loading, Tag } from "../shell/parts";
import { nameOf, phoneBeside } from "../shell/phone";
import { navigate } from "../shell/router";
import { me } from "../shell/session";
import { halfMinute, ms, nowMs, span, when } from "../shell/time";
import { toast, toastError } from "../shell/toasts";
import { shellWords } from "../shell/words";
import { PastWithCustomer } from "./customer_history";
import { deskWords } from "./desk_words";

const AT_FIRST = 30;

export function Waiting({ callers }: { callers: CallbackJson[] }) {
  const w = deskWords();
  const shown = useSignal(AT_FIRST);
  const adding = useSignal(false);
  const move = (by: number): void => {
    const rows = [...document.querySelectorAll<HTMLElement>(".waiting-row .speak-link")];
    const at = rows.findIndex((row) => row === document.activeElement);
    rows[Math.min(rows.length - 1, Math.max(0, at + by))]?.focus();
  };
  useKeys([
    { key: "n", help: w.addCaller, act: () => (adding.value = true) },
    { key: "s", help: w.speak, act: () => callers[0] && navigate(`/desk/${callers[0].id}/speak`) },
    { key: "j", help: w.down, act: () => move(1) },
    { key: "k", help: w.up, act: () => move(-1) },
  ]);
  void halfMinute.value;
  return (
    <section aria-labelledby="waiting">
      <div class="spread section-head">
        <h2 id="waiting">{w.waiting} <span class="count">{callers.length}</span></h2>
        <button type="button" class="button" onClick={() => (adding.value = true)}>{w.addCaller}</button>
      </div>
      {callers.length === 0 && !loadedWhole.value && <Loading />}
      {callers.length === 0 && loadedWhole.value && <div class="card"><Empty title={w.waitingEmpty}><p>{w.waitingEmptyText}</p></Empty></div>}
      <ul class="bare">{callers.slice(0, shown.value).map((c) => <Row key={c.id} caller={c} />)}</ul>
      {callers.length > shown.value && (
        <button type="button" class="quiet-button" onClick={() => (shown.value += 100)}>{w.more(callers.length - shown.value)}</button>
      )}
      {adding.value && <AddCaller onClose={() => (adding.value = false)} />}
    </section>
  );
}

function Row({ caller: c }: { caller: CallbackJson }) {
  const w = deskWords();
  const open = useSignal(false);
  const late = ms(c.dueTime) <= nowMs();
  const rings = c.rings ?? 1;
  return (
    <li class="card waiting-row">
      <div class="row-main">
        <div class="row-who">
          <a class="row-name" href={`/desk/${c.id}`}>{nameOf(c.caller)}</a>
          <p class="row-facts">
            {c.caller?.company && <span>{c.caller.company}</span>}
            {phoneBeside(c.caller) && <span class="numbers">{phoneBeside(c.caller)}</span>}
          </p>
        </div>
        <a class="button main speak-link" href={`/desk/${c.id}/speak`} aria-label={`${w.speak}: ${nameOf(c.caller)}`}>{w.speak}</a>
      </div>
      {c.note && <p class="row-note">{c.note}</p>}
      <div class="row-tags">
        <Tag kind={late ? "bad" : ""}>{w.waitsFor(span(nowMs() - ms(c.createTime)))}</Tag>
        {rings > 1 && <Tag kind="warn">{w.rang(rings)}</Tag>}
        {late && <Tag kind="bad">{w.answerLate(when(c.dueTime))}</Tag>}
        {c.deliveryAlarm && <Tag kind="bad">{w.alarm}</Tag>}
        {c.assigneeId === me.value?.member.id ? <Tag>{w.mine}</Tag> : <Tag>{w.unassigned}</Tag>}
        <button type="button" class="quiet-button row-more" aria-expanded={open.value} aria-label={`${w.history}: ${nameOf(c.caller)}`} onClick={() => (open.value = !open.value)}>{w.historyShort}</button>
      </div>
      {open.value && <PastWithCustomer callback={c} />}
    </li>
  );
}

// By hand: somebody rang at the front desk.
function AddCaller({ onClose }: { onClose: () => void }) {
  const w = deskWords();
  const wrong = useSignal("");
  const busy = useSignal(false);
  const requestId = useSignal(newRequestId());
  const add = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const given = Object.fromEntries(new FormData(event.target as HTMLFormElement)) as Record<string, string>;
    const { note, ...caller } = given;
    if (!caller.name.trim() && !caller.phone.trim() && !caller.email.trim()) return void (wrong.value = w.needsOne);
    busy.value = true;
    try {
      const answer = await call("CallbackService", "createCallback", { requestId: requestId.value, caller, note });
      put(answer.callback);
      const who = nameOf(answer.callback?.caller);
      toast(answer.rangAgain ? w.rangAgain(who, answer.callback?.rings ?? 2) : w.added(who));
      onClose();
    } catch (error) {
      // What is corrected is another request.
      if (!(error as { passing?: boolean }).passing) requestId.value = newRequestId();
      toastError(error);
    }
    busy.value = false;
  };
  return (
    <Dialog title={w.addCaller} onClose={onClose}>
      <form onSubmit={(event) => void add(event)} noValidate>
        <label><span class="label">{w.name}</span><input class="field" name="name" autoComplete="off" autofocus /></label>
        <div class="two">
          <label><span class="label">{w.phone}</span><input class="field" name="phone" type="tel" autoComplete="off" /></label>
          <label><span class="label">{w.company}</span><input class="field" name="company" autoComplete="off" /></label>
        </div>
        <label><span class="label">{w.email}</span><input class="field" name="email" type="email" autoComplete="off" /></label>
        <label><span class="label">{w.note}</span><textarea class="field" name="note" maxLength={2000} /></label>
        {wrong.value && <p class="hint bad" role="alert">{wrong.value}</p>}
        <div class="actions form-end">
          <button type="submit" class="button main" disabled={busy.value}>{w.add}</button>
          <button type="button" class="button" onClick={onClose}>{shellWords().cancel}</button>
        </div>
      </form>
    </Dialog>
  );
}
