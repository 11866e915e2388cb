// A callback's history in words. What is not known here shows as the server says it.
import type { HistoryEventJson } from "../../protocol/ringback/v1/callback_pb";
import { when } from "../shell/time";
import { spoken } from "../shell/words";

const words = spoken<Record<string, string>>({
  de: {
    requested: "Um Rückruf gebeten", rang_again: "Noch einmal angerufen", promised: "Versprochen", promise_armed: "Versprechen gilt",
    promise_accepted: "Nachricht angekommen", accepted_after_replaced: "Ältere Nachricht angekommen", promise_withdrawn: "Ältere Nachricht zurückgezogen",
    not_delivered: "Nachricht nicht angekommen", delivery_failed: "Zustellung gescheitert", bounced: "Mail kam zurück", delayed: "Mail verzögert sich",
    delivery_alarm: "Alarm: Kunde weiß nichts davon", delivery_alarm_cleared: "Alarm erledigt", resent: "Noch einmal gesendet", heard: "Angehört",
    agreed: "Kunde ist einverstanden", brief_received: "Kunde hat geschrieben", topic_given: "Kunde hat das Thema gewählt",
    time_proposed: "Kunde wünscht eine andere Zeit", time_declined: "Zeit passt dem Kunden nicht", proposal_accepted: "Wunsch zugesagt",
    proposal_declined: "Bleibt wie versprochen", moved_by_customer: "Kunde hat verschoben", called_off: "Kunde hat abgesagt", wrong_person: "Falscher Empfänger",
    reminded: "Erinnert", overdue: "Überfällig", alarm: "Alarm", acknowledged: "Jemand kümmert sich", snoozed: "Später erinnern", assigned: "Zugewiesen", given_back: "Zurückgegeben: niemand ist zuständig",
    calling: "Ruft gerade an", call_started: "Ruft gerade an", attempted: "Angerufen", follow_up_started: "Noch einmal anrufen", settled: "Versprechen abgeschlossen",
    wrap_up_due: "Bitte abschließen", completed: "Abgeschlossen", cancelled: "Ohne Anruf geschlossen", reopened: "Wieder geöffnet",
    caller_updated: "Angaben geändert", erased: "Daten gelöscht", answer_after_closing: "Antwort nach dem Schließen", recording_played: "Aufnahme angehört",
    answer_moved: "Mail gehörte nicht hierher",
  },
  en: {
    requested: "Asked for a call", rang_again: "Rang again", promised: "Promised", promise_armed: "Promise counts",
    promise_accepted: "Message arrived", accepted_after_replaced: "Older message arrived", promise_withdrawn: "Older message withdrawn",
    not_delivered: "Message did not arrive", delivery_failed: "Delivery failed", bounced: "Mail bounced", delayed: "Mail is delayed",
    delivery_alarm: "Alarm: the customer does not know", delivery_alarm_cleared: "Alarm settled", resent: "Sent again", heard: "Listened to",
    agreed: "The customer agrees", brief_received: "The customer has written", topic_given: "The customer chose the topic",
    time_proposed: "The customer wishes another time", time_declined: "The time does not suit", proposal_accepted: "Wish agreed to",
    proposal_declined: "Stays as promised", moved_by_customer: "Moved by the customer", called_off: "Called off by the customer", wrong_person: "Wrong recipient",
    reminded: "Reminded", overdue: "Overdue", alarm: "Alarm", acknowledged: "Somebody has it", snoozed: "Remind later", assigned: "Assigned", given_back: "Given back: unassigned",
    calling: "Calling now", call_started: "Calling now", attempted: "Called", follow_up_started: "To be called again", settled: "Promise settled",
    wrap_up_due: "Please close", completed: "Closed", cancelled: "Closed without a call", reopened: "Opened again",
    caller_updated: "Details changed", erased: "Data erased", answer_after_closing: "Answer after closing", recording_played: "Recording played",
    answer_moved: "The mail did not belong here",
  },
});

export function eventInWords(event: HistoryEventJson): string {
  const given = event.what === "assigned" && !event.details?.to;
  const what = given ? "given_back" : event.what ?? "";
  const said = words()[what] ?? what.replaceAll("_", " ");
  const time = event.details?.promised_time;
  return time && !Number.isNaN(Date.parse(time)) ? `${said}: ${when(time)}` : said;
}
