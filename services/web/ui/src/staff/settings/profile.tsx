// What everybody may change about themselves.
import type { MemberJson } from "../../protocol/ringback/v1/team_service_pb";
import { call, newRequestId } from "../shell/api";
import { me, refreshTeam, signOut } from "../shell/session";
import { setLanguage } from "../shell/words";
import { toastError } from "../shell/toasts";
import { shellWords } from "../shell/words";
import { Absences } from "./absences";
import { Choice, FormBox, Text, useForm } from "./form";
import { settingsWords } from "./settings_words";

export function Profile({ member }: { member: MemberJson }) {
  const w = settingsWords();
  const form = useForm({ language: member.language ?? "", timeZone: member.timeZone ?? "" }, async ({ language, timeZone }) => {
    await call("TeamService", "updateMember", { requestId: newRequestId(), member: { id: member.id, language, timeZone }, updateMask: "language,timeZone" });
    await refreshTeam();
    if (me.value) setLanguage(language || me.value.team.language);
  });
  return (
    <>
      <section class="card">
        <h2>{member.name}</h2>
        <p class="soft">{w.profileText(member.email ?? "")}</p>
        <FormBox form={form}>
          <div class="two">
            <Choice
              label={w.language} field="language" value={form.value.language} set={(language) => form.set({ language })}
              options={(["", "de", "en"] as const).map((tag) => [tag, w.languages[tag]] as const)}
            />
            <Text label={w.timeZone} hint={w.timeZoneHint} field="time_zone" value={form.value.timeZone} set={(timeZone) => form.set({ timeZone })} />
          </div>
        </FormBox>
      </section>
      <Absences member={member} />
      <section class="card">
        <h2>{w.sessions}</h2>
        <p class="soft">{w.sessionsText}</p>
        <button type="button" class="button" onClick={() => void signOut(true).catch(toastError)}>{shellWords().signOutEverywhere}</button>
      </section>
    </>
  );
}
