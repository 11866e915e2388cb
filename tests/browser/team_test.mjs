// The manager's pages in a real browser: what is about to break, live; saving it in one step; the keyboard alone, a phone,
// both languages, ten thousand callbacks.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { until } from "./office.mjs";
import { accessible, of, PHONE, picture, snapshot, thumbSized, visit } from "./staff_visit.mjs";

const MANAGER = { role: "ROLE_MANAGER" };
const rows = (tab) => tab.locator(".team-row");
const inOrder = (tab) => rows(tab).evaluateAll((all) => all.sort((a, b) => a.ariaRowIndex - b.ariaRowIndex).map((row) => row.querySelector(".caller strong").textContent));

test("the manager sees what is overdue first, and every change at once", async () => {
  await visit({ office: { ...MANAGER, callbacks: 60 }, path: "/team" }, async (tab, office) => {
    await rows(tab).first().waitFor();
    assert.match(await rows(tab).first().textContent(), /überfällig/);
    await accessible(tab);
    await thumbSized(tab);
    await snapshot(tab, "team-de-1-list");
    const callback = [...office.callbacks.values()].find((c) => c.phase === "PHASE_PROMISED" && !c.overdue);
    await tab.evaluate(() => {
      new MutationObserver(() => {
        if (!window.seenMs && document.querySelector(".team-row .caller strong")?.closest(".team-rows").textContent.includes("Herr Allererster")) window.seenMs = Date.now();
      }).observe(document.body, { childList: true, subtree: true, characterData: true });
    });
    const told = Date.now();
    const at = new Date(office.now() - 3600000).toISOString();
    office.commit({
      ...callback, overdue: true, dueTime: at, caller: { ...callback.caller, name: "Herr Allererster" },
      promises: callback.promises.map((p) => ({ ...p, promisedTime: at })),
    }, "overdue");
    await tab.waitForFunction(() => window.seenMs);
    const tookMs = (await tab.evaluate(() => window.seenMs)) - told;
    assert.ok(tookMs < 200, `took ${tookMs} ms`);
    await tab.waitForFunction(() => document.querySelector("[aria-rowindex='2']").textContent.includes("Herr Allererster"));
  });
});

test("one press takes over, and one more gives it back", async () => {
  await visit({ office: { ...MANAGER, callbacks: 60 }, path: "/team?show=overdue" }, async (tab, office) => {
    await rows(tab).first().waitFor();
    const name = (await inOrder(tab))[0];
    const callback = [...office.callbacks.values()].find((c) => c.overdue && c.caller.name === name);
    await tab.getByRole("button", { name: "Übernehmen" }).click();
    await tab.getByText(`${name}: gehört jetzt Ihnen`).waitFor();
    assert.equal(office.callbacks.get(callback.id).assigneeId, office.me.id);
    await tab.getByRole("button", { name: "Rückgängig" }).click();
    await tab.getByText(`${name} ist wieder bei ${callback.assigneeName}`).waitFor();
    assert.equal(office.callbacks.get(callback.id).assigneeId, callback.assigneeId);
    await tab.getByRole("button", { name: "Zuweisen" }).click();
    await tab.getByRole("dialog").getByText("Vertretung").waitFor();
    await accessible(tab);
    await snapshot(tab, "team-de-2-reassign");
    await tab.getByRole("dialog").getByRole("button", { name: /Bernd Vogel/ }).click();
    await until(() => of(office, "assignCallback").at(-1).memberId === office.team.members[1].id, "the assignment");
  });
});

test("what nobody had is taken over, and nobody has it again, unless a time has been promised meanwhile", async () => {
  await visit({ office: { ...MANAGER, callbacks: 0 }, path: "/team" }, async (tab, office) => {
    const waiting = office.ring({ name: "Herr Wandert", phone: "+4940123456" });
    await tab.getByRole("button", { name: "Übernehmen" }).click();
    await tab.getByText("Herr Wandert: gehört jetzt Ihnen").waitFor();
    await tab.getByRole("button", { name: "Rückgängig" }).click();
    await tab.getByText("Herr Wandert ist wieder ohne Zuständigen").waitFor();
    assert.equal(office.callbacks.get(waiting.id).assigneeId, undefined);
    assert.deepEqual(of(office, "assignCallback").map((b) => [b.memberId, b.nobody]), [[office.me.id, undefined], [undefined, true]]);
    await tab.locator(".owner-name.nobody").waitFor();

    const promisedTime = new Date(office.now() + 3600000).toISOString();
    const promises = [{ revision: 1, promisedTime, state: "STATE_ARMED", channel: "PROMISE_CHANNEL_SPOKEN" }];
    office.commit({ ...office.callbacks.get(waiting.id), phase: "PHASE_PROMISED", dueTime: promisedTime, promises }, "promised");
    await tab.getByRole("button", { name: "Übernehmen" }).click();
    await tab.getByText("Herr Wandert: gehört jetzt Ihnen").last().waitFor();
    await tab.locator(".owner-name", { hasText: office.me.name }).waitFor();
    assert.equal(await tab.getByRole("button", { name: "Rückgängig" }).count(), 0);
  });
});

