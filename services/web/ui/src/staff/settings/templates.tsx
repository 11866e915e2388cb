// The team's own words in mails, chat and on the teleprompter, with a preview while one types.
import { useSignal } from "@preact/signals";
import { BUILT_IN } from "../desk/prompt";
import { call, newRequestId } from "../shell/api";
import { navigate, path, query } from "../shell/router";
import { isAdmin, me, refreshTeam, team } from "../shell/session";
import type { Language } from "../shell/words";
import { FormBox, Text, useForm, Wrong } from "./form";
import { PARTS, partsOf, PLACEHOLDERS, sample, SPOKEN_PLACEHOLDERS, templateOf, type Parts } from "./sample";
import { settingsWords } from "./settings_words";
import { teamSettingsWords } from "./team_settings_words";

const TO_CUSTOMERS = ["teleprompter", "voice_message", "spoken_promise", "promise_moved", "promise_cancelled", "customer_answer"];

export function Templates() {
  const w = teamSettingsWords();
  const notice = query.value.get("text") ?? "teleprompter";
  const language: Language = (query.value.get("language") ?? team.value?.language) === "en" ? "en" : "de";
  const name = `${language}/${notice}`;
  const own = team.value?.templates ?? {};
  const go = (to: { text?: string; language?: string }): void => navigate(`${path.value}?${new URLSearchParams({ text: notice, language, ...to })}`, { replace: true });
  const option = (one: string): readonly [string, string] => [one, `${w.notices[one] ?? one}${own[`${language}/${one}`] ? ` (${w.own})` : ""}`];
  const others = Object.keys(w.notices).filter((one) => !TO_CUSTOMERS.includes(one));
  return (
    <>
      <section class="card">
        <h2>{w.texts}</h2>
        <p class="soft">{w.textsText}</p>
        <div class="two">
          <label>
            <span class="label">{w.which}</span>
            <select class="field" value={notice} onChange={(event) => go({ text: event.currentTarget.value })}>
              <optgroup label={w.customer}>{TO_CUSTOMERS.map(option).map(([key, said]) => <option key={key} value={key}>{said}</option>)}</optgroup>
              <optgroup label={w.ofTeam}>{others.map(option).map(([key, said]) => <option key={key} value={key}>{said}</option>)}</optgroup>
            </select>
          </label>
          <label>
            <span class="label">{w.language}</span>
            <select class="field" value={language} onChange={(event) => go({ language: event.currentTarget.value })}>
              {(["de", "en"] as const).map((tag) => <option key={tag} value={tag}>{settingsWords().languages[tag]}</option>)}
            </select>
          </label>
        </div>
      </section>
      <Editor key={name} name={name} notice={notice} language={language} template={own[name] ?? ""} />
    </>
  );
}

function Editor({ name, notice, language, template }: { name: string; notice: string; language: Language; template: string }) {
  const w = teamSettingsWords();
  const spoken = notice === "teleprompter";
  const form = useForm<Parts>(partsOf(template), async (parts) => {
    await call("TeamService", "updateTeam", { requestId: newRequestId(), team: { templates: { [name]: templateOf(parts) } } });
    await refreshTeam();
  });
  const { value } = form;
  const shown = spoken ? (["text"] as const) : PARTS;
  const more = useSignal(!!value.html);
  const written = shown.filter((part) => value[part].trim() || (spoken && part === "text"));
  return (
    <div class="template-columns">
      <section class="card">
        <FormBox form={form} locked={!isAdmin()}>
          {shown.filter((part) => part !== "html" || more.value).map((part) => (
            <Text
              key={part} label={w[part]} hint={part === "html" ? w.htmlHint : undefined} field={part} long={part === "text" || part === "html"} value={value[part]} placeholder={w.builtIn}
              set={(next) => form.set({ [part]: next })}
            />
          ))}
          <Wrong field="templates" />
          <div class="actions">
            {spoken && !value.text && <button type="button" class="button" onClick={() => form.set({ text: BUILT_IN[language] })}>{w.startFrom}</button>}
            {!spoken && !more.value && <button type="button" class="quiet-button" onClick={() => (more.value = true)}>{w.html}</button>}
          </div>
          <p class="small soft placeholders">{w.placeholders}: {(spoken ? SPOKEN_PLACEHOLDERS : PLACEHOLDERS).map((one) => <code key={one}>{`{{${one}}}`}</code>)}</p>
        </FormBox>
      </section>
      <section class="card template-preview" aria-labelledby="template-preview">
        <h2 id="template-preview">{w.preview}</h2>
        <p class="soft small">{w.previewNote}</p>
        {written.length === 0 && <p class="soft">{w.previewNone}</p>}
        {written.map((part) => {
          const text = sample(value[part] || BUILT_IN[language], language, me.value?.team.name ?? "");
          return (
            <div key={part}>
              {!spoken && <h3>{w[part]}</h3>}
              <div class="reads">{part === "html" ? new DOMParser().parseFromString(text, "text/html").body.textContent?.trim() : text}</div>
            </div>
          );
        })}
      </section>
    </div>
  );
}
