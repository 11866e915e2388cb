// The team page in Chromium with many open callbacks: ringback's own server, and the same pages on one that keeps everything
// in memory. Prints milliseconds as JSON.   web.mjs URL SIGN-IN-LINK CALLBACKS ROUNDS
import { randomBytes } from "node:crypto";
import { createRequire } from "node:module";
import { join } from "node:path";
import { DeskFixture } from "../../tests/browser/desk_fixture.mjs";

const { chromium } = createRequire(join(process.env.RINGBACK_BROWSER_PACKAGES, "package.json"))("playwright-core");
const [, , url, link, callbacks, rounds] = process.argv;
const median = (all) => [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)];
const p95 = (all) => [...all].sort((a, b) => a - b)[Math.floor(all.length * 0.95)];

// `change(name)` makes a caller of that name wait.
async function measure(context, base, change) {
  const opened = { first_paint_ms: [], first_rows_ms: [], all_ms: [] };
  for (let i = 0; i < 3; ++i) {
    const tab = await context.newPage();
    await tab.goto(base + "/team");
    const rows = await tab.waitForFunction(() => document.querySelector(".team-row") && performance.now());
    opened.first_rows_ms.push(await rows.jsonValue());
    const all = await tab.waitForFunction((count) => {
      const found = document.querySelector(".found")?.textContent.replace(/\D/g, "");
      return found && Number(found.slice(0, String(count).length)) >= count && performance.now();
    }, Number(callbacks), { timeout: 60000 });
    opened.all_ms.push(await all.jsonValue());
    opened.first_paint_ms.push(await tab.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0].startTime));
    await tab.close();
  }
  const tab = await context.newPage();
  await tab.goto(base + "/team");
  const search = tab.locator("input[type=search]");
  const took = [];
  for (let i = 0; i < Number(rounds) + 3; ++i) {
    const name = `Screen-${i}-${randomBytes(3).toString("hex")}`;
    // Whatever is in sight of a long list: the new one alone is looked for.
    await search.fill(name);
    await tab.locator(".team-row").first().waitFor({ state: "detached" });
    await tab.evaluate((wanted) => {
      window.seen = new Promise((resolve) => {
        const look = () => document.querySelector(".team-rows")?.textContent.includes(wanted) && (watch.disconnect(), resolve(Date.now()));
        const watch = new MutationObserver(look);
        watch.observe(document.body, { childList: true, subtree: true, characterData: true });
      });
    }, name);
    const begun = Date.now();
    await change(name);
    const seen = await tab.evaluate(() => window.seen);
    if (i >= 3) took.push(seen - begun);
  }
  await tab.close();
  return {
    ...Object.fromEntries(Object.entries(opened).map(([name, all]) => [name, median(all)])),
    change_p50_ms: median(took), change_p95_ms: p95(took),
  };
}

const browser = await chromium.launch({ executablePath: process.env.RINGBACK_CHROMIUM, args: ["--no-sandbox"] });
const found = {};
{
  const context = await browser.newContext({ locale: "de-DE", serviceWorkers: "block" });
  const door = await context.newPage();
  await door.goto(url + new URL(link).pathname);
  await door.click("button");
  await door.waitForURL("**/desk");
  const { formToken } = await (await context.request.get(url + "/api/v1/me")).json();
  await door.close();
  found.ringback = await measure(context, url, async (name) => {
    const answer = await context.request.post(url + "/api/v1/CallbackService/CreateCallback", {
      headers: { "X-Ringback-Form": formToken, Origin: url },
      data: { requestId: randomBytes(8).toString("hex"), caller: { name, email: `${name.toLowerCase()}@example.com` } },
    });
    if (!answer.ok()) throw new Error(await answer.text());
  });
  await context.close();
}
{
  const office = await new DeskFixture({
    pages: join(process.env.RINGBACK_BUILD, "services/web/ui/dist"), callbacks: Number(callbacks), role: "ROLE_MANAGER",
  }).listen();
  const context = await browser.newContext({ locale: "de-DE", serviceWorkers: "block" });
  found.memory = await measure(context, office.url, async (name) => office.ring({ name, email: `${name.toLowerCase()}@example.com` }));
  await context.close();
  await office.close();
}
await browser.close();
console.log(JSON.stringify(found));