test("the keyboard is enough", async () => {
  await visit({ office: { ...MANAGER, callbacks: 60 }, path: "/team" }, async (tab, office) => {
    await rows(tab).first().waitFor();
    const names = await inOrder(tab);
    await tab.keyboard.press("j");
    await tab.keyboard.press("ArrowDown");
    await tab.keyboard.press("j");
    await tab.keyboard.press("k");
    await tab.locator(":focus .caller strong", { hasText: names[1] }).waitFor();
    await tab.keyboard.press("ArrowUp");
    await tab.keyboard.press("a");
    await until(() => of(office, "acknowledgeCallback").length === 1, "the acknowledge");
    await tab.keyboard.press("t");
    await until(() => of(office, "assignCallback").length === 1, "the assignment");
    await tab.keyboard.press("2");
    assert.match(tab.url(), /\?show=overdue$/);
    await tab.keyboard.press("Escape");
    await tab.keyboard.press("/");
    await tab.keyboard.type("oberlander yilmaz");
    assert.match(tab.url(), /q=oberlander\+yilmaz$/);
    await tab.keyboard.press("Enter");
    await tab.locator(":focus .caller", { hasText: /Yılmaz.*Oberländer/ }).waitFor();
    await tab.keyboard.press("Enter");
    assert.match(await tab.locator(":focus").evaluate((e) => e.className), /call-link/);
    await tab.keyboard.press("?");
    await tab.getByRole("dialog", { name: "Tastatur" }).waitFor();
    await snapshot(tab, "team-de-3-keys");
    await tab.keyboard.press("Escape");
    await tab.keyboard.press("v");
    await until(() => /\/desk\/\w+\/speak$/.test(tab.url()), "the recorder");
  });
});

test("a promise that is made anew leads back to the team's list, where it can still be taken back", async () => {
  await visit({ office: { ...MANAGER, callbacks: 60 }, path: "/team?show=overdue" }, async (tab, office) => {
    await rows(tab).first().waitFor();
    const promise = async () => {
      await tab.locator(".way label", { hasText: "Am Telefon gesagt" }).click();
      await tab.getByRole("button", { name: "Versprechen eintragen" }).click();
      await until(() => tab.url().endsWith("/team?show=overdue"), "the team's list");
    };
    await tab.keyboard.press("v");
    await promise();
    await tab.locator(".hold").waitFor();
    await tab.keyboard.press("z");
    await tab.getByText("Nicht gesendet.").waitFor();
    assert.equal(of(office, "makePromise").length, 0);
    await promise();
    await accessible(tab);
    await tab.getByRole("button", { name: "Jetzt senden" }).click();
    await until(() => of(office, "makePromise").length === 1, "the promise");
  });
});

