// Who is signed in, and what of it this browser remembers so that the desk opens without a network.
import { signal } from "@preact/signals";
import type { TeamJson } from "../../protocol/ringback/v1/team_service_pb";
import { ApiError, call, fetchMe, formToken, whenSignedOut, type Me } from "./api";
import { applyChange, callbacks, currentRevision, loadCallbacks, restoreCallbacks, callbacksVersion } from "./callbacks";
import { liveState, startLive, stopLive } from "./live";
import { forget, keep, recall } from "./memory";
import { seenAt, setServerTime, zone } from "./time";
import { setLanguage } from "./words";

export const me = signal<Me | null>(null);
export const team = signal<TeamJson | null>(null);
export const signedOut = signal(false);
export const startError = signal<unknown>(null);

export const isManager = (): boolean => ["ROLE_MANAGER", "ROLE_ADMIN"].includes(me.value?.member.role ?? "");
export const isAdmin = (): boolean => me.value?.member.role === "ROLE_ADMIN";
export const memberName = (id: string | undefined): string => team.value?.members?.find((m) => m.id === id)?.name ?? "";

const KEEP_AT_MOST = 500;

function settle(mine: Me): void {
  me.value = mine;
  setLanguage(mine.member.language || mine.team.language);
  zone.value = mine.member.timeZone || mine.team.timeZone || zone.value;
}

export async function refreshTeam(): Promise<void> {
  team.value = (await call("TeamService", "getTeam", {})).team ?? null;
}

function leave(): void {
  stopLive();
  signedOut.value = true;
  me.value = null;
  void forget();
}

async function fromMemory(): Promise<boolean> {
  const kept = await recall();
  if (!kept) return false;
  settle({ ...kept.me, formToken: "" });
  team.value = kept.team;
  restoreCallbacks(kept.callbacks);
  return true;
}

async function connect(): Promise<void> {
  const mine = await fetchMe();
  setServerTime(mine.now);
  settle(mine);
  await Promise.all([loadCallbacks(), refreshTeam()]);
  startError.value = null;
}

export async function start(): Promise<void> {
  whenSignedOut(leave);
  setLanguage(document.documentElement.lang || navigator.language);
  try {
    await connect();
  } catch (error) {
    if (signedOut.value) return;
    startError.value = error;
    liveState.value = "lost";
    await fromMemory();
    await untilConnected();
  }
  if (signedOut.value || !me.value) return;
  startLive(me.value.member.id ?? "", {
    revision: currentRevision,
    change: (change) => {
      seenAt(change.eventTime);
      applyChange(change);
    },
    anew: () => void again(),
    signedOut: leave,
  });
  remember();
}

// Until it is whole: what is shown must not stay behind what is told.
async function again(): Promise<void> {
  while (!signedOut.value) {
    try {
      return await loadCallbacks();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 2000));
    }
  }
}

async function untilConnected(): Promise<void> {
  while (!signedOut.value) {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, 3000);
      addEventListener("online", () => (clearTimeout(timer), resolve()), { once: true });
    });
    try {
      return await connect();
    } catch (error) {
      startError.value = error;
    }
  }
}

// At most every two seconds, and only the nearest: it is for a desk without a network, not for the whole team.
function remember(): void {
  let timer = 0;
  const save = (): void => {
    timer = 0;
    if (!me.value || signedOut.value) return;
    const own = [...callbacks.values()].filter((c) => !c.assigneeId || c.assigneeId === me.value?.member.id);
    void keep({ me: { ...me.value, formToken: "" }, team: team.value, callbacks: own.slice(0, KEEP_AT_MOST) });
  };
  callbacksVersion.subscribe(() => {
    if (!timer) timer = window.setTimeout(save, 2000);
  });
  save();
}

export async function signOut(everywhere = false): Promise<void> {
  // The form of the sign-in pages; what it answers is a way to /sign-in.
  const answer = await fetch(everywhere ? "/sign-out-everywhere" : "/sign-out", {
    method: "POST", body: new URLSearchParams({ form: formToken() }), redirect: "manual",
  }).catch(() => {
    throw new ApiError("OFFLINE", "");
  });
  if (answer.status >= 400) throw new ApiError("PERMISSION_DENIED", "");
  leave();
}
