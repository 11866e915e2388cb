// Work that used up its retries: why, and one press to try it again.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { CallerJson } from "../../protocol/ringback/v1/callback_pb";
import type { DeadLetterJson } from "../../protocol/ringback/v1/delivery_service_pb";
import { deliveryReason, useOnce } from "../desk/callback_actions";
import { call, newRequestId } from "../shell/api";
import { callbacks, callbacksVersion } from "../shell/callbacks";
import { Empty, Failed, Loading } from "../shell/parts";
import { nameOf } from "../shell/phone";
import { when } from "../shell/time";
import { toast } from "../shell/toasts";
import { deadLetters, dropLater, loadDeadLetters, remove, shownDeadLetters } from "./inboxes";
import { mailWords } from "./mail_words";
import { teamWords } from "./team_words";

export function DeadLetters() {
  const w = mailWords();
  useEffect(() => void (document.title = teamWords().parts.letters));
  const list = shownDeadLetters.value;
  if (!list) return deadLetters.value.error ? <Failed error={deadLetters.value.error} retry={() => void loadDeadLetters()} /> : <Loading />;
  if (list.length === 0) return <div class="card"><Empty title={w.lettersNone}><p>{w.lettersNoneText}</p></Empty></div>;
  return (
    <>
      <p class="soft">{w.lettersText}</p>
      <ul class="bare">{list.map((letter) => <Letter key={letter.id} letter={letter} />)}</ul>
      {deadLetters.value.next && <button type="button" class="quiet-button" onClick={() => void loadDeadLetters(true)}>{w.more}</button>}
    </>
  );
}

// Of an open callback at once, of a closed one after asking.
function useCaller(id: string | undefined): CallerJson | undefined {
  void callbacksVersion.value;
  const asked = useSignal<CallerJson | undefined>(undefined);
  const open = callbacks.get(id ?? "")?.caller;
  useEffect(() => {
    if (id && !open) call("CallbackService", "getCallback", { id }).then(({ callback }) => (asked.value = callback?.caller), () => {});
  }, [id, !open]);
  return open ?? asked.value;
}

function Letter({ letter }: { letter: DeadLetterJson }) {
  const w = mailWords();
  const [busy, once] = useOnce();
  const caller = useCaller(letter.callbackId);
  const id = letter.id ?? "";
  const what = w.stages[letter.stage ?? ""] ?? letter.stage ?? "";
  const again = (): void => once(async () => {
    await call("DeliveryService", "retryDeadLetter", { requestId: newRequestId(), id });
    remove(deadLetters, id);
    toast(w.retried);
  });
  const drop = (): void => dropLater(deadLetters, id, w.givingUp(what), () => call("DeliveryService", "dropDeadLetter", { requestId: newRequestId(), id }));
  return (
    <li class="card letter">
      <div>
        <p class="mail-head"><strong class="bad-word">{what}</strong> <span class="soft numbers">{w.since(when(letter.createTime))}</span></p>
        {letter.callbackId && <h2><a href={`/desk/${letter.callbackId}`}>{caller ? nameOf(caller) : w.callback}</a> {caller?.company && <span class="soft">{caller.company}</span>}</h2>}
        <p>{w.stageHints[letter.stage ?? ""]}</p>
        <p class="reason">{deliveryReason(letter.reason)}</p>
      </div>
      <div class="actions">
        <button type="button" class="button main" disabled={busy} onClick={again}>{w.again}</button>
        <button type="button" class="quiet-button" onClick={drop}>{w.giveUp}</button>
      </div>
    </li>
  );
}
