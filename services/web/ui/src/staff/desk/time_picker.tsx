// When will you call: free times by day, or any time. A radio group, so that arrows walk through it.
import { useSignal } from "@preact/signals";
import { useId } from "preact/hooks";
import { team } from "../shell/session";
import { clock, fromLocalInput, isoDay, nowMs, relativeDay, toLocalInput } from "../shell/time";
import { collides, slotLengthMs } from "./slots";
import { speakWords } from "./speak_words";

const FAR_MS = 90 * 86400000;

export function TimePicker({ slots, own, local, chosen, choose }: {
  slots: number[]; own: number[]; local: boolean; chosen: number | null; choose: (at: number | null) => void;
}) {
  const w = speakWords();
  const name = useId();
  const free = slots.filter((at) => !collides(at, own, slotLengthMs(team.value)) || at === chosen);
  const any = useSignal(chosen !== null && !slots.includes(chosen));
  const days = new Map<string, number[]>();
  for (const at of free) days.set(isoDay(at), [...(days.get(isoDay(at)) ?? []), at]);
  const clash = chosen !== null && own.find((other) => Math.abs(other - chosen) < slotLengthMs(team.value));
  return (
    <fieldset class="times">
      <legend>{w.when}</legend>
      {[...days.values()].map((times) => (
        <div class="times-day" key={times[0]}>
          <p class="day">{relativeDay(times[0])}</p>
          <div class="chips">
            {times.map((at) => (
              <label key={at}>
                <input type="radio" name={name} checked={!any.value && chosen === at} onChange={() => ((any.value = false), choose(at))} />
                <span>{clock(at)}</span>
              </label>
            ))}
          </div>
        </div>
      ))}
      <div class="chips times-day">
        <label>
          <input type="radio" name={name} checked={any.value} onChange={() => (any.value = true)} />
          <span>{w.anyTime}</span>
        </label>
      </div>
      {any.value && (
        <label>
          <span class="label">{w.anyTimeLabel}</span>
          <input
            class="field" type="datetime-local" min={toLocalInput(nowMs())} value={chosen === null ? "" : toLocalInput(chosen)}
            onInput={(event) => {
              const at = fromLocalInput(event.currentTarget.value);
              choose(Number.isNaN(at) ? null : at);
            }}
          />
        </label>
      )}
      {chosen !== null && chosen <= nowMs() && <p class="hint bad" role="alert">{w.past}</p>}
      {chosen !== null && chosen > nowMs() + FAR_MS && <p class="hint bad" role="alert">{w.far}</p>}
      {typeof clash === "number" && <p class="hint bad" role="alert">{w.own(clock(clash))}</p>}
      {local && <p class="hint">{w.slotsLocal}</p>}
    </fieldset>
  );
}
