// What there was with this customer before: closed and open callbacks of the same contact.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { CallbackJson } from "../../protocol/ringback/v1/callback_pb";
import { call } from "../shell/api";
import { Loading, Tag } from "../shell/parts";
import { shortDay } from "../shell/time";
import { deskWords } from "./desk_words";
import { newestPromise } from "./who";

export async function pastOf(c: CallbackJson): Promise<CallbackJson[]> {
  if (!c.contactId) return [];
  const request: { contactId?: string; pageSize: number } = { contactId: c.contactId, pageSize: 20 };
  const answer = await call("CallbackService", "listCallbacks", request);
  return (answer.callbacks ?? []).filter((other) => other.id !== c.id && other.contactId === c.contactId);
}

export function PastWithCustomer({ callback }: { callback: CallbackJson }) {
  const w = deskWords();
  const past = useSignal<CallbackJson[] | null>(null);
  useEffect(() => {
    pastOf(callback).then((found) => (past.value = found), () => (past.value = []));
  }, [callback.contactId]);
  if (!past.value) return <Loading />;
  if (past.value.length === 0) return <p class="small soft past-none">{w.historyNone}</p>;
  return (
    <ul class="bare past">
      {past.value.slice(0, 8).map((c) => {
        const promise = newestPromise(c);
        const verdict = promise?.verdict && w.verdicts[promise.verdict as keyof typeof w.verdicts];
        return (
          <li key={c.id}>
            <span class="numbers">{shortDay(c.createTime)}</span>
            <span>{c.brief?.text || c.note || c.disposition || "–"}</span>
            {verdict && <Tag kind={promise?.verdict === "VERDICT_KEPT" ? "good" : promise?.verdict === "VERDICT_MISSED" ? "bad" : ""}>{verdict}</Tag>}
          </li>
        );
      })}
    </ul>
  );
}
