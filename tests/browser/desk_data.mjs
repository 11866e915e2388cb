// A German sales team on Tuesday, 24 November 2026: who waits, what is promised. As the JSON of ringback.v1; nothing here is
// random, so that pictures stay the same.
const FIRST = ["Anna", "Bernd", "Carla", "Deniz", "Eva", "Friedrich-Wilhelm", "Greta", "Hüseyin", "Ines", "Jörg"];
const LAST = ["Müller", "Schönfelder-Großkreutz", "Yılmaz", "von und zu Hohenstein-Wartenberg", "Weiß", "Kowalczyk", "Petersen", "Öztürk", "Brandt",
  "Zimmermann", "Nowak", "Jansen", "Lüdenscheidt", "Ångström", "Fuchs"];
const FIRMS = ["Hansen Pumpen GmbH", "Stadtwerke Wolfenbüttel", "Maschinenfabrik Oberländer & Söhne Verwaltungsgesellschaft mbH & Co. KG",
  "Bäckerei Süß", "Autohaus Krüger", "", "Klinikum Nord", "Schreinerei Veit", "IT-Systemhaus Rhein-Neckar", "Weingut Dr. Loosen"];
const NOTES = ["hat dreimal angerufen, klang verärgert", "wegen Angebot 4711", "", "fragt nach dem Liefertermin der P-40, bitte mit Vertrag",
  "neuer Kunde, Empfehlung von Frau Weiß", "", "Rückfrage zur Rechnung vom Oktober"];
const BRIEFS = ["Die Pumpe P-40 verliert Öl, seit Montag. Bitte bringen Sie den Vertrag mit.",
  "Wir möchten 12 Stück nachbestellen, zum alten Preis, wenn es geht. Lieferung bis Mitte Dezember wäre gut.", ""];

export const TEAM_ID = "tm07h3k9x2m4q8w1";
const member = (n, name, role, more = {}) => ({
  id: `mb07h3k9x2m4q8w${n}`, name, email: `${name.toLowerCase().replace(/[^a-z]+/g, ".")}@hansen.example`, role, language: "de",
  channels: [{ kind: "CHANNEL_KIND_MAIL", address: "x@hansen.example" }], ...more,
});
export const MEMBERS = [
  member(1, "Anna Schmidt", "ROLE_REP", { substituteId: "mb07h3k9x2m4q8w2" }),
  member(2, "Bernd Vogel", "ROLE_REP", { substituteId: "mb07h3k9x2m4q8w1" }),
  member(3, "Dana Brandt", "ROLE_MANAGER"),
  member(4, "Charlotte Freifrau von Hohenstein-Wartenberg", "ROLE_REP"),
  member(5, "Emil Öztürk", "ROLE_ADMIN"),
];

export const team = () => ({
  id: TEAM_ID, name: "Hansen Pumpen Vertrieb", timeZone: "Europe/Berlin", language: "de", members: MEMBERS,
  slotLength: "900s", recordingMaxSeconds: 120, retentionDays: 30, mailAddress: "vertrieb@hansen.example",
  policy: {
    steps: [
      { delay: "0s", recipients: [{ kind: "KIND_ASSIGNEE" }], anyTime: true },
      { delay: "300s", recipients: [{ kind: "KIND_MANAGERS" }] },
      { delay: "1800s", recipients: [{ kind: "KIND_ADMINS" }, { kind: "KIND_MEMBER", memberId: MEMBERS[1].id }] },
    ],
    repeatFromStep: 2, repeatCount: 5, repeatInterval: "900s", ackTimeout: "1800s", responseTarget: "14400s", followUp: "1800s",
    tolerance: "300s", reminderLead: "300s", deliveryGuard: "600s", wrapUp: "3600s",
  },
  calendar: { hours: [1, 2, 3, 4, 5].map((weekday) => ({ weekday, startMinute: 480, endMinute: 1020 })), holidays: ["2026-12-25", "2026-12-26"] },
  footer: { company: "Hansen Pumpen GmbH", phone: "+49 40 123456", legalText: "Hafenstraße 1, 20457 Hamburg\nAmtsgericht Hamburg, HRB 12345" },
});

const pad = (n, width) => String(n).padStart(width, "0");
const MINUTE = 60000;

