// The whole story in real browsers against a real ringback, in both languages: a missed call comes in from the telephone
// system; the rep speaks and sends; the customer agrees and writes; the promised time passes; the manager sees it turn red
// without doing anything, takes over, calls and closes.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, MORNING, PHONE, picture as taken } from "./browser.mjs";
import { Office, until } from "./office.mjs";
import { signedIn, visitor } from "./office_visit.mjs";

let office;
before(async () => {
  office = await Office.open(new Date(MORNING));
});
after(() => office?.close());

const WORDS = {
  de: {
    caller: "Herr Müller", email: "mueller@example.com", speak: "Sprechen: Herr Müller", record: "Aufnehmen", done: "Fertig R",
    listen: "Anhören", send: /^Senden/, yes: "Ja, senden", now: "Jetzt senden", agree: "Einverstanden",
    agreed: "Sie sind einverstanden", message: "Ihre Nachricht", write: "Absenden", written: "das ist angekommen",
    overdue: /überfällig/, takeOver: "Übernehmen", reached: "Erreicht", talked: "Gesprochen, bitte abschließen", close: "Erledigt",
    brief: "Die Pumpe P-40 verliert Öl, seit Montag.",
  },
  en: {
    caller: "Ms Baker", email: "baker@example.com", speak: "Speak: Ms Baker", record: "Record", done: "Done R", listen: "Listen",
    send: /^Send/, yes: "Yes, send", now: "Send now", agree: "Agree", agreed: "You have agreed", message: "Your message",
    write: "Send", written: "has arrived", overdue: /overdue/, takeOver: "Take over", reached: "Reached", talked: "Talked, please close", close: "Done",
    brief: "The pump P-40 loses oil since Monday.",
  },
};

async function picture(tab, name) {
  await accessible(tab);
  await taken(tab, `story-${name}`);
}

async function story(language, rings, telephone) {
  const w = WORDS[language];
  const rep = await signedIn(office, "Anna Schmidt", language);
  const manager = await signedIn(office, "Clara Vogel", language);
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
  const customer = await visitor(office, { locale: language === "de" ? "de-DE" : "en-GB", ...PHONE });
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

// Before the stories: their promises take the same hours.
test("three in a row are a slot apart, around what one has promised before", async () => {
  for (let i = 1; i <= 4; ++i) await office.cli("request", "--name", `Frau ${"Anders Berg Clasen Dorn".split(" ")[i - 1]}`, "--phone", `+494012345${i}`);
  const [{ id }] = (await office.cli("open")).callbacks.filter((c) => c.caller.name === "Frau Dorn");
  await office.cli("assign", id, "Ben Weber");
  await office.cli("promise", id, "11:30", "--spoken");
  const { tab, trouble, context } = await signedIn(office, "Ben Weber", "de");
  await tab.getByRole("link", { name: "Sprechen: Frau Anders" }).click();
  for (const [name, time] of [["Frau Anders", "11:15"], ["Frau Berg", "11:45"], ["Frau Clasen", "12:00"]]) {
    await tab.getByRole("heading", { name }).waitFor();
    await tab.locator(".send-when", { hasText: time }).waitFor();
    await tab.locator(".way label", { hasText: "Am Telefon gesagt" }).click();
    await tab.getByRole("button", { name: "Versprechen eintragen" }).click();
  }
  await tab.getByRole("heading", { name: "3 gesendet: 11:15, 11:45, 12:00" }).waitFor();
  assert.deepEqual(trouble, []);
  await context.close();
});

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
