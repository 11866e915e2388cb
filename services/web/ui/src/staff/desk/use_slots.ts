// The free times of one callback: the server's, and without a line one's own reckoning.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { call } from "../shell/api";
import { callbacks } from "../shell/callbacks";
import { me, team } from "../shell/session";
import { iso, ms, nowMs, zone } from "../shell/time";
import { takes } from "./outbox";
import { localSlots, ownTimes } from "./slots";

export interface Slots {
  times: number[];
  own: number[];
  // Reckoned here, without the server.
  local: boolean;
}
const SHOWN_SLOTS = 12;
const NEXT_SLOTS = 3;

// Free times for this callback; what waits in the outbox is taken too. `after`: in a row also those that follow on it.
export function useSlots(callbackId: string, after = 0): Slots | null {
  const slots = useSignal<Slots | null>(null);
  useEffect(() => {
    const member = callbacks.get(callbackId)?.assigneeId || me.value?.member.id || "";
    // The server knows nothing yet of what is still on its way.
    const leaving = takes.value.filter((t) => t.state === "held" || t.state === "queued").length;
    const own = ownTimes(callbacks.values(), takes.value, member, callbackId);
    const spread = call("CallbackService", "listSlots", { callbackId, count: SHOWN_SLOTS + leaving });
    const next = after > 0 ? call("CallbackService", "listSlots", { callbackId, count: NEXT_SLOTS + leaving, earliestTime: iso(after) }) : null;
    Promise.all([spread, next]).then(
      (answers) => {
        const times = new Set(answers.flatMap((answer) => answer?.slots ?? []).map((at) => ms(at)));
        slots.value = { times: [...times].sort((a, b) => a - b), own, local: false };
      },
      () => (slots.value = { times: localSlots(team.value, own, nowMs(), zone.value, SHOWN_SLOTS, callbacks.get(callbackId)?.caller?.timeZone || zone.value), own, local: true }));
  }, [callbackId]);
  return slots.value;
}
