// The desk in a real browser: a rep speaks to three callers, with a microphone that plays real speech; lines that go down,
// tabs that are closed, the keyboard alone, both languages. What stands behind the pages is a small server that answers
// their contract from memory, so that it can fail on demand. Screenshots for people to look at land in build/screenshots.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { BUILD, until } from "./office.mjs";
import { accessible, clock, of, PHONE, picture, thumbSized, visit as atTheDesk } from "./staff_visit.mjs";

const promises = (office) => of(office, "makePromise");

async function speakFor(tab, seconds = 2.5) {
  await tab.getByRole("button", { name: "Aufnehmen", exact: true }).click();
  await tab.waitForFunction((s) => Number(document.querySelector(".recorder-clock strong")?.textContent.split(":")[1]) >= s, Math.floor(seconds));
  await tab.getByRole("button", { name: "Fertig R" }).click();
  await tab.getByRole("button", { name: "Anhören", exact: true }).waitFor();
}

// An address that is new to this browser is shown once more; then the page goes on to the next caller, or to the desk.
async function send(tab) {
  const here = tab.url();
  const yes = tab.getByRole("button", { name: "Ja, senden" });
  await tab.getByRole("button", { name: /^Senden/ }).click();
  await until(async () => (await yes.isVisible()) || tab.url() !== here, "a second look, or the next caller");
  if (tab.url() === here) await yes.click();
  await until(() => tab.url() !== here, "the next caller");
}

test("three in a row: each a slot later, ten seconds to think again, and one list at the end", async () => {
  await atTheDesk({ office: { callbacks: 0 } }, async (tab, office) => {
    for (const [name, email] of [["Herr Müller", "mueller@example.com"], ["Frau Weiß", "weiss@example.com"], ["Herr Öztürk", "oeztuerk@example.com"]]) {
      office.ring({ name, email, phone: "+4940123456" }, { note: "hat um Rückruf gebeten" });
      await tab.getByRole("link", { name: `Sprechen: ${name}` }).waitFor();
    }
    await accessible(tab);
    await tab.getByRole("link", { name: "Sprechen: Herr Müller" }).click();
    await tab.getByRole("heading", { name: "Herr Müller" }).waitFor();
    await tab.getByText("Freundlich, ruhig, mit einem Lächeln.").waitFor();
    const text = tab.getByLabel("Was Sie sagen");
    assert.match(await text.inputValue(), /Guten Morgen Herr Müller, hier ist Anna Schmidt.*heute um 11:15 Uhr/s);
    await tab.locator(".times label", { hasText: "13:00" }).click();
    assert.match(await text.inputValue(), /heute um 13 Uhr an\. Versprochen!/);
    await accessible(tab);
    await tab.getByRole("button", { name: "Aufnehmen", exact: true }).click();
    await tab.locator(".level").waitFor();
    await tab.waitForFunction(() => Number(getComputedStyle(document.querySelector(".level")).getPropertyValue("--level")) > 0.3);
    await tab.waitForFunction(() => document.querySelector(".recorder-clock strong")?.textContent === "0:03");
    await picture(tab, "staff-de-2-recording");
    await tab.getByRole("button", { name: "Pause" }).click();
    await tab.getByRole("button", { name: "Weiter ␣" }).waitFor();
    const stopped = await tab.locator(".recorder-clock strong").textContent();
    await tab.getByRole("button", { name: "Weiter ␣" }).click();
    await tab.waitForFunction((at) => document.querySelector(".recorder-clock strong").textContent > at, stopped);
    await tab.getByRole("button", { name: "Fertig R" }).click();
    await tab.getByText("✓ Klingt gut.").waitFor();
    await tab.getByRole("button", { name: "Anhören", exact: true }).click();
    await tab.waitForFunction(() => document.querySelector("audio").currentTime > 0.3);
    await accessible(tab);
    await picture(tab, "staff-de-3-spoken");
    await tab.getByRole("button", { name: "Anhalten" }).click();

    await tab.getByRole("button", { name: /^Senden/ }).click();
    await tab.getByRole("dialog", { name: "Stimmt die Adresse?" }).waitFor();
    assert.equal(await tab.locator("dialog .address").textContent(), "mueller@example.com");
    await accessible(tab);
    await picture(tab, "staff-de-4-second-look");
    await tab.getByRole("button", { name: "Ja, senden" }).click();

    await tab.getByRole("heading", { name: "Frau Weiß" }).waitFor();
    await tab.getByText("1 gesendet").waitFor();
    assert.equal(promises(office).length, 0, "ten seconds are not over");
    assert.equal(await tab.locator(".times input:checked + span").textContent(), "13:15");
    await picture(tab, "staff-de-5-next-caller");
    await speakFor(tab);
    await send(tab);
    await tab.getByRole("heading", { name: "Herr Öztürk" }).waitFor();
    await tab.getByText("2 gesendet").waitFor();
    assert.equal(await tab.locator(".times input:checked + span").textContent(), "13:30");
    await speakFor(tab);
    await send(tab);
    await tab.getByRole("heading", { name: "3 gesendet: 13:00, 13:15, 13:30" }).waitFor();
    await picture(tab, "staff-de-6-row");
    await until(() => promises(office).length === 3, "three promises");
    assert.deepEqual(promises(office).map((p) => clock(p.promisedTime)), ["13:00", "13:15", "13:30"]);
    assert.ok(promises(office).every((p) => p.recordingId && /Versprochen!/.test(p.spokenText)));
    assert.equal(office.uploads, 3);
    await tab.getByText("Niemand wartet").waitFor();
    await tab.locator("#next .when", { hasText: "13:00" }).waitFor();
    await accessible(tab);
    await picture(tab, "staff-de-7-promised");
  });
});

