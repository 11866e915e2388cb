// One callback beside the list: what is to know about it, and every way to save it.
import type { CallbackJson } from "../../protocol/ringback/v1/callback_pb";
import { Brief, CallLink, DeliveryAlarm, Outcomes, Proposal } from "../desk/callback_actions";
import { Promises } from "../desk/caller_page";
import { deskWords } from "../desk/desk_words";
import { Standing, TheirClock } from "../desk/promises";
import { Tag } from "../shell/parts";
import { nameOf } from "../shell/phone";
import { memberName, team } from "../shell/session";
import { halfMinute, ms, span, when } from "../shell/time";
import { awayUntil } from "./members";
import { acknowledge, acknowledgeable, isMine, reassigning, takeOver } from "./rescue";
import { EscalationLine, whoKnows } from "./row";
import { entryOf } from "./standing";
import { teamWords } from "./team_words";

export function Panel({ callback: c }: { callback: CallbackJson }) {
  const w = teamWords();
  const now = halfMinute.value;
  const { at, late } = entryOf(c);
  const owner = team.value?.members?.find((m) => m.id === c.assigneeId);
  const until = owner && awayUntil(owner, Math.max(at, now));
  return (
    <article class={late ? "card panel late" : "card panel"} aria-labelledby="panel-who">
      <p class="panel-due"><strong class="when">{when(at)}</strong> {c.phase !== "PHASE_TALKED" && at < now - 60000 && <span class="countdown over">{w.overdueBy(span(now - at))}</span>} {c.phase !== "PHASE_TALKED" && <TheirClock callback={c} at={at} />}</p>
      <h2 id="panel-who" class="next-who">{nameOf(c.caller)}</h2>
      {c.caller?.company && <p class="soft next-company">{c.caller.company}</p>}
      <div class="row-tags panel-tags">
        {c.assigneeId ? <Tag>{memberName(c.assigneeId) || c.assigneeName}</Tag> : <Tag kind="warn">{w.nobody}</Tag>}
        {until && <Tag kind="warn">{w.away(when(until))}</Tag>}
        <Standing callback={c} />
      </div>
      <div class="actions panel-actions">
        <CallLink callback={c} large />
        {!isMine(c) && <button type="button" class="button" onClick={() => takeOver(c)}>{w.takeOver} <kbd>T</kbd></button>}
        <button type="button" class="button" onClick={() => (reassigning.value = c)}>{w.reassign} <kbd>R</kbd></button>
        <a class="button" href={`/desk/${c.id}/speak`}>{w.rePromise} <kbd>V</kbd></a>
        {acknowledgeable(c) && <button type="button" class="button" onClick={() => acknowledge(c)}>{w.acknowledge} <kbd>A</kbd></button>}
      </div>
      <DeliveryAlarm callback={c} />
      <Proposal callback={c} />
      <Brief callback={c} />
      {c.note && <p><strong>{deskWords().note}:</strong> {c.note}</p>}
      <div class="panel-alarms">
        <h3>{w.escalation}</h3>
        {c.escalation?.alarms ? (
          <>
            <p><EscalationLine callback={c} now={now} /></p>
            <p class="soft small">{w.alarms(c.escalation.alarms)}, {when(c.escalation.lastAlarmTime)}{ms(c.escalation.acknowledgedUntil) > now && whoKnows(c) && ` · ${whoKnows(c)}`}</p>
          </>
        ) : <p class="soft">{w.noAlarm}</p>}
      </div>
      <Outcomes callback={c} promising={false} />
      <Promises callback={c} />
      <p><a href={`/desk/${c.id}`}>{w.everything} →</a></p>
    </article>
  );
}
