// The whole story in real browsers against a real ringback, in both languages: a missed call comes in from the telephone
// system; the rep speaks and sends; the customer agrees and writes; the promised time passes; the manager sees it turn red
// without doing anything, takes over, calls and closes. Screenshots for people to look at land in build/screenshots.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { BUILD, Office, until } from "./office.mjs";

const require = createRequire(join(process.env.RINGBACK_BROWSER_PACKAGES, "package.json"));
const { chromium } = require("playwright-core");
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const SCREENSHOTS = join(BUILD, "screenshots");
const SPEECH = join(BUILD, "speech", "bench_10.wav");
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };
const DESK = { viewport: { width: 1280, height: 900 } };
// Tuesday, 24 November 2026, 10:40 in Berlin.
const MORNING = new Date("2026-11-24T09:40:00Z");

let browser, office;
before(async () => {
  mkdirSync(SCREENSHOTS, { recursive: true });
  browser = await chromium.launch({
    executablePath: process.env.RINGBACK_CHROMIUM,
    args: ["--no-sandbox", "--mute-audio", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
      `--use-file-for-fake-audio-capture=${SPEECH}`, "--autoplay-policy=no-user-gesture-required"],
  });
  office = await Office.open(MORNING);
});
after(async () => {
  await browser?.close();
  await office?.close();
});

const WORDS = {
  de: {
    caller: "Herr Müller", email: "mueller@example.com", speak: "Sprechen: Herr Müller", record: "Aufnehmen", done: "Fertig R",
    listen: "Anhören", send: /^Senden/, yes: "Ja, senden", now: "Jetzt senden", agree: "Einverstanden",
    agreed: "Sie sind einverstanden", message: "Ihre Nachricht", write: "Absenden", written: "das ist angekommen",
    overdue: /überfällig/, takeOver: "Übernehmen", reached: "Erreicht", talked: "Gesprochen, bitte abschließen", close: "Erledigt",
    brief: "Die Pumpe P-40 verliert Öl, seit Montag.", signIn: "Anmelden",
  },
  en: {
    caller: "Ms Baker", email: "baker@example.com", speak: "Speak: Ms Baker", record: "Record", done: "Done R", listen: "Listen",
    send: /^Send/, yes: "Yes, send", now: "Send now", agree: "Agree", agreed: "You have agreed", message: "Your message",
    write: "Send", written: "has arrived", overdue: /overdue/, takeOver: "Take over", reached: "Reached", talked: "Talked, please close", close: "Done",
    brief: "The pump P-40 loses oil since Monday.", signIn: "Sign in",
  },
};

async function visitor(options) {
  const context = await browser.newContext({
    timezoneId: "Europe/Berlin", colorScheme: "light", permissions: ["microphone", "clipboard-read", "clipboard-write"], ...options,
  });
  const trouble = [];
  context.on("console", (message) => message.type() === "error" && trouble.push(message.text()));
  context.on("weberror", (error) => trouble.push(error.error().stack));
  context.on("request", (request) => {
    if (!request.url().startsWith(office.url) && !/^(data|about|blob):/.test(request.url())) trouble.push(`asks ${request.url()}`);
  });
  return { context, tab: await context.newPage(), trouble };
}

// By the link that an admin hands over.
async function signedIn(name, options, words) {
  const found = await visitor(options);
  const { link } = await office.cli("sign-in", name);
  await found.tab.goto(link);
  await found.tab.getByRole("button", { name: words.signIn }).click();
  await found.tab.waitForURL("**/desk");
  return found;
}

async function accessible(tab) {
  await tab.evaluate(AXE);
  const { violations } = await tab.evaluate(() => window.axe.run());
  const bad = violations.filter((v) => v.impact === "serious" || v.impact === "critical").map((v) => `${v.id}: ${v.nodes.map((n) => n.target + " " + n.failureSummary).join("; ")}`);
  assert.deepEqual(bad, []);
}
async function picture(tab, name) {
  await accessible(tab);
  await tab.evaluate(() => scrollTo(0, 0));
  await tab.screenshot({ path: join(SCREENSHOTS, `story-${name}.png`), fullPage: true });
}