test("within ten seconds it can be undone, and the take is still there", async () => {
  await atTheDesk({ office: { callbacks: 0 } }, async (tab, office) => {
    office.ring({ name: "Herr Müller", email: "mueller@example.com" });
    await tab.getByRole("link", { name: "Sprechen: Herr Müller" }).click();
    await speakFor(tab);
    await send(tab);
    await tab.locator(".hold").waitFor();
    await tab.keyboard.press("z");
    await tab.getByRole("heading", { name: "Herr Müller" }).waitFor();
    await tab.getByRole("button", { name: "Anhören", exact: true }).waitFor();
    // Past the moment when it would have gone.
    await tab.waitForTimeout(11000);
    assert.equal(promises(office).length, 0);
    await send(tab);
    await tab.getByRole("button", { name: "Jetzt senden" }).click();
    await until(() => promises(office).length === 1, "the promise");
  });
});

test("what cannot go out is kept and goes once: cut uploads, a lost line, a closed tab", async () => {
  await atTheDesk({ office: { callbacks: 0 } }, async (tab, office, context) => {
    office.ring({ name: "Herr Müller", email: "mueller@example.com" });
    office.ring({ name: "Frau Weiß", email: "weiss@example.com" });
    await tab.getByRole("link", { name: "Sprechen: Frau Weiß" }).waitFor();
    await tab.evaluate(() => navigator.serviceWorker.ready);
    await tab.getByRole("link", { name: "Sprechen: Herr Müller" }).click();
    office.cutUploads = 2;
    await speakFor(tab);
    await send(tab);
    await tab.getByRole("button", { name: "Jetzt senden" }).click();
    await until(() => promises(office).length === 1, "the promise after two cut uploads");
    assert.equal(office.cutUploads, 0);
    assert.equal(office.recordings.size, 1);

    // Spoken to Frau Weiß while the line is down; the browser is closed over it and opened again.
    await tab.getByRole("heading", { name: "Frau Weiß" }).waitFor();
    const up = await office.down();
    await speakFor(tab);
    await send(tab);
    await tab.getByText("Nicht live").waitFor();
    await tab.getByRole("heading", { name: "2 gesendet" }).waitFor();
    await tab.getByText("Wartet auf Verbindung").waitFor();
    await picture(tab, "staff-de-8-no-line");
    await tab.close();
    const again = await context.newPage();
    await again.goto(office.url + "/desk");
    await again.getByText("Wartet auf Verbindung").waitFor();
    await again.getByRole("heading", { name: "Wer wartet" }).waitFor();
    await picture(again, "staff-de-9-opened-without-line");
    await up();
    await until(() => promises(office).length === 2, "the promise when the line is back");
    await again.getByText("Niemand wartet").waitFor();
    assert.equal(office.recordings.size, 2);
    assert.equal(new Set(promises(office).map((p) => p.requestId)).size, 2);
  });
});

