// What the team is called, what stands below its mails, how long data stays, and who sees what.
import type { TeamJson } from "../../protocol/ringback/v1/team_service_pb";
import { call, newRequestId } from "../shell/api";
import { isAdmin, memberName, refreshTeam, team } from "../shell/session";
import { when } from "../shell/time";
import { Choice, FormBox, Labelled, Span, Switch, Text, useForm } from "./form";
import { settingsWords } from "./settings_words";
import { teamSettingsWords } from "./team_settings_words";

// The protos of every server have it once they are merged.
type Switched = TeamJson & { playOthersTakes?: boolean };

async function save(changed: Switched, names: string): Promise<void> {
  await call("TeamService", "updateTeam", { requestId: newRequestId(), team: changed, updateMask: names });
  await refreshTeam();
}
const locked = (): boolean => !isAdmin();

export function TeamSettings() {
  const t = team.value as Switched;
  return (
    <>
      <Basics team={t} />
      <FooterForm team={t} />
      <Messages team={t} />
      <Data team={t} />
      <Switches team={t} />
    </>
  );
}

function Basics({ team: { name = "", timeZone = "", language = "de", mailAddress = "" } }: { team: Switched }) {
  const w = teamSettingsWords();
  const form = useForm({ name, timeZone, language, mailAddress }, (value) => save(value, "name,timeZone,language,mailAddress"));
  const { value } = form;
  return (
    <section class="card">
      <h2>{w.basics}</h2>
      <FormBox form={form} locked={locked()}>
        <div class="two">
          <Text label={w.name} field="name" value={value.name} set={(next) => form.set({ name: next })} />
          <Text label={w.mailAddress} hint={w.mailAddressHint} field="mail_address" type="email" value={value.mailAddress} set={(next) => form.set({ mailAddress: next })} />
          <Choice label={w.language} field="language" value={value.language} set={(next) => form.set({ language: next })} options={(["de", "en"] as const).map((tag) => [tag, settingsWords().languages[tag]] as const)} />
          <Text label={w.timeZone} hint={w.timeZoneHint} field="time_zone" value={value.timeZone} set={(next) => form.set({ timeZone: next })} />
        </div>
      </FormBox>
    </section>
  );
}

function FooterForm({ team: { footer = {} } }: { team: Switched }) {
  const w = teamSettingsWords();
  const { company = "", phone = "", legalText = "", imprintUrl = "", privacyUrl = "" } = footer;
  const form = useForm({ company, phone, legalText, imprintUrl, privacyUrl }, (value) => save({ footer: value }, "footer"));
  const { value } = form;
  return (
    <section class="card">
      <h2>{w.footer}</h2>
      <FormBox form={form} locked={locked()}>
        <div class="two">
          <Text label={w.company} field="footer.company" value={value.company} set={(next) => form.set({ company: next })} />
          <Text label={w.phone} field="footer.phone" type="tel" value={value.phone} set={(next) => form.set({ phone: next })} />
        </div>
        <Text label={w.legalText} field="footer.legal_text" long value={value.legalText} set={(next) => form.set({ legalText: next })} />
        <div class="two">
          <Text label={w.imprintUrl} field="footer.imprint_url" type="url" placeholder="https://" value={value.imprintUrl} set={(next) => form.set({ imprintUrl: next })} />
          <Text label={w.privacyUrl} field="footer.privacy_url" type="url" placeholder="https://" value={value.privacyUrl} set={(next) => form.set({ privacyUrl: next })} />
        </div>
      </FormBox>
    </section>
  );
}

function Messages({ team: { mediaMode, recordingMaxSeconds = 0, slotLength = "900s" } }: { team: Switched }) {
  const w = teamSettingsWords();
  const form = useForm({ mediaMode: mediaMode ?? ("MEDIA_MODE_UNSPECIFIED" as const), recordingMaxSeconds: recordingMaxSeconds || 120, slotLength }, (value) =>
    save(value, "mediaMode,recordingMaxSeconds,slotLength"));
  const { value } = form;
  return (
    <section class="card">
      <h2>{w.messages}</h2>
      <FormBox form={form} locked={locked()}>
        <div class="two">
          <Choice label={w.media} field="media_mode" value={value.mediaMode as string} set={(next) => form.set({ mediaMode: next as typeof value.mediaMode })} options={Object.entries(w.medias)} />
          <Whole label={w.longest} hint={w.longestHint} field="recording_max_seconds" value={value.recordingMaxSeconds} set={(next) => form.set({ recordingMaxSeconds: next })} />
          <Span label={w.slot} hint={w.slotHint} field="slot_length" value={value.slotLength} set={(next) => form.set({ slotLength: next })} />
        </div>
      </FormBox>
    </section>
  );
}

function Data({ team: { retentionDays = 0, legalHold = false } }: { team: Switched }) {
  const w = teamSettingsWords();
  const form = useForm({ retentionDays: retentionDays || 30, legalHold }, (value) => save(value, "retentionDays,legalHold"));
  const { value } = form;
  return (
    <section class="card">
      <h2>{w.data}</h2>
      <FormBox form={form} locked={locked()}>
        <Whole label={w.retention} hint={w.retentionHint} field="retention_days" value={value.retentionDays} set={(next) => form.set({ retentionDays: next })} />
        <Switch label={w.legalHold} hint={w.legalHoldHint} on={value.legalHold} set={(next) => form.set({ legalHold: next })} />
      </FormBox>
    </section>
  );
}

function Switches({ team: t }: { team: Switched }) {
  const w = teamSettingsWords();
  const { memberFigures = false, playOthersTakes = false, reportListened = false, history = [] } = t;
  // Only what was switched is named, so that nothing else is recorded.
  const form = useForm({ memberFigures, playOthersTakes, reportListened }, (value, before) => {
    const names = (Object.keys(value) as (keyof typeof value)[]).filter((name) => value[name] !== before[name]);
    return save(Object.fromEntries(names.map((name) => [name, value[name]])), names.join(","));
  });
  const { value } = form;
  return (
    <section class="card" id="switches">
      <h2>{w.switches}</h2>
      <p class="soft">{w.switchesText}</p>
      <FormBox form={form} locked={locked()}>
        <Switch label={w.memberFigures} hint={w.memberFiguresHint} on={value.memberFigures} set={(next) => form.set({ memberFigures: next })} />
        <Switch label={w.playOthers} hint={w.playOthersHint} on={value.playOthersTakes} set={(next) => form.set({ playOthersTakes: next })} />
        <Switch label={w.reportListened} hint={w.reportListenedHint} on={value.reportListened} set={(next) => form.set({ reportListened: next })} />
      </FormBox>
      <h3>{w.history}</h3>
      {history.length === 0 ? <p class="soft">{w.historyNone}</p> : (
        <ol class="bare past">
          {[...history].reverse().map((e, i) => (
            <li key={i}><span class="numbers">{when(e.eventTime)}</span> <span>{w.events[e.what ?? ""] ?? e.what}</span> <span class="soft">{memberName(e.author)}</span></li>
          ))}
        </ol>
      )}
    </section>
  );
}

function Whole({ label, hint, field, value, set }: { label: string; hint: string; field: string; value: number; set: (value: number) => void }) {
  return (
    <Labelled label={label} hint={hint} field={field}>
      {(id, invalid) => <input id={id} class="field whole" type="number" step={1} value={value} aria-invalid={invalid} onInput={(event) => set(Math.round(Number(event.currentTarget.value)))} />}
    </Labelled>
  );
}
