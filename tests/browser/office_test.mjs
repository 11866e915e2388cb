// What admins and managers set and clear away, in a real browser against a real ringback: every section of the settings is
// saved and is there after the page has loaded anew; mail without a callback and dead letters find their end.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { accessible, MORNING, PHONE, picture as taken } from "./browser.mjs";
import { MailServer } from "./mail_server.mjs";
import { Office, SPEECH, until } from "./office.mjs";
import { signedIn } from "./office_visit.mjs";

let office, mailServer, chat;
before(async () => {
  mailServer = await MailServer.open();
  chat = createServer((request, response) => {
    response.writeHead(request.url === "/good" ? 204 : 410).end();
  });
  await new Promise((resolve) => chat.listen(0, "127.0.0.1", resolve));
  office = await Office.open(new Date(MORNING),
    ["--set", `mail.transport=smtp://127.0.0.1:${mailServer.port}`, "--set", "webhook.allow_private=true"]);
});
after(async () => {
  await office?.close();
  mailServer?.close();
  chat?.close();
});

// On a desk, and on a phone.
async function picture(tab, name) {
  await accessible(tab);
  await taken(tab, `office-${name}`);
  const before = tab.viewportSize();
  await tab.setViewportSize(PHONE.viewport);
  await accessible(tab);
  await taken(tab, `office-${name}-phone`);
  await tab.setViewportSize(before);
}

const saved = async (tab, label = "Speichern", said = "Gespeichert") => {
  await tab.locator(".save-bar.dirty").getByRole("button", { name: label }).click();
  const toast = tab.locator(".toast", { hasText: said });
  await toast.getByRole("button", { name: "Meldung schließen" }).click();
};

// What the server is to refuse just now.
let expected = null;

async function admin(work) {
  const one = await signedIn(office, "Dana Brandt", "de", { expected: (response) => response.status() === 400 && expected?.test(response.url()) });
  try {
    await work(one.tab);
    assert.deepEqual(one.trouble, []);
  } finally {
    await one.context.close();
  }
}

test("the escalation policy shows what it does while one writes it, and is kept", () => admin(async (tab) => {
  await tab.goto(office.url + "/settings/policy");
  const lines = tab.locator(".preview-lines li");
  await lines.filter({ hasText: /Schritt 2/ }).waitFor();
  await tab.getByLabel("Nach dem Versprechen", { exact: true }).nth(1).fill("20");
  await lines.filter({ hasText: /13:20\s+Schritt 2/ }).waitFor();
  await tab.getByLabel("Schritt 2: Person hinzufügen …").selectOption({ label: "Ben Weber" });
  await lines.filter({ hasText: /13:20\s+Schritt 2: .*Ben Weber/ }).waitFor();
  await tab.getByLabel("Erinnern vor dem Anruf", { exact: true }).fill("7");
  await saved(tab);
  await tab.reload();
  await lines.filter({ hasText: /13:20\s+Schritt 2: .*Ben Weber/ }).waitFor();
  assert.equal(await tab.getByLabel("Erinnern vor dem Anruf", { exact: true }).inputValue(), "7");
  await picture(tab, "policy");
}));

test("hours and the holidays of a calendar file are kept", () => admin(async (tab) => {
  await tab.goto(office.url + "/settings/hours");
  const day = (date, name) => `BEGIN:VEVENT\r\nUID:${date}@x\r\nDTSTAMP:20260101T000000Z\r\nDTSTART;VALUE=DATE:${date}\r\nSUMMARY:${name}\r\nEND:VEVENT\r\n`;
  const file = `BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n${day("20261225", "1. Weihnachtstag")}${day("20270101", "Neujahr")}END:VCALENDAR\r\n`;
  await tab.getByLabel("Dienstag von").fill("09:00");
  await tab.locator("input[type=file]").setInputFiles({ name: "feiertage.ics", mimeType: "text/calendar", buffer: Buffer.from(file) });
  await picture(tab, "holidays-found");
  await tab.getByLabel(/Neujahr/).uncheck();
  await tab.getByRole("button", { name: "1 Tag übernehmen" }).click();
  await saved(tab);
  await tab.reload();
  await tab.getByText("Fr., 25. Dezember 2026").waitFor();
  assert.equal(await tab.getByText("1. Januar 2027").count(), 0);
  assert.equal(await tab.getByLabel("Dienstag von").inputValue(), "09:00");
  await picture(tab, "hours");
}));

