// What a manager finds on the same Tuesday: mail without a callback, work that is left behind, how the word was kept.
import { MEMBERS } from "./desk_data.mjs";

const MINUTE = 60000;

export function unmatched(now) {
  const at = (minutes) => new Date(now - minutes * MINUTE).toISOString();
  return [
    {
      id: "an0700000000000001", source: "SOURCE_MAIL", kind: "KIND_REPLY", createTime: at(6), sender: "einkauf@hansen.example",
      subject: "Re: Ihr Anruf: Anna Schmidt ruft heute um 13:00 Uhr zurück",
      text: "Guten Tag, bitte rufen Sie lieber meine Kollegin Frau Schönfelder-Großkreutz an, sie kennt den Vorgang. Danke!", originalSizeBytes: "48211",
      attachments: [{ fileName: "Typenschild P-40 (Foto vom Montag, zweite Aufnahme).jpg", mediaType: "image/jpeg", sizeBytes: "913402" },
        { fileName: "winmail.dat", mediaType: "application/ms-tnef", sizeBytes: "30211", dropReason: "type" }],
    },
    {
      id: "an0700000000000002", source: "SOURCE_MAIL", kind: "KIND_REPLY", createTime: at(95), sender: "kunde6@example.com", subject: "Rückruf",
      text: "13 Uhr passt gut.", originalSizeBytes: "2903",
    },
    {
      id: "an0700000000000003", source: "SOURCE_MAIL", kind: "KIND_UNREADABLE", createTime: at(60 * 26), sender: "scanner@praxis-dr-nordmann.example", subject: "",
      text: "", originalSizeBytes: "120933", remarks: ["the mail has no readable text"],
    },
  ];
}

export function deadLetters(now) {
  const at = (minutes) => new Date(now - minutes * MINUTE).toISOString();
  return [
    { id: "cb0700000000000006", stage: "promise", callbackId: "cb0700000000000006", reason: "the team's policy names a member who is gone", createTime: at(12) },
    { id: "dl0700000000000005", stage: "delivery", callbackId: "cb0700000000000005", reason: "mail: 550 5.1.1 <kunde5@example.com>: Recipient address rejected: User unknown in virtual mailbox table", createTime: at(44) },
    { id: "rc0700000000000009", stage: "transcode", callbackId: "cb0700000000000007", reason: "the take could not be read: moov atom not found", createTime: at(60 * 30) },
  ];
}

// Twelve weeks up to this one; nothing is random.
export function weeks(count, byMember) {
  const found = [];
  for (let back = count - 1; back >= 0; --back) {
    const week = isoWeek(Date.parse("2026-11-24T12:00:00Z") - back * 7 * 24 * 60 * MINUTE);
    for (const member of byMember ? MEMBERS.filter((m) => m.role === "ROLE_REP") : [null]) {
      const size = member ? 1 : 3;
      const wave = Math.round(8 * Math.sin(back / 2 + (member ? MEMBERS.indexOf(member) : 0)));
      found.push({
        week, ...(member && { memberId: member.id }), kept: String((64 + wave - back) * size), late: String((7 + (back % 4)) * size),
        missed: String((back % 5) * size), movedByCustomer: String((6 - (back % 3)) * size), movedByTeam: String((2 + (back % 2)) * size),
        cancelledByCustomer: String(size), attempted: String((88 + wave) * size), reached: String((61 + wave) * size), requested: String((95 + wave) * size),
        ...(back !== 5 && { latenessMedian: `${420 + 40 * (back % 4) + 5 * wave}s` }), firstPromiseMedian: `${2100 - 60 * (12 - back) + 30 * wave}s`,
      });
    }
  }
  return found;
}

function isoWeek(at) {
  const day = new Date(at);
  day.setUTCDate(day.getUTCDate() + 4 - (day.getUTCDay() || 7));
  const first = Date.UTC(day.getUTCFullYear(), 0, 1);
  return `${day.getUTCFullYear()}-W${String(Math.ceil(((+day - first) / 86400000 + 1) / 7)).padStart(2, "0")}`;
}
