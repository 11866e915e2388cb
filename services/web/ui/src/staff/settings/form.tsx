// Forms that know what is not saved yet, and show what the server says at the field it names.
import { computed, signal, useSignal } from "@preact/signals";
import { createContext, type ComponentChildren } from "preact";
import { useContext, useEffect, useId, useRef } from "preact/hooks";
import { ApiError } from "../shell/api";
import { Dialog } from "../shell/parts";
import { atField, inWords } from "../shell/refusals";
import { guardLeaving } from "../shell/router";
import { toast, toastError } from "../shell/toasts";
import { shellWords } from "../shell/words";
import { settingsWords } from "./settings_words";

// Forms that hold something unsaved.
const unsaved = signal<ReadonlySet<object>>(new Set());
const anyUnsaved = computed(() => unsaved.value.size > 0);
function note(form: object, dirty: boolean): void {
  if (unsaved.value.has(form) === dirty) return;
  const next = new Set(unsaved.value);
  if (dirty) next.add(form);
  else next.delete(form);
  unsaved.value = next;
}

// To what is wrong, else to where it was.
function focusAfter(had: HTMLElement | null): void {
  const wrong = had?.closest("form")?.querySelector<HTMLElement>("[aria-invalid=true]");
  if (wrong) wrong.focus();
  else if (document.activeElement === document.body) had?.focus();
}

// "team.footer.imprint_url", "members[2].name" and "name" are the same fields to a form that has one team or member.
const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => "_" + letter.toLowerCase());
const short = (path: string): string => snake(path).replace(/^(team|member|policy|token)\./, "").replace(/^(members\[\d+\]|policy|calendar)\./, "");

export interface Form<T> {
  value: T;
  set: (change: Partial<T>) => void;
  dirty: boolean;
  busy: boolean;
  // What is wrong with a field, or with the whole ("").
  wrong: (field: string) => string;
  blame: (error: unknown) => void;
  save: () => void;
  reset: () => void;
}

export function useForm<T extends object>(given: T, save: (value: T, before: T) => Promise<unknown>, { undo = true } = {}): Form<T> {
  const draft = useSignal<T | null>(null);
  const busy = useSignal(false);
  const error = useSignal<ApiError | null>(null);
  const self = useRef({}).current;
  const value = draft.value ?? given;
  const dirty = draft.value !== null && JSON.stringify(draft.value) !== JSON.stringify(given);
  useEffect(() => note(self, dirty), [dirty]);
  useEffect(() => () => note(self, false), []);
  const blame = (failed: unknown): void => {
    if (failed instanceof ApiError && failed.code === "INVALID_ARGUMENT") error.value = failed;
    else toastError(failed);
  };
  const work = async (): Promise<void> => {
    if (busy.value) return;
    const before = given;
    const had = document.activeElement as HTMLElement | null;
    busy.value = true;
    error.value = null;
    try {
      await save(value, before);
      draft.value = null;
      note(self, false);
      if (undo) toast(settingsWords().saved, { undo: () => void save(before, value).then(() => toast(settingsWords().savedBack), toastError) });
    } catch (failed) {
      blame(failed);
    }
    busy.value = false;
    // Once it is drawn anew: what is disabled while it is being saved lets the focus go.
    setTimeout(() => focusAfter(had));
  };
  return {
    value, dirty, busy: busy.value, blame,
    set: (change) => {
      draft.value = { ...(draft.value ?? given), ...change };
      error.value = null;
    },
    wrong: (field) => {
      if (!error.value) return "";
      const named = short(error.value.field);
      if (field === "") return error.value.field ? "" : inWords(error.value);
      return named === snake(field) || named.startsWith(snake(field) + ".") || named.startsWith(snake(field) + "[") ? atField(error.value) : "";
    },
    save: () => void work(),
    reset: () => ((draft.value = null), (error.value = null)),
  };
}

const Around = createContext<Form<object> | null>(null);

// Disabled for whoever may only look.
export function FormBox<T extends object>({ form, locked = false, label, children }: { form: Form<T>; locked?: boolean; label?: string; children: ComponentChildren }) {
  const w = settingsWords();
  const general = form.wrong("");
  const box = useRef<HTMLFormElement>(null);
  // The bar that comes with the first change must not lie on what is being changed.
  useEffect(() => {
    const at = document.activeElement;
    if (form.dirty && box.current?.contains(at)) at?.scrollIntoView({ block: "nearest" });
  }, [form.dirty]);
  return (
    <Around.Provider value={form as unknown as Form<object>}>
      <form ref={box} noValidate onSubmit={(event) => (event.preventDefault(), form.save())}>
        <fieldset class="form-fields" disabled={locked || form.busy}>{children}</fieldset>
        {general && <p class="hint bad" role="alert">{general}</p>}
        {!locked && (
          <div class={form.dirty ? "save-bar dirty" : "save-bar"}>
            {form.dirty && <span class="soft">{w.notSaved}</span>}
            {form.dirty && <button type="button" class="quiet-button" onClick={form.reset}>{w.discard}</button>}
            <button type="submit" class="button main" disabled={!form.dirty || form.busy}>{label ?? w.save}</button>
          </div>
        )}
      </form>
    </Around.Provider>
  );
}

export function Wrong({ field }: { field: string }) {
  const said = useContext(Around)?.wrong(field);
  return said ? <p class="hint bad" role="alert">{said}</p> : null;
}