async function story(language, rings, telephone) {
  const w = WORDS[language];
  const locale = language === "de" ? "de-DE" : "en-GB";
  for (const name of ["Anna Schmidt", "Clara Vogel"]) await office.cli("member", "set", name, "--language", language);
  const rep = await signedIn("Anna Schmidt", { locale, ...DESK }, w);
  const manager = await signedIn("Clara Vogel", { locale, ...DESK }, w);
  await manager.tab.goto(office.url + "/team");

  // The telephone system says that somebody rang.
  const hook = `${office.url}/hooks/v1/${telephone}/missed-call`;
  const call = { phone: rings, name: w.caller, email: w.email, language, event_id: `call-${language}` };
  for (let i = 0; i < 2; ++i) {  // it says so twice, which is one ring
    const answer = await fetch(hook, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(call) });
    assert.equal(answer.status, 200, await answer.text());
  }
  await rep.tab.getByRole("link", { name: w.speak }).waitFor();
  await manager.tab.locator(".team-row", { hasText: w.caller }).waitFor();
  await picture(rep.tab, `${language}-1-somebody-waits`);

  await rep.tab.getByRole("link", { name: w.speak }).click();
  await rep.tab.getByRole("heading", { name: w.caller }).waitFor();
  await rep.tab.locator(".times label").first().click();
  await rep.tab.getByRole("button", { name: w.record, exact: true }).click();
  await rep.tab.waitForFunction(() => Number(document.querySelector(".recorder-clock strong")?.textContent.split(":")[1]) >= 6);
  await rep.tab.getByRole("button", { name: w.done }).click();
  await rep.tab.getByRole("button", { name: w.listen, exact: true }).waitFor();
  await picture(rep.tab, `${language}-2-spoken`);
  await rep.tab.getByRole("button", { name: w.send }).click();
  await rep.tab.getByRole("button", { name: w.yes }).click();
  await rep.tab.getByRole("button", { name: w.now }).click();

  // The customer hears it on a phone, agrees and writes.
  const url = await until(() => office.linkIn(w.email), "the mail to the customer");
  const customer = await visitor({ locale, ...PHONE });
  await customer.tab.goto(url);
  await picture(customer.tab, `${language}-3-customer`);
  await customer.tab.getByRole("button", { name: w.agree, exact: true }).click();
  await customer.tab.getByText(w.agreed).waitFor();
  await customer.tab.getByLabel(w.message).fill(w.brief);
  await customer.tab.getByRole("button", { name: w.write, exact: true }).click();
  await customer.tab.getByText(w.written).waitFor();
  await rep.tab.goto(office.url + "/desk");
  await rep.tab.locator("#next", { hasText: w.brief }).waitFor();
  await picture(rep.tab, `${language}-4-promised`);

  // Nobody calls; the manager's page, which nobody touches, turns red.
  const row = manager.tab.locator(".team-row", { hasText: w.caller });
  await row.filter({ hasText: w.brief }).waitFor();
  assert.equal(await row.filter({ hasText: w.overdue }).count(), 0);
  const before = manager.tab.url();
  const promised = new Date((await office.cli("open")).callbacks.find((c) => c.caller.name === w.caller).due_time);
  office.setClock(new Date(promised.getTime() + 7 * 60000));
  await row.filter({ hasText: w.overdue }).waitFor();
  assert.equal(manager.tab.url(), before);
  await picture(manager.tab, `${language}-5-overdue`);

  await row.click();
  await manager.tab.locator(".panel").getByRole("button", { name: w.takeOver }).click();
  await row.filter({ hasText: "Clara Vogel" }).waitFor();
  await rep.tab.locator("#next", { hasText: w.caller }).waitFor({ state: "detached" });
  await picture(manager.tab, `${language}-6-taken-over`);
  await manager.tab.goto(office.url + "/desk");
  const next = manager.tab.locator("#next");
  await next.getByText(w.brief).waitFor();
  await picture(manager.tab, `${language}-7-prepared`);
  return { w, rep, manager, customer, next };
}

for (const [language, rings] of [["de", "030 1234567"], ["en", "+44 20 7946 0018"]]) {
  test(`from a missed call to a kept word, in ${language === "de" ? "German" : "English"}`, async () => {
    const telephone = (await office.cli("token", "create", "--intake", "--label", "Telefon")).secret;
    const { w, rep, manager, customer, next } = await story(language, rings, telephone);
    await next.getByRole("button", { name: w.reached }).click();
    await next.getByText(w.talked).waitFor();
    await picture(manager.tab, `${language}-8-talked`);
    await next.getByRole("button", { name: w.close, exact: true }).click();
    await manager.tab.locator("#next").waitFor({ state: "detached" });
    const closed = (await office.cli("open", "--closed")).callbacks.find((c) => c.caller.name === w.caller);
    assert.equal(closed.closing, "CLOSING_COMPLETED");
    assert.equal(closed.promises[0].verdict, "VERDICT_LATE");
    await manager.tab.goto(office.url + "/report");
    await manager.tab.getByRole("heading", { level: 1 }).waitFor();
    await picture(manager.tab, `${language}-9-word`);
    for (const one of [rep, manager, customer]) {
      assert.deepEqual(one.trouble, [], one.name);
      await one.context.close();
    }
  });
}
