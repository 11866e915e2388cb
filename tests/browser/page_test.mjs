// The customer's page in a real browser, against a real server: on a phone and on a desk, in both languages, with the
// keyboard alone, without scripts, on a slow line. Screenshots for people to look at land in build/screenshots.
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
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };
const DESK = { viewport: { width: 1280, height: 900 } };
// Tuesday, 24 November 2026, 9:00 in Berlin.
const MORNING = new Date("2026-11-24T08:00:00Z");

let office, browser;

before(async () => {
  mkdirSync(SCREENSHOTS, { recursive: true });
  [office, browser] = await Promise.all([
    Office.open(MORNING),
    chromium.launch({ executablePath: process.env.RINGBACK_CHROMIUM, args: ["--no-sandbox", "--mute-audio"] }),
  ]);
  await office.cli("team", "set", "--footer-company", "Hansen Pumpen GmbH", "--footer-phone", "+49 40 123456",
    "--footer-legal", "Hafenstraße 1, 20457 Hamburg\nAmtsgericht Hamburg, HRB 12345",
    "--imprint-url", "https://hansen.example/impressum", "--privacy-url", "https://hansen.example/datenschutz");
});

after(async () => {
  await browser?.close();
  await office?.close();
});

// A visitor with a browser of their own, who asks nobody but the server and whose console stays clean.
async function visit(page, options, work) {
  const context = await browser.newContext({ timezoneId: "Europe/Berlin", locale: "de-DE", colorScheme: "light", ...options });
  const tab = await context.newPage();
  const trouble = [];
  tab.on("request", (request) => {
    if (!request.url().startsWith(office.url) && !/^(data|about):/.test(request.url())) trouble.push(`asks ${request.url()}`);
  });
  tab.on("console", (message) => {
    // A refused form answers 4xx, and Chromium writes that down.
    if (message.type() === "error" && !/Failed to load resource/.test(message.text())) trouble.push(message.text());
  });
  tab.on("pageerror", (error) => trouble.push(String(error)));
  try {
    await tab.goto(page.url);
    await work(tab, context);
    assert.deepEqual(trouble, []);
  } finally {
    await context.close();
  }
}

async function picture(tab, name) {
  await tab.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true });
}

// Nothing serious for those who see, hear or handle differently.
async function accessible(tab) {
  await tab.evaluate(AXE);
  const { violations } = await tab.evaluate(() => window.axe.run());
  const bad = violations.filter((v) => v.impact === "serious" || v.impact === "critical")
    .map((v) => `${v.id}: ${v.nodes.map((n) => n.target + " " + n.failureSummary).join("; ")}`);
  assert.deepEqual(bad, []);
  const wide = await tab.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(wide, 0, "the page scrolls sideways");
}

// What a thumb presses is 44 px high or more.
async function thumbSized(tab) {
  const small = await tab.locator(".button:visible, .play:visible, .chips label:visible, .quiet:visible, summary:visible").evaluateAll(
    (all) => all.filter((e) => e.getBoundingClientRect().height < 44).map((e) => e.outerHTML));
  assert.deepEqual(small, []);
}

async function events(id) {
  return (await office.cli("history", id)).events.map((event) => event.what);
}

