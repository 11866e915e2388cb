// One member: who it is, how to reach them, when they are away, and what only admins do with them.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { ChannelJson, CreateSignInResponseJson, MemberJson } from "../../protocol/ringback/v1/team_service_pb";
import { call, newRequestId } from "../shell/api";
import { Tag } from "../shell/parts";
import { inWords } from "../shell/refusals";
import { navigate } from "../shell/router";
import { isAdmin, isManager, me, refreshTeam, team } from "../shell/session";
import { nowMs, when } from "../shell/time";
import { toast } from "../shell/toasts";
import { useOnce } from "../desk/callback_actions";
import { active, substituteOf } from "../team/members";
import { Absences } from "./absences";
import { Copied } from "./copied";
import { Choice, FormBox, Sure, Text, useForm, Wrong } from "./form";
import { settingsWords } from "./settings_words";

export function MemberPage({ member }: { member: MemberJson }) {
  const w = settingsWords();
  useEffect(() => void (document.title = member.name ?? ""));
  return (
    <>
      <p><a href="/settings/members">← {w.back}</a></p>
      <h2 class="page-title">{member.name} {member.inactive && <Tag>{w.left}</Tag>}</h2>
      <Details member={member} />
      {!member.inactive && (
        <>
          <Absences member={member} locked={!isManager()} />
          {isAdmin() && <Access member={member} />}
        </>
      )}
    </>
  );
}

const MASK = "name,email,phone,role,language,timeZone,channels,substituteId";

function Details({ member }: { member: MemberJson }) {
  const w = settingsWords();
  const { name = "", email = "", phone = "", role = "ROLE_REP", language = "", timeZone = "", channels = [], substituteId = "" } = member;
  const form = useForm({ name, email, phone, role: role as string, language, timeZone, channels, substituteId }, async (value) => {
    await call("TeamService", "updateMember", { requestId: newRequestId(), member: { id: member.id, ...value } as MemberJson, updateMask: MASK });
    await refreshTeam();
  });
  const { value } = form;
  return (
    <section class="card">
      <FormBox form={form} locked={!isAdmin() || !!member.inactive}>
        <div class="two">
          <Text label={w.name} hint={w.nameHint} field="name" value={value.name} set={(next) => form.set({ name: next })} />
          <Choice label={w.role} hint={w.roleHints[value.role]} field="role" value={value.role} set={(next) => form.set({ role: next })} options={Object.entries(w.roles)} />
          <Text label={w.email} hint={w.emailHint} field="email" type="email" value={value.email} set={(next) => form.set({ email: next })} />
          <Text label={w.phone} field="phone" type="tel" value={value.phone} set={(next) => form.set({ phone: next })} />
          <Choice
            label={w.language} field="language" value={value.language} set={(next) => form.set({ language: next })}
            options={(["", "de", "en"] as const).map((tag) => [tag, w.languages[tag]] as const)}
          />
          <Text label={w.timeZone} hint={w.timeZoneHint} field="time_zone" value={value.timeZone} set={(next) => form.set({ timeZone: next })} />
          <Choice
            label={w.substitute} hint={w.substituteHint} field="substitute_id" value={value.substituteId} set={(next) => form.set({ substituteId: next })}
            options={[["", w.nobody] as const, ...active(team.value?.members).filter((m) => m.id !== member.id).map((m) => [m.id ?? "", m.name ?? ""] as const)]}
          />
        </div>
        <h3>{w.channels}</h3>
        <p class="soft small">{w.channelsText}</p>
        <Channels memberId={member.id ?? ""} channels={value.channels} set={(next) => form.set({ channels: next })} />
        <Wrong field="channels" />
      </FormBox>
    </section>
  );
}

