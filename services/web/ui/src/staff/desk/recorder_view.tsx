// The microphone on the page: record, pause, level, listen, again; or a file. What is spoken goes into this browser's
// database while it is spoken.
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { newRequestId } from "../shell/api";
import { useKeys } from "../shell/keys";
import { me, team } from "../shell/session";
import { countdown, nowMs } from "../shell/time";
import { dropOlder } from "./outbox";
import {
  chooseMicrophone, levelNow, levelWord, listMicrophones, microphone, microphones, pauseRecording, recordedSeconds, recorderState, resumeRecording,
  startRecording, stopRecording, type Spoken,
} from "./recorder";
import { speakWords } from "./speak_words";
import { Spoke } from "./take_view";
import { putTake, type Take } from "./takes";

const FILE_MAX = 128 * 1024 * 1024;
const DEFAULT_MAX_S = 120;

export interface For {
  callbackId: string;
  who: string;
  // What the teleprompter says.
  promisedMs: number | null;
  text: string;
}

function newTake({ callbackId, who }: For): Take {
  return { id: newRequestId(), author: me.value?.member.id ?? "", callbackId, who, state: "draft", recordedMs: nowMs(), seconds: 0 };
}
export function Recorder({ whom, take }: { whom: For; take: Take | undefined }) {
  const w = speakWords();
  const trouble = useSignal("");
  const state = recorderState.value;
  const most = team.value?.recordingMaxSeconds || DEFAULT_MAX_S;
  const current = useRef<Take | null>(null);

  const finish = async (): Promise<void> => {
    const mine = current.current;
    const spoken = await stopRecording();
    current.current = null;
    if (!mine || !spoken || spoken.audio.size === 0) return;
    const whole: Take = { ...mine, audio: spoken.audio, seconds: spoken.seconds, heard: spoken.heard, unfinished: false };
    await putTake(whole);
    await dropOlder(whole);
  };
  const begin = async (): Promise<void> => {
    trouble.value = "";
    const mine = (current.current = { ...newTake(whom), spokenText: whom.text, ...(whom.promisedMs !== null && { spokenMs: whom.promisedMs }) });
    const partly = ({ audio, seconds }: Spoken): void => {
      if (current.current === mine) void putTake({ ...mine, audio, seconds, unfinished: true });
    };
    try {
      await startRecording(most, partly, () => void finish(), () => void finish().then(() => (trouble.value = w.microphoneErrors.gone)));
    } catch (error) {
      current.current = null;
      const known = w.microphoneErrors as Record<string, string>;
      trouble.value = known[(error as DOMException).name] ?? known[(error as DOMException).name === "Error" ? "insecure" : "other"];
    }
  };
  const takeFile = async (file: File): Promise<void> => {
    trouble.value = "";
    if (!/^(audio|video)\//.test(file.type) && !/\.(wav|mp3|m4a|ogg|opus|webm|flac|amr|aac)$/i.test(file.name)) return void (trouble.value = w.noAudio);
    if (file.size > FILE_MAX) return void (trouble.value = w.tooLarge);
    const seconds = await lengthOf(file);
    const whole: Take = { ...newTake(whom), audio: new Blob([file], { type: file.type || "application/octet-stream" }), seconds };
    await putTake(whole);
    await dropOlder(whole);
  };

  // A tab that goes while speaking has kept the take; one that only leaves the page ends it.
  useEffect(() => () => void finish(), []);
  useEffect(() => void listMicrophones(), []);
  const dropping = useFileDrop((file) => void takeFile(file));

  const toggle = (): void => void (state === "idle" ? begin() : state === "starting" ? null : finish());
  useKeys([
    { key: "r", help: `${w.record} / ${w.stop}`, act: toggle },
    { key: " ", help: `${w.pause} / ${w.resume}`, act: () => (state === "paused" ? resumeRecording() : pauseRecording()) },
  ]);

  const live = state === "recording" || state === "paused";
  return (
    <section class={dropping ? "card recorder dropping" : "card recorder"} aria-labelledby="recorder">
      <h2 id="recorder" class="unseen">{w.record}</h2>
      {!live && !take && <p class="coach">{w.coach}</p>}
      {live ? (
        <div class="recorder-live">
          <button type="button" class="record-button on" onClick={toggle} aria-label={w.stop}><i aria-hidden="true" /></button>
          <div class="recorder-facts">
            <p class="recorder-clock numbers"><strong>{countdown(recordedSeconds.value * 1000)}</strong> <span class="soft">{w.left(countdown((most - recordedSeconds.value) * 1000))}</span></p>
            <Level />
          </div>
          <div class="actions">
            <button type="button" class="button" onClick={() => (state === "paused" ? resumeRecording() : pauseRecording())}>
              {state === "paused" ? w.resume : w.pause} <kbd>␣</kbd>
            </button>
            <button type="button" class="button main" onClick={toggle}>{w.stop} <kbd>R</kbd></button>
          </div>
          <p class="unseen" role="status">{state === "paused" ? w.paused : w.recording}</p>
        </div>
      ) : take?.unfinished ? (
        // The last second is being put to the rest: what is played must not change under the listener.
        <p class="soft">{w.checking}</p>
      ) : take ? (
        <Spoke take={take} again={() => void begin()} />
      ) : (
        <div class="recorder-idle">
          <button type="button" class="record-button" disabled={state === "starting"} onClick={toggle} aria-label={w.record}><i aria-hidden="true" /></button>
          <div>
            <p class="record-label">{w.record} <kbd>R</kbd></p>
            <p class="hint">{dropping ? w.dropNow : w.dropHere}{" "}
              <label class="file-label">{w.chooseFile}
                <input type="file" accept="audio/*,.m4a,.amr,.opus" class="unseen" onChange={(event) => {
                  const file = event.currentTarget.files?.[0];
                  if (file) void takeFile(file);
                }} />
              </label>
            </p>
          </div>
        </div>
      )}
      {trouble.value && <p class="note bad" role="alert">{trouble.value}</p>}
      {microphones.value.length > 1 && !live && !take && (
        <label class="microphone small">
          <span class="soft">{w.microphone}</span>
          <select class="field" value={microphone.value} onChange={(event) => chooseMicrophone(event.currentTarget.value)}>
            <option value="">{w.microphoneDefault}</option>
            {microphones.value.map((m) => <option key={m.id} value={m.id}>{m.label || w.microphone}</option>)}
          </select>
        </label>
      )}
    </section>
  );
}

function Level() {
  const w = speakWords();
  const bar = useRef<HTMLDivElement>(null);
  const word = useSignal<"quiet" | "good" | "loud">("quiet");
  useEffect(() => {
    let frame = 0;
    let calm = 0;
    const draw = (): void => {
      const heard = recorderState.value === "recording" ? levelNow() : { peak: 0, loudness: 0 };
      // In decibels, from -50 to 0.
      const share = Math.max(0, Math.min(1, 1 + (20 * Math.log10(heard.peak || 1e-6)) / 50));
      if (bar.current) {
        bar.current.style.setProperty("--level", share.toFixed(3));
        bar.current.dataset.level = levelWord(heard);
      }
      // Words change slowly enough to be read.
      if (++calm % 40 === 0) word.value = levelWord(heard);
      frame = requestAnimationFrame(draw);
    };
    draw();
    return () => cancelAnimationFrame(frame);
  }, []);
  return (
    <div class="level-box">
      <div class="level" ref={bar} aria-hidden="true"><i /></div>
      <span class={`level-word ${word.value}`}>{w.levels[word.value]}</span>
    </div>
  );
}

function lengthOf(file: Blob): Promise<number> {
  return new Promise((resolve) => {
    const player = new Audio();
    const url = URL.createObjectURL(file);
    const done = (): void => {
      URL.revokeObjectURL(url);
      resolve(Number.isFinite(player.duration) ? player.duration : 0);
    };
    player.onloadedmetadata = player.onerror = done;
    player.src = url;
  });
}

// A file may fall anywhere on the page.
function useFileDrop(take: (file: File) => void): boolean {
  const over = useSignal(false);
  const latest = useRef(take);
  latest.current = take;
  useEffect(() => {
    const hasFile = (event: DragEvent): boolean => [...(event.dataTransfer?.types ?? [])].includes("Files");
    const drag = (event: DragEvent): void => {
      if (!hasFile(event)) return;
      event.preventDefault();
      over.value = true;
    };
    const leave = (event: DragEvent): void => void (event.relatedTarget === null && (over.value = false));
    const drop = (event: DragEvent): void => {
      if (!hasFile(event)) return;
      event.preventDefault();
      over.value = false;
      const file = event.dataTransfer?.files[0];
      if (file) latest.current(file);
    };
    document.addEventListener("dragover", drag);
    document.addEventListener("dragleave", leave);
    document.addEventListener("drop", drop);
    return () => {
      document.removeEventListener("dragover", drag);
      document.removeEventListener("dragleave", leave);
      document.removeEventListener("drop", drop);
    };
  }, []);
  return over.value;
}
