// The microphone: records, pauses, measures. Knows nothing of callers, takes or the page.
import { signal } from "@preact/signals";
import { choice, choose } from "../shell/memory";

export type RecorderState = "idle" | "starting" | "recording" | "paused";
// Of the last moments, 0 to 1; and of the take so far.
export interface Heard {
  peak: number;
  loudness: number;
}
export interface Spoken {
  audio: Blob;
  seconds: number;
  heard: "quiet" | "loud" | "silent" | "short" | "";
}

export const recorderState = signal<RecorderState>("idle");
export const recordedSeconds = signal(0);
export const microphones = signal<{ id: string; label: string }[]>([]);
export const microphone = signal(choice("microphone"));

// Spoken from a hand's width away, speech reaches about 0.1 to 0.3 (RMS of its loud moments).
const QUIET = 0.03;
const SILENT = 0.004;
const LOUD_PEAK = 0.985;
const SHORT_S = 2;
// What a browser writes; Safari knows only the last.
const FORMATS = ["audio/webm;codecs=opus", "audio/ogg;codecs=opus", "audio/mp4"];
// So often what was spoken until then is handed over, to survive a closed tab.
const KEEP_EVERY_MS = 1000;

let stream: MediaStream | null = null;
let recorder: MediaRecorder | null = null;
let context: AudioContext | null = null;
let analyser: AnalyserNode | null = null;
let parts: Blob[] = [];
let loud: number[] = [];
let clippedMoments = 0;
let beganMs = 0;
let beforeMs = 0;
let ticking = 0;

export function chooseMicrophone(id: string): void {
  microphone.value = id;
  choose("microphone", id);
}

export async function listMicrophones(): Promise<void> {
  const devices = (await navigator.mediaDevices?.enumerateDevices().catch(() => [])) ?? [];
  microphones.value = devices.filter((d) => d.kind === "audioinput" && d.deviceId && d.deviceId !== "default" && d.deviceId !== "communications")
    .map((d) => ({ id: d.deviceId, label: d.label }));
}

// Begins. `partly` gets what was spoken so far, again and again; `limit` is called when `most` seconds are over, `gone` when
// the microphone was pulled out or its battery is empty: what was spoken until then is there to be taken.
export async function startRecording(most: number, partly: (spoken: Spoken) => void, limit: () => void, gone: () => void): Promise<void> {
  recorderState.value = "starting";
  try {
    if (!navigator.mediaDevices) throw new DOMException("", "insecure");
    stream = await navigator.mediaDevices.getUserMedia({
      audio: { ...(microphone.value && { deviceId: { ideal: microphone.value } }), channelCount: 1, echoCancellation: false, noiseSuppression: true, autoGainControl: true },
    });
    measure(stream);
    const mimeType = FORMATS.find((format) => MediaRecorder.isTypeSupported(format));
    recorder = new MediaRecorder(stream, { mimeType, audioBitsPerSecond: 64000 });
  } catch (error) {
    release();
    throw error;
  }
  parts = [];
  loud = [];
  clippedMoments = 0;
  beforeMs = 0;
  recorder.ondataavailable = ({ data }) => {
    if (data.size) parts.push(data);
    if (recorder?.state !== "inactive") partly(spoken());
  };
  recorder.onstop = gone;
  recorder.start(KEEP_EVERY_MS);
  beganMs = performance.now();
  recorderState.value = "recording";
  recordedSeconds.value = 0;
  ticking = window.setInterval(() => {
    if (recorderState.value === "recording") recordedSeconds.value = secondsNow();
    if (recordedSeconds.value >= most) limit();
  }, 100);
  void listMicrophones();
}

const secondsNow = (): number => (beforeMs + (recorderState.value === "recording" ? performance.now() - beganMs : 0)) / 1000;

function spoken(): Spoken {
  const audio = new Blob(parts, { type: (recorder?.mimeType || "audio/webm").split(";")[0] });
  return { audio, seconds: secondsNow(), heard: verdict() };
}

function verdict(): Spoken["heard"] {
  // The louder third of the moments is speech.
  const sorted = loud.slice().sort((a, b) => b - a);
  const speech = sorted[Math.floor(sorted.length / 6)] ?? 0;
  if (sorted.length && speech < SILENT) return "silent";
  if (secondsNow() < SHORT_S) return "short";
  if (clippedMoments > Math.max(3, loud.length * 0.02)) return "loud";
  return sorted.length && speech < QUIET ? "quiet" : "";
}

export function pauseRecording(): void {
  if (recorder?.state !== "recording") return;
  recorder.pause();
  beforeMs += performance.now() - beganMs;
  recorderState.value = "paused";
}
export function resumeRecording(): void {
  if (recorder?.state !== "paused") return;
  recorder.resume();
  beganMs = performance.now();
  recorderState.value = "recording";
}

// Ends; null when nothing was running.
export function stopRecording(): Promise<Spoken | null> {
  const ending = recorder;
  if (!ending) {
    release();
    return Promise.resolve(null);
  }
  if (recorderState.value === "recording") beforeMs += performance.now() - beganMs;
  recorderState.value = "paused";
  if (ending.state === "inactive") {
    const all = spoken();
    release();
    return Promise.resolve(all);
  }
  return new Promise((resolve) => {
    ending.onstop = () => {
      const all = spoken();
      release();
      resolve(all);
    };
    ending.stop();
  });
}

function release(): void {
  clearInterval(ticking);
  stream?.getTracks().forEach((track) => track.stop());
  void context?.close();
  stream = recorder = context = analyser = null;
  recorderState.value = "idle";
}

function measure(of: MediaStream): void {
  context = new AudioContext();
  analyser = context.createAnalyser();
  analyser.fftSize = 2048;
  context.createMediaStreamSource(of).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const mine = analyser;
  const listen = window.setInterval(() => {
    if (analyser !== mine) return clearInterval(listen);
    if (recorderState.value !== "recording") return;
    const { peak, loudness } = level(samples);
    loud.push(loudness);
    if (peak >= LOUD_PEAK) ++clippedMoments;
  }, 50);
}

function level(samples: Float32Array<ArrayBuffer>): Heard {
  if (!analyser) return { peak: 0, loudness: 0 };
  analyser.getFloatTimeDomainData(samples);
  let peak = 0;
  let sum = 0;
  for (const sample of samples) {
    peak = Math.max(peak, Math.abs(sample));
    sum += sample * sample;
  }
  return { peak, loudness: Math.sqrt(sum / samples.length) };
}

// For the meter: as it is this moment.
const forMeter = new Float32Array(2048);
export const levelNow = (): Heard => level(forMeter);
export const levelWord = ({ peak, loudness }: Heard): "quiet" | "good" | "loud" => (peak >= LOUD_PEAK ? "loud" : loudness < QUIET ? "quiet" : "good");
