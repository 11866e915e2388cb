// "Sick today": all that one member owes goes to others in one step, and back again if that was a mistake.
import { signal, useComputed, useSignal } from "@preact/signals";
import type { AbsenceJson } from "../../protocol/ringback/v1/team_service_pb";
import { call, newRequestId } from "../shell/api";
import { callbacksVersion } from "../shell/callbacks";
import { Dialog, Tag } from "../shell/parts";
import { memberName, refreshTeam, team } from "../shell/session";
import { fromLocalInput, iso, isoDay, nowMs, toLocalInput, when } from "../shell/time";
import { toast, toastError } from "../shell/toasts";
import { shellWords } from "../shell/words";
import type { HandedOverJson as HandedOver } from "../../protocol/ringback/v1/team_service_pb";
import { orderedCallbacks } from "./live_order";
import { active, awayUntil, loads, spread, substituteOf } from "./members";
import { teamWords } from "./team_words";

// Whose promises; "?": not chosen yet; empty: the dialog is closed.
export const handingOver = signal("");

type How = "substitute" | "spread" | "one";
// The server hands over so many at once.
const AT_ONCE = 500;

export function HandOver() {
  const w = teamWords();
  const members = active(team.value?.members);
  const who = useSignal(handingOver.value === "?" ? "" : handingOver.value);
  const member = members.find((m) => m.id === who.value);
  const substitute = substituteOf(member, members, nowMs());
  const chosenHow = useSignal<How | "">("");
  const how = chosenHow.value || (substitute ? "substitute" : "spread");
  // Of those who are there, unless somebody was picked by hand.
  const picked = useSignal<Record<string, boolean>>({});
  const one = useSignal("");
  const until = useSignal(toLocalInput(fromLocalInput(`${isoDay(nowMs() + 86400000)}T00:00`)));
  const running = useSignal("");
  void callbacksVersion.value;
  const all = orderedCallbacks();
  const owned = useComputed(() => (void callbacksVersion.value, orderedCallbacks().filter((e) => e.callback.assigneeId === who.value))).value;
  const load = loads(all, nowMs());
  const others = members.filter((m) => m.id !== who.value);
  const isPicked = (id: string, role?: string): boolean =>
    picked.value[id] ?? (role === "ROLE_REP" && !awayUntil(others.find((m) => m.id === id)!, nowMs()));
  const to = how === "substitute" ? (substitute ? [substitute.id ?? ""] : [])
    : how === "one" ? [one.value].filter(Boolean) : others.filter((m) => isPicked(m.id ?? "", m.role)).map((m) => m.id ?? "");
  const untilMs = fromLocalInput(until.value);
  const wrongTime = !(untilMs > nowMs());
  const counts = spread(owned, to.map((id) => members.find((m) => m.id === id)).filter((m) => !!m), all);
  const close = (): void => void (handingOver.value = "");

  const go = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (!member || wrongTime || to.length === 0 || running.value) return;
    const name = member.name ?? "";
    try {
      // As they are now, noted here or elsewhere: what Undo leaves as it was.
      await refreshTeam();
      const absences = team.value?.members?.find((m) => m.id === member.id)?.absences ?? [];
      const moved = await handOver(member.id ?? "", to, iso(untilMs), (done) => (running.value = w.sickRunning(done, owned.length)));
      close();
      void refreshTeam().catch(() => {});
      const where = [...perMember(moved)].map(([id, ids]) => `${ids.length} → ${memberName(id)}`).join(", ") || w.away(when(untilMs));
      toast(w.sickDone(name, where), { seconds: 30, undo: () => void undo(member.id ?? "", name, absences, moved) });
    } catch (error) {
      running.value = "";
      toastError(error);
    }
  };
  return (
    <Dialog title={w.sickTitle} onClose={close}>
      <form onSubmit={(event) => void go(event)}>
        <label>
          <span class="label">{w.sickWho}</span>
          <select class="field" value={who.value} required autofocus onChange={(event) => ((who.value = event.currentTarget.value), (chosenHow.value = ""))}>
            <option value="" />
            {members.map((m) => <option key={m.id} value={m.id}>{m.name} ({w.load(load.get(m.id ?? "")?.open ?? 0, 0)})</option>)}
          </select>
        </label>
        {member && (
          <>
            <fieldset>
              <legend>{w.sickHow}</legend>
              {substitute && <Radio name="how" checked={how === "substitute"} choose={() => (chosenHow.value = "substitute")}>{w.sickSubstitute(substitute.name ?? "")}</Radio>}
              <Radio name="how" checked={how === "spread"} choose={() => (chosenHow.value = "spread")}>{w.sickSpread}</Radio>
              <Radio name="how" checked={how === "one"} choose={() => (chosenHow.value = "one")}>{w.sickOne}</Radio>
              {!substitute && <p class="hint">{w.sickNoSubstitute}</p>}
            </fieldset>
            {how === "spread" && (
              <div class="pick-members">
                {others.map((m) => {
                  const away = awayUntil(m, nowMs());
                  return (
                    <label class="check" key={m.id}>
                      <input
                        type="checkbox" checked={isPicked(m.id ?? "", m.role)}
                        onChange={(event) => (picked.value = { ...picked.value, [m.id ?? ""]: event.currentTarget.checked })}
                      />
                      <span>{m.name} <span class="soft small">{w.load(load.get(m.id ?? "")?.open ?? 0, 0)}</span> {away && <Tag kind="warn">{w.away(when(away))}</Tag>}</span>
                    </label>
                  );
                })}
              </div>
            )}
            {how === "one" && (
              <select class="field" aria-label={w.sickOne} value={one.value} onChange={(event) => (one.value = event.currentTarget.value)}>
                <option value="" />
                {others.map((m) => <option key={m.id} value={m.id}>{m.name} ({w.load(load.get(m.id ?? "")?.open ?? 0, 0)})</option>)}
              </select>
            )}
            <label class="until">
              <span class="label">{w.sickUntil}</span>
              <input class="field" type="datetime-local" value={until.value} aria-invalid={wrongTime} onInput={(event) => (until.value = event.currentTarget.value)} />
              <span class={wrongTime ? "hint bad" : "hint"}>{wrongTime ? w.minutesHere : w.sickUntilText}</span>
            </label>
            <div class="note hand-over" role="status">
              {owned.length === 0 ? w.sickNothing(member.name ?? "") : to.length === 0 ? w.someone : (
                <>
                  <h3>{w.sickPreview}</h3>
                  <ul class="bare">{to.map((id) => <li key={id}><strong class="numbers">{counts.get(id) ?? 0}</strong> → {memberName(id)}</li>)}</ul>
                  <p class="small">{w.sickTold}</p>
                </>
              )}
            </div>
          </>
        )}
        <div class="actions form-end">
          <button type="submit" class="button main" disabled={!member || wrongTime || to.length === 0 || running.value !== ""}>
            {running.value || (owned.length === 0 ? w.sickOnlyNote : w.sickDo(owned.length))}
          </button>
          <button type="button" class="button" onClick={close}>{shellWords().cancel}</button>
        </div>
      </form>
    </Dialog>
  );
}