test("the last tab is closed within the ten seconds, and the message goes all the same", async () => {
  // Private windows have no Background Sync: this browser has a profile.
  const profile = mkdtempSync(join(tmpdir(), "ringback-profile-"));
  // However long the browser takes to note that it is to go on: the page does not say "sent" before.
  const script = `const { register } = SyncManager.prototype;
    SyncManager.prototype.register = async function (tag) {
      await new Promise((resolve) => setTimeout(resolve, 1000));
      return register.call(this, tag);
    };`;
  await atTheDesk({ office: { callbacks: 0 }, profile, script }, async (tab, office, context) => {
    await context.pages()[0].goto("about:blank");
    office.ring({ name: "Herr Müller", email: "mueller@example.com" });
    await tab.evaluate(() => navigator.serviceWorker.ready);
    await tab.getByRole("link", { name: "Sprechen: Herr Müller" }).click();
    await speakFor(tab);
    await send(tab);
    // Its first words to the server are lost, also the one that browsers say again by themselves.
    office.lostWords = 3;
    await tab.close();
    assert.equal(promises(office).length, 0);
    await until(() => promises(office).length === 1, "the promise without a page");
    assert.equal(office.lostWords, 0);
    assert.equal(office.recordings.size, 1);
  });
  rmSync(profile, { recursive: true, force: true });
});

test("a tab that is closed in the middle of speaking has kept what was spoken", async () => {
  await atTheDesk({ office: { callbacks: 0 } }, async (tab, office, context) => {
    office.ring({ name: "Herr Müller", email: "mueller@example.com" });
    await tab.getByRole("link", { name: "Sprechen: Herr Müller" }).click();
    await tab.locator(".times label", { hasText: "13:00" }).click();
    await tab.getByLabel("Was Sie sagen").fill("Guten Morgen Herr Müller, ich rufe Sie heute um 13 Uhr an.");
    // Words alone are there again after a look at the desk.
    await tab.goBack();
    await tab.goForward();
    await tab.locator(".times input:checked + span", { hasText: "13:00" }).waitFor();
    assert.match(await tab.getByLabel("Was Sie sagen").inputValue(), /ich rufe Sie heute um 13 Uhr an\.$/);
    await tab.getByRole("button", { name: "Aufnehmen", exact: true }).click();
    await tab.waitForFunction(() => document.querySelector(".recorder-clock strong")?.textContent === "0:04");
    await tab.close();
    const again = await context.newPage();
    await again.goto(office.url + "/desk");
    await again.getByText("Noch nicht gesendet").waitFor();
    await again.getByRole("link", { name: "Öffnen" }).click();
    await again.getByRole("button", { name: "Anhören", exact: true }).click();
    await again.waitForFunction(() => document.querySelector("audio").currentTime > 1);
    assert.equal(promises(office).length, 0);
    // With the words that were spoken, and the time that was in them.
    assert.equal(await again.getByLabel("Was Sie sagen").inputValue(), "Guten Morgen Herr Müller, ich rufe Sie heute um 13 Uhr an.");
    assert.equal(await again.locator(".times input:checked + span").textContent(), "13:00");
  });
});

test("a browser that keeps nothing loses nothing while its tab is open, and says so", async () => {
  await atTheDesk({ office: { callbacks: 0 } }, async (tab, office) => {
    // As in a private window of some browsers.
    await tab.addInitScript(() => {
      IDBObjectStore.prototype.put = () => {
        throw new DOMException("Error preparing Blob/File data to be stored in object store", "UnknownError");
      };
    });
    await tab.reload();
    office.ring({ name: "Herr Müller", email: "mueller@example.com" });
    await tab.getByRole("link", { name: "Sprechen: Herr Müller" }).click();
    await speakFor(tab);
    await tab.getByText("Dieser Browser behält die Aufnahme nicht").waitFor();
    await accessible(tab);
    await picture(tab, "staff-de-unkept");
    await send(tab);
    await tab.getByRole("button", { name: "Jetzt senden" }).click();
    await until(() => promises(office).length === 1, "the promise");
    assert.equal(office.uploads, 1);
    await tab.getByText("1 gesendet").waitFor();
  });
});