// `field`: as the server names it.
export function Labelled({ label, hint, field, children }: { label: string; hint?: ComponentChildren; field: string; children: (id: string, invalid: boolean) => ComponentChildren }) {
  const id = useId();
  const said = useContext(Around)?.wrong(field) ?? "";
  return (
    <div class="form-field">
      <label class="label" for={id}>{label}</label>
      {children(id, !!said)}
      {said ? <p class="hint bad" role="alert">{said}</p> : hint ? <p class="hint">{hint}</p> : null}
    </div>
  );
}

export function Text({ label, hint, field, value, set, type = "text", placeholder, long = false }: {
  label: string; hint?: ComponentChildren; field: string; value: string | undefined; set: (value: string) => void; type?: string; placeholder?: string; long?: boolean;
}) {
  return (
    <Labelled label={label} hint={hint} field={field}>
      {(id, invalid) => long
        ? <textarea id={id} class="field" value={value ?? ""} aria-invalid={invalid} placeholder={placeholder} onInput={(event) => set(event.currentTarget.value)} />
        : <input id={id} class="field" type={type} autoComplete="off" value={value ?? ""} aria-invalid={invalid} placeholder={placeholder} onInput={(event) => set(event.currentTarget.value)} />}
    </Labelled>
  );
}

export function Choice({ label, hint, field, value, set, options }: {
  label: string; hint?: ComponentChildren; field: string; value: string | undefined; set: (value: string) => void; options: (readonly [string, string])[];
}) {
  return (
    <Labelled label={label} hint={hint} field={field}>
      {(id, invalid) => (
        <select id={id} class="field" value={value ?? ""} aria-invalid={invalid} onChange={(event) => set(event.currentTarget.value)}>
          {options.map(([key, name]) => <option key={key} value={key}>{name}</option>)}
        </select>
      )}
    </Labelled>
  );
}

export function Switch({ label, hint, on, set }: { label: string; hint?: ComponentChildren; on: boolean; set: (on: boolean) => void }) {
  const id = useId();
  return (
    <div class="switch">
      <label class="check"><input type="checkbox" checked={on} aria-describedby={hint ? id : undefined} onChange={(event) => set(event.currentTarget.checked)} /><span>{label}</span></label>
      {hint && <p class="hint" id={id}>{hint}</p>}
    </div>
  );
}

const UNITS = { minutes: 60, hours: 3600, days: 86400 };
type Unit = keyof typeof UNITS;
export const secondsOf = (duration: string | undefined): number => Number((duration ?? "0").replace("s", "")) || 0;
const unitOf = (seconds: number): Unit => (seconds && seconds % 86400 === 0 ? "days" : seconds && seconds % 3600 === 0 ? "hours" : "minutes");

// A span of time, "300s" for the server, in the unit in which people would say it.
export function Span({ label, hint, field, value, set }: { label: string; hint?: ComponentChildren; field: string; value: string | undefined; set: (value: string) => void }) {
  const w = settingsWords();
  const seconds = secondsOf(value);
  const chosen = useSignal<Unit | null>(null);
  const unit = chosen.value ?? unitOf(seconds);
  return (
    <Labelled label={label} hint={hint} field={field}>
      {(id, invalid) => (
        <span class="span">
          <input
            id={id} class="field" type="number" min={0} step="any" value={Math.round((seconds / UNITS[unit]) * 100) / 100} aria-invalid={invalid}
            onInput={(event) => set(`${Math.round(Number(event.currentTarget.value) * UNITS[unit])}s`)}
          />
          <select
            class="field" aria-label={`${label}: ${w.unit}`} value={unit}
            onChange={(event) => {
              const next = event.currentTarget.value as Unit;
              set(`${Math.round((seconds / UNITS[unit]) * UNITS[next])}s`);
              chosen.value = next;
            }}
          >
            {(Object.keys(UNITS) as Unit[]).map((one) => <option key={one} value={one}>{w.units[one]}</option>)}
          </select>
        </span>
      )}
    </Labelled>
  );
}

// Asks before what is not saved is left.
export function LeaveGuard() {
  const w = settingsWords();
  const going = useSignal<(() => void) | null>(null);
  useEffect(() => {
    guardLeaving((go) => {
      if (!anyUnsaved.value) return true;
      going.value = go;
      return false;
    });
    const unload = (event: BeforeUnloadEvent): void => {
      if (anyUnsaved.value) event.preventDefault();
    };
    addEventListener("beforeunload", unload);
    return () => (guardLeaving(null), removeEventListener("beforeunload", unload));
  }, []);
  if (!going.value) return null;
  const stay = (): void => void (going.value = null);
  const leave = (): void => {
    const go = going.value;
    unsaved.value = new Set();
    stay();
    go?.();
  };
  return (
    <Dialog title={w.leaveTitle} onClose={stay}>
      <p>{w.leaveText}</p>
      <div class="actions">
        <button type="button" class="button main" autofocus onClick={stay}>{w.stay}</button>
        <button type="button" class="button stop" onClick={leave}>{w.leave}</button>
      </div>
    </Dialog>
  );
}

// What cannot be undone is asked.
export function Sure({ title, children, act, label, onClose }: { title: string; children: ComponentChildren; act: () => Promise<void>; label: string; onClose: () => void }) {
  const busy = useSignal(false);
  const go = (): void => {
    if (busy.value) return;
    busy.value = true;
    act().then(onClose, toastError).finally(() => (busy.value = false));
  };
  return (
    <Dialog title={title} onClose={onClose}>
      {children}
      <div class="actions form-end">
        <button type="button" class="button stop" disabled={busy.value} onClick={go}>{label}</button>
        <button type="button" class="button" onClick={onClose}>{shellWords().cancel}</button>
      </div>
    </Dialog>
  );
}
