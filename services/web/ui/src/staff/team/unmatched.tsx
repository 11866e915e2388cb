// Mail that found no callback: whose it could be, and one press to tie it.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { AnswerJson } from "../../protocol/ringback/v1/answer_service_pb";
import { useOnce } from "../desk/callback_actions";
import { call, newRequestId } from "../shell/api";
import { callbacksVersion } from "../shell/callbacks";
import { Empty, Failed, Loading, Tag } from "../shell/parts";
import { nameOf } from "../shell/phone";
import { number, when } from "../shell/time";
import { toast, toastError } from "../shell/toasts";
import { dropLater, loadUnmatched, remove, shownUnmatched, unmatched } from "./inboxes";
import { orderedCallbacks } from "./live_order";
import { mailWords } from "./mail_words";
import { plain, type Entry } from "./standing";
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

// Providers of mail for everybody: the same domain says nothing there.
const PUBLIC = /^(gmail|googlemail|gmx|web|outlook|hotmail|live|yahoo|icloud|t-online|freenet|posteo|mailbox|aol|proton|protonmail)\./;

// Whose mail it could be: the sender's own callback first, then those of the same firm, then whoever is named in it.
function candidatesFor(answer: AnswerJson, entries: Entry[]): Entry[] {
  const sender = (answer.sender ?? "").toLowerCase();
  const domain = sender.split("@")[1] ?? "";
  const words = new Set(plain(`${answer.subject ?? ""} ${answer.text ?? ""}`).split(/[^\p{L}-]+/u));
  const points = ({ callback: { caller } }: Entry): number => {
    const email = caller?.email?.toLowerCase() ?? "";
    const surname = plain(caller?.name ?? "").split(/\s+/).pop() ?? "";
    return (email && email === sender ? 4 : 0) + (domain && !PUBLIC.test(domain) && email.endsWith("@" + domain) ? 2 : 0) + (surname.length > 2 && words.has(surname) ? 1 : 0);
  };
  const rated = entries.map((entry) => ({ entry, points: points(entry) })).filter((one) => one.points > 0);
  const sure = rated.filter((one) => one.points >= 4);
  return (sure.length ? sure : rated).sort((a, b) => b.points - a.points).slice(0, 4).map((one) => one.entry);
}

function Mail({ answer }: { answer: AnswerJson }) {
  const w = mailWords();
  const [busy, once] = useOnce();
  const asked = useSignal("");
  void callbacksVersion.value;
  const entries = orderedCallbacks();
  const words = plain(asked.value).split(/\s+/).filter(Boolean);
  const found = words.length ? entries.filter((e) => words.every((word) => e.text.includes(word))).slice(0, 8) : candidatesFor(answer, entries);
  const kind = w.kinds[answer.kind as string];
  const tie = (entry: Entry): void => once(async () => {
    await call("AnswerService", "tieAnswer", { requestId: newRequestId(), answerId: answer.id, callbackId: entry.id });
    remove(unmatched, answer.id ?? "");
    const undo = (): void => void call("AnswerService", "tieAnswer", { requestId: newRequestId(), answerId: answer.id, unmatched: true })
      .then(() => loadUnmatched(), toastError);
    // A calendar's answer stays where it is.
    toast(w.tied(answer.sender ?? "", nameOf(entry.callback.caller)), answer.kind === "KIND_CALENDAR" ? {} : { undo });
  });
  const drop = (): void => dropLater(unmatched, answer.id ?? "", w.dropping(answer.sender ?? ""),
    () => call("AnswerService", "dropAnswer", { requestId: newRequestId(), answerId: answer.id }));
  return (
    <li class="card mail">
      <div class="mail-text">
        <p class="mail-head"><strong>{answer.sender}</strong> <span class="soft numbers">{when(answer.createTime)}</span> {kind && <Tag kind="warn">{kind}</Tag>}</p>
        <h2>{answer.subject || w.noSubject}</h2>
        {answer.text ? <blockquote>{answer.text}</blockquote> : <p class="soft">{w.noText}</p>}
        {answer.remarks?.map((remark) => <p key={remark} class="small soft">{remark}</p>)}
        <ul class="bare files">
          {answer.attachments?.map((file, i) => (
            <li key={i}>
              {file.dropReason ? <span class="soft">{file.fileName} ({w.dropped[file.dropReason] ?? file.dropReason})</span>
                : <a href={`/api/v1/answers/${answer.id}/attachments/${i + 1}`} download={file.fileName}>{file.fileName}</a>}
              {" "}<span class="soft small numbers">{number(Math.max(1, Math.round(Number(file.sizeBytes ?? 0) / 1024)))} KB</span>
            </li>
          ))}
          {Number(answer.originalSizeBytes ?? 0) > 0 && <li><a href={`/api/v1/answers/${answer.id}/original`} download>{w.original}</a></li>}
        </ul>
      </div>
      <fieldset class="tie" disabled={busy}>
        <legend>{w.tie}</legend>
        <ul class="bare">
          {found.map((entry) => (
            <li key={entry.id}>
              <button type="button" class="plain" onClick={() => tie(entry)}>
                <span class="member-name"><strong>{nameOf(entry.callback.caller)}</strong> <span class="soft small">{entry.callback.caller?.company}</span></span>
                <span class="soft small numbers">{when(entry.at)} · {entry.callback.assigneeName || teamWords().nobody}</span>
              </button>
            </li>
          ))}
          {words.length > 0 && found.length === 0 && <li class="soft">{w.tieNone}</li>}
        </ul>
        <input
          class="field" type="search" aria-label={w.tieSearch} placeholder={`${w.tieSearch}: ${w.tieHint}`} value={asked.value}
          onInput={(event) => (asked.value = event.currentTarget.value)}
        />
        <button type="button" class="quiet-button" onClick={drop}>{w.drop}</button>
      </fieldset>
    </li>
  );
}
