// Mail that found no callback: whose it could be, and one press to tie it.
import { useEffect } from "preact/hooks";
import type { AnswerJson } from "../../protocol/ringback/v1/answer_service_pb";
import { useOnce } from "../desk/callback_actions";
import { call, newRequestId } from "../shell/api";
import { Empty, Failed, Loading } from "../shell/parts";
import { nameOf } from "../shell/phone";
import { toast, toastError } from "../shell/toasts";
import { dropLater, loadUnmatched, remove, shownUnmatched, unmatched } from "./inboxes";
import { MailBody, MailHead, tie, WhoseMail } from "./mail";
import { mailWords } from "./mail_words";
import type { Entry } from "./standing";
import { teamWords } from "./team_words";

export function Unmatched() {
  const w = mailWords();
  useEffect(() => void (document.title = teamWords().parts.mail));
  const list = shownUnmatched.value;
  if (!list) return unmatched.value.error ? <Failed error={unmatched.value.error} retry={() => void loadUnmatched()} /> : <Loading />;
  if (list.length === 0) return <div class="card"><Empty title={w.mailNone}><p>{w.mailNoneText}</p></Empty></div>;
  return (
    <>
      <p class="soft">{w.mailText}</p>
      <ul class="bare">{list.map((answer) => <Mail key={answer.id} answer={answer} />)}</ul>
      {unmatched.value.next && <button type="button" class="quiet-button" onClick={() => void loadUnmatched(true)}>{w.more}</button>}
    </>
  );
}

function Mail({ answer }: { answer: AnswerJson }) {
  const w = mailWords();
  const [busy, once] = useOnce();
  const choose = (entry: Entry): void => once(async () => {
    await tie(answer, entry.id);
    remove(unmatched, answer.id ?? "");
    const undo = (): void => void tie(answer, null).then(() => loadUnmatched(), toastError);
    // A calendar's answer stays where it is.
    toast(w.tied(answer.sender ?? "", nameOf(entry.callback.caller)), answer.kind === "KIND_CALENDAR" ? {} : { undo });
  });
  const drop = (): void => dropLater(unmatched, answer.id ?? "", w.dropping(answer.sender ?? ""),
    () => call("AnswerService", "dropAnswer", { requestId: newRequestId(), answerId: answer.id }));
  return (
    <li class="card mail">
      <div class="mail-text">
        <MailHead answer={answer} />
        <h2>{answer.subject || w.noSubject}</h2>
        <MailBody answer={answer} />
      </div>
      <WhoseMail answer={answer} busy={busy} choose={choose}>
        <button type="button" class="quiet-button" onClick={drop}>{w.drop}</button>
      </WhoseMail>
    </li>
  );
}
