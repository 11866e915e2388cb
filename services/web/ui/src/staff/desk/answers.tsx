// What the customer has written by mail for this callback. One that a member tied to it wrongly moves on from here.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { AnswerJson } from "../../protocol/ringback/v1/answer_service_pb";
import type { CallbackJson } from "../../protocol/ringback/v1/callback_pb";
import { call } from "../shell/api";
import { Dialog } from "../shell/parts";
import { nameOf } from "../shell/phone";
import { memberName } from "../shell/session";
import { toast, toastError } from "../shell/toasts";
import { MailBody, MailHead, movable, tie, WhoseMail } from "../team/mail";
import { mailWords } from "../team/mail_words";
import type { Entry } from "../team/standing";
import { useOnce } from "./callback_actions";

const PAGE = 500;

export function Answers({ callback: c }: { callback: CallbackJson }) {
  const w = mailWords();
  const answers = useSignal<AnswerJson[]>([]);
  const moving = useSignal<AnswerJson | null>(null);
  const load = (): Promise<void> => call("AnswerService", "listAnswers", { callbackId: c.id, pageSize: PAGE })
    // Without a network there is no list of mails; their words stand in the brief.
    .then(({ answers: found }) => void (answers.value = found ?? []), () => {});
  useEffect(() => void load(), [c.id, c.historyCount]);
  if (answers.value.length === 0) return null;
  return (
    <div class="card">
      <h2>{w.ofCallback}</h2>
      <ul class="bare answers">
        {answers.value.map((answer) => (
          <li key={answer.id}>
            <MailHead answer={answer}>
              {answer.match === "MATCH_BY_HAND" && <span class="soft small">{w.tiedBy(memberName(answer.matchedBy))}</span>}
            </MailHead>
            <details>
              <summary>{answer.subject || w.noSubject}</summary>
              <MailBody answer={answer} />
            </details>
            {movable(answer) && <button type="button" class="quiet-button" onClick={() => (moving.value = answer)}>{w.elsewhere}</button>}
          </li>
        ))}
      </ul>
      {moving.value && <Elsewhere answer={moving.value} from={c.id ?? ""} moved={() => void load()} onClose={() => (moving.value = null)} />}
    </div>
  );
}

function Elsewhere({ answer, from, moved, onClose }: { answer: AnswerJson; from: string; moved: () => void; onClose: () => void }) {
  const w = mailWords();
  const [busy, once] = useOnce();
  const sender = answer.sender ?? "";
  const move = (entry: Entry | null): void => once(async () => {
    await tie(answer, entry && entry.id);
    onClose();
    moved();
    const undo = (): void => void tie(answer, from).then(moved, toastError);
    toast(entry ? w.tied(sender, nameOf(entry.callback.caller)) : w.untied(sender), { undo });
  });
  return (
    <Dialog title={w.elsewhere} onClose={onClose}>
      <MailHead answer={answer} />
      <p class="soft">{answer.subject || w.noSubject}</p>
      <WhoseMail answer={answer} busy={busy} choose={move} focused>
        <button type="button" class="quiet-button" onClick={() => move(null)}>{w.toNone}</button>
      </WhoseMail>
    </Dialog>
  );
}