test("somebody is ill: all promises to others in one step, and back", async () => {
  await visit({ office: { ...MANAGER, callbacks: 200 }, path: "/team" }, async (tab, office) => {
    const [anna] = office.team.members;
    const owned = () => [...office.callbacks.values()].filter((c) => c.assigneeId === anna.id);
    const before = owned().map((c) => c.id).sort();
    // Noted since the page was opened.
    const holidays = [{ startTime: "2026-12-20T23:00:00Z", endTime: "2027-01-06T23:00:00Z" }];
    anna.absences = holidays;
    await tab.getByRole("button", { name: "Heute krank" }).click();
    const dialog = tab.getByRole("dialog");
    await dialog.getByLabel("Wer fällt aus?").selectOption(anna.id);
    await dialog.getByText(`${before.length} → Bernd Vogel`).waitFor();
    await dialog.getByLabel("Auf mehrere verteilen").check();
    await dialog.getByText(/^\d+ → Charlotte/).waitFor();
    await accessible(tab);
    await snapshot(tab, "team-de-4-sick");
    const foretold = await dialog.locator(".hand-over li").allTextContents();
    await dialog.getByRole("button", { name: `${before.length} Rückrufe abgeben` }).click();
    await tab.getByText(/^Anna Schmidt: \d+ →/).waitFor();
    assert.equal(owned().length, 0);
    const [{ requestId, ...asked }] = of(office, "handOverMember");
    assert.deepEqual(asked, { memberId: anna.id, toMemberIds: [office.team.members[1].id, office.team.members[3].id], awayUntil: "2026-11-24T23:00:00.000Z" });
    assert.equal(anna.absences.length, 2);
    const said = await tab.locator(".toast").first().textContent();
    for (const line of foretold) assert.ok(said.includes(line.trim()), `${said} is not ${line}`);
    await tab.getByRole("button", { name: "Rückgängig" }).click();
    await tab.getByText("Alles ist wieder bei Anna Schmidt").waitFor();
    assert.deepEqual(owned().map((c) => c.id).sort(), before);
    assert.deepEqual(anna.absences, holidays);
  });
});

test("after a lost connection the list is complete again by itself", async () => {
  await visit({ office: { ...MANAGER, callbacks: 10 }, path: "/team" }, async (tab, office) => {
    await tab.getByText("10 offene Rückrufe").waitFor();
    await tab.getByTitle("Live").waitFor();
    const up = await office.down();
    await tab.getByText(/Nicht live: Was Sie sehen, ist von 10:4\d/).waitFor();
    await snapshot(tab, "team-de-5-not-live");
    office.ring({ name: "Herr Fuchs", phone: "+4940123456" });
    await up();
    await tab.getByText("11 offene Rückrufe").waitFor();
    await tab.getByText("Herr Fuchs").waitFor();
    assert.equal(await tab.getByText("Nicht live").count(), 0);
  });
});

test("ten thousand callbacks: there within a second, and smooth", async () => {
  // When the first row is on screen, by the page's own clock.
  const watch = () => new MutationObserver((_, observer) => {
    if (!document.querySelector(".team-row")) return;
    observer.disconnect();
    requestAnimationFrame(() => (window.paintMs = performance.now()));
  }).observe(document, { childList: true, subtree: true });
  await visit({ office: { ...MANAGER, callbacks: 10000 }, path: "/team", script: watch }, async (tab, office) => {
    await tab.waitForFunction(() => window.paintMs);
    const paintMs = await tab.evaluate(() => window.paintMs);
    await tab.getByText(/^10\.000 offene|^10000 offene/).waitFor();
    assert.ok(await rows(tab).count() < 60);
    // A frame that takes long is one that a person sees.
    const worst = await tab.evaluate(async () => {
      let longest = 0;
      for (let i = 0, last = performance.now(); i < 60; ++i) {
        scrollBy(0, 900);
        await new Promise(requestAnimationFrame);
        longest = Math.max(longest, performance.now() - last);
        last = performance.now();
      }
      return longest;
    });
    await tab.evaluate(() => scrollTo(0, 0));
    const told = Date.now();
    for (let i = 0; i < 50; ++i) office.ring({ name: `Herr Neuer ${i}`, phone: `+49401234${i}` });
    await tab.getByText("10.050 offene Rückrufe").waitFor();
    const changesMs = Date.now() - told;
    await tab.getByLabel("Suchen").fill("neuer 123449");
    await tab.getByText("1 von 10.050 offenen Rückrufen").waitFor();
    console.log(`first rows after ${Math.round(paintMs)} ms, longest frame ${Math.round(worst)} ms, 50 changes in ${changesMs} ms`);
    assert.ok(paintMs < 1000, `first rows after ${paintMs} ms`);
  });
});

test("on a phone and in English", async () => {
  await visit({ office: { ...MANAGER, callbacks: 60, language: "en" }, path: "/team", ...PHONE, colorScheme: "dark" }, async (tab) => {
    await rows(tab).first().waitFor();
    await accessible(tab);
    await thumbSized(tab);
    await snapshot(tab, "team-en-phone-1");
    await rows(tab).first().locator(".owner").click();
    await tab.getByRole("dialog").getByRole("button", { name: "Take over" }).waitFor();
    await accessible(tab);
    await snapshot(tab, "team-en-phone-2");
  });
});