test("the whole story, on a phone, in German", async () => {
  const page = await office.promised();
  await visit(page, PHONE, async (tab) => {
    await tab.getByText("heute um 13:00 Uhr", { exact: true }).waitFor();
    assert.equal(await tab.title(), "Anna Schmidt ruft heute um 13:00 Uhr zurück");
    await accessible(tab);
    await thumbSized(tab);
    await picture(tab, "phone-de-1-page");

    await tab.getByRole("button", { name: "Nachricht abspielen" }).click();
    await tab.waitForFunction(() => document.querySelector("audio").currentTime > 0.5);
    await picture(tab, "phone-de-2-plays");
    await tab.getByRole("button", { name: "Anhalten" }).click();
    assert.equal(await tab.evaluate(() => document.querySelector("audio").paused), true);
    await tab.getByText("Lieber lesen").click();
    await tab.getByText("Geschäftsreise").waitFor();
    await tab.getByText("Lieber lesen").click();

    await tab.getByRole("button", { name: "Einverstanden" }).click();
    await tab.getByText("Anna Schmidt freut sich auf das Gespräch").waitFor();
    await tab.getByText("Sie sind einverstanden").waitFor();
    await tab.waitForFunction(() => location.search === "");
    assert.equal(await tab.getByRole("button", { name: "Einverstanden" }).count(), 0);
    assert.ok((await events(page.id)).includes("agreed"));
    await accessible(tab);
    await picture(tab, "phone-de-3-agreed");

    await tab.getByRole("radio", { name: "Reklamation" }).check();
    await tab.getByLabel("Ihre Nachricht").fill("Die Pumpe P-40 verliert Öl, seit Montag.\nBitte bringen Sie den Vertrag mit.");
    await tab.getByText("75 / 2.000").waitFor();
    await picture(tab, "phone-de-4-writes");
    await tab.getByRole("button", { name: "Absenden" }).click();
    await tab.getByText("das ist angekommen").waitFor();
    await tab.getByText("Die Pumpe P-40 verliert Öl").waitFor();
    assert.equal(await tab.getByLabel("Ihre Nachricht").inputValue(), "");
    const briefed = await office.show(page.id);
    assert.match(briefed.brief.text, /P-40/);
    assert.ok((await events(page.id)).includes("topic_given"));
    assert.equal(await tab.getByRole("radio", { name: "Reklamation" }).isChecked(), true);
    await accessible(tab);
    await picture(tab, "phone-de-5-written");

    await tab.getByRole("link", { name: "Andere Zeit" }).click();
    await tab.getByText("Freie Zeiten von Anna Schmidt").waitFor();
    await accessible(tab);
    await thumbSized(tab);
    await picture(tab, "phone-de-6-times");
    const slot = tab.getByRole("radio").nth(1);
    const chosen = new Date(await slot.getAttribute("value"));
    await slot.check();
    await tab.getByRole("button", { name: "Diese Zeit nehmen" }).click();
    await tab.getByText("Es gilt Ihre neue Zeit").waitFor();
    await tab.getByText("Seit dieser Nachricht hat sich etwas geändert").waitFor();
    const moved = (await office.show(page.id)).promises;
    assert.equal(moved.length, 2);
    assert.equal(moved[0].verdict, "VERDICT_MOVED_BY_CUSTOMER");
    assert.equal(new Date(moved[1].promised_time).getTime(), chosen.getTime());
    await accessible(tab);
    await picture(tab, "phone-de-7-moved");

    await tab.getByRole("link", { name: "Andere Zeit" }).click();
    await tab.getByLabel("Tag und Uhrzeit").fill("2026-11-26T11:20");
    await tab.getByRole("button", { name: "Wunsch senden" }).click();
    await tab.getByText("Ihr Wunsch: am Donnerstag, 26. November um 11:20 Uhr.").waitFor();
    assert.equal((await office.show(page.id)).promises.length, 2, "a wish changes no promise");
    await accessible(tab);
    await picture(tab, "phone-de-8-wished");

    await tab.getByRole("link", { name: "Es hat sich erledigt" }).click();
    await accessible(tab);
    await picture(tab, "phone-de-9-off");
    await tab.getByRole("button", { name: "Ja, bitte absagen" }).click();
    await tab.getByText("Der Rückruf ist abgesagt").waitFor();
    assert.equal((await office.show(page.id)).closing, "CLOSING_CALLED_OFF");
    await accessible(tab);
    await picture(tab, "phone-de-10-called-off");
  });
});

test("on a desk, in English, in the dark, on another clock", async () => {
  const page = await office.promised({ name: "Ms Baker", language: "en" });
  await visit(page, { ...DESK, locale: "en-GB", colorScheme: "dark", timezoneId: "America/New_York" }, async (tab) => {
    await tab.getByText("today at 1:00 pm", { exact: true }).waitFor();
    await tab.getByText("On your clock: 7:00 am (New York)").waitFor();
    await accessible(tab);
    await picture(tab, "desk-en-dark-1-page");
    await tab.getByRole("link", { name: "Another time" }).click();
    await tab.getByText("Times at which Anna Schmidt is free").waitFor();
    await accessible(tab);
    await picture(tab, "desk-en-dark-2-times");
    await tab.getByRole("link", { name: "Back, everything stays as agreed" }).click();
    await tab.getByRole("button", { name: "Agree" }).click();
    await tab.getByText("Anna Schmidt is looking forward to talking with you").waitFor();
    await accessible(tab);
    await picture(tab, "desk-en-dark-3-agreed");
  });
  await visit(page, { ...DESK, locale: "en-GB" }, async (tab) => {
    await accessible(tab);
    await picture(tab, "desk-en-light");
    assert.equal(await tab.getByText("On your clock").isVisible(), false);
  });
});

