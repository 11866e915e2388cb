// The escalation policy: who is alarmed when, and beside it what that means for one promise that nobody keeps, worked out by
// the server's own rules while one types.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { PolicyJson, Policy_StepJson, RecipientJson, Recipient_KindJson } from "../../protocol/ringback/v1/team_service_pb";
import { ApiError, call, newRequestId } from "../shell/api";
import { Failed, Loading } from "../shell/parts";
import { inWords } from "../shell/refusals";
import { isAdmin, memberName, refreshTeam, team } from "../shell/session";
import { daysFromToday, fromLocalInput, iso, isoDay, nowMs, relativeDay, clock, toLocalInput } from "../shell/time";
import { language } from "../shell/words";
import type { PreviewLineJson as PreviewLine } from "../../protocol/ringback/v1/team_service_pb";
import { active } from "../team/members";
import { Choice, FormBox, Labelled, secondsOf, Span, Switch, useForm, Wrong, type Form } from "./form";
import { rulesWords } from "./rules_words";

const STEPS_MAX = 20;
const SETTLE_MS = 300;
const WHO: readonly [Recipient_KindJson, "assignee" | "managers" | "admins"][] = [["KIND_ASSIGNEE", "assignee"], ["KIND_MANAGERS", "managers"], ["KIND_ADMINS", "admins"]];
const TIMES = ["ackTimeout", "responseTarget", "followUp", "tolerance", "reminderLead", "deliveryGuard", "wrapUp"] as const;

export function PolicyPage() {
  const given = useSignal<PolicyJson | null>(null);
  const error = useSignal<unknown>(null);
  const load = (): void => {
    error.value = null;
    call("TeamService", "getPolicy", {}).then(({ policy }) => (given.value = policy ?? {}), (failed) => (error.value = failed));
  };
  useEffect(load, []);
  if (error.value) return <Failed error={error.value} retry={load} />;
  if (!given.value) return <Loading />;
  return <Editor given={given.value} saved={(policy) => (given.value = policy)} />;
}

function Editor({ given, saved }: { given: PolicyJson; saved: (policy: PolicyJson) => void }) {
  const w = rulesWords();
  const form = useForm<PolicyJson>(given, async (policy) => {
    saved((await call("TeamService", "setPolicy", { requestId: newRequestId(), policy })).policy ?? policy);
    await refreshTeam();
  });
  const { value } = form;
  const steps = value.steps ?? [];
  const setStep = (i: number, more: Partial<Policy_StepJson>): void => form.set({ steps: steps.map((s, k) => (k === i ? { ...s, ...more } : s)) });
  const addStep = (): void => form.set({
    steps: [...steps, { delay: `${secondsOf(steps[steps.length - 1]?.delay) + 900}s`, recipients: [{ kind: "KIND_MANAGERS" }] }],
  });
  const removeStep = (i: number): void => form.set({
    steps: steps.filter((_, k) => k !== i), ...((value.repeatFromStep ?? 0) > steps.length - 1 && { repeatFromStep: 0 }),
  });
  return (
    <div class="policy-columns">
      <FormBox form={form} locked={!isAdmin()}>
        <section class="card">
          <h2>{w.steps}</h2>
          <p class="soft">{w.stepsText}</p>
          <ol class="bare steps">
            {steps.map((s, i) => (
              <li key={i}>
                <div class="spread">
                  <h3>{w.step(i + 1)}</h3>
                  {steps.length > 1 && <button type="button" class="icon-button" aria-label={w.removeStep(i + 1)} onClick={() => removeStep(i)}><span aria-hidden="true">✕</span></button>}
                </div>
                <Span label={w.after} field={`steps[${i}].delay`} value={s.delay} set={(delay) => setStep(i, { delay })} />
                <Whom step={s} index={i} set={(recipients) => setStep(i, { recipients })} />
                <Switch label={w.anyTime} on={!!s.anyTime} set={(anyTime) => setStep(i, { anyTime })} />
              </li>
            ))}
          </ol>
          <Wrong field="steps" />
          {steps.length < STEPS_MAX && <button type="button" class="button" onClick={addStep}>{w.addStep}</button>}
        </section>
        <section class="card">
          <h2>{w.repeats}</h2>
          <div class="two">
            <Choice
              label={w.repeatFrom} field="repeat_from_step" value={String(value.repeatFromStep ?? 0)} set={(n) => form.set({ repeatFromStep: Number(n) })}
              options={[["0", w.repeatLast], ...steps.map((_, i) => [String(i + 1), w.step(i + 1)] as const)]}
            />
            <Labelled label={w.repeatCount} field="repeat_count">
              {(id, invalid) => <input id={id} class="field" type="number" min={0} max={20} value={value.repeatCount ?? 0} aria-invalid={invalid} onInput={(event) => form.set({ repeatCount: Math.round(Number(event.currentTarget.value)) })} />}
            </Labelled>
            <Span label={w.repeatInterval} field="repeat_interval" value={value.repeatInterval} set={(repeatInterval) => form.set({ repeatInterval })} />
          </div>
          <p class="soft">{w.thenDaily}</p>
        </section>
        <section class="card">
          <h2>{w.times}</h2>
          <div class="two">
            {TIMES.map((name) => (
              <Span
                key={name} label={w[name]} hint={(w as unknown as Record<string, string>)[`${name}Hint`]} field={name.replace(/[A-Z]/g, (letter) => "_" + letter.toLowerCase())}
                value={value[name]} set={(next) => form.set({ [name]: next })}
              />
            ))}
          </div>
        </section>
      </FormBox>
      <Preview form={form} />
    </div>
  );
}

