// One caller: everything about this callback, and what can be corrected.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { CallbackJson, HistoryEventJson } from "../../protocol/ringback/v1/callback_pb";
import { call, newRequestId } from "../shell/api";
import { callbacks, callbacksVersion, put } from "../shell/callbacks";
import { Dialog, Failed, Loading, Tag } from "../shell/parts";
import { nameOf, phoneOf } from "../shell/phone";
import { navigate } from "../shell/router";
import { me, memberName } from "../shell/session";
import { when } from "../shell/time";
import { toast, toastError } from "../shell/toasts";
import { shellWords } from "../shell/words";
import { Answers } from "./answers";
import { Acknowledge, Brief, CallLink, DeliveryAlarm, Outcomes, Proposal, useOnce } from "./callback_actions";
import { PastWithCustomer } from "./customer_history";
import { deskWords } from "./desk_words";
import { eventInWords } from "./history_words";
import { Countdown, Standing } from "./promises";
import { callMs } from "./who";

// The live one, else asked for (closed, or not in the list yet).
export function useCallback(id: string): { callback: CallbackJson | undefined; error: unknown; again: () => void } {
  const found = useSignal<CallbackJson | undefined>(undefined);
  const error = useSignal<unknown>(null);
  void callbacksVersion.value;
  const live = callbacks.get(id);
  const ask = (): void => {
    error.value = null;
    call("CallbackService", "getCallback", { id }).then(({ callback }) => (found.value = callback), (e) => (error.value = e));
  };
  useEffect(() => {
    if (!live) ask();
  }, [id, !live]);
  return { callback: live ?? found.value, error: live ? null : error.value, again: ask };
}

export function CallerPage({ id }: { id: string }) {
  const w = deskWords();
  const { callback: c, error, again } = useCallback(id);
  const editing = useSignal(false);
  const cancelling = useSignal(false);
  useEffect(() => void (document.title = nameOf(c?.caller)));
  if (!c) return error ? <Failed error={error} retry={again} /> : <Loading />;
  const closed = c.phase === "PHASE_CLOSED";
  const promised = !closed && c.phase !== "PHASE_WAITING";
  return (
    <>
      <p><a href="/desk">← {w.back}</a></p>
      <div class="desk">
        <section>
          <div class={c.overdue ? "card next late" : "card next"}>
            {promised && <div class="next-when"><span class="when">{when(callMs(c))}</span><Countdown at={callMs(c)} /></div>}
            <h1 class="next-who">{nameOf(c.caller)}</h1>
            {c.caller?.company && <p class="soft next-company">{c.caller.company}</p>}
            <div class="row-tags">
              <Standing callback={c} />
              {(c.rings ?? 1) > 1 && <Tag kind="warn">{w.rang(c.rings ?? 1)}</Tag>}
              {c.assigneeId ? <Tag>{c.assigneeId === me.value?.member.id ? w.mine : w.ofMember(c.assigneeName ?? "")}</Tag> : <Tag>{w.unassigned}</Tag>}
            </div>
            <DeliveryAlarm callback={c} />
            <Proposal callback={c} />
            <Brief callback={c} />
            {c.note && <p><strong>{w.note}:</strong> {c.note}</p>}
            {!closed && (
              <div class="actions next-call">
                {c.phase === "PHASE_WAITING" && <a class="button main large" href={`/desk/${c.id}/speak`}>{w.speak}</a>}
                <CallLink callback={c} large={promised} />
                <Acknowledge callback={c} />
              </div>
            )}
            {!closed && <Outcomes callback={c} />}
            {closed && <Closed callback={c} reopened={again} />}
          </div>
        </section>
        <section>
          <div class="card">
            <dl class="facts">
              <dt>{w.phone}</dt><dd class="numbers">{phoneOf(c.caller) || "–"}</dd>
              <dt>{w.email}</dt><dd>{c.caller?.email || "–"}</dd>
              {c.caller?.timeZone && <><dt>{c.caller.timeZone}</dt><dd /></>}
            </dl>
            {!closed && (
              <div class="actions">
                <button type="button" class="button" onClick={() => (editing.value = true)}>{w.change}</button>
                <button type="button" class="quiet-button" onClick={() => (cancelling.value = true)}>{w.cancelCallback}</button>
              </div>
            )}
          </div>
          <Promises callback={c} />
          <Answers callback={c} />
          <div class="card"><h2>{w.history}</h2><PastWithCustomer callback={c} /></div>
          <History callback={c} />
        </section>
      </div>
      {editing.value && <EditCaller callback={c} onClose={() => (editing.value = false)} />}
      {cancelling.value && <Cancel callback={c} onClose={() => (cancelling.value = false)} />}
    </>
  );
}

function Closed({ callback: c, reopened }: { callback: CallbackJson; reopened: () => void }) {
  const w = deskWords();
  const [busy, once] = useOnce();
  const reopen = (): void => once(async () => {
    put((await call("CallbackService", "reopenCallback", { requestId: newRequestId(), callbackId: c.id })).callback);
    toast(w.reopened(nameOf(c.caller)));
    reopened();
  });
  const calledOff = c.closing === "CLOSING_CALLED_OFF";
  return (
    <div class="note">
      <p>{calledOff ? w.calledOff : `${w.closed}: ${c.disposition || c.closeReason || when(c.closeTime)}`}</p>
      {calledOff && <button type="button" class="button" disabled={busy} onClick={reopen}>{w.reopen}</button>}
    </div>
  );
}