test("without scripts everything can be read, heard, answered and moved", async () => {
  const page = await office.promised();
  await visit(page, { ...PHONE, javaScriptEnabled: false }, async (tab, context) => {
    assert.equal(await tab.locator("audio").isVisible(), true);
    assert.equal(await tab.locator("#wave svg").isVisible(), true);
    assert.equal(await tab.locator(".play").isVisible(), false);
    await picture(tab, "phone-de-no-scripts");
    const voice = await context.request.get(page.url + "/voice.mp3", { headers: { Range: "bytes=0-99" } });
    assert.equal(voice.status(), 206);

    await tab.getByRole("button", { name: "Einverstanden" }).click();
    await tab.getByText("Sie sind einverstanden").waitFor();
    await tab.getByRole("button", { name: "Absenden" }).click();
    await tab.getByText("Bitte schreiben Sie ein oder zwei Sätze").waitFor();
    await tab.getByLabel("Ihre Nachricht").fill("Es geht um den Vertrag.");
    await tab.getByRole("button", { name: "Absenden" }).click();
    await tab.getByText("das ist angekommen").waitFor();
    await tab.getByRole("link", { name: "Andere Zeit" }).click();
    await tab.getByRole("radio").first().check();
    await tab.getByRole("button", { name: "Diese Zeit nehmen" }).click();
    await tab.getByText("Es gilt Ihre neue Zeit").waitFor();
    await tab.getByRole("link", { name: "Es hat sich erledigt" }).click();
    await tab.getByRole("link", { name: "Nein, bitte anrufen" }).click();
    assert.notEqual((await office.show(page.id)).phase, "PHASE_CLOSED");
    await tab.getByRole("link", { name: "Es hat sich erledigt" }).click();
    await tab.getByRole("button", { name: "Ja, bitte absagen" }).click();
    await tab.getByText("Der Rückruf ist abgesagt").waitFor();
  });
});

test("with the keyboard alone", async () => {
  const page = await office.promised();
  await visit(page, DESK, async (tab) => {
    // Tabs until the wanted thing has the focus, and sees that the focus can be seen.
    const reach = async (locator) => {
      for (let i = 0; i < 30; ++i) {
        await tab.keyboard.press("Tab");
        if (await locator.evaluate((e) => e === document.activeElement)) {
          const seen = await locator.evaluate((e) => {
            const marked = e.matches(".chips input, .times input") ? e.nextElementSibling : e;
            return getComputedStyle(marked).outlineStyle !== "none";
          });
          assert.ok(seen, "the focus cannot be seen");
          return;
        }
      }
      throw new Error("the keyboard does not get there");
    };
    await reach(tab.getByRole("slider"));
    await tab.keyboard.press("End");
    await tab.waitForFunction(() => document.querySelector("audio").currentTime > 5);
    await tab.keyboard.press("Home");
    await tab.keyboard.press("ArrowRight");
    assert.equal(await tab.getByRole("slider").getAttribute("aria-valuenow"), "5");
    await picture(tab, "desk-de-keyboard");
    await tab.keyboard.press("Space");
    await tab.waitForFunction(() => !document.querySelector("audio").paused);
    await tab.keyboard.press("Space");

    await tab.reload();
    await reach(tab.getByRole("button", { name: "Einverstanden" }));
    await tab.keyboard.press("Enter");
    await tab.getByText("Sie sind einverstanden").waitFor();
    await reach(tab.getByRole("radio", { name: "Bestellung" }));
    await tab.keyboard.press("ArrowRight");
    await tab.keyboard.press("ArrowRight");
    await reach(tab.getByLabel("Ihre Nachricht"));
    await tab.keyboard.type("Passt der Termin?");
    await reach(tab.getByRole("button", { name: "Absenden" }));
    await tab.keyboard.press("Space");
    await tab.getByText("das ist angekommen").waitFor();
    assert.equal(await tab.getByRole("radio", { name: "Frage" }).isChecked(), true);
    await reach(tab.getByRole("link", { name: "Andere Zeit" }));
    await tab.keyboard.press("Enter");
    await reach(tab.getByRole("radio").first());
    await tab.keyboard.press("Space");
    await tab.keyboard.press("Enter");
    await tab.getByText("Es gilt Ihre neue Zeit").waitFor();
  });
});

test("what is written is kept in this browser until it is sent", async () => {
  const page = await office.promised();
  await visit(page, PHONE, async (tab) => {
    await tab.getByLabel("Ihre Nachricht").fill("Noch nicht gesendet");
    await tab.reload();
    assert.equal(await tab.getByLabel("Ihre Nachricht").inputValue(), "Noch nicht gesendet");
    await tab.getByLabel("Ihre Nachricht").fill("x".repeat(2001));
    await tab.getByText("Bitte etwas kürzer").waitFor();
    await tab.getByRole("button", { name: "Absenden" }).click();
    assert.equal((await office.show(page.id)).brief?.text ?? "", "");
    await tab.getByLabel("Ihre Nachricht").fill("x".repeat(2000));
    await tab.getByRole("button", { name: "Absenden" }).click();
    await tab.getByText("das ist angekommen").waitFor();
    await tab.reload();
    assert.equal(await tab.getByLabel("Ihre Nachricht").inputValue(), "");
  });
});

