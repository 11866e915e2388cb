// What stands around every page: name and ways, whether it is live, who is signed in.
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { heardMs, liveState } from "./live";
import { KeysHelp } from "./parts";
import { keysShown } from "./keys";
import { path } from "./router";
import { isManager, me, signedOut, signOut } from "./session";
import { clock, onServersClock } from "./time";
import { toastError, Toasts } from "./toasts";
import { shellWords } from "./words";

function Way({ to, children }: { to: string; children: string }) {
  const here = path.value === to || path.value.startsWith(to + "/");
  return <a href={to} aria-current={here ? "page" : undefined}>{children}</a>;
}

function Live() {
  const w = shellWords();
  if (liveState.value === "live") return <span class="live" title={w.live}><i aria-hidden="true" /><span class="unseen">{w.live}</span></span>;
  if (liveState.value === "connecting") return <span class="live waiting" role="status"><i aria-hidden="true" />{w.connecting}</span>;
  return (
    <span class="live lost" role="status" title={heardMs.value ? `${w.notLiveLong} ${clock(onServersClock(heardMs.value))}` : undefined}>
      <i aria-hidden="true" />{w.notLive}
    </span>
  );
}

function Who() {
  const w = shellWords();
  const box = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const close = (event: Event): void => {
      if (box.current?.open && !box.current.contains(event.target as Node)) box.current.open = false;
    };
    const escape = (event: KeyboardEvent): void => {
      if (event.key !== "Escape" || !box.current?.open) return;
      box.current.open = false;
      box.current.querySelector("summary")?.focus();
    };
    document.addEventListener("click", close);
    document.addEventListener("keydown", escape);
    return () => (document.removeEventListener("click", close), document.removeEventListener("keydown", escape));
  }, []);
  const name = me.value?.member.name ?? "";
  const initials = name.split(/\s+/).map((part) => part[0]).filter(Boolean).slice(0, 2).join("");
  return (
    <details class="who" ref={box}>
      <summary>{initials}<span class="unseen">, {w.menu}: {name}</span></summary>
      <div class="who-menu">
        <p><strong>{name}</strong><br />{me.value?.team.name}</p>
        <a class="plain" href="/settings/profile" onClick={() => box.current && (box.current.open = false)}>{w.profile}</a>
        <button type="button" class="plain" onClick={() => (keysShown.value = true)}>{w.keys} <kbd>?</kbd></button>
        <button type="button" class="plain" onClick={() => void signOut().catch(toastError)}>{w.signOut}</button>
        <button type="button" class="plain" onClick={() => void signOut(true).catch(toastError)}>{w.signOutEverywhere}</button>
      </div>
    </details>
  );
}

export function Frame({ children }: { children: ComponentChildren }) {
  const w = shellWords();
  // On a phone the ways stand in a row that scrolls.
  useEffect(() => document.querySelector(".top nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" }), [path.value.split("/")[1], !me.value]);
  if (signedOut.value) {
    return (
      <main class="page narrow" id="content">
        <div class="card">
          <h1>{w.signedOut}</h1>
          <p>{w.signedOutText}</p>
          <a class="button main" href={`/sign-in?to=${encodeURIComponent(path.value)}`}>{w.signIn}</a>
        </div>
      </main>
    );
  }
  return (
    <>
      <a class="skip" href="#content" onClick={(event) => (event.preventDefault(), document.getElementById("content")?.focus())}>{w.skip}</a>
      <header class="top">
        <nav aria-label="ringback">
          <Way to="/desk">{w.desk}</Way>
          {isManager() && <Way to="/team">{w.team}</Way>}
          <Way to="/report">{w.report}</Way>
          {isManager() && <Way to="/settings">{w.settings}</Way>}
        </nav>
        <Live />
        {me.value && <Who />}
      </header>
      <main class="page" id="content" tabIndex={-1}>{children}</main>
      <KeysHelp />
      <Toasts />
    </>
  );
}