test("a text of one's own is kept", () => admin(async (tab) => {
  await tab.goto(office.url + "/settings/templates?text=voice_message&language=de");
  await tab.getByLabel("Betreff", { exact: true }).fill("Ihr Anruf bei {{team}}: {{rep}} ruft {{when}} zurück");
  await tab.locator(".reads", { hasText: "Ihr Anruf bei Demo: Anna Schmidt ruft heute um 13 Uhr zurück" }).waitFor();
  await saved(tab);
  await tab.reload();
  await tab.locator(".reads", { hasText: "Ihr Anruf bei Demo" }).waitFor();
  assert.equal(await tab.getByLabel("Betreff", { exact: true }).inputValue(), "Ihr Anruf bei {{team}}: {{rep}} ruft {{when}} zurück");
  await picture(tab, "templates");
}));

test("an access is seen once, opens the door, and no longer after it is revoked", () => admin(async (tab) => {
  const ring = (secret) => fetch(`${office.url}/hooks/v1/${secret}/missed-call`, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ phone: "+4940123456", name: "Frau Petersen", event_id: "ring" }),
  });
  await tab.goto(office.url + "/settings/tokens");
  await tab.getByRole("button", { name: "Zugang anlegen" }).click();
  await tab.getByLabel("Wofür?").fill("Telefonanlage Hamburg");
  await tab.getByRole("button", { name: "Anlegen", exact: true }).click();
  const secret = await tab.locator(".copied code").textContent();
  await picture(tab, "secret");
  assert.equal((await ring(secret)).status, 200);
  await tab.reload();
  await tab.getByText("Telefonanlage Hamburg").first().waitFor();
  assert.equal(await tab.getByText(secret).count(), 0);
  await picture(tab, "tokens");
  await tab.getByRole("button", { name: /^Widerrufen.*Telefonanlage Hamburg/ }).click();
  await tab.getByRole("dialog").getByRole("button", { name: "Widerrufen" }).click();
  await tab.getByText("„Telefonanlage Hamburg“ gilt nicht mehr").waitFor();
  await tab.reload();
  await tab.locator(".tokens .gone", { hasText: "Telefonanlage Hamburg" }).waitFor();
  assert.equal((await ring(secret)).status, 401);
}));

test("how long data stays is kept, and what is refused is said in the reader's language at its field", () => admin(async (tab) => {
  await tab.goto(office.url + "/settings/team");
  const days = tab.getByLabel("Löschen nach, Tage");
  expected = /TeamService/;
  const refused = async (label, value, said) => {
    const field = tab.getByLabel(label, { exact: true }).first();
    await field.fill(value);
    await field.press("Enter");
    await tab.getByText(said, { exact: true }).first().waitFor();
    await until(() => field.evaluate((at) => at === document.activeElement), "the focus where something is wrong");
  };
  await refused("Löschen nach, Tage", "9000", "Möglich sind 1 bis 3650 Tage nach dem Schließen.");
  assert.equal(await days.getAttribute("aria-invalid"), "true");
  await refused("Mail-Adresse", "kein", "Bitte genau eine Mail-Adresse wie mueller@example.com angeben, ohne Namen und Leerzeichen. Umlaute in der Domain als „xn--…“.");
  await picture(tab, "refused");
  await tab.reload();
  await refused("Zeitzone", "Europa/Hamburg", "Diese Zeitzone gibt es nicht. Bitte einen Namen wie Europe/Berlin angeben.");
  await tab.reload();
  await refused("Name", "", "Bitte den Namen angeben, wie ihn Kunden lesen.");
  await tab.reload();
  await refused("Ein Gespräch dauert etwa", "900", "Möglich sind ganze Minuten, von 5 Minuten bis 4 Stunden.");
  await tab.goto(office.url + "/settings/policy");
  await tab.getByLabel("Nach dem Versprechen", { exact: true }).nth(1).fill("2");
  await tab.getByText("Nicht früher als der Schritt darüber, der nach 5 Minuten kommt.").first().waitFor();
  await tab.reload();
  await tab.getByLabel("„Ich kümmere mich“ gilt", { exact: true }).fill("90000");
  await tab.getByText("Möglich sind 1 Minute bis 7 Tage.").first().waitFor();
  await picture(tab, "policy-refused");
  await tab.reload();
  expected = null;
  await tab.goto(office.url + "/settings/team");
  // At the lower edge of a phone, where the bar that saves comes up.
  const before = tab.viewportSize();
  await tab.setViewportSize(PHONE.viewport);
  await days.evaluate((at) => (scrollBy(0, at.getBoundingClientRect().bottom - innerHeight + 4), at.focus({ preventScroll: true })));
  await tab.keyboard.type("1");
  await tab.locator(".save-bar.dirty").waitFor();
  await until(() => days.evaluate((at) => {
    const { x, y, width, height } = at.getBoundingClientRect();
    return document.elementFromPoint(x + width / 2, y + height / 2) === at;
  }), "the field above the bar");
  await tab.setViewportSize(before);
  await days.fill("45");
  await saved(tab);
  await tab.reload();
  assert.equal(await days.inputValue(), "45");
  await picture(tab, "team");
}));

