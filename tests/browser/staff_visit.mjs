// Visits of the team's pages in a real browser. What stands behind the pages is a small server that answers their contract
// from memory (desk_fixture.mjs).
import assert from "node:assert/strict";
import { join } from "node:path";
import { browser, chromium, DESK, LAUNCH, MORNING } from "./browser.mjs";
import { DeskFixture } from "./desk_fixture.mjs";
import { BUILD } from "./office.mjs";

export { accessible, PHONE, picture, snapshot, thumbSized } from "./browser.mjs";

const PAGES = process.env.RINGBACK_PAGES || join(BUILD, "services/web/ui/dist");

// An office of its own for each test, and a visitor whose console stays clean.
export async function visit(options, work) {
  const { office: settings = {}, profile, allowed = /Failed to load resource|net::ERR/, path = "/desk", prepare, script, ...view } = options;
  const office = await new DeskFixture({ pages: PAGES, now: MORNING, callbacks: 30, ...settings }).listen();
  prepare?.(office);
  const look = {
    timezoneId: "Europe/Berlin", locale: settings.language === "en" ? "en-GB" : "de-DE", colorScheme: "light",
    permissions: ["microphone", "clipboard-read", "clipboard-write", "notifications", "background-sync"], ...DESK, ...view,
  };
  const context = profile ? await chromium.launchPersistentContext(profile, { ...LAUNCH, ...look }) : await browser.newContext(look);
  const trouble = [];
  context.on("console", (message) => {
    if (message.type() === "error" && !allowed.test(message.text())) trouble.push(message.text());
  });
  context.on("weberror", (error) => trouble.push(String(error.error())));
  context.on("request", (request) => {
    if (!request.url().startsWith(office.url) && !/^(data|about|blob):/.test(request.url())) trouble.push(`asks ${request.url()}`);
  });
  if (script) await context.addInitScript(script);
  const tab = await context.newPage();
  try {
    await tab.goto(office.url + path);
    await work(tab, office, context);
    assert.deepEqual(trouble, []);
  } finally {
    await context.close();
    await office.close().catch(() => {});
  }
}

export const of = (office, method) => office.calls.filter((c) => c.method === method && !c.body.validateOnly).map((c) => c.body);
export const clock = (at) => new Date(at).toLocaleTimeString("de", { timeZone: "Europe/Berlin", hour: "2-digit", minute: "2-digit" });
