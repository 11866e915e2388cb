// What every page is made of: dialog, states without content, tags. Buttons are plain <button class="button [main|stop]">.
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { allKeys, keyName, keysShown } from "./keys";
import { inWords } from "./refusals";
import { shellWords } from "./words";

// The browser's own dialog: focus stays inside, Escape closes.
export function Dialog({ title, onClose, children, wide = false }: {
  title: string; onClose: () => void; children: ComponentChildren; wide?: boolean;
}) {
  const box = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = box.current;
    if (!dialog) return;
    const before = document.activeElement as HTMLElement | null;
    dialog.showModal();
    return () => {
      dialog.close();
      if (before?.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={box}
      class={wide ? "wide" : undefined}
      aria-labelledby={id}
      onCancel={(event) => (event.preventDefault(), onClose())}
      onClick={(event) => event.target === box.current && onClose()}
    >
      <div class="dialog-body">
        <header class="dialog-head">
          <h2 id={id}>{title}</h2>
          <button type="button" class="icon-button" aria-label={shellWords().close} onClick={onClose}><span aria-hidden="true">✕</span></button>
        </header>
        {children}
      </div>
    </dialog>
  );
}

export function Loading() {
  return <p class="state" role="status">{shellWords().loading}</p>;
}
export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="state empty">
      <p class="state-title">{title}</p>
      {children}
    </div>
  );
}
export function Failed({ error, retry }: { error: unknown; retry?: () => void }) {
  return (
    <div class="state failed" role="alert">
      <p class="state-title">{inWords(error)}</p>
      {retry && <button type="button" class="button" onClick={retry}>{shellWords().retry}</button>}
    </div>
  );
}
export function Tag({ kind = "", children }: { kind?: "" | "good" | "warn" | "bad"; children: ComponentChildren }) {
  return <span class={`tag ${kind}`}>{children}</span>;
}

export function KeysHelp() {
  if (!keysShown.value) return null;
  return (
    <Dialog title={shellWords().keys} onClose={() => (keysShown.value = false)}>
      <dl class="keys">
        {allKeys().map((k) => (
          <div key={keyName(k)}>
            <dt><kbd>{keyName(k)}</kbd></dt>
            <dd>{k.help}</dd>
          </div>
        ))}
        <div>
          <dt><kbd>?</kbd></dt>
          <dd>{shellWords().keysHelp}</dd>
        </div>
      </dl>
    </Dialog>
  );
}
