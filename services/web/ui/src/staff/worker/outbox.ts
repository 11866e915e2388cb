// The outbox without a page: the last tab was closed over messages that were to be sent. The browser wakes the service
// worker (Background Sync, where there is one), which waits for its turn and sends them under the same request ids.
import { ApiError, errorOf, fetchMe, formHeaders } from "../shell/api";
import { sendWhatCan, sha256Of, uploadPath } from "../desk/sending";
import { keptTakes } from "../desk/takes";

const LONGEST_MS = 120000;
const AGAIN_MS = 3000;
const pause = (forMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, forMs));
const anyLeft = async (): Promise<boolean> => (await keptTakes()).some((take) => take.state === "held" || take.state === "queued");

// Rejects when something is left, so that the browser wakes it again.
export async function sendWithoutPage(): Promise<void> {
  const until = Date.now() + LONGEST_MS;
  // An open page has the lock, and does it itself.
  await navigator.locks.request("ringback-outbox", { signal: AbortSignal.timeout(LONGEST_MS) }, async () => {
    while ((await anyLeft()) && Date.now() < until) {
      const me = await fetchMe().catch((error) => {
        if (!(error as ApiError).passing) throw error;
        return null;
      });
      // A browser wakes it again only after minutes: what passes is waited for here.
      if (!me) {
        await pause(AGAIN_MS);
        continue;
      }
      const ahead = Date.parse(me.now) - Date.now();
      const again = await sendWhatCan({
        takes: keptTakes,
        author: me.member.id ?? "",
        nowMs: () => Date.now() + ahead,
        upload: async (take) => {
          const audio = take.audio as Blob;
          const answer = await fetch(uploadPath(take, await sha256Of(audio)), {
            method: "POST", body: audio, headers: { ...formHeaders(), "Content-Type": audio.type || "application/octet-stream" },
          }).catch(() => {
            throw new ApiError("OFFLINE", "");
          });
          const body = await answer.text();
          const error = errorOf(answer.status, body);
          if (error) throw error;
          return { id: JSON.parse(body).recording.id };
        },
      });
      if (again === Infinity) return;
      await pause(Math.min(again, 5000));
    }
    if (await anyLeft()) throw new Error("something is left to send");
  });
}
