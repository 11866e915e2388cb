// One mail of a customer's, wherever it is shown: what it says, and to choose whose it is.
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import type { AnswerJson } from "../../protocol/ringback/v1/answer_service_pb";
import { call, newRequestId } from "../shell/api";
import { callbacksVersion } from "../shell/callbacks";
import { Tag } from "../shell/parts";
import { nameOf } from "../shell/phone";
import { number, when } from "../shell/time";
import { orderedCallbacks } from "./live_order";
import { mailWords } from "./mail_words";
import { plain, type Entry } from "./standing";
import { teamWords } from "./team_words";

// To no callback that is known: back among those without one.
export const tie = (answer: AnswerJson, callbackId: string | null) => call("AnswerService", "tieAnswer",
  { requestId: newRequestId(), answerId: answer.id, ...(callbackId ? { callbackId } : { unmatched: true }) });

// A calendar's answer stays where it is, and so does what found its callback by itself.
export const movable = (answer: AnswerJson): boolean => answer.match === "MATCH_BY_HAND" && answer.kind !== "KIND_CALENDAR";

export function MailHead({ answer, children }: { answer: AnswerJson; children?: ComponentChildren }) {
  const kind = mailWords().kinds[answer.kind as string];
  return (
    <p class="mail-head">
      <strong>{answer.sender}</strong> <span class="soft numbers">{when(answer.createTime)}</span> {kind && <Tag kind="warn">{kind}</Tag>}{children}
    </p>
  );
}

export function MailBody({ answer }: { answer: AnswerJson }) {
  const w = mailWords();
  return (
    <>
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

// The callbacks that it could belong to, or that are looked for, but the one it lies with. `focused`: begin here, it has just
// opened. Below stands what else can become of it.
export function WhoseMail({ answer, busy, choose, focused = false, children }: {
  answer: AnswerJson; busy: boolean; choose: (entry: Entry) => void; focused?: boolean; children?: ComponentChildren;
}) {
  const w = mailWords();
  const asked = useSignal("");
  void callbacksVersion.value;
  const entries = orderedCallbacks().filter((entry) => entry.id !== answer.callbackId);
  const words = plain(asked.value).split(/\s+/).filter(Boolean);
  const found = words.length ? entries.filter((e) => words.every((word) => e.text.includes(word))).slice(0, 8) : candidatesFor(answer, entries);
  return (
    <fieldset class="tie" disabled={busy}>
      <legend>{w.tie}</legend>
      <ul class="bare">
        {found.map((entry, i) => (
          <li key={entry.id}>
            <button type="button" class="plain" autofocus={focused && i === 0} onClick={() => choose(entry)}>
              <span class="member-name"><strong>{nameOf(entry.callback.caller)}</strong> <span class="soft small">{entry.callback.caller?.company}</span></span>
              <span class="soft small numbers">{when(entry.at)} · {entry.callback.assigneeName || teamWords().nobody}</span>
            </button>
          </li>
        ))}
        {words.length > 0 && found.length === 0 && <li class="soft">{w.tieNone}</li>}
      </ul>
      <input
        class="field" type="search" aria-label={w.tieSearch} placeholder={`${w.tieSearch}: ${w.tieHint}`} value={asked.value}
        autofocus={focused && found.length === 0} onInput={(event) => (asked.value = event.currentTarget.value)}
      />
      {children}
    </fieldset>
  );
}