test("an empty team, and one rep who is not meant", async () => {
  await visit({ office: { ...MANAGER, callbacks: 0 }, path: "/team" }, async (tab) => {
    await tab.getByText("Kein offener Rückruf").waitFor();
    await snapshot(tab, "team-de-6-empty");
    await accessible(tab);
  });
  await visit({ office: { callbacks: 5 }, path: "/team" }, async (tab) => {
    await tab.getByText("Diese Seite ist für Vorgesetzte").waitFor();
  });
});

test("a mail without a callback is tied in one step, and one that is dropped can be had back", async () => {
  await visit({ office: { ...MANAGER, callbacks: 60 }, path: "/team" }, async (tab, office) => {
    await tab.getByRole("link", { name: "Mails ohne Rückruf 3" }).click();
    const mails = tab.locator(".mail");
    await mails.first().waitFor();
    await accessible(tab);
    await thumbSized(tab);
    await snapshot(tab, "team-de-7-mail");
    // Whoever wrote it waits for a call.
    await mails.nth(1).getByRole("button").first().click();
    await tab.getByText(/kunde6@example.com gehört jetzt zu/).waitFor();
    assert.deepEqual(of(office, "tieAnswer").map((b) => [b.answerId, b.callbackId]), [["an0700000000000002", "cb0700000000000006"]]);
    // And not the one that was meant.
    await tab.getByRole("button", { name: "Rückgängig" }).click();
    await until(async () => (await mails.count()) === 3, "the mail to come back");
    assert.equal(of(office, "tieAnswer").at(-1).unmatched, true);
    assert.equal(office.callbacks.get("cb0700000000000006").brief, undefined);
    await mails.last().getByRole("button").first().click();
    await until(async () => (await mails.count()) === 2, "the mail to be tied again");
    await mails.first().getByRole("searchbox").fill("autohaus fuchs");
    await mails.first().getByRole("button", { name: /Fuchs/ }).first().waitFor();
    await mails.last().getByRole("button", { name: "Verwerfen" }).click();
    await until(async () => (await mails.count()) === 1, "the mail to go");
    await tab.getByRole("button", { name: "Rückgängig" }).last().click();
    await until(async () => (await mails.count()) === 2, "the mail to come back");
    assert.equal(of(office, "dropAnswer").length, 0);
  });
});

