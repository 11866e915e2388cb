// The settings in a real browser: every section by its address, in both languages, on a phone and on a desk; what the server
// refuses is said at its field, and what is not saved is not lost by going away.
import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "./office.mjs";
import { accessible, of, PHONE, picture, thumbSized, visit } from "./staff_visit.mjs";

const ADMIN = { role: "ROLE_ADMIN", callbacks: 5 };
const SECTIONS = [["profile", "Mein Profil", "My profile"], ["members", "Mitglieder", "Members"], ["hours", "Arbeitszeiten", "Working hours"],
  ["policy", "Eskalation", "Escalation"], ["templates", "Texte", "Texts"], ["tokens", "API-Zugänge", "API access"], ["team", "Team", "Team"]];

for (const language of ["de", "en"]) {
  test(`every section has its address (${language})`, async () => {
    const look = language === "en" ? { ...PHONE, colorScheme: "dark" } : {};
    await visit({ office: { ...ADMIN, language }, path: "/settings", ...look }, async (tab) => {
      for (const [address, german, english] of SECTIONS) {
        await tab.locator(".settings-nav a", { hasText: language === "de" ? german : english }).last().click();
        assert.ok(tab.url().endsWith(`/settings/${address}`));
        await tab.locator(".settings-section .card").first().waitFor();
        if (address === "policy") await tab.locator(".preview-lines li").first().waitFor();
        await accessible(tab);
        await thumbSized(tab);
        await picture(tab, `settings-${language}-${address}`);
      }
    });
  });
}

test("a member is added, changed and removed", async () => {
  await visit({ office: ADMIN, path: "/settings/members" }, async (tab, office) => {
    await tab.getByRole("button", { name: "Mitglied hinzufügen" }).click();
    const dialog = tab.getByRole("dialog");
    await dialog.getByLabel("Mail-Adresse").fill("frieda@hansen.example");
    await dialog.getByRole("button", { name: "Hinzufügen" }).click();
    await dialog.getByText("Bitte den Namen angeben, wie ihn Kunden lesen.").waitFor();
    assert.equal(await dialog.getByLabel("Name").getAttribute("aria-invalid"), "true");
    await accessible(tab);
    await dialog.getByLabel("Name").fill("Frieda Lang");
    await dialog.getByLabel("Rolle").selectOption("ROLE_MANAGER");
    await dialog.getByRole("button", { name: "Hinzufügen" }).click();
    await tab.getByText("Frieda Lang gehört jetzt zum Team").waitFor();
    await tab.getByRole("button", { name: "Kanal hinzufügen" }).click();
    await tab.getByLabel("Kanal", { exact: true }).selectOption("CHANNEL_KIND_WEBHOOK");
    await tab.getByLabel("Adresse", { exact: true }).fill("https://chat.hansen.example/hook");
    await tab.getByLabel("Format").selectOption("WEBHOOK_FORMAT_SLACK");
    await tab.getByRole("button", { name: "Testen" }).click();
    await tab.getByText("Angekommen: 200 OK").waitFor();
    await tab.getByLabel("Adresse", { exact: true }).fill("https://kaputt.example/hook");
    await tab.getByRole("button", { name: "Testen" }).click();
    await tab.getByText("Nicht angekommen: 500 Internal Server Error").waitFor();
    await picture(tab, "settings-de-member");
    await tab.getByLabel("Adresse", { exact: true }).fill("https://chat.hansen.example/hook");
    await accessible(tab);
    await tab.getByRole("button", { name: "Speichern" }).first().click();
    await tab.getByText("Gespeichert", { exact: true }).waitFor();
    const saved = office.team.members.at(-1);
    assert.deepEqual([saved.role, saved.channels], ["ROLE_MANAGER", [{ kind: "CHANNEL_KIND_WEBHOOK", address: "https://chat.hansen.example/hook", secret: "", format: "WEBHOOK_FORMAT_SLACK" }]]);
    await tab.getByRole("button", { name: "Link erstellen" }).click();
    await tab.getByText("402913").waitFor();
    await tab.getByRole("button", { name: "Mitglied entfernen" }).click();
    await tab.getByRole("dialog").getByRole("button", { name: "Mitglied entfernen" }).click();
    await tab.getByText("Frieda Lang ist entfernt").waitFor();
    assert.ok(office.team.members.at(-1).inactive);
    assert.ok(tab.url().endsWith("/settings/members"));
  });
});