test("what arrives after the promised time asks for a new one", async () => {
  await atTheDesk({ office: { callbacks: 0 } }, async (tab, office) => {
    office.ring({ name: "Herr Müller", email: "mueller@example.com" });
    await tab.getByRole("link", { name: "Sprechen: Herr Müller" }).click();
    await speakFor(tab);
    const up = await office.down();
    await send(tab);
    await tab.getByRole("button", { name: "Jetzt senden" }).click();
    await tab.getByText("Wartet auf Verbindung").waitFor();
    // An hour without a line: 11:15 is over.
    office.offset += 3600000;
    await tab.evaluate(() => location.reload());
    await up();
    await tab.getByText("11:15 ist vorbei, bevor die Nachricht hinaus konnte").waitFor();
    await accessible(tab);
    await picture(tab, "staff-de-10-late");
    assert.ok([...office.callbacks.values()].every((c) => !c.promises), "nothing is promised that cannot be kept");
    await tab.getByRole("link", { name: "Neue Zeit wählen" }).click();
    assert.equal(await tab.locator(".times input:checked + span").textContent(), "12:15");
    await tab.getByRole("button", { name: "Anhören", exact: true }).waitFor();
    // The text is for the new time; what was spoken is not.
    assert.match(await tab.getByLabel("Was Sie sagen").inputValue(), /heute um 12:15 Uhr/);
    await tab.getByRole("button", { name: /^Senden/ }).click();
    await tab.getByRole("dialog", { name: "Zeit und Aufnahme passen nicht zusammen" }).waitFor();
    await tab.getByText("Als Sie sprachen, stand 11:15 im Text. Versprochen wird 12:15.").waitFor();
    await accessible(tab);
    await picture(tab, "staff-de-15-spoken-for-another-time");
  });
});

test("what the server would refuse or doubts is said before it goes, in the reader's words", async () => {
  await atTheDesk({ office: { callbacks: 0 } }, async (tab, office) => {
    office.noSms = true;
    office.ring({ name: "Herr Müller", email: "mueller@example.com", phone: "+4940123456" });
    office.ring({ name: "Frau Weiß", email: "weiss@example.com" });
    await tab.getByRole("link", { name: "Sprechen: Herr Müller" }).click();
    await tab.locator(".times label", { hasText: "Andere Zeit" }).click();
    await tab.getByLabel("Tag und Uhrzeit").fill("2026-11-29T03:00");
    await speakFor(tab);
    await tab.locator(".way label", { hasText: "SMS" }).click();
    await tab.getByRole("button", { name: /^Senden/ }).click();
    await tab.getByText("SMS ist hier nicht eingerichtet").waitFor();
    await tab.getByRole("heading", { name: "Herr Müller" }).waitFor();
    assert.equal(await tab.locator(".hold").count(), 0);

    await tab.locator(".way label", { hasText: "Mail" }).first().click();
    await tab.getByRole("button", { name: /^Senden/ }).click();
    await tab.getByRole("dialog", { name: "Bitte noch einmal ansehen" }).getByText("Diese Zeit liegt außerhalb der Arbeitszeiten.").waitFor();
    assert.equal(promises(office).length, 0);
  });
});

test("what is refused all the same is not counted as sent, and covers nothing", async () => {
  await atTheDesk({ office: { callbacks: 0 } }, async (tab, office) => {
    office.ring({ name: "Herr Müller", phone: "+4940123456" });
    office.ring({ name: "Frau Weiß", email: "weiss@example.com" });
    await tab.getByRole("link", { name: "Sprechen: Herr Müller" }).click();
    await tab.locator(".way label", { hasText: "SMS" }).click();
    await speakFor(tab);
    await send(tab);
    await tab.getByText("1 gesendet").waitFor();
    office.noSms = true;
    await tab.getByRole("button", { name: "Jetzt senden" }).click();
    await tab.locator(".stuck", { hasText: "Herr Müller Nicht angenommen" }).waitFor();
    await tab.getByText("1 gesendet").waitFor({ state: "detached" });
    const [over, head] = await Promise.all([tab.locator(".stuck").boundingBox(), tab.getByRole("heading", { name: "Frau Weiß" }).boundingBox()]);
    assert.ok(over.y + over.height <= head.y, "it lies over the caller's name");
    await accessible(tab);
    await picture(tab, "staff-de-16-refused");
    await tab.getByRole("link", { name: "Herr Müller Nicht angenommen" }).click();
    await tab.getByRole("button", { name: "Anhören", exact: true }).waitFor();
  });
});

