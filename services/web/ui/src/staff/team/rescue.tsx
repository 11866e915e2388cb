// Saving a promise: one press each, and back again where that is possible.
import { signal } from "@preact/signals";
import type { CallbackJson } from "../../protocol/ringback/v1/callback_pb";
import { call, newRequestId } from "../shell/api";
import { put } from "../shell/callbacks";
import { Dialog, Tag } from "../shell/parts";
import { nameOf } from "../shell/phone";
import { me, memberName, team } from "../shell/session";
import { nowMs, when } from "../shell/time";
import { toast, toastError } from "../shell/toasts";
import { warningInWords } from "../shell/warnings";
import { orderedCallbacks } from "./live_order";
import { active, candidates } from "./members";
import { entryOf } from "./standing";
import { teamWords } from "./team_words";

// What is being done with which callback: the same press again does nothing.
const busy = new Set<string>();
async function once(what: "assign" | "acknowledge", id: string | undefined, work: () => Promise<void>): Promise<void> {
  const key = `${what} ${id}`;
  if (!id || busy.has(key)) return;
  busy.add(key);
  try {
    await work();
  } catch (error) {
    toastError(error);
  } finally {
    busy.delete(key);
  }
}

export const isMine = (c: CallbackJson): boolean => c.assigneeId === me.value?.member.id;

export function assign(c: CallbackJson, memberId: string): Promise<void> {
  return once("assign", c.id, async () => {
    const w = teamWords();
    const before = c.assigneeId ?? "";
    const give = (to: string) => call("CallbackService", "assignCallback", { requestId: newRequestId(), callbackId: c.id, ...(to ? { memberId: to } : { nobody: true }) });
    const answer = await give(memberId);
    put(answer.callback);
    const who = nameOf(c.caller);
    const said = memberId === me.value?.member.id ? w.tookOver(who) : w.assigned(who, memberName(memberId));
    const undo = (): void => void once("assign", c.id, async () => {
      put((await give(before)).callback);
      toast(before ? w.undone(who, memberName(before)) : w.undoneNobody(who));
    });
    // What has been promised somebody must owe.
    const promised = !before && answer.callback?.promises?.some((p) => p.state === "STATE_ARMED" || p.state === "STATE_PENDING");
    toast([said, ...(answer.warnings ?? []).map(warningInWords)].join(" · "), promised ? {} : { undo });
  });
}
export const takeOver = (c: CallbackJson): void => void (!isMine(c) && assign(c, me.value?.member.id ?? ""));

export const acknowledgeable = (c: CallbackJson): boolean => !!c.overdue && !(Date.parse(c.escalation?.acknowledgedUntil ?? "") > nowMs());
export function acknowledge(c: CallbackJson): void {
  if (!acknowledgeable(c)) return;
  void once("acknowledge", c.id, async () => {
    put((await call("ReminderService", "acknowledgeCallback", { requestId: newRequestId(), callbackId: c.id })).callback);
    toast(teamWords().acknowledged(nameOf(c.caller)));
  });
}

// Whose next owner is being chosen.
export const reassigning = signal<CallbackJson | null>(null);

export function Reassign() {
  const w = teamWords();
  const c = reassigning.value;
  if (!c) return null;
  const close = (): void => void (reassigning.value = null);
  const members = active(team.value?.members);
  const choose = (id: string): void => {
    close();
    void assign(c, id);
  };
  return (
    <Dialog title={`${w.reassign}: ${nameOf(c.caller)}`} onClose={close}>
      <p class="soft">{w.to}</p>
      <ul class="bare member-list">
        {candidates(members, c.assigneeId, orderedCallbacks(), entryOf(c).at, nowMs()).map(({ member, open, near, awayUntil, substitute, least }, i) => (
          <li key={member.id}>
            <button type="button" class="plain" autofocus={i === 0} onClick={() => choose(member.id ?? "")}>
              <span class="member-name"><strong>{member.name}</strong><br /><span class="soft small">{w.load(open, near)}</span></span>
              <span class="row-tags">
                {awayUntil && <Tag kind="warn">{w.away(when(awayUntil))}</Tag>}
                {substitute && <Tag kind="good">{w.substitute}</Tag>}
                {least && <Tag kind="good">{w.least}</Tag>}
              </span>
            </button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