test("pressed twice on a slow line it is sent once, and the page is there within a second", async () => {
  const page = await office.promised();
  await visit({ url: "about:blank" }, PHONE, async (tab, context) => {
    const line = await context.newCDPSession(tab);
    await line.send("Network.enable");
    // A phone on the edge of town: 1.6 Mbit/s, 150 ms there and back.
    await line.send("Network.emulateNetworkConditions",
      { offline: false, latency: 150, downloadThroughput: 200000, uploadThroughput: 90000 });
    // The best of a few: what else the machine does is not the page's.
    let painted = Infinity;
    for (let i = 0; i < 4 && painted >= 1000; ++i) {
      await tab.goto(page.url);
      painted = Math.min(painted, await until(() => tab.evaluate(
        () => performance.getEntriesByName("first-contentful-paint")[0]?.startTime), "the first paint"));
    }
    assert.ok(painted < 1000, `first paint after ${painted} ms`);
    await line.send("Network.emulateNetworkConditions",
      { offline: false, latency: 800, downloadThroughput: 20000, uploadThroughput: 20000 });
    await tab.getByLabel("Ihre Nachricht").fill("Nur einmal bitte");
    await tab.getByRole("button", { name: "Absenden" }).dblclick();
    await tab.getByText("das ist angekommen").waitFor();
  });
  assert.equal((await office.show(page.id)).brief.text, "Nur einmal bitte");
});

test("the same form sent twice is one answer, a foreign or old one is none", async () => {
  const page = await office.promised();
  await visit(page, DESK, async (tab, context) => {
    const key = await tab.locator("form[action$='/brief'] input[name=key]").getAttribute("value");
    const send = (form, headers = {}) => context.request.post(page.url + "/brief", { form, headers, maxRedirects: 0 });
    assert.equal((await send({ key, text: "Einmal" })).status(), 303);
    assert.equal((await send({ key, text: "Einmal" })).status(), 303);
    assert.equal((await office.show(page.id)).brief.text, "Einmal");
    for (const [form, headers] of [
      [{ text: "Fremd" }, {}],
      [{ key: key.slice(0, -1) + (key.endsWith("0") ? "1" : "0"), text: "Fremd" }, {}],
      [{ key, text: "Fremd" }, { Origin: "https://evil.example" }],
      [{ key, text: "Fremd" }, { "Sec-Fetch-Site": "cross-site" }],
    ]) {
      const refused = await send(form, headers);
      assert.equal(refused.status(), 409);
      const again = await refused.text();
      if (Object.keys(headers).length === 0) assert.match(again, />Fremd<\/textarea>/, "what was written is lost");
      else assert.doesNotMatch(again, /Fremd/, "another site's words stand on the page");
    }
    assert.equal((await office.show(page.id)).brief.text, "Einmal");
    const missing = await context.request.post(office.url + "/m/pg00aaaaaaaaaaaaaaaaaaaaaaaaaa/brief", { form: { key, text: "x" } });
    assert.equal(missing.status(), 404);
  });
});

test("a stranger can say so, and the link is locked", async () => {
  const page = await office.promised();
  await visit(page, PHONE, async (tab, context) => {
    await tab.getByRole("link", { name: "Diese Nachricht ist nicht für mich" }).click();
    await accessible(tab);
    await picture(tab, "phone-de-wrong");
    await tab.getByRole("button", { name: "Nicht für mich, Link sperren" }).click();
    await tab.getByText("Danke für den Hinweis").waitFor();
    await accessible(tab);
    await picture(tab, "phone-de-wrong-done");
    for (const part of ["", "/voice.mp3", "/promise.ics", "/time"]) {
      assert.equal((await context.request.get(page.url + part)).status(), 404, part);
    }
    await tab.goto(page.url);
    await picture(tab, "phone-de-not-found");
  });
  assert.ok((await events(page.id)).includes("wrong_person"));
  assert.match((await office.show(page.id)).delivery_alarm, /wrong_person/);
});

test("the calendar entry is the mail's", async () => {
  const page = await office.promised({ language: "en" });
  await visit(page, { ...DESK, locale: "en-GB" }, async (tab) => {
    const [download] = await Promise.all([tab.waitForEvent("download"), tab.getByRole("link", { name: "Add to my calendar" }).click()]);
    assert.equal(download.suggestedFilename(), "call.ics");
    const ics = readFileSync(await download.path(), "utf8");
    assert.match(ics, new RegExp(`UID:${page.id}@`));
    assert.match(ics, /DTSTART:20261124T120000Z/);
  });
});
