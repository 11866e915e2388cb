// Something that is shown once, to be copied.
import { useSignal } from "@preact/signals";
import { toastError } from "../shell/toasts";
import { settingsWords } from "./settings_words";

export function Copied({ label, text }: { label: string; text: string }) {
  const w = settingsWords();
  const done = useSignal(false);
  const copy = (): void => void navigator.clipboard.writeText(text).then(() => (done.value = true), toastError);
  return (
    <div class="copied">
      <span class="label">{label}</span>
      <code>{text}</code>
      <button type="button" class="button" onClick={copy}>{done.value ? w.copied : w.copy}<span class="unseen">: {label}</span></button>
    </div>
  );
}