test("a microphone that is pulled out leaves what was spoken until then", async () => {
  const script = `const devices = navigator.mediaDevices;
    const real = devices?.getUserMedia.bind(devices);
    if (devices) devices.getUserMedia = async (what) => (window.microphone = await real(what));`;
  await atTheDesk({ office: { callbacks: 0 }, script }, async (tab, office) => {
    office.ring({ name: "Herr Müller", email: "mueller@example.com" });
    await tab.getByRole("link", { name: "Sprechen: Herr Müller" }).click();
    await tab.getByRole("button", { name: "Aufnehmen", exact: true }).click();
    await tab.waitForFunction(() => document.querySelector(".recorder-clock strong")?.textContent === "0:03");
    await tab.evaluate(() => window.microphone.getTracks().forEach((track) => track.stop()));
    await tab.getByText("Das Mikrofon ist nicht mehr da.").waitFor();
    await tab.getByRole("button", { name: "Anhören", exact: true }).click();
    await tab.waitForFunction(() => document.querySelector("audio").currentTime > 1);
    await send(tab);
    await tab.getByRole("button", { name: "Jetzt senden" }).click();
    await until(() => promises(office).length === 1, "the promise");
  });
});

test("a second press while the line is slow promises nothing twice", async () => {
  await atTheDesk({ office: { callbacks: 0 } }, async (tab, office) => {
    office.ring({ name: "Herr Müller", phone: "+4940123456" });
    await tab.getByRole("link", { name: "Sprechen: Herr Müller" }).click();
    await tab.locator(".way label", { hasText: "Am Telefon gesagt" }).click();
    office.slowMs = 400;
    const note = tab.getByRole("button", { name: "Versprechen eintragen" });
    await note.evaluate((button) => (button.click(), button.click()));
    await tab.locator(".hold").first().waitFor();
    office.slowMs = 0;
    assert.equal(office.calls.filter((c) => c.method === "makePromise").length, 1, "asked twice");
    assert.equal(await tab.locator(".hold").count(), 1);
    await tab.getByRole("button", { name: "Jetzt senden" }).click();
    await until(() => promises(office).length === 1, "the promise");
  });
});

test("a customer in another time zone: the page shows their clock beside one's own", async () => {
  await atTheDesk({ office: { callbacks: 0 } }, async (tab, office) => {
    const caller = { name: "Mr Baker", email: "baker@example.com", phone: "+12125550123", language: "en", timeZone: "America/New_York" };
    const callback = office.ring(caller);
    await tab.getByRole("link", { name: "Sprechen: Mr Baker" }).click();
    await tab.locator(".times label", { hasText: "13:15" }).click();
    await tab.locator(".send-when", { hasText: "13:15 beim Kunden 07:15" }).waitFor();
    assert.match(await tab.getByLabel("Was Sie sagen").inputValue(), /today at 7:15 am/);
    await tab.goBack();
    // Without a line nobody is offered a call in the night.
    const up = await office.down();
    await tab.getByRole("link", { name: "Sprechen: Mr Baker" }).click();
    await tab.getByText("Ohne Verbindung: nur gegen").waitFor();
    assert.equal(await tab.locator(".times input + span").first().textContent(), "13:00");
    await tab.goBack();
    await up();
    office.promise(callback, { promisedTime: "2026-11-24T23:30:00Z", channel: "PROMISE_CHANNEL_SPOKEN" });
    await tab.locator("#next", { hasText: "beim Kunden Di 18:30" }).waitFor();
  });
});

test("without a mail address: asked for, by SMS, by a link, or spoken on the phone", async () => {
  await atTheDesk({ office: { callbacks: 0 } }, async (tab, office) => {
    const names = ["Frau Asmussen", "Herr Becker", "Frau Celik", "Herr Dorn"];
    for (const [i, name] of names.entries()) office.ring({ name, phone: `+49401234${i}0` });
    await tab.getByRole("link", { name: "Sprechen: Frau Asmussen" }).click();
    await tab.getByText("Keine Mail-Adresse bekannt").waitFor();
    await accessible(tab);
    await picture(tab, "staff-de-11-no-address");
    await speakFor(tab);
    await tab.getByRole("button", { name: /^Senden/ }).click();
    await tab.locator(".send-bar .hint.bad").waitFor();
    await tab.locator(".way label", { hasText: "Mail" }).first().click();
    await tab.getByLabel("Mail-Adresse des Kunden").fill("asmussen@example");
    await tab.getByText("Das ist keine Mail-Adresse.").first().waitFor();
    await tab.getByLabel("Mail-Adresse des Kunden").fill("asmussen@example.com");
    await send(tab);

    await tab.getByRole("heading", { name: "Herr Becker" }).waitFor();
    await tab.locator(".way label", { hasText: "SMS" }).click();
    await speakFor(tab);
    await send(tab);

    await tab.getByRole("heading", { name: "Frau Celik" }).waitFor();
    await tab.locator(".way label", { hasText: "Link kopieren" }).click();
    await speakFor(tab);
    await send(tab);

    await tab.getByRole("heading", { name: "Herr Dorn" }).waitFor();
    await tab.locator(".way label", { hasText: "Am Telefon gesagt" }).click();
    assert.equal(await tab.getByRole("button", { name: "Aufnehmen", exact: true }).count(), 0);
    await tab.getByRole("button", { name: "Versprechen eintragen" }).click();
    await until(() => promises(office).length === 4, "four promises");
    assert.deepEqual(promises(office).map((p) => p.channel.replace("PROMISE_CHANNEL_", "")).sort(), ["LINK_SHARED", "SMS", "SPOKEN", "VOICE_MAIL"]);
    assert.equal(of(office, "updateCaller")[0].caller.email, "asmussen@example.com");
    await tab.getByRole("button", { name: "Link kopieren" }).first().click();
    await tab.getByText("Link kopiert").waitFor();
    assert.match(await tab.evaluate(() => navigator.clipboard.readText()), /\/m\/pg/);
  });
});

