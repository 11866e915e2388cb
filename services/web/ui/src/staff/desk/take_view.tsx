// A take that is spoken: listen to it, and what was heard in it, in words.
import { useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { useKeys } from "../shell/keys";
import { clock, countdown, nowMs } from "../shell/time";
import { toast } from "../shell/toasts";
import { language } from "../shell/words";
import { speakWords } from "./speak_words";
import { isUnkept, type Take } from "./takes";

// What was said of a take, in words; fatal: it cannot be sent.
export function findingsInWords(take: Take): { text: string; bad: boolean; fatal: boolean }[] {
  const w = speakWords();
  if (take.findings) return take.findings.map((f) => ({ text: language.value === "de" ? f.textDe : f.textEn, bad: true, fatal: !!f.fatal }));
  const own = { quiet: w.tooQuiet, loud: w.clipped, silent: w.silent, short: w.tooShort, "": "" }[take.heard ?? ""];
  return own ? [{ text: own, bad: true, fatal: false }] : [];
}

export function Spoke({ take, again }: { take: Take; again: () => void }) {
  const w = speakWords();
  const audio = useRef<HTMLAudioElement>(null);
  const playing = useSignal(false);
  const at = useSignal(0);
  const url = useMemo(() => (take.audio ? URL.createObjectURL(take.audio) : ""), [take.id, take.audio?.size]);
  useEffect(() => () => URL.revokeObjectURL(url), [url]);
  const listen = (): void => {
    const player = audio.current;
    if (!player) return;
    if (player.paused) void player.play().catch(() => toast(w.noAudio, { bad: true }));
    else player.pause();
  };
  useKeys([{ key: "l", help: w.listen, act: listen }]);
  const found = findingsInWords(take);
  const fatal = found.some((f) => f.fatal) || take.error === "UPLOAD_REFUSED";
  const old = nowMs() - take.recordedMs > 120000;
  return (
    <div class="spoke">
      <div class="spoke-main">
        <button type="button" class="play-button" onClick={listen} aria-label={playing.value ? w.halt : w.listen}><span aria-hidden="true">{playing.value ? "❚❚" : "▶"}</span></button>
        <div class="recorder-facts">
          <p class="recorder-clock numbers"><strong>{w.take}</strong> <span class="soft">{countdown(at.value * 1000)} / {countdown(take.seconds * 1000)}</span></p>
          <progress max={take.seconds || 1} value={at.value} aria-label={w.take} />
        </div>
        <button type="button" class="button" onClick={again}>{w.again} <kbd>R</kbd></button>
      </div>
      {old && <p class="hint">{w.takeKept(clock(take.recordedMs))}</p>}
      <div class="findings" role="status">
        {isUnkept(take.id) && <p class="note warn">{w.unkept}</p>}
        {found.map((f) => <p key={f.text} class={f.fatal ? "note bad" : "note warn"}>{f.text}</p>)}
        {fatal && <p class="note bad">{w.unusable}</p>}
        {!found.length && !fatal && (take.findings ? <p class="fine">✓ {w.fine}</p> : take.recordingId ? <p class="soft small">{w.checking}</p> : null)}
      </div>
      {url && (
        <audio
          ref={audio} src={url} preload="auto" onPlay={() => (playing.value = true)} onPause={() => (playing.value = false)}
          onEnded={() => ((playing.value = false), (at.value = 0))} onTimeUpdate={(event) => (at.value = event.currentTarget.currentTime)}
        />
      )}
    </div>
  );
}