test("a member comes, changes, is away and goes", () => admin(async (tab) => {
  await tab.goto(office.url + "/settings/members");
  await tab.getByRole("button", { name: "Mitglied hinzufügen" }).click();
  const dialog = tab.getByRole("dialog");
  await dialog.getByLabel("Name").fill("Friederike Lang-Petersen");
  await dialog.getByLabel("Mail-Adresse").fill("friederike.lang@example.com");
  await dialog.getByRole("button", { name: "Hinzufügen" }).click();
  await tab.getByText("Friederike Lang-Petersen gehört jetzt zum Team").waitFor();
  await tab.getByRole("heading", { name: "Friederike Lang-Petersen" }).waitFor();
  await tab.reload();
  await tab.getByLabel("Rolle").selectOption("ROLE_MANAGER");
  await tab.getByLabel("Vertretung").first().selectOption({ label: "Anna Schmidt" });
  await saved(tab);
  await tab.reload();
  assert.equal(await tab.getByLabel("Rolle").inputValue(), "ROLE_MANAGER");
  assert.equal(await tab.getByLabel("Vertretung").first().locator("option:checked").textContent(), "Anna Schmidt");

  // The channel is tried before it is saved.
  const hook = `http://127.0.0.1:${chat.address().port}`;
  await tab.getByRole("button", { name: "Kanal hinzufügen" }).click();
  await tab.getByLabel("Kanal", { exact: true }).selectOption("CHANNEL_KIND_WEBHOOK");
  await tab.getByLabel("Adresse", { exact: true }).fill(hook + "/gone");
  await tab.getByLabel("Geheimnis der Signatur").fill("0123456789abcdef");
  await tab.getByRole("button", { name: "Testen" }).click();
  await tab.getByText(/Nicht angekommen: .*410/).waitFor();
  await tab.getByLabel("Adresse", { exact: true }).fill(hook + "/good");
  await tab.getByRole("button", { name: "Testen" }).click();
  await tab.getByText(/Angekommen/).waitFor();
  await saved(tab);
  await tab.reload();
  assert.equal(await tab.getByLabel("Adresse", { exact: true }).inputValue(), hook + "/good");
  await tab.getByRole("button", { name: "Testen" }).click();
  await tab.getByText(/Angekommen/).waitFor();

  await tab.getByRole("button", { name: "Abwesenheit eintragen" }).click();
  await tab.getByLabel("Von").fill("2026-11-24T08:00");
  await tab.getByLabel("Bis").fill("2026-11-27T18:00");
  await saved(tab);
  await tab.reload();
  assert.equal(await tab.getByLabel("Bis").inputValue(), "2026-11-27T18:00");
  await picture(tab, "member");
  await tab.goto(office.url + "/settings/members");
  await tab.locator(".member-line", { hasText: "Friederike" }).getByText(/abwesend|weg|27\./).waitFor();
  await picture(tab, "members");
  await tab.getByRole("link", { name: "Friederike Lang-Petersen" }).click();
  await tab.getByRole("button", { name: "Mitglied entfernen" }).click();
  await tab.getByRole("dialog").getByRole("button", { name: "Mitglied entfernen" }).click();
  await tab.getByText("Friederike Lang-Petersen ist entfernt").waitFor();
  await tab.reload();
  await tab.locator(".member-line.gone", { hasText: "Friederike" }).waitFor();
}));

const mail = (sender, subject, text) => `From: ${sender}\nTo: team@example.com\nSubject: ${subject}\nMessage-ID: <${Math.random()}@example.com>\n` +
  `Date: Tue, 24 Nov 2026 10:00:00 +0100\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n${text}\n`;
const arrived = (address) => mailServer.mails.some((one) => new RegExp(`^To:(?:.|\\r?\\n[ \\t])*${address}`, "m").test(one));

