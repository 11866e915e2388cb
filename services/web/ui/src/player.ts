// The voice message: one large button, and the waveform as the slider. Built around the browser's own player, which stays
// when there are no scripts.

const time = (seconds: number): string => {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
};

// A play counts from two seconds on: what a scanner or a slip starts is no listening.
const REAL_PLAY_SECONDS = 2;

export function player(): void {
  const box = document.querySelector<HTMLElement>("#player");
  const audio = box && box.querySelector("audio");
  const button = box && box.querySelector<HTMLButtonElement>("button");
  const wave = box && box.querySelector<HTMLElement>("#wave");
  const clock = box && box.querySelector<HTMLElement>("#clock");
  const played = box && box.querySelector<SVGRectElement>("#played rect");
  if (!box || !audio || !button || !wave || !clock) return;

  const said = Number(box.dataset.seconds) || 0;
  // Some players know only what they have read so far of an Ogg file: never less than the server says.
  const length = (): number => Math.max(said, isFinite(audio.duration) ? audio.duration : 0);
  const words = { play: button.dataset.play || "", pause: button.dataset.pause || "" };

  const show = (): void => {
    const at = Math.min(audio.currentTime, length());
    const share = length() > 0 ? at / length() : 0;
    if (played) played.setAttribute("width", String(share * Number(box.dataset.width)));
    clock.textContent = `${time(at)} / ${time(Math.ceil(length()))}`;
    wave.setAttribute("aria-valuenow", String(Math.round(at)));
    wave.setAttribute("aria-valuetext", clock.textContent);
  };
  const label = (): void => {
    box.classList.toggle("playing", !audio.paused);
    button.setAttribute("aria-label", audio.paused ? words.play : words.pause);
  };
  const seek = (seconds: number): void => {
    audio.currentTime = Math.min(Math.max(0, seconds), Math.max(0, length() - 0.05));
    show();
  };

  box.classList.add("scripted");
  audio.controls = false;
  button.hidden = clock.hidden = false;
  wave.tabIndex = 0;
  wave.setAttribute("role", "slider");
  wave.setAttribute("aria-label", wave.dataset.label || "");
  wave.setAttribute("aria-valuemin", "0");
  wave.setAttribute("aria-valuemax", String(Math.round(said)));
  wave.removeAttribute("aria-hidden");

  button.addEventListener("click", () => {
    if (audio.paused) void audio.play().catch(label);
    else audio.pause();
  });
  const seekTo = (x: number): void => {
    const area = wave.getBoundingClientRect();
    seek(((x - area.left) / area.width) * length());
  };
  wave.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    wave.setPointerCapture(event.pointerId);
    seekTo(event.clientX);
  });
  wave.addEventListener("pointermove", (event) => {
    if (wave.hasPointerCapture(event.pointerId)) seekTo(event.clientX);
  });
  wave.addEventListener("keydown", (event) => {
    const to: Record<string, number> = {
      ArrowRight: audio.currentTime + 5,
      ArrowUp: audio.currentTime + 5,
      ArrowLeft: audio.currentTime - 5,
      ArrowDown: audio.currentTime - 5,
      PageUp: audio.currentTime + 15,
      PageDown: audio.currentTime - 15,
      Home: 0,
      End: length(),
    };
    if (event.key === " " || event.key === "Enter") button.click();
    else if (event.key in to) seek(to[event.key]);
    else return;
    event.preventDefault();
  });
  for (const name of ["play", "pause", "ended"]) audio.addEventListener(name, label);
  for (const name of ["timeupdate", "loadedmetadata", "ended", "seeked"]) audio.addEventListener(name, show);
  // What neither format plays: the browser's own player says so, and the text and the download stand below.
  audio.addEventListener("error", () => {
    box.classList.remove("scripted");
    audio.controls = true;
    button.hidden = clock.hidden = true;
  });
  reportPlay(box, audio);
  label();
  show();
}

// Only where the page says that listening is reported; once.
function reportPlay(box: HTMLElement, audio: HTMLAudioElement): void {
  const form = box.querySelector<HTMLFormElement>("form#heard");
  if (!form) return;
  let before: number | null = null;
  let heard = 0;
  const listen = (): void => {
    const at = audio.currentTime;
    // A jump is no listening.
    if (before !== null && !audio.paused && at > before && at - before < 1) heard += at - before;
    before = at;
    if (heard < REAL_PLAY_SECONDS) return;
    audio.removeEventListener("timeupdate", listen);
    void fetch(form.action, {
      method: "POST",
      body: new URLSearchParams(Array.from(new FormData(form) as unknown as Iterable<[string, string]>)),
      keepalive: true,
    }).catch(() => undefined);
  };
  audio.addEventListener("timeupdate", listen);
}