test("the policy's preview follows while one types, and a wrong step is named", async () => {
  await visit({ office: ADMIN, path: "/settings/policy" }, async (tab, office) => {
    const lines = tab.locator(".preview-lines li");
    await lines.filter({ hasText: /13:05\s+Schritt 2: Dana Brandt/ }).waitFor();
    await tab.getByLabel("Nach dem Versprechen", { exact: true }).nth(1).fill("20");
    await lines.filter({ hasText: /13:20\s+Schritt 2: Dana Brandt/ }).waitFor();
    await tab.getByLabel("Schritt 2: Person hinzufügen …").selectOption({ label: "Bernd Vogel" });
    await lines.filter({ hasText: /13:20\s+Schritt 2: Dana Brandt und Bernd Vogel/ }).waitFor();
    await tab.getByLabel("Nach dem Versprechen", { exact: true }).nth(2).fill("3");
    await tab.getByText("Nicht früher als der Schritt darüber, der nach 20 Minuten kommt.").first().waitFor();
    await picture(tab, "settings-de-policy-wrong");
    await tab.getByLabel("Nach dem Versprechen", { exact: true }).nth(2).fill("45");
    await lines.filter({ hasText: /13:45\s+Schritt 3/ }).waitFor();
    await tab.getByRole("button", { name: "Speichern" }).click();
    await tab.getByText("Gespeichert", { exact: true }).waitFor();
    assert.deepEqual(office.team.policy.steps.map((s) => s.delay), ["0s", "1200s", "2700s"]);
    await tab.getByRole("button", { name: "Rückgängig" }).click();
    await tab.getByText("Wie vorher").waitFor();
    assert.deepEqual(office.team.policy.steps.map((s) => s.delay), ["0s", "300s", "1800s"]);
  });
});

test("what is not saved is asked about before one leaves", async () => {
  await visit({ office: ADMIN, path: "/settings/members" }, async (tab, office) => {
    await tab.locator(".settings-nav").getByText("Team").click();
    await tab.getByLabel("Löschen nach, Tage").fill("9000");
    await tab.locator(".settings-nav").getByText("Mitglieder").click();
    await tab.getByRole("dialog", { name: "Nicht gespeichert" }).waitFor();
    await accessible(tab);
    await tab.getByRole("button", { name: "Hier bleiben" }).click();
    assert.equal(await tab.getByLabel("Löschen nach, Tage").inputValue(), "9000");
    await tab.locator(".save-bar.dirty").getByRole("button", { name: "Speichern" }).click();
    await tab.getByText("Möglich sind 1 bis 3650 Tage nach dem Schließen.").waitFor();
    await picture(tab, "settings-de-team-wrong");
    await tab.goBack();
    await tab.getByRole("button", { name: "Hier bleiben" }).click();
    assert.ok(tab.url().endsWith("/settings/team"));
    await tab.getByLabel("Löschen nach, Tage").fill("90");
    await tab.locator(".save-bar.dirty").getByRole("button", { name: "Speichern" }).click();
    await tab.getByText("Gespeichert", { exact: true }).waitFor();
    assert.equal(office.team.retentionDays, 90);
    await tab.getByLabel("Löschen nach, Tage").fill("91");
    await tab.locator(".settings-nav").getByText("Mitglieder").click();
    await tab.getByRole("button", { name: "Ohne Speichern weiter" }).click();
    await tab.getByText("5 Mitglieder").waitFor();
    assert.equal(office.team.retentionDays, 90);
  });
});

test("switches that look at people stand in the history", async () => {
  await visit({ office: ADMIN, path: "/settings/team" }, async (tab, office) => {
    await tab.getByLabel("Zahlen je Person").check();
    await tab.locator(".save-bar.dirty").getByRole("button", { name: "Speichern" }).click();
    await tab.getByText("Zahlen je Person eingeschaltet").waitFor();
    assert.deepEqual(of(office, "updateTeam").map((b) => [b.team, b.updateMask]), [[{ memberFigures: true }, "memberFigures"]]);
  });
});