test("a mail that lies with the wrong callback moves to another one, or back among those without one", async () => {
  const wrong = "cb0700000000000006", right = "cb0700000000000008";
  const stray = {
    id: "an0700000000000011", callbackId: wrong, source: "SOURCE_MAIL", kind: "KIND_REPLY", match: "MATCH_BY_HAND", sender: "einkauf@hansen.example",
    subject: "Re: Ihr Anruf: Anna Schmidt ruft heute um 13:00 Uhr zurück", text: "Bitte lieber meine Kollegin anrufen, sie kennt den Vorgang.", originalSizeBytes: "48211",
    attachments: [{ fileName: "Typenschild P-40 (Foto vom Montag, zweite Aufnahme).jpg", mediaType: "image/jpeg", sizeBytes: "913402" }],
  };
  const own = { id: "an0700000000000012", callbackId: wrong, source: "SOURCE_MAIL", kind: "KIND_REPLY", match: "MATCH_TOKEN", sender: "kunde6@example.com", subject: "Rückruf", text: "13 Uhr passt gut." };
  const appointment = { ...own, id: "an0700000000000013", kind: "KIND_CALENDAR", match: "MATCH_BY_HAND", subject: "Zugesagt: Anruf", text: "" };
  const prepare = (office) => {
    const createTime = new Date(office.now() - 6 * 60000).toISOString();
    office.tied = [stray, own, appointment].map((answer) => ({ ...answer, createTime, ...(answer.match === "MATCH_BY_HAND" && { matchedBy: office.me.id }) }));
    office.callbacks.set(wrong, { ...office.callbacks.get(wrong), brief: { text: stray.text, createTime } });
  };
  const opened = async (tab, name) => {
    await tab.getByText(stray.subject).waitFor();
    const press = tab.getByRole("button", { name });
    assert.equal(await press.count(), 1, "what found its callback by itself, or answers a calendar, stays");
    await press.focus();
    await tab.keyboard.press("Enter");
    await tab.getByRole("dialog", { name }).waitFor();
    return tab.getByRole("dialog", { name });
  };

  await visit({ office: { ...MANAGER, callbacks: 60 }, path: `/desk/${wrong}`, prepare }, async (tab, office) => {
    const mails = tab.locator(".answers > li");
    await mails.getByText(stray.subject).click();
    await accessible(tab);
    await thumbSized(tab);
    await picture(tab, "team-de-desk-mail-1-of-callback");
    const dialog = await opened(tab, "Gehört zu einem anderen Rückruf");
    // With the keyboard alone: looked for, chosen. Nobody comes into question by the mail itself, so that one begins to type.
    const { name, phone } = office.callbacks.get(right).caller;
    await tab.keyboard.type("nord");
    const firm = [...office.callbacks.values()].filter((c) => /Nord/.test(c.caller.company));
    await until(async () => (await dialog.locator(".plain").count()) === firm.length - 1, "all of the firm but the one that it lies with");
    await accessible(tab);
    await thumbSized(tab);
    await snapshot(tab, "team-de-desk-mail-2-elsewhere");
    await tab.keyboard.press("ControlOrMeta+a");
    await tab.keyboard.type(`${name} ${phone}`);
    await until(async () => (await dialog.locator(".plain").count()) === 1, "the one that is looked for");
    await tab.keyboard.press("Shift+Tab");
    await tab.keyboard.press("Enter");
    await tab.getByText(`${stray.sender} gehört jetzt zu ${name}`).waitFor();
    await until(async () => (await mails.count()) === 2, "the mail to go");
    assert.equal(office.callbacks.get(wrong).brief, undefined);
    assert.equal(office.callbacks.get(right).brief.text, stray.text);
    await tab.getByRole("button", { name: "Rückgängig" }).click();
    await until(async () => (await mails.count()) === 3, "the mail to come back");
    assert.deepEqual(of(office, "tieAnswer").map((b) => [b.answerId, b.callbackId]), [[stray.id, right], [stray.id, wrong]]);

    await opened(tab, "Gehört zu einem anderen Rückruf");
    await tab.keyboard.press("Escape");
    assert.equal(await tab.getByRole("dialog").count(), 0);
    assert.match(await tab.evaluate(() => document.activeElement.textContent), /Gehört zu einem anderen/);
    await tab.keyboard.press("Enter");
    await tab.getByRole("dialog").getByRole("button", { name: /^Zu keinem/ }).click();
    await tab.getByText(`${stray.sender} gehört jetzt zu keinem Rückruf`).waitFor();
    await until(async () => (await mails.count()) === 2, "the mail to go");
    assert.equal(of(office, "tieAnswer").at(-1).unmatched, true);
    await tab.goto(office.url + "/team/mail");
    await tab.locator(".mail", { hasText: stray.text }).waitFor();
  });

  for (const [view, language] of [["phone", "de"], ["phone", "en"], ["desk", "en"]]) {
    await visit({ office: { ...MANAGER, callbacks: 60, language }, path: `/desk/${wrong}`, prepare, ...(view === "phone" ? PHONE : {}) }, async (tab) => {
      await tab.locator(".answers").getByText(stray.subject).click();
      await accessible(tab);
      await thumbSized(tab);
      await picture(tab, `team-${language}-${view}-mail-1-of-callback`);
      const dialog = await opened(tab, language === "de" ? "Gehört zu einem anderen Rückruf" : "Belongs to another callback");
      await tab.keyboard.type("nord");
      await dialog.locator(".plain").first().waitFor();
      await accessible(tab);
      await thumbSized(tab);
      await snapshot(tab, `team-${language}-${view}-mail-2-elsewhere`);
    });
  }
});

