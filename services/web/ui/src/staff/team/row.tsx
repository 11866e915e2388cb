// One open callback in the team's list: two lines, always of one height.
import type { CallbackJson } from "../../protocol/ringback/v1/callback_pb";
import { tellCalling } from "../desk/callback_actions";
import { Tag } from "../shell/parts";
import { nameOf, phoneOf, telephoneLink } from "../shell/phone";
import { memberName, team } from "../shell/session";
import { ms, span, when } from "../shell/time";
import { callingNow } from "./live_order";
import { awayUntil } from "./members";
import { delivered, RISK_MS, type Entry } from "./standing";
import { teamWords } from "./team_words";

// "Anna Schmidt, Dana Brandt wissen es"
export function whoKnows(c: CallbackJson): string {
  const w = teamWords();
  const names = (c.escalation?.toldMemberIds ?? []).map(memberName).filter(Boolean);
  return names.length === 0 ? "" : names.length === 1 ? w.knowsOne(names[0]) : w.knows(names.join(", "));
}

function dueInWords({ callback: c, at }: Entry, now: number): string {
  const w = teamWords();
  const waits = c.phase === "PHASE_WAITING";
  if (c.phase === "PHASE_TALKED") return w.talked;
  if (at < now - 60000) return (waits ? w.waitingPast : w.overdueBy)(span(now - at));
  if (waits) return w.answerBy;
  return c.phase === "PHASE_FOLLOW_UP" ? w.followUp : w.inTime(span(at - now));
}

export function DeliveryTag({ callback: c }: { callback: CallbackJson }) {
  const how = delivered(c);
  const kind = how === "alarm" ? "bad" : how === "heard" || how === "agreed" ? "good" : "";
  return <Tag kind={kind}>{teamWords().delivered[how]}</Tag>;
}

// `beside`: the assignee's name stands above it, and is not said twice.
export function EscalationLine({ callback: c, now, beside = false }: { callback: CallbackJson; now: number; beside?: boolean }) {
  const w = teamWords();
  const escalation = c.escalation;
  const step = (who: string): string => [escalation?.lastStep ? w.step(escalation.lastStep) : w.reminded, who].filter(Boolean).join(" · ");
  if (ms(escalation?.acknowledgedUntil) > now) {
    return <span class="calm">{w.hasIt(memberName(escalation?.acknowledgedBy), when(escalation?.acknowledgedUntil))}</span>;
  }
  if (!escalation?.alarms) return null;
  const line = step(whoKnows(c));
  const others = (escalation.toldMemberIds ?? []).filter((id) => id !== c.assigneeId).map(memberName).filter(Boolean);
  return <span class="alarmed" title={line}>{beside && c.assigneeId ? step(others.length ? w.also(others.join(", ")) : "") : line}</span>;
}

export function Row({ entry, index, selected, now, rowHeight, choose }: {
  entry: Entry; index: number; selected: boolean; now: number; rowHeight: number; choose: () => void;
}) {
  const w = teamWords();
  const c = entry.callback;
  const soon = !entry.late && entry.at - now < RISK_MS && c.phase !== "PHASE_TALKED";
  const away = team.value?.members?.find((m) => m.id === c.assigneeId);
  const until = away && awayUntil(away, Math.max(entry.at, now));
  const attempts = c.attempts?.length ?? 0;
  return (
    <div
      role="row" id={`row-${entry.id}`} class={`team-row ${entry.late ? "late" : soon ? "soon" : ""}`} aria-rowindex={index + 2} aria-selected={selected}
      tabIndex={selected ? 0 : -1} style={{ transform: `translateY(${index * rowHeight}px)` }}
      onClick={(event) => !(event.target as Element).closest("a, button") && choose()}
    >
      <span role="gridcell" class="due">
        <strong class="numbers">{entry.at ? when(entry.at) : "–"}</strong>
        <span>{dueInWords(entry, now)}</span>
      </span>
      <span role="gridcell" class="caller">
        <strong>{nameOf(c.caller)}</strong>
        <span>
          {c.caller?.phone && <a class="numbers" href={telephoneLink(c.caller.phone)} onClick={() => tellCalling(c)}>{phoneOf(c.caller)}</a>}
          {c.caller?.company && <span class="firm">{c.caller.company}</span>}
        </span>
      </span>
      <span role="gridcell" class="owner">
        <span class={c.assigneeId ? "owner-name" : "owner-name nobody"}>{c.assigneeId ? c.assigneeName || memberName(c.assigneeId) : w.nobody}</span>
        <span class="step">{until ? <span class="alarmed">{w.away(when(until))}</span> : <EscalationLine callback={c} now={now} beside />}</span>
      </span>
      <span role="gridcell" class="message">
        <span class="row-tags">
          {callingNow(entry.id, now) && <Tag kind="good">{w.callingNow}</Tag>}
          <DeliveryTag callback={c} />
          {attempts > 0 && <Tag>{w.attempts(attempts)}</Tag>}
        </span>
        <span class="said">{c.brief?.text || c.note}</span>
      </span>
    </div>
  );
}
