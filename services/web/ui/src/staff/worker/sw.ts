// The service worker: the desk opens without a network, and what was to be sent goes out without a tab. Keeps the shell (it holds no secret) and its script and style, which
// are named by their content; never an answer of the API or a recording.
import { sendWithoutPage } from "./outbox";

declare const self: ServiceWorkerGlobalScope;

const CACHE = "ringback-shell-1";
const PAGES = /^\/(desk|team|settings|report)(\/|$)/;
const SLOW_MS = 4000;

// The shell, and what it names; what it no longer names goes.
async function keepShell(answer: Response): Promise<void> {
  const cache = await caches.open(CACHE);
  const html = await answer.clone().text();
  const assets = [...html.matchAll(/(?:src|href)="(\/app\/[^"]+)"/g)].map((found) => found[1]);
  if (assets.length === 0) return;
  const missing = [];
  for (const asset of assets) if (!(await cache.match(asset))) missing.push(asset);
  await cache.addAll(missing);
  await cache.put("/desk", answer);
  for (const kept of await cache.keys()) {
    const { pathname } = new URL(kept.url);
    if (pathname.startsWith("/app/") && !assets.includes(pathname)) await cache.delete(kept);
  }
}

const usable = (answer: Response): boolean => answer.ok && !answer.redirected && answer.type === "basic";

async function page(event: FetchEvent): Promise<Response> {
  const kept = (): Promise<Response | undefined> => caches.match("/desk", { cacheName: CACHE });
  const fresh = fetch(event.request).then((answer) => {
    if (usable(answer)) event.waitUntil(keepShell(answer.clone()).catch(() => {}));
    return answer;
  });
  fresh.catch(() => {});
  const slow = new Promise<undefined>((resolve) => setTimeout(resolve, SLOW_MS));
  try {
    const answer = await Promise.race([fresh, slow]);
    if (answer && answer.status < 500) return answer;
    return (await kept()) ?? answer ?? fresh;
  } catch (error) {
    const shell = await kept();
    if (shell) return shell;
    throw error;
  }
}

self.addEventListener("install", (event) => {
  event.waitUntil(
    (async () => {
      const answer = await fetch("/desk", { credentials: "same-origin" }).catch(() => null);
      if (answer && usable(answer)) await keepShell(answer).catch(() => {});
      await self.skipWaiting();
    })());
});
self.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      for (const name of await caches.keys()) if (name.startsWith("ringback-") && name !== CACHE) await caches.delete(name);
      await self.clients.claim();
    })());
});
self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin) return;
  if (event.request.mode === "navigate" && PAGES.test(url.pathname)) return event.respondWith(page(event));
  if (url.pathname.startsWith("/app/")) {
    event.respondWith(caches.match(event.request, { cacheName: CACHE }).then((kept) => kept ?? fetch(event.request)));
  }
});
// A notice about a due call was pressed: to the desk.
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(
    (async () => {
      const to = typeof event.notification.data === "string" ? event.notification.data : "/desk";
      const tabs = await self.clients.matchAll({ type: "window" });
      for (const tab of tabs) {
        if (!PAGES.test(new URL(tab.url).pathname)) continue;
        await tab.focus();
        return void tab.postMessage({ open: to });
      }
      await self.clients.openWindow(to);
    })());
});
// https://wicg.github.io/background-sync/spec/
self.addEventListener("sync" as "message", (event) => event.waitUntil(sendWithoutPage()));