function Channels({ memberId, channels, set }: { memberId: string; channels: ChannelJson[]; set: (channels: ChannelJson[]) => void }) {
  const w = settingsWords();
  const change = (i: number, more: Partial<ChannelJson>): void => set(channels.map((c, k) => (k === i ? { ...c, ...more } : c)));
  const move = (i: number, by: number): void => {
    const next = [...channels];
    [next[i], next[i + by]] = [next[i + by], next[i]];
    set(next);
  };
  return (
    <>
      <ol class="bare channels">
        {channels.map((c, i) => {
          const kind = c.kind as string;
          const webhook = kind === "CHANNEL_KIND_WEBHOOK";
          const own = webhook && (!c.format || c.format === "WEBHOOK_FORMAT_UNSPECIFIED");
          return (
            <li key={i}>
              <span class="channel-number numbers">{i + 1}.</span>
              <div class="channel-fields">
                <select class="field" aria-label={w.channel} value={kind} onChange={(event) => change(i, { kind: event.currentTarget.value as ChannelJson["kind"], address: "", secret: "", format: undefined })}>
                  {Object.entries(w.kinds).map(([key, name]) => <option key={key} value={key}>{name}</option>)}
                </select>
                {kind !== "CHANNEL_KIND_DESK" && (
                  <input
                    class="field" aria-label={w.address} placeholder={w.addressOf[kind]} value={c.address ?? ""} type={webhook ? "url" : "text"} autoComplete="off"
                    onInput={(event) => change(i, { address: event.currentTarget.value })}
                  />
                )}
                {webhook && (
                  <select class="field" aria-label={w.format} value={c.format ?? "WEBHOOK_FORMAT_UNSPECIFIED"} onChange={(event) => change(i, { format: event.currentTarget.value as ChannelJson["format"] })}>
                    {Object.entries(w.formats).map(([key, name]) => <option key={key} value={key}>{name}</option>)}
                  </select>
                )}
                {own && (
                  <input
                    class="field" type="password" autoComplete="new-password" aria-label={w.secret} placeholder={`${w.secret}. ${w.secretHint}`} value={c.secret ?? ""}
                    onInput={(event) => change(i, { secret: event.currentTarget.value })}
                  />
                )}
                {webhook && <TestWebhook memberId={memberId} channel={c} />}
                <Wrong field={`channels[${i}]`} />
              </div>
              <div class="channel-order">
                <button type="button" class="icon-button" aria-label={`${w.up}: ${i + 1}`} disabled={i === 0} onClick={() => move(i, -1)}><span aria-hidden="true">↑</span></button>
                <button type="button" class="icon-button" aria-label={`${w.down}: ${i + 1}`} disabled={i === channels.length - 1} onClick={() => move(i, 1)}><span aria-hidden="true">↓</span></button>
                <button type="button" class="icon-button" aria-label={`${w.remove}: ${i + 1}`} onClick={() => set(channels.filter((_, k) => k !== i))}><span aria-hidden="true">✕</span></button>
              </div>
            </li>
          );
        })}
      </ol>
      {channels.length < 10 && <button type="button" class="button" onClick={() => set([...channels, { kind: "CHANNEL_KIND_MAIL" }])}>{w.addChannel}</button>}
    </>
  );
}

// Posts a test, saved or not, and says what the other side answered.
function TestWebhook({ memberId, channel: { address = "", secret, format } }: { memberId: string; channel: ChannelJson }) {
  const w = settingsWords();
  const [busy, once] = useOnce();
  const came = useSignal<{ good: boolean; said: string } | null>(null);
  useEffect(() => void (came.value = null), [address, secret, format]);
  const test = (): void => once(async () => {
    came.value = null;
    try {
      const { accepted = false, answer = "" } = await call("DeliveryService", "testWebhook", { memberId, url: address, ...(secret && { secret }), ...(format && { format }) });
      came.value = { good: accepted, said: (accepted ? w.testOk : w.testBad)(answer) };
    } catch (error) {
      came.value = { good: false, said: inWords(error) };
    }
  });
  return (
    <div class="test-webhook">
      <button type="button" class="button" disabled={busy || !address} onClick={test}>{w.test}</button>
      <span role="status">{came.value && <Tag kind={came.value.good ? "good" : "bad"}>{came.value.said}</Tag>}</span>
    </div>
  );
}

function Access({ member }: { member: MemberJson }) {
  const w = settingsWords();
  const [busy, once] = useOnce();
  const made = useSignal<CreateSignInResponseJson | null>(null);
  const removing = useSignal(false);
  const name = member.name ?? "";
  const make = (): void => once(async () => void (made.value = await call("TeamService", "createSignIn", { memberId: member.id })));
  const out = (): void => once(async () => {
    const { revoked = 0 } = await call("TeamService", "revokeSessions", { requestId: newRequestId(), memberId: member.id });
    toast(w.signedOut(revoked));
  });
  const remove = async (): Promise<void> => {
    const { handedOver = 0 } = await call("TeamService", "removeMember", { requestId: newRequestId(), memberId: member.id });
    await refreshTeam();
    toast(w.removed(name, handedOver));
    navigate("/settings/members");
  };
  const heir = substituteOf(member, active(team.value?.members), nowMs());
  return (
    <section class="card">
      <h2>{w.signIn}</h2>
      <p class="soft">{w.signInText}</p>
      {made.value && (
        <div class="note">
          {made.value.link && <Copied label={w.link} text={made.value.link} />}
          <Copied label={w.code} text={made.value.code ?? ""} />
          <p class="small">{w.signInUntil(when(made.value.expireTime))}</p>
        </div>
      )}
      <div class="actions">
        <button type="button" class="button" disabled={busy} onClick={make}>{w.signInMake}</button>
        <button type="button" class="button" disabled={busy} onClick={out}>{w.signOut}</button>
        {member.id !== me.value?.member.id && <button type="button" class="button stop" onClick={() => (removing.value = true)}>{w.removeMember}</button>}
      </div>
      {removing.value && (
        <Sure title={w.removeSure(name)} label={w.removeMember} act={remove} onClose={() => (removing.value = false)}>
          <p>{w.removeText(heir?.name ?? "")}</p>
        </Sure>
      )}
    </section>
  );
}
