// How the customer hears of the promise: the address, large; without one: ask for it, SMS, a link to share, or said on the phone.
import type { Signal } from "@preact/signals";
import { useId } from "preact/hooks";
import type { CallbackJson } from "../../protocol/ringback/v1/callback_pb";
import { phoneOf } from "../shell/phone";
import { speakWords } from "./speak_words";
import type { Promising } from "./takes";

export type Way = Promising["channel"];
export const validAddress = (text: string): boolean => /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(text.trim());

export function WayToCustomer({ callback: c, way, address, asking, confirm }: {
  callback: CallbackJson; way: Signal<Way | "">; address: Signal<string>; asking: Signal<boolean>; confirm: Signal<boolean>;
}) {
  const w = speakWords();
  const name = useId();
  const known = c.caller?.email ?? "";
  const ways: Way[] = [
    "PROMISE_CHANNEL_VOICE_MAIL", ...(c.caller?.phone ? ["PROMISE_CHANNEL_SMS" as const] : []), "PROMISE_CHANNEL_LINK_SHARED", "PROMISE_CHANNEL_SPOKEN",
  ];
  const wrong = way.value === "PROMISE_CHANNEL_VOICE_MAIL" && asking.value && address.value !== "" && !validAddress(address.value);
  return (
    <section class="card way" aria-labelledby="way">
      <fieldset>
        <legend id="way">{w.how}</legend>
        <div class="chips">
          {ways.map((one) => (
            <label key={one}>
              <input type="radio" name={name} checked={way.value === one} onChange={() => (way.value = one)} />
              <span>{w.ways[one.replace("PROMISE_CHANNEL_", "") as keyof typeof w.ways]}</span>
            </label>
          ))}
        </div>
      </fieldset>
      {!known && way.value === "" && <p class="note warn">{w.noAddress}</p>}
      {way.value === "PROMISE_CHANNEL_VOICE_MAIL" && (known && !asking.value ? (
        <div class="spread">
          <p class="address"><span class="soft">{w.to}</span> <strong>{known}</strong></p>
          <button type="button" class="quiet-button" onClick={() => ((address.value = known), (asking.value = true))}>{w.changeAddress}</button>
        </div>
      ) : (
        <label>
          <span class="label">{w.askAddress}</span>
          <input
            class="field address-field" type="email" autoComplete="off" value={address.value} aria-invalid={wrong}
            onFocus={() => (asking.value = true)} onInput={(event) => (address.value = event.currentTarget.value)}
          />
          <span class={wrong ? "hint bad" : "hint"}>{wrong ? w.wrongAddress : w.keepAddress}</span>
        </label>
      ))}
      {way.value === "PROMISE_CHANNEL_SMS" && <p class="address"><span class="soft">{w.to}</span> <strong class="numbers">{phoneOf(c.caller)}</strong></p>}
      {way.value === "PROMISE_CHANNEL_LINK_SHARED" && <p class="hint">{c.pageUrl ? w.linkText : w.noPages}</p>}
      {way.value === "PROMISE_CHANNEL_SPOKEN" && (
        <>
          <p class="hint">{w.spokenText}</p>
          {known && (
            <label class="check">
              <input type="checkbox" checked={confirm.value} onChange={(event) => (confirm.value = event.currentTarget.checked)} />
              <span>{w.confirm}</span>
            </label>
          )}
        </>
      )}
    </section>
  );
}