test("what is left behind says why, and is tried again", async () => {
  await visit({ office: { ...MANAGER, callbacks: 60, language: "en" }, path: "/team/letters" }, async (tab, office) => {
    const letters = tab.locator(".letter");
    await letters.first().waitFor();
    await accessible(tab);
    await thumbSized(tab);
    await snapshot(tab, "team-en-8-letters");
    await letters.nth(1).getByText("550 5.1.1").waitFor();
    await letters.nth(1).getByRole("button", { name: "Try again" }).click();
    await tab.getByText("Being tried again").waitFor();
    assert.deepEqual(of(office, "retryDeadLetter").map((b) => b.id), ["dl0700000000000005"]);
    await letters.first().getByRole("button", { name: "Try again" }).click();
    await until(async () => (await letters.count()) === 1, "the second");
    await tab.clock.install();
    await letters.first().getByRole("button", { name: "Give up" }).click();
    await tab.getByText("Nothing is left behind").waitFor();
    await snapshot(tab, "team-en-9-no-letters");
    await tab.clock.fastForward(9000);
    await until(() => of(office, "dropDeadLetter").length === 1, "the drop");
  });
  await visit({ office: { ...MANAGER, callbacks: 60 }, path: "/team/mail", ...PHONE }, async (tab) => {
    await tab.locator(".mail").first().waitFor();
    await accessible(tab);
    await thumbSized(tab);
    await snapshot(tab, "team-de-phone-3-mail");
  });
});

test("the report says how the team kept its word, in pictures, in tables and as a file", async () => {
  await visit({ office: { ...MANAGER }, path: "/report" }, async (tab, office) => {
    await tab.getByRole("heading", { name: "Was aus den Versprechen wurde" }).waitFor();
    await accessible(tab);
    await thumbSized(tab);
    await picture(tab, "report-de-1");
    assert.equal(await tab.locator(".chart canvas").count(), 4);
    await tab.getByText("Als Tabelle").first().click();
    const table = tab.getByRole("table").first();
    assert.equal(await table.getByRole("row").count(), 13);
    assert.match(await table.getByRole("row").nth(1).textContent(), /^KW 48\d+\s% \(\d+\)/);
    const [file] = await Promise.all([tab.waitForEvent("download"), tab.getByRole("button", { name: "Als CSV herunterladen" }).click()]);
    assert.equal(file.suggestedFilename(), "wort-gehalten_2026-W37_2026-W48.csv");
    const lines = readFileSync(await file.path(), "utf8").split("\r\n");
    assert.match(lines[0], /^\ufeffWoche;gehalten;zu spät;/);
    assert.equal(lines.length, 13);
    await tab.getByText("Zahlen je Person sind aus").waitFor();
    await tab.getByRole("button", { name: "½ Jahr" }).click();
    await until(() => of(office, "getReport").some((b) => b.fromWeek === "2026-W23"), "half a year");
    assert.match(tab.url(), /weeks=26/);
  });
});

test("figures by person only where that is on; a rep sees the own", async () => {
  await visit({ office: { ...MANAGER, language: "en" }, path: "/report", prepare: (office) => (office.team.memberFigures = true), ...PHONE, colorScheme: "dark" }, async (tab) => {
    await tab.getByRole("button", { name: "Anna Schmidt" }).click();
    await tab.getByRole("heading", { name: "Keeping our word: Anna Schmidt" }).waitFor();
    await accessible(tab);
    await thumbSized(tab);
    await picture(tab, "report-en-phone");
  });
  // What was asked before the team was known comes last.
  await visit({ office: { ...MANAGER, language: "en" }, path: "/report", prepare: (office) => (office.team.memberFigures = true) }, async (tab, office, context) => {
    await tab.getByRole("button", { name: "Anna Schmidt" }).waitFor();
    let held;
    await context.route("**/TeamService/GetReport", async (route) => {
      if (!held) return void (held = route);
      await route.continue();
    });
    const before = of(office, "getReport").length;
    await tab.reload();
    await tab.getByRole("button", { name: "Anna Schmidt" }).waitFor();
    assert.equal(of(office, "getReport").length, before + 2);
    const late = tab.waitForResponse("**/TeamService/GetReport");
    await held.continue();
    await (await late).finished();
    await tab.evaluate(() => new Promise(requestAnimationFrame));
    assert.equal(await tab.getByRole("button", { name: "Anna Schmidt" }).count(), 1);
  });
  await visit({ path: "/report" }, async (tab, office) => {
    await tab.getByText("Diese Zahlen sehen nur Sie").waitFor();
    await accessible(tab);
    assert.equal(of(office, "getReport").length, 1);
    assert.equal(await tab.getByText("Je Person").count(), 0);
  });
  await visit({ office: { ...MANAGER }, path: "/report", prepare: (office) => (office.noReport = true) }, async (tab) => {
    await tab.getByText("Noch keine Zahlen").waitFor();
    await snapshot(tab, "report-de-empty");
  });
});