export function Promises({ callback: c }: { callback: CallbackJson }) {
  const w = deskWords();
  if (!c.promises?.length && !c.attempts?.length) return null;
  return (
    <div class="card">
      <h2>{w.allPromises}</h2>
      <ul class="bare past">
        {c.promises?.map((p) => (
          <li key={p.revision}>
            <strong class="numbers">{when(p.promisedTime)}</strong>
            <span>{w.channels[p.channel as keyof typeof w.channels] ?? ""}</span>
            {p.state === "STATE_PENDING" && <Tag>{w.pending}</Tag>}
            {p.state === "STATE_NOT_DELIVERED" && <Tag kind="bad">{w.alarm}</Tag>}
            {p.verdict && p.verdict !== "VERDICT_UNSPECIFIED" && (
              <Tag kind={p.verdict === "VERDICT_KEPT" ? "good" : p.verdict === "VERDICT_MISSED" || p.verdict === "VERDICT_LATE" ? "bad" : ""}>
                {w.verdicts[p.verdict as keyof typeof w.verdicts]}
              </Tag>
            )}
          </li>
        ))}
      </ul>
      {!!c.attempts?.length && <h3 class="later">{w.attempts}</h3>}
      <ul class="bare past">
        {c.attempts?.map((a, i) => (
          <li key={i}>
            <strong class="numbers">{when(a.calledTime)}</strong>
            <span>{w.outcomes[(a.outcome ?? "").toString().replace("ATTEMPT_OUTCOME_", "") as keyof typeof w.outcomes]}</span>
            <span class="soft">{memberName(a.author)} {a.note}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

function History({ callback: c }: { callback: CallbackJson }) {
  const w = deskWords();
  const events = useSignal<HistoryEventJson[] | null>(null);
  useEffect(() => {
    call("CallbackService", "listHistory", { callbackId: c.id, pageSize: 200 }).then(
      ({ events: found }) => (events.value = found ?? []), () => (events.value ??= []));
  }, [c.id, c.historyCount]);
  return (
    <details class="card done">
      <summary>{w.everything} <span class="count">{c.historyCount ?? 0}</span></summary>
      {!events.value ? <Loading /> : (
        <ol class="bare past">
          {events.value.map((e) => (
            <li key={e.number}>
              <span class="numbers">{when(e.eventTime)}</span>
              <span>{eventInWords(e)}</span>
              <span class="soft">{memberName(e.author)}</span>
            </li>
          ))}
        </ol>
      )}
    </details>
  );
}

function EditCaller({ callback: c, onClose }: { callback: CallbackJson; onClose: () => void }) {
  const w = deskWords();
  const [busy, once] = useOnce();
  const field = (name: "name" | "company" | "phone" | "email", type = "text") => (
    <label><span class="label">{w[name]}</span><input class="field" name={name} type={type} value={c.caller?.[name] ?? ""} autoComplete="off" /></label>
  );
  const save = (event: SubmitEvent): void => {
    event.preventDefault();
    const caller = Object.fromEntries(new FormData(event.target as HTMLFormElement)) as Record<string, string>;
    once(async () => {
      const { callback } = await call("CallbackService", "updateCaller", {
        requestId: newRequestId(), callbackId: c.id, caller, updateMask: "name,company,phone,email",
      });
      put(callback);
      onClose();
    });
  };
  return (
    <Dialog title={w.change} onClose={onClose}>
      <form onSubmit={save}>
        {field("name")}
        {field("company")}
        {field("phone", "tel")}
        {field("email", "email")}
        <div class="actions form-end">
          <button type="submit" class="button main" disabled={busy}>{w.save}</button>
          <button type="button" class="button" onClick={onClose}>{shellWords().cancel}</button>
        </div>
      </form>
    </Dialog>
  );
}

function Cancel({ callback: c, onClose }: { callback: CallbackJson; onClose: () => void }) {
  const w = deskWords();
  const [busy, once] = useOnce();
  const reason = useSignal("");
  const close = (event: SubmitEvent): void => {
    event.preventDefault();
    once(async () => {
      try {
        put((await call("CallbackService", "cancelCallback", { requestId: newRequestId(), callbackId: c.id, reason: reason.value })).callback);
      } catch (error) {
        return void toastError(error);
      }
      toast(w.cancelled);
      navigate("/desk");
    });
  };
  return (
    <Dialog title={w.cancelCallback} onClose={onClose}>
      <form onSubmit={close}>
        <label><span class="label">{w.cancelReason}</span>
          <textarea class="field" required value={reason.value} onInput={(event) => (reason.value = event.currentTarget.value)} /></label>
        <div class="actions form-end">
          <button type="submit" class="button stop" disabled={busy || !reason.value.trim()}>{w.cancelCallback}</button>
          <button type="button" class="button" onClick={onClose}>{shellWords().cancel}</button>
        </div>
      </form>
    </Dialog>
  );
}
