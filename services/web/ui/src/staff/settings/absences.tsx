// When a member is away, as a list; what is past stays as it is.
import { useSignal } from "@preact/signals";
import type { AbsenceJson, MemberJson } from "../../protocol/ringback/v1/team_service_pb";
import { call, newRequestId } from "../shell/api";
import { refreshTeam, team } from "../shell/session";
import { fromLocalInput, iso, isoDay, ms, nowMs, toLocalInput } from "../shell/time";
import { active } from "../team/members";
import { FormBox, useForm, Wrong } from "./form";
import { settingsWords } from "./settings_words";

export function Absences({ member, locked = false }: { member: MemberJson; locked?: boolean }) {
  const w = settingsWords();
  const from = useSignal(nowMs()).value;
  const past = (member.absences ?? []).filter((a) => ms(a.endTime) <= from);
  const form = useForm({ absences: (member.absences ?? []).filter((a) => ms(a.endTime) > from) }, async ({ absences }) => {
    await call("TeamService", "setAbsence", { requestId: newRequestId(), memberId: member.id, absences: [...past, ...absences] });
    await refreshTeam();
  });
  const { absences } = form.value;
  const change = (i: number, more: Partial<AbsenceJson>): void => form.set({ absences: absences.map((a, k) => (k === i ? { ...a, ...more } : a)) });
  const add = (): void => {
    const start = fromLocalInput(`${isoDay(nowMs() + 86400000)}T00:00`);
    form.set({ absences: [...absences, { startTime: iso(start), endTime: iso(start + 86400000) }] });
  };
  const time = (value: string, then: (at: string) => void): void => {
    const at = fromLocalInput(value);
    if (!Number.isNaN(at)) then(iso(at));
  };
  return (
    <section class="card">
      <h2>{w.absences}</h2>
      <p class="soft">{w.absencesText}</p>
      <FormBox form={form} locked={locked}>
        {absences.length === 0 && <p class="soft">{w.absencesNone}</p>}
        {absences.map((a, i) => (
          <div class="absence" key={i}>
            <label><span class="label">{w.from}</span><input class="field" type="datetime-local" value={toLocalInput(a.startTime)} onChange={(event) => time(event.currentTarget.value, (startTime) => change(i, { startTime }))} /></label>
            <label><span class="label">{w.until}</span><input class="field" type="datetime-local" value={toLocalInput(a.endTime)} onChange={(event) => time(event.currentTarget.value, (endTime) => change(i, { endTime }))} /></label>
            <label>
              <span class="label">{w.standsIn}</span>
              <select class="field" value={a.substituteId ?? ""} onChange={(event) => change(i, { substituteId: event.currentTarget.value || undefined })}>
                <option value="">{w.usual}</option>
                {active(team.value?.members).filter((m) => m.id !== member.id).map((m) => <option key={m.id} value={m.id}>{m.name}</option>)}
              </select>
            </label>
            <button type="button" class="button" onClick={() => form.set({ absences: absences.filter((_, k) => k !== i) })}>{w.remove}</button>
            <Wrong field={`absences[${past.length + i}]`} />
          </div>
        ))}
        {!locked && <button type="button" class="button" onClick={add}>{w.addAbsence}</button>}
      </FormBox>
      {past.length > 0 && <p class="small soft">{w.pastAbsences(past.length)}</p>}
    </section>
  );
}