test("callers come in from a file, a wrong line stops no other, and the same file again adds nobody", async () => {
  const csv = ["Rufnummer;Anrufer;Firma;Anliegen;Zuständig", "0711 445566;Frau Ünlü;Kräuter GmbH;fragt nach der Lieferung;Anna Schmidt", "",
    "keine Nummer;Herr Blank;;;", "030 998877;Herr Sander;;\"ruft wegen\nzwei Dingen an\";", "0211 1234567;Frau Weiß;;;Karl Niemand", "030 998877;Herr Sander;;\"ruft wegen\nzwei Dingen an\";"];
  // As an old office program writes it.
  const file = { name: "anrufer.csv", mimeType: "text/csv", buffer: Buffer.from(csv.join("\r\n"), "latin1") };
  await visit({ office: { ...MANAGER, callbacks: 5 }, path: "/team/import" }, async (tab, office) => {
    await accessible(tab);
    await tab.locator("input[type=file]").setInputFiles(file);
    await tab.getByRole("cell", { name: "Frau Ünlü" }).waitFor();
    // Two columns, and an empty line at the end.
    await tab.locator("input[type=file]").setInputFiles({ name: "zwei.csv", mimeType: "text/csv", buffer: Buffer.from("Telefon;Name\n0711 445566;Herr Zwei\n") });
    await tab.getByRole("cell", { name: "Herr Zwei" }).waitFor();
    await tab.locator("input[type=file]").setInputFiles(file);
    await tab.getByRole("cell", { name: "Frau Ünlü" }).waitFor();
    assert.equal(await tab.locator(".columns label", { hasText: /^Name/ }).locator("select").inputValue(), "1");
    await accessible(tab);
    await thumbSized(tab);
    // What would become of it is known before anything is taken in.
    await tab.getByText("Alle Zeilen sind geprüft: 2 stimmen nicht. Eingetragen ist noch nichts.").waitFor();
    const cells = tab.locator(".import-table tbody tr");
    const result = (line) => cells.filter({ has: tab.getByRole("rowheader", { name: String(line), exact: true }) }).locator("td").last();
    assert.deepEqual(await Promise.all([2, 4, 5, 6, 7].map((line) => result(line).innerText().then((text) => text.replaceAll("\n", " ")))),
      ["neu +49711445566", "stimmt nicht Bitte eine Telefonnummer mit Landesvorwahl angeben, ohne Durchwahl, wie +49 30 123456.", "neu +4930998877", "stimmt nicht Niemand im Team heißt „Karl Niemand“", "steht weiter oben"]);
    assert.equal(await tab.locator(".wrong-lines li").count(), 2);
    assert.equal(office.callbacks.size, 5);
    assert.ok(office.calls.filter((c) => c.method === "createCallback").every((c) => c.body.validateOnly && c.body.requestId === undefined));
    // Another column is another question, and the first one's answers are known still.
    const asked = () => office.calls.length;
    const phone = tab.locator(".columns label", { hasText: /^Telefon/ }).locator("select");
    await phone.selectOption("1");
    await result(2).getByText("Bitte eine Telefonnummer mit Landesvorwahl").waitFor();
    const before = asked();
    await phone.selectOption("0");
    await tab.getByText("Alle Zeilen sind geprüft: 2 stimmen nicht.").waitFor();
    assert.equal(asked(), before);
    await picture(tab, "import-de-1-preview");
    await tab.getByRole("button", { name: "2 Anrufer einlesen" }).click();
    await tab.getByText("Fertig").waitFor();
    await tab.getByText("2 nicht eingelesen").waitFor();
    await tab.getByText("Bitte eine Telefonnummer mit Landesvorwahl").first().waitFor();
    await tab.getByText("Niemand im Team heißt „Karl Niemand“").first().waitFor();
    await tab.getByText("+49711445566").waitFor();
    await picture(tab, "import-de-2-done");
    await accessible(tab);
    const made = [...office.callbacks.values()].filter((c) => c.caller.name === "Frau Ünlü" || c.caller.name === "Herr Sander");
    assert.deepEqual(made.map((c) => [c.caller.phone, c.assigneeName]), [["+49711445566", "Anna Schmidt"], ["+4930998877", undefined]]);
    const [bad] = await Promise.all([tab.waitForEvent("download"), tab.getByRole("button", { name: "Nur diese Zeilen als CSV" }).click()]);
    assert.equal(readFileSync(await bad.path(), "utf8").split("\r\n").length, 3);
    // Once more, in another tab's life.
    await tab.reload();
    await tab.locator("input[type=file]").setInputFiles(file);
    await tab.getByRole("button", { name: /Anrufer einlesen$/ }).click();
    await tab.getByText("Fertig").waitFor();
    assert.equal(office.callbacks.size, 7);
  });
});