// The i-th callback: four in ten wait, four are promised, one is followed up, one is talked about.
export function callbackOf(i, now) {
  const at = (minutes) => new Date(now + minutes * MINUTE).toISOString();
  const greeting = i % 2 ? "Frau" : "Herr";
  const name = i % 7 === 3 ? `${FIRST[i % FIRST.length]} ${LAST[i % LAST.length]}` : `${greeting} ${LAST[i % LAST.length]}`;
  const noMail = i % 7 === 5;
  const national = `0${30 + (i % 60)} ${1000000 + i}`;
  const callback = {
    id: `cb07${pad(i, 14)}`, teamId: TEAM_ID, contactId: `ct07${pad(i % 200, 14)}`,
    caller: {
      name, ...(FIRMS[i % FIRMS.length] && { company: FIRMS[i % FIRMS.length] }), phone: "+49" + national.slice(1).replace(" ", ""),
      phoneNational: national, ...(!noMail && { email: `kunde${i}@example.com` }), ...(i % 9 === 8 && { language: "en" }),
    },
    ...(NOTES[i % NOTES.length] && { note: NOTES[i % NOTES.length] }), rings: 1 + (i % 4 === 0 ? 2 : i % 3 === 0 ? 1 : 0),
    createTime: at(-12 - ((i * 37) % 260)), historyCount: 3, version: "1", pageUrl: `http://127.0.0.1/m/pg07${pad(i, 26)}`,
  };
  const own = i < 40 ? MEMBERS[i % 3 === 2 ? 1 : 0] : MEMBERS[i % MEMBERS.length];
  const kind = i % 10;
  if (kind < 4) {
    return {
      ...callback, phase: "PHASE_WAITING", dueTime: at(30 + ((i * 13) % 200)), overdue: false,
      ...(kind % 2 && { assigneeId: own.id, assigneeName: own.name }),
    };
  }
  const minutes = i === 4 ? -7 : [18, 75, 42, 140, 205, 260][i % 6] + (i >= 40 ? ((i * 7) % 900) - 60 : 0);
  const overdue = minutes < 0;
  const promise = {
    revision: 1, promisedTime: at(minutes), channel: noMail ? "PROMISE_CHANNEL_SPOKEN" : "PROMISE_CHANNEL_VOICE_MAIL",
    state: i % 11 === 5 ? "STATE_PENDING" : "STATE_ARMED", createTime: at(-90), acceptTime: at(-89), author: own.id,
    spokenText: "Guten Morgen …", ...(i % 3 === 0 && { agreedTime: at(-60) }), ...(i % 4 === 2 && { heardTime: at(-70) }),
  };
  const attempted = kind === 8 ? [{ calledTime: at(-20), createTime: at(-20), outcome: "ATTEMPT_OUTCOME_NO_ANSWER", author: own.id }]
    : kind === 9 ? [{ calledTime: at(-15), createTime: at(-14), outcome: "ATTEMPT_OUTCOME_REACHED", author: own.id }] : [];
  if (attempted.length) Object.assign(promise, { state: "STATE_SETTLED", verdict: "VERDICT_KEPT", promisedTime: at(-22) });
  return {
    ...callback, assigneeId: own.id, assigneeName: own.name, overdue: attempted.length === 0 && overdue,
    phase: kind === 8 ? "PHASE_FOLLOW_UP" : kind === 9 ? "PHASE_TALKED" : "PHASE_PROMISED",
    dueTime: attempted.length ? at(10) : promise.promisedTime, promises: [promise],
    ...(attempted.length && { attempts: attempted }),
    ...(BRIEFS[i % BRIEFS.length] && { brief: { text: BRIEFS[i % BRIEFS.length], createTime: at(-50) }, topic: i % 2 ? "TOPIC_ORDER" : "TOPIC_COMPLAINT" }),
    ...(i === 7 && { proposal: { promisedTime: at(24 * 60 + 80), createTime: at(-5) } }),
    ...(i % 17 === 5 && { deliveryAlarm: "mail_refused: 550 5.1.1 no such user" }),
    ...(overdue && !attempted.length && {
      escalation: { anchorTime: promise.promisedTime, alarms: 2, lastStep: 2, lastAlarmTime: at(-2), toldMemberIds: [own.id, MEMBERS[2].id] },
    }),
  };
}