test("a time in the text that is not the promised one is asked about before it goes", async () => {
  await atTheDesk({ office: { callbacks: 0 } }, async (tab, office) => {
    office.ring({ name: "Herr Müller", email: "mueller@example.com" });
    await tab.getByRole("link", { name: "Sprechen: Herr Müller" }).click();
    await tab.getByLabel("Was Sie sagen").fill("Guten Morgen Herr Müller, ich rufe Sie um 14:00 Uhr an.");
    await speakFor(tab);
    await tab.getByRole("button", { name: /^Senden/ }).click();
    await tab.getByRole("dialog", { name: "Zeit und Text passen nicht zusammen" }).getByText("Im Text steht 14:00, versprochen wird 11:15.").waitFor();
    await accessible(tab);
    await picture(tab, "staff-de-12-times-differ");
    await tab.getByRole("button", { name: "Noch einmal ansehen" }).click();
    assert.equal(await tab.locator(".hold").count(), 0);
    assert.equal(promises(office).length, 0);
  });
});

test("a file that is dropped is the take, and what listening shows stands there in words", async () => {
  await atTheDesk({ office: { callbacks: 0 } }, async (tab, office) => {
    office.findings = [{ code: "TOO_QUIET", textDe: "leise: näher ans Mikrofon", textEn: "quiet: closer to the microphone" }];
    office.ring({ name: "Herr Müller", email: "mueller@example.com" });
    await tab.getByRole("link", { name: "Sprechen: Herr Müller" }).click();
    await tab.getByRole("button", { name: "Aufnehmen", exact: true }).waitFor();
    const drop = async (type, name, bytes) => {
      const data = await tab.evaluateHandle(([t, n, b]) => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([Uint8Array.from(atob(b), (c) => c.charCodeAt(0))], n, { type: t }));
        return transfer;
      }, [type, name, bytes.toString("base64")]);
      await tab.dispatchEvent(".recorder", "dragover", { dataTransfer: data });
      await tab.dispatchEvent(".recorder", "drop", { dataTransfer: data });
    };
    await drop("text/plain", "brief.txt", Buffer.from("kein Ton"));
    await tab.getByText("Diese Datei ist keine Aufnahme.").waitFor();
    await drop("audio/webm", "nachricht.webm", readFileSync(join(BUILD, "speech", "speech.webm")));
    await tab.getByText("leise: näher ans Mikrofon").waitFor();
    await accessible(tab);
    await picture(tab, "staff-de-13-finding");
    office.findings = [];
    await send(tab);
    await tab.getByRole("button", { name: "Jetzt senden" }).click();
    await until(() => promises(office).length === 1, "the promise");
  });
});

