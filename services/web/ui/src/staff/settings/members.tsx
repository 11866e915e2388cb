// Who belongs to the team.
import { useSignal } from "@preact/signals";
import type { MemberJson } from "../../protocol/ringback/v1/team_service_pb";
import { call, newRequestId } from "../shell/api";
import { Dialog, Empty, Tag } from "../shell/parts";
import { navigate } from "../shell/router";
import { isAdmin, me, memberName, refreshTeam, team } from "../shell/session";
import { nowMs, when } from "../shell/time";
import { toast } from "../shell/toasts";
import { language } from "../shell/words";
import { awayUntil } from "../team/members";
import { plain } from "../team/standing";
import { teamWords } from "../team/team_words";
import { Choice, FormBox, Text, useForm } from "./form";
import { MemberPage } from "./member";
import { settingsWords } from "./settings_words";

// At first so many are drawn.
const AT_FIRST = 100;

export function Members({ id }: { id?: string }) {
  const found = team.value?.members?.find((m) => m.id === id);
  return found ? <MemberPage key={id} member={found} /> : <Everybody />;
}

function Everybody() {
  const w = settingsWords();
  const asked = useSignal("");
  const adding = useSignal(false);
  const all = team.value?.members ?? [];
  const wanted = plain(asked.value);
  const found = all.filter((m) => plain(`${m.name} ${m.email}`).includes(wanted))
    .sort((a, b) => Number(!!a.inactive) - Number(!!b.inactive) || (a.name ?? "").localeCompare(b.name ?? "", language.value));
  return (
    <>
      <div class="spread section-bar">
        <p class="soft">{w.membersText(all.filter((m) => !m.inactive).length)}</p>
        <div class="actions">
          <input class="field" type="search" aria-label={w.search} placeholder={w.search} value={asked.value} onInput={(event) => (asked.value = event.currentTarget.value)} />
          {isAdmin() && <button type="button" class="button main" onClick={() => (adding.value = true)}>{w.addMember}</button>}
        </div>
      </div>
      {found.length === 0 && <div class="card"><Empty title={w.none} /></div>}
      <ul class="bare">{found.slice(0, wanted ? undefined : AT_FIRST).map((m) => <Line key={m.id} member={m} />)}</ul>
      {!wanted && found.length > AT_FIRST && <p class="soft">… {w.search}</p>}
      {adding.value && <Add onClose={() => (adding.value = false)} />}
    </>
  );
}

function Line({ member: m }: { member: MemberJson }) {
  const w = settingsWords();
  const away = awayUntil(m, nowMs());
  return (
    <li class={m.inactive ? "card member-line gone" : "card member-line"}>
      <div>
        <a class="row-name" href={`/settings/members/${m.id}`}>{m.name}</a> {m.id === me.value?.member.id && <span class="soft">({w.you})</span>}
        <p class="soft small">{m.email}</p>
      </div>
      <div class="row-tags">
        {m.inactive ? <Tag>{w.left}</Tag> : <Tag kind={m.role === "ROLE_REP" ? "" : "good"}>{w.roles[m.role as string] ?? ""}</Tag>}
        {away && <Tag kind="warn">{teamWords().away(when(away))}</Tag>}
        {m.substituteId && !m.inactive && <span class="soft small">{w.substitute}: {memberName(m.substituteId)}</span>}
      </div>
    </li>
  );
}

function Add({ onClose }: { onClose: () => void }) {
  const w = settingsWords();
  const requestId = useSignal(newRequestId());
  const form = useForm({ name: "", email: "", role: "ROLE_REP" }, async (value) => {
    const { member } = await call("TeamService", "addMember", { requestId: requestId.value, member: value as MemberJson }).catch((error) => {
      if (!(error as { passing?: boolean }).passing) requestId.value = newRequestId();
      throw error;
    });
    await refreshTeam();
    onClose();
    toast(w.added(value.name));
    // After the form has let go of what it held.
    setTimeout(() => navigate(`/settings/members/${member?.id}`));
  }, { undo: false });
  const { value } = form;
  return (
    <Dialog title={w.addMember} onClose={onClose}>
      <FormBox form={form} label={w.add}>
        <Text label={w.name} hint={w.nameHint} field="name" value={value.name} set={(name) => form.set({ name })} />
        <Text label={w.email} hint={w.emailHint} field="email" type="email" value={value.email} set={(email) => form.set({ email })} />
        <Choice label={w.role} hint={w.roleHints[value.role]} field="role" value={value.role} set={(role) => form.set({ role })} options={Object.entries(w.roles)} />
      </FormBox>
    </Dialog>
  );
}