function Whom({ step, index, set }: { step: Policy_StepJson; index: number; set: (recipients: RecipientJson[]) => void }) {
  const w = rulesWords();
  const chosen = step.recipients ?? [];
  const has = (kind: Recipient_KindJson): boolean => chosen.some((r) => r.kind === kind);
  const flip = (kind: Recipient_KindJson): void => set(has(kind) ? chosen.filter((r) => r.kind !== kind) : [...chosen, { kind }]);
  const members = chosen.filter((r) => r.kind === "KIND_MEMBER");
  const free = active(team.value?.members).filter((m) => !members.some((r) => r.memberId === m.id));
  return (
    <fieldset class="whom">
      <legend>{w.whom}</legend>
      <div class="chips">
        {WHO.map(([kind, name]) => (
          <label key={kind}><input type="checkbox" checked={has(kind)} onChange={() => flip(kind)} /><span>{w[name]}</span></label>
        ))}
        {members.map((r) => (
          <label key={r.memberId}><input type="checkbox" checked onChange={() => set(chosen.filter((other) => other !== r))} /><span>{memberName(r.memberId) || r.memberId} ✕</span></label>
        ))}
        {free.length > 0 && (
          <select class="field add-member" aria-label={`${w.step(index + 1)}: ${w.member}`} value="" onChange={(event) => event.currentTarget.value && set([...chosen, { kind: "KIND_MEMBER", memberId: event.currentTarget.value }])}>
            <option value="">{w.member}</option>
            {free.map((m) => <option key={m.id} value={m.id}>{m.name}</option>)}
          </select>
        )}
      </div>
      <Wrong field={`steps[${index}].recipients`} />
    </fieldset>
  );
}

const names = (ids: string[] | undefined): string =>
  ids?.length ? new Intl.ListFormat(language.value, { type: "conjunction" }).format(ids.map((id) => memberName(id) || id)) : rulesWords().nobody;
// Tomorrow at one, unless that is chosen otherwise.
const tomorrowAtOne = (): string => toLocalInput(fromLocalInput(`${isoDay(nowMs() + 86400000)}T13:00`));

function Preview({ form }: { form: Form<PolicyJson> }) {
  const w = rulesWords();
  const at = useSignal(tomorrowAtOne());
  const assignee = useSignal(active(team.value?.members).find((m) => m.role === "ROLE_REP")?.id ?? "");
  const lines = useSignal<PreviewLine[] | null>(null);
  const wrong = useSignal("");
  const asked = JSON.stringify(form.value);
  useEffect(() => {
    let current = true;
    const timer = setTimeout(() => {
      const promisedTime = iso(fromLocalInput(at.value) || nowMs() + 3600000);
      call("TeamService", "previewPolicy", { policy: JSON.parse(asked) as PolicyJson, promisedTime, ...(assignee.value && { assigneeId: assignee.value }) }).then((answer) => {
        if (!current) return;
        lines.value = answer.lines ?? [];
        wrong.value = "";
      }, (error) => {
        if (!current) return;
        wrong.value = inWords(error);
        if (error instanceof ApiError && error.code === "INVALID_ARGUMENT" && error.field) form.blame(error);
      });
    }, SETTLE_MS);
    return () => ((current = false), clearTimeout(timer));
  }, [asked, at.value, assignee.value]);
  const promisedMs = fromLocalInput(at.value);
  const dayOf = (line: PreviewLine): string => {
    const days = daysFromToday(line.fireTime) - daysFromToday(promisedMs);
    return days === 0 ? "" : `${relativeDay(line.fireTime)} `;
  };
  const inWordsOf = (line: PreviewLine): string => {
    const who = names(line.memberIds);
    if (line.daily) return w.daily(who);
    if (!line.step) return w.reminder(who);
    return (line.round ?? 1) > 1 ? w.firesAgain(line.step, who) : w.fires(line.step, who);
  };
  return (
    <aside class="card policy-preview" aria-labelledby="policy-preview">
      <h2 id="policy-preview">{w.preview}</h2>
      <p>{w.previewIf} <strong>{w.previewCaller}</strong> {w.previewAt} <strong class="numbers">{clock(promisedMs)}</strong> {w.previewNot} <strong>{memberName(assignee.value) || w.previewUnassigned}</strong></p>
      <div class="preview-asked">
        <input class="field" type="datetime-local" aria-label={w.previewTime} value={at.value} onChange={(event) => event.currentTarget.value && (at.value = event.currentTarget.value)} />
        <select class="field" aria-label={w.assignee} value={assignee.value} onChange={(event) => (assignee.value = event.currentTarget.value)}>
          <option value="">{w.previewUnassigned}</option>
          {active(team.value?.members).map((m) => <option key={m.id} value={m.id}>{m.name}</option>)}
        </select>
      </div>
      {wrong.value && <p class="hint bad" role="status">{wrong.value}</p>}
      {!lines.value ? !wrong.value && <Loading /> : (
        <ol class={wrong.value ? "bare preview-lines old" : "bare preview-lines"} aria-live="polite">
          {lines.value.length === 0 && <li>{w.none}</li>}
          {lines.value.map((line, i) => (
            <li key={i} class={line.step ? (line.daily ? "daily" : "") : "reminder"}>
              <strong class="numbers">{dayOf(line)}{clock(line.fireTime)}</strong> <span>{inWordsOf(line)}</span>
            </li>
          ))}
        </ol>
      )}
    </aside>
  );
}
