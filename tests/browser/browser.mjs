// The browser of the tests of the team's pages, and what they look at on every page. Screenshots for people to look at land
// in build/screenshots.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before } from "node:test";
import { BUILD, SPEECH } from "./office.mjs";

const require = createRequire(join(process.env.RINGBACK_BROWSER_PACKAGES, "package.json"));
export const { chromium } = require("playwright-core");
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const SCREENSHOTS = join(BUILD, "screenshots");
export const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };
export const DESK = { viewport: { width: 1280, height: 900 } };
// Tuesday, 24 November 2026, 10:40 in Berlin.
export const MORNING = Date.parse("2026-11-24T09:40:00Z");

export let browser;
export const LAUNCH = {
  executablePath: process.env.RINGBACK_CHROMIUM,
  args: ["--no-sandbox", "--mute-audio", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
    `--use-file-for-fake-audio-capture=${SPEECH}`, "--autoplay-policy=no-user-gesture-required"],
};

before(async () => {
  mkdirSync(SCREENSHOTS, { recursive: true });
  browser = await chromium.launch(LAUNCH);
});
after(() => browser?.close());

export async function picture(tab, name) {
  await tab.evaluate(() => scrollTo(0, 0));
  await tab.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true });
}

// Only what is in sight.
export const snapshot = (tab, name) => tab.screenshot({ path: join(SCREENSHOTS, `${name}.png`) });

// Nothing serious for those who see, hear or handle differently; nothing scrolls sideways.
export async function accessible(tab) {
  await tab.evaluate(AXE);
  const { violations } = await tab.evaluate(() => window.axe.run());
  const bad = violations.filter((v) => v.impact === "serious" || v.impact === "critical")
    .map((v) => `${v.id}: ${v.nodes.map((n) => n.target + " " + n.failureSummary).join("; ")}`);
  assert.deepEqual(bad, []);
  assert.equal(await tab.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0, "the page scrolls sideways");
}

export async function thumbSized(tab) {
  const small = await tab.locator("button:visible, a.button:visible, summary:visible, .chips label:visible, .check:visible").evaluateAll(
    (all) => all.filter((e) => e.getBoundingClientRect().height < 43.5 && !e.matches(".row-more, .done summary, .caller-past summary")).map((e) => e.outerHTML));
  assert.deepEqual(small, []);
}