test("a page that was opened without a line says that it is not the whole team's", async () => {
  await visit({ office: { ...MANAGER, callbacks: 60 }, path: "/team" }, async (tab, office, context) => {
    await rows(tab).first().waitFor();
    await tab.evaluate(() => navigator.serviceWorker.ready);
    const counts = tab.locator(".team-shows .count");
    assert.equal(await counts.count(), 4);
    // What the desk keeps is written after a while.
    await until(() => tab.evaluate(() => new Promise((resolve) => {
      const open = indexedDB.open("ringback");
      open.onsuccess = () => (open.result.transaction("snapshot").objectStore("snapshot").count().onsuccess = (event) => resolve(event.target.result > 0));
    })), "the snapshot");
    const up = await office.down();
    await tab.reload();
    await tab.getByText("Ohne Verbindung geöffnet: Hier stehen nur Ihre eigenen").waitFor();
    assert.equal(await counts.count(), 0, "a count of what is not known");
    await accessible(tab);
    await snapshot(tab, "team-de-opened-without-line");
    await up();
    await counts.first().waitFor();
    assert.match(await rows(tab).first().textContent(), /überfällig/);
    assert.equal(await tab.getByText("Ohne Verbindung").count(), 0);
    // A browser that knows that it has no network says so at once.
    await context.setOffline(true);
    await tab.getByText("Nicht live").first().waitFor({ timeout: 5000 });
    await context.setOffline(false);
    await tab.getByText("Nicht live").first().waitFor({ state: "detached" });
  });
});

test("each row says whole who knows, and there is one way to a new promise", async () => {
  await visit({ office: { ...MANAGER, callbacks: 0 }, path: "/team" }, async (tab, office) => {
    const [anna, bernd, carla] = office.team.members;
    const callback = office.ring({ name: "Herr Müller", phone: "+4940123456" }, { assigneeId: anna.id, assigneeName: anna.name });
    const at = new Date(office.now() - 6 * 60000).toISOString();
    const promised = office.promise(callback, { promisedTime: at, channel: "PROMISE_CHANNEL_SPOKEN" });
    office.commit({ ...promised, overdue: true, escalation: { alarms: 1, lastStep: 1, lastAlarmTime: at, toldMemberIds: [anna.id, bernd.id, carla.id] } }, "alarm");
    const line = rows(tab).first().locator(".alarmed");
    await line.filter({ hasText: `Stufe 1 · auch ${bernd.name}, ${carla.name}` }).waitFor();
    const [text, box] = await line.evaluate((span) => [span.getBoundingClientRect(), span.parentElement.getBoundingClientRect()].map(({ right, bottom }) => ({ right, bottom })));
    assert.ok(text.right <= box.right + 1 && text.bottom <= box.bottom + 1, "cut off");
    const panel = tab.locator(".panel");
    await panel.getByText(`${anna.name}, ${bernd.name}, ${carla.name} wissen es`).waitFor();
    assert.equal(await panel.locator("a[href$='/speak']").count(), 1);
    await panel.getByRole("button", { name: "Gesprochen, erledigt" }).waitFor();
    await accessible(tab);
    await snapshot(tab, "team-de-who-knows");
  });
});

test("what goes to somebody else leaves a rep's desk at once", async () => {
  await visit({ office: { callbacks: 0 } }, async (tab, office) => {
    const callback = office.ring({ name: "Herr Wandert", phone: "+4940123456" });
    await tab.getByRole("link", { name: "Sprechen: Herr Wandert" }).waitFor();
    office.commit({ ...callback, assigneeId: office.team.members[1].id }, "assigned");
    await tab.getByRole("link", { name: "Sprechen: Herr Wandert" }).waitFor({ state: "detached" });
  });
});