test("my promises: the next one large, the call is told, one press for what came of it", async () => {
  await atTheDesk({}, async (tab, office) => {
    const next = tab.locator("#next");
    await next.getByText("10:33").waitFor();
    await next.getByText("überfällig").waitFor();
    await next.getByText("Wir möchten 12 Stück nachbestellen").waitFor();
    const link = next.getByRole("link", { name: /Anrufen/ });
    assert.match(await link.getAttribute("href"), /^tel:\+49\d+$/);
    await accessible(tab);
    await picture(tab, "staff-de-1-day");
    // Nothing here can dial; the press itself is what counts.
    await link.evaluate((a) => a.addEventListener("click", (event) => event.preventDefault()));
    await link.click();
    await until(() => of(office, "startCall").length === 1, "the call is told");
    await next.getByRole("button", { name: "Niemand da" }).click();
    await tab.getByText("Niemand da notiert").waitFor();
    assert.equal(of(office, "logAttempt")[0].outcome, "ATTEMPT_OUTCOME_NO_ANSWER");
    assert.equal(of(office, "logAttempt").length, 1);
    await next.getByText("Noch einmal anrufen").first().waitFor();
    await next.getByRole("button", { name: "Erledigt" }).click();
    await tab.getByText("abgeschlossen").first().waitFor();
    assert.deepEqual(of(office, "logAttempt").map((b) => b.outcome), ["ATTEMPT_OUTCOME_NO_ANSWER", "ATTEMPT_OUTCOME_REACHED"]);
    await until(() => of(office, "completeCallback").length === 1, "closed");
    assert.equal(of(office, "completeCallback")[0].callbackId, of(office, "logAttempt")[0].callbackId, "the second press is for another customer");
    await tab.getByText("Heute erledigt").waitFor();

    // A wish for another time, from the customer.
    await tab.locator(".timeline").getByText("Der Kunde wünscht sich").first().click();
    await next.getByRole("button", { name: "Andere Zeit anbieten" }).click();
    await tab.getByRole("dialog").locator(".times label").first().click();
    await accessible(tab);
    await picture(tab, "staff-de-14-counter-offer");
    await tab.getByRole("button", { name: "Anbieten", exact: true }).click();
    await until(() => of(office, "answerProposal").length === 1, "the offer");
    assert.ok(of(office, "answerProposal")[0].promisedTime);
  });
});

test("on a phone, in German, light and dark", async () => {
  for (const colorScheme of ["light", "dark"]) {
    await atTheDesk({ ...PHONE, colorScheme }, async (tab) => {
      await tab.getByRole("link", { name: /Sprechen/ }).first().waitFor();
      await accessible(tab);
      await thumbSized(tab);
      await picture(tab, `staff-phone-de-${colorScheme}-1-waiting`);
      await tab.getByRole("button", { name: /Meine Versprechen/ }).click();
      await tab.locator("#next").waitFor();
      await accessible(tab);
      await thumbSized(tab);
      await picture(tab, `staff-phone-de-${colorScheme}-2-promises`);
      await tab.getByRole("button", { name: /Wer wartet/ }).click();
      await tab.getByRole("link", { name: /Sprechen/ }).first().click();
      await tab.getByLabel("Was Sie sagen").waitFor();
      await accessible(tab);
      await thumbSized(tab);
      await picture(tab, `staff-phone-de-${colorScheme}-3-speak`);
      await tab.goBack();
      await tab.locator(".row-name").first().click();
      await tab.getByText("Verlauf").waitFor();
      await accessible(tab);
      await thumbSized(tab);
      await picture(tab, `staff-phone-de-${colorScheme}-4-caller`);
    });
  }
});

test("whatever the width, no word of the teleprompter is out of sight", async () => {
  await atTheDesk({ office: { callbacks: 0 } }, async (tab, office) => {
    office.ring({ name: "Herr Müller", email: "mueller@example.com" });
    await tab.getByRole("link", { name: "Sprechen: Herr Müller" }).click();
    const text = tab.getByLabel("Was Sie sagen");
    await text.waitFor();
    for (const width of [1280, 360, 844]) {
      await tab.setViewportSize({ width, height: 800 });
      await tab.waitForFunction(() => ((field) => field.scrollHeight <= field.clientHeight + 1)(document.querySelector("#prompt")));
    }
  });
});