function Radio({ name, checked, choose, children }: { name: string; checked: boolean; choose: () => void; children: string }) {
  return (
    <label class="check">
      <input type="radio" name={name} checked={checked} onChange={choose} />
      <span>{children}</span>
    </label>
  );
}

// Until nothing is left; each step has an id of its own, so that one that was cut off can be repeated. The first notes the
// absence.
async function handOver(memberId: string, toMemberIds: string[], awayUntil: string, progress: (done: number) => void): Promise<HandedOver[]> {
  const moved: HandedOver[] = [];
  progress(0);
  for (let more = true; more; ) {
    const request = { requestId: newRequestId(), memberId, toMemberIds, ...(moved.length === 0 && { awayUntil }) };
    const answer = await call("TeamService", "handOverMember", request).catch((error) => {
      if (!(error as { passing?: boolean }).passing) throw error;
      return call("TeamService", "handOverMember", request);
    });
    moved.push(...(answer.handedOver ?? []));
    more = !!answer.more && (answer.handedOver ?? []).length > 0;
    progress(moved.length);
  }
  return moved;
}

function perMember(moved: HandedOver[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { memberId = "", callbackId = "" } of moved) found.set(memberId, [...(found.get(memberId) ?? []), callbackId]);
  return found;
}

async function undo(memberId: string, name: string, absences: AbsenceJson[], moved: HandedOver[]): Promise<void> {
  try {
    await call("TeamService", "setAbsence", { requestId: newRequestId(), memberId, absences });
    for (const [from, ids] of perMember(moved)) {
      for (let i = 0; i < ids.length; i += AT_ONCE) {
        await call("TeamService", "handOverMember", { requestId: newRequestId(), memberId: from, toMemberIds: [memberId], callbackIds: ids.slice(i, i + AT_ONCE) });
      }
    }
    toast(teamWords().sickUndone(name));
  } catch (error) {
    toastError(error);
  }
  void refreshTeam().catch(() => {});
}
