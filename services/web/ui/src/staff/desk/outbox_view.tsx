// What is not yet with the customer: the ten seconds to think again, the outbox, and the list at the end of a row.
import { useEffect } from "preact/hooks";
import { useKeys } from "../shell/keys";
import { liveState } from "../shell/live";
import { Tag } from "../shell/parts";
import { inWords } from "../shell/refusals";
import { navigate, path } from "../shell/router";
import { clock, nowMs, second, when } from "../shell/time";
import { toast } from "../shell/toasts";
import { HOLD_MS, onSent, takes, uploadShare } from "./outbox";
import { rowClear, rowEnded, rowSent, rowTakeBack } from "./row";
import { speakWords } from "./speak_words";
import { changeTake, dropTake, putTake, type Take } from "./takes";

// So long a message takes when nothing is in the way.
const LONG_MS = 10000;

export async function copyLink(url: string): Promise<void> {
  await navigator.clipboard.writeText(url);
  toast(speakWords().copied);
}

async function takeBack(take: Take): Promise<void> {
  const back = await changeTake(take.id, ["held"], { state: "draft", holdUntilMs: undefined });
  if (!back) return;
  rowTakeBack(take.id);
  toast(speakWords().undone);
  navigate(`/desk/${take.callbackId}/speak`);
}

export function Holding() {
  const w = speakWords();
  const held = takes.value.filter((take) => take.state === "held" && (take.holdUntilMs ?? 0) > second.value - 1500);
  const newest = held[held.length - 1];
  useKeys(newest ? [{ key: "z", help: w.undo, act: () => void takeBack(newest) }] : []);
  useEffect(() => onSent((take) => {
    if (!take.promise) return;
    const said = take.promise.channel === "PROMISE_CHANNEL_SPOKEN" ? w.noted : w.sentTo;
    const url = take.promise.channel === "PROMISE_CHANNEL_LINK_SHARED" ? take.pageUrl : undefined;
    toast(said(take.who, when(take.promise.promisedMs)), url ? { undo: () => void copyLink(url), undoLabel: w.copyLink, seconds: 20 } : {});
  }), []);
  // On the desk itself the outbox shows them.
  const going = path.value === "/desk" ? [] : takes.value.filter((take) => take.state === "queued");
  if (held.length === 0 && going.length === 0) return null;
  return (
    <div class="holding" role="status">
      {going.map((take) => <a class="hold going" href="/desk" key={take.id}><strong>{take.who}</strong> {stateOf(take)}</a>)}
      {held.map((take) => {
        const left = Math.min(HOLD_MS / 1000, Math.max(0, Math.ceil(((take.holdUntilMs ?? 0) - second.value) / 1000)));
        return (
          <div class="hold" key={take.id}>
            <span class="hold-text">
              <strong>{w.holding(take.who, left)}</strong>
              {take.promise && <span class="numbers">{when(take.promise.promisedMs)}</span>}
            </span>
            <button type="button" class="button main" onClick={() => void takeBack(take)}>{w.undo} <kbd>Z</kbd></button>
            <button type="button" class="quiet-button" onClick={() => void changeTake(take.id, ["held"], { holdUntilMs: nowMs() })}>{w.sendNow}</button>
          </div>
        );
      })}
    </div>
  );
}

// What stays until somebody acts stands in the page, where it covers nothing.
export function Stuck() {
  const w = speakWords();
  const stuck = path.value === "/desk" ? [] : takes.value.filter((take) => (take.state === "late" || take.state === "refused") && !path.value.startsWith(`/desk/${take.callbackId}/`));
  if (stuck.length === 0) return null;
  return (
    <p class="stuck" role="status">
      {stuck.map((take) => (
        <a class="note bad" href={`/desk/${take.callbackId}/speak`} key={take.id}><strong>{take.who}</strong> {take.state === "late" ? w.lateAction : w.refused}</a>
      ))}
    </p>
  );
}

function stateOf(take: Take) {
  const w = speakWords();
  const share = uploadShare.value[take.id];
  if (take.state === "late") return <Tag kind="bad">{w.late(take.promise ? when(take.promise.promisedMs) : "")}</Tag>;
  if (take.state === "refused") return <Tag kind="bad">{w.refused}: {take.refused ? inWords(take.refused) : take.error}</Tag>;
  if (take.state === "draft") return <Tag kind="warn">{w.draft}</Tag>;
  if (take.state === "sent") return <Tag kind="good">{w.sent}</Tag>;
  if (!navigator.onLine || liveState.value !== "live") return <Tag kind="warn">{w.waitingNetwork}</Tag>;
  if (share !== undefined && share < 1) return <Tag>{w.uploading(Math.round(share * 100))}</Tag>;
  return <Tag>{nowMs() - (take.holdUntilMs ?? 0) > LONG_MS ? w.retrying : w.sending}</Tag>;
}

export function Outbox() {
  const w = speakWords();
  const shown = takes.value.filter((take) =>
    ["queued", "late", "refused"].includes(take.state) || (take.state === "draft" && take.seconds > 0) ||
    (take.state === "sent" && take.promise?.channel === "PROMISE_CHANNEL_LINK_SHARED"));
  if (shown.length === 0) return null;
  return (
    <section class="card outbox" aria-labelledby="outbox">
      <h2 id="outbox">{w.outbox}</h2>
      <ul class="bare">
        {shown.map((take) => (
          <li key={take.id} class="outbox-row">
            <div>
              <strong>{take.who}</strong> {take.promise && <span class="numbers">{when(take.promise.promisedMs)}</span>}
              <div class="outbox-state">{stateOf(take)}</div>
            </div>
            <div class="actions">
              {take.state === "late" && <a class="button main" href={`/desk/${take.callbackId}/speak`}>{w.lateAction}</a>}
              {(take.state === "draft" || take.state === "refused") && <a class="button" href={`/desk/${take.callbackId}/speak`}>{w.toDraft}</a>}
              {take.state === "sent" && take.pageUrl && <button type="button" class="button main" onClick={() => void copyLink(take.pageUrl!)}>{w.copyLink}</button>}
              {take.state !== "queued" && (
                <button type="button" class="quiet-button" onClick={() => void discard(take)}>{take.state === "sent" ? w.finish : w.discard}</button>
              )}
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}

async function discard(take: Take): Promise<void> {
  await dropTake(take.id);
  if (take.state !== "sent") toast(speakWords().discarded, { undo: () => void putTake(take) });
}

// "3 sent: 13:00, 13:20, 13:40"
export function RowList() {
  const w = speakWords();
  if (rowSent.value.length === 0) return null;
  return (
    <section class="card note row-list" aria-labelledby="row" data-ended={rowEnded.value}>
      <div class="spread">
        <h2 id="row">{w.rowList(rowSent.value.length, rowSent.value.map((entry) => clock(entry.promisedMs)).join(", "))}</h2>
        <button type="button" class="button" onClick={rowClear}>{w.finish}</button>
      </div>
      <ul class="bare">
        {rowSent.value.map((entry) => (
          <li key={entry.takeId}>
            <span class="numbers">{when(entry.promisedMs)}</span> <a href={`/desk/${entry.callbackId}`}>{entry.who}</a>
          </li>
        ))}
      </ul>
    </section>
  );
}