test("holidays come from a calendar file, after a look", async () => {
  await visit({ office: ADMIN, path: "/settings/hours" }, async (tab, office) => {
    const day = (date, name) => `BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:${date}\r\nSUMMARY:${name}\r\nEND:VEVENT\r\n`;
    const file = `BEGIN:VCALENDAR\r\n${day("20261225", "1. Weihnachtstag")}${day("20270101", "Neujahr")}${day("20270326", "Karfreitag")}END:VCALENDAR\r\n`;
    const bring = (text) => tab.locator("input[type=file]").setInputFiles({ name: "feiertage.ics", mimeType: "text/calendar", buffer: Buffer.from(text) });
    await bring("no calendar");
    await tab.getByText("Das ist keine Kalenderdatei (.ics).").waitFor();
    await bring(file);
    await tab.getByText("steht schon da").waitFor();
    await accessible(tab);
    await picture(tab, "settings-de-holidays");
    await tab.getByLabel(/Karfreitag/).uncheck();
    await tab.getByRole("button", { name: "1 Tag übernehmen" }).click();
    await tab.getByLabel("Dienstag von").fill("09:00");
    await tab.getByRole("button", { name: "Speichern" }).click();
    await tab.getByText("Gespeichert", { exact: true }).waitFor();
    assert.deepEqual(office.team.calendar.holidays, ["2026-12-25", "2026-12-26", "2027-01-01"]);
    assert.deepEqual(office.team.calendar.hours[1], { weekday: 2, startMinute: 540, endMinute: 1020 });
  });
});

test("a text of one's own reads as it will, and a broken one is refused", async () => {
  await visit({ office: ADMIN, path: "/settings/templates" }, async (tab, office) => {
    await tab.getByRole("button", { name: "Vom eingebauten Text ausgehen" }).click();
    await tab.locator(".reads", { hasText: "Guten Morgen Herr Müller, hier ist Anna Schmidt" }).waitFor();
    await tab.getByLabel("Text", { exact: true }).last().fill("Moin {{caller}}, {{rep");
    await tab.getByRole("button", { name: "Speichern" }).click();
    await tab.getByText("Ein Platzhalter in diesem Text stimmt nicht").waitFor();
    await tab.getByLabel("Text", { exact: true }).last().fill("Moin {{caller}}, hier ist {{rep}}.");
    await tab.locator(".reads", { hasText: "Moin Herr Müller, hier ist Anna Schmidt." }).waitFor();
    await tab.getByRole("button", { name: "Speichern" }).click();
    await tab.getByText("Gespeichert", { exact: true }).waitFor();
    assert.deepEqual(office.team.templates, { "de/teleprompter": "--- text\nMoin {{caller}}, hier ist {{rep}}.\n" });
  });
});

test("an access's secret is shown once", async () => {
  await visit({ office: ADMIN, path: "/settings/tokens" }, async (tab, office) => {
    await tab.getByRole("button", { name: "Zugang anlegen" }).click();
    await tab.getByLabel("Wofür?").fill("Telefonanlage Hamburg");
    await tab.getByRole("button", { name: "Anlegen", exact: true }).click();
    await tab.getByText("rb07_5h3k9x2m4q8w1t6v0z7y").waitFor();
    await accessible(tab);
    await picture(tab, "settings-de-secret");
    await tab.getByRole("button", { name: /^Kopieren/ }).click();
    assert.equal(await tab.evaluate(() => navigator.clipboard.readText()), "rb07_5h3k9x2m4q8w1t6v0z7y");
    await tab.getByRole("button", { name: "Ich habe es kopiert" }).click();
    assert.equal(await tab.getByText("rb07_5h3k9x2m4q8w1t6v0z7y").count(), 0);
    assert.equal(of(office, "createToken")[0].role, "ROLE_INTAKE");
    await tab.getByRole("button", { name: /^Widerrufen/ }).click();
    await tab.getByRole("dialog").getByRole("button", { name: "Widerrufen" }).click();
    await until(() => office.tokens[0].revoked, "the end of it");
  });
});

test("managers look, and reps have their own profile", async () => {
  await visit({ office: { role: "ROLE_MANAGER", callbacks: 5 }, path: "/settings/team" }, async (tab) => {
    await tab.getByText("ändern können sie nur Admins").waitFor();
    assert.equal(await tab.getByRole("button", { name: "Speichern" }).count(), 0);
    assert.ok(await tab.getByLabel("Name").first().isDisabled());
    await accessible(tab);
  });
  await visit({ office: { callbacks: 5 }, path: "/settings/members" }, async (tab, office) => {
    await tab.getByRole("button", { name: "Abwesenheit eintragen" }).click();
    await tab.getByRole("button", { name: "Speichern" }).last().click();
    await tab.getByText("Gespeichert", { exact: true }).waitFor();
    assert.equal(office.me.absences.length, 1);
    await tab.getByLabel("Sprache").selectOption("en");
    await tab.getByRole("button", { name: "Speichern" }).first().click();
    await tab.getByRole("heading", { name: "Absences" }).waitFor();
    await picture(tab, "settings-en-rep");
    await accessible(tab);
  });
});