test("in English, in the dark, with the keyboard alone", async () => {
  await atTheDesk({ office: { callbacks: 12, language: "en" }, colorScheme: "dark" }, async (tab, office) => {
    await tab.getByRole("heading", { name: "Who waits" }).waitFor();
    await accessible(tab);
    await picture(tab, "staff-en-dark-1-day");
    await tab.keyboard.press("?");
    await tab.getByRole("dialog", { name: "Keyboard" }).waitFor();
    await picture(tab, "staff-en-dark-2-keys");
    await tab.keyboard.press("Escape");
    await tab.keyboard.press("s");
    await tab.getByLabel("What you say").waitFor();
    const who = await tab.getByRole("heading", { level: 1 }).textContent();
    await tab.keyboard.press("t");
    await tab.keyboard.press("ArrowDown");
    const time = await tab.locator(".times input:checked + span").textContent();
    await tab.keyboard.press("e");
    await tab.keyboard.press("Control+End");
    await tab.keyboard.type(" Bis gleich!");
    await tab.keyboard.press("Tab");
    await tab.evaluate(() => document.activeElement.blur());
    await tab.keyboard.press("r");
    await tab.waitForFunction(() => document.querySelector(".recorder-clock strong")?.textContent === "0:03");
    await tab.keyboard.press(" ");
    await tab.getByRole("button", { name: "Go on" }).waitFor();
    await tab.keyboard.press(" ");
    await tab.getByRole("button", { name: "Pause" }).waitFor();
    await tab.keyboard.press("r");
    await tab.getByRole("button", { name: "Listen", exact: true }).waitFor();
    await tab.keyboard.press("l");
    await tab.waitForFunction(() => !document.querySelector("audio").paused);
    await accessible(tab);
    await picture(tab, "staff-en-dark-3-spoken");
    await tab.keyboard.press("Control+Enter");
    await tab.getByRole("dialog", { name: "Is the address right?" }).waitFor();
    await tab.keyboard.press("Tab");
    await tab.keyboard.press("Enter");
    await tab.locator(".hold", { hasText: who }).waitFor();
    await until(() => promises(office).length === 1, "the promise");
    assert.match(promises(office)[0].spokenText, /Bis gleich!$/);
    assert.equal(clock(promises(office)[0].promisedTime), time);
  });
});

test("one stream for all tabs, complete again after a lost connection", async () => {
  await atTheDesk({ office: { callbacks: 0 } }, async (tab, office, context) => {
    const second = await context.newPage();
    await second.goto(office.url + "/desk");
    await second.getByText("Niemand wartet").waitFor();
    assert.equal(office.viewers.size, 1, "both tabs read for themselves");
    office.ring({ name: "Frau Weiß" });
    for (const one of [tab, second]) await one.getByRole("link", { name: "Sprechen: Frau Weiß" }).waitFor();
    // What came while nobody was connected.
    const up = await office.down();
    for (const one of [tab, second]) await one.getByText("Nicht live").waitFor();
    office.ring({ name: "Herr Fuchs" });
    await up();
    for (const one of [tab, second]) await one.getByRole("link", { name: "Sprechen: Herr Fuchs" }).waitFor();
    // The reading tab goes; the other takes over.
    await tab.close();
    office.ring({ name: "Frau Nowak" });
    await second.getByRole("link", { name: "Sprechen: Frau Nowak" }).waitFor();
    await until(() => office.viewers.size === 1, "one stream");
  });
});

test("shortly before the promised time this browser says so, once", async () => {
  await atTheDesk({ office: { callbacks: 0 } }, async (tab, office) => {
    await tab.evaluate(() => navigator.serviceWorker.ready);
    await tab.getByText("Ton und Hinweis zur Anrufzeit").click();
    const callback = office.ring({ name: "Herr Müller", phone: "+4940123456" }, { assigneeId: office.me.id });
    office.promise(callback, { promisedTime: new Date(office.now() + 299000).toISOString(), channel: "PROMISE_CHANNEL_SPOKEN" });
    const notices = () => tab.evaluate(async () => (await (await navigator.serviceWorker.ready).getNotifications()).map((n) => n.title));
    await until(async () => (await notices()).length > 0, "the notice");
    assert.match((await notices()).join(), /^\d\d:\d\d: Herr Müller anrufen$/);
  });
});

test("signing out forgets the customers", async () => {
  await atTheDesk({}, async (tab, office) => {
    await tab.getByRole("link", { name: /Sprechen/ }).first().waitFor();
    await tab.locator(".who summary").click();
    await accessible(tab);
    await tab.getByRole("button", { name: "Abmelden", exact: true }).click();
    await tab.getByText("Sie sind abgemeldet").waitFor();
    assert.equal(await tab.getByText("Herr Müller").count(), 0);
    const kept = await tab.evaluate(() => new Promise((resolve) => {
      const open = indexedDB.open("ringback");
      open.onsuccess = () => (open.result.transaction("snapshot").objectStore("snapshot").count().onsuccess = (event) => resolve(event.target.result));
    }));
    assert.equal(kept, 0);
    assert.equal(office.signedIn, false);
  });
});