test("a manager brings mail to its callback, and clears away what is left behind", async () => {
  const asked = async (name, address) => (await office.cli("request", "--name", name, "--email", address, "--assignee", "Anna Schmidt")).callback.id;
  const bakers = await asked("Ms Baker", "baker@example.com");
  await office.mailIn(mail("Ms Baker <alice@private.example>", "Your call", "The pump P-40 loses oil, said Baker."));
  await office.mailIn(mail("Prize <prize@lottery.example>", "You have won", "Click here."));
  // Two messages that no mail server takes.
  const lost = [await asked("Mr Wrong", "wrong@example.com"), await asked("Ms Gone", "gone@example.com")];
  mailServer.unknown.add("wrong@example.com").add("gone@example.com");
  for (const id of lost) await office.cli("send", SPEECH, "--callback", id, "--promise", "13:00").catch((refused) => assert.match(refused.stderr, /5\.1\.1/));
  await until(async () => (await office.cli("dead-letters", "list")).dead_letters?.length === 2, "both dead letters");

  const { tab, context, trouble } = await signedIn(office, "Clara Vogel", "en");
  await tab.getByRole("link", { name: "Team", exact: true }).click();
  await tab.getByRole("link", { name: /^Mail.* 2$/ }).click();
  const bakersMail = tab.locator(".mail", { hasText: "P-40" });
  const prize = tab.locator(".mail", { hasText: "You have won" });
  await picture(tab, "unmatched");
  const undo = (said) => tab.locator(".toast", { hasText: said }).getByRole("button", { name: "Undo" });
  await bakersMail.getByRole("button", { name: "Ms Baker" }).click();
  await bakersMail.waitFor({ state: "detached" });
  await undo("alice@private.example belongs to Ms Baker now").click();
  await bakersMail.waitFor();
  assert.doesNotMatch((await office.show(bakers)).brief?.text ?? "", /P-40/, "it is nobody's again");
  await bakersMail.getByRole("button", { name: "Ms Baker" }).click();
  await bakersMail.waitFor({ state: "detached" });
  // Where it lies it is no more theirs than before: back, by the page of the callback.
  await tab.goto(`${office.url}/desk/${bakers}`);
  await tab.getByRole("button", { name: "Belongs to another callback" }).click();
  await tab.getByRole("dialog").getByRole("button", { name: /^To none/ }).click();
  await tab.getByRole("button", { name: "Belongs to another callback" }).waitFor({ state: "detached" });
  assert.doesNotMatch((await office.show(bakers)).brief?.text ?? "", /P-40/, "it is nobody's once more");
  await tab.goto(office.url + "/team/mail");
  await bakersMail.getByRole("button", { name: "Ms Baker" }).click();
  await bakersMail.waitFor({ state: "detached" });
  await prize.getByRole("button", { name: "Drop" }).click();
  await prize.waitFor({ state: "detached" });
  await undo("prize@lottery.example").click();
  await prize.getByRole("button", { name: "Drop" }).click();

  await tab.getByRole("link", { name: /^Left behind.* 2$/ }).click();
  const letter = (name) => tab.locator(".letter", { hasText: name });
  await letter("Mr Wrong").getByText("5.1.1 no such user").waitFor();
  await picture(tab, "dead-letters");
  await letter("Ms Gone").getByRole("button", { name: "Give up" }).click();
  mailServer.unknown.delete("wrong@example.com");
  await letter("Mr Wrong").getByRole("button", { name: "Try again" }).click();
  await until(() => arrived("wrong@example.com"), "the mail to Mr Wrong");
  await until(async () => (await office.show(lost[0])).promises.at(-1).state === "STATE_ARMED", "the promise that Mr Wrong has now");
  await until(async () => !(await office.cli("dead-letters", "list")).dead_letters?.length && !(await office.cli("unmatched")).answers?.length, "what was dropped to be gone");

  await tab.goto(office.url + "/team/mail");
  await tab.getByText("No mail without a callback").waitFor();
  await tab.getByRole("link", { name: "Left behind" }).click();
  await tab.getByText("Nothing is left behind").waitFor();
  await picture(tab, "nothing-left");
  await tab.goto(`${office.url}/desk/${bakers}`);
  await tab.getByText("The pump P-40 loses oil").first().waitFor();
  await picture(tab, "brief");
  assert.equal(arrived("gone@example.com"), false);
  assert.deepEqual(trouble, []);
  await context.close();
});
