// What the server refuses, in the reader's words: by the error's reason, which is stable, and where one reason says different
// things of different fields, by the field's last name ("policy.steps[2].recipients": recipients). Limits are the server's
// own: they are taken from its sentence, in their order. A test holds this list against the server's sources.
import { language, shellWords, type Language } from "./words";

type Said = string | ((...limits: string[]) => string);
type Refusals = Record<string, Said | ({ rest: Said } & Record<string, Said>)>;

const UNITS = {
  de: { h24: ["Tag", "Tage"], h: ["Stunde", "Stunden"], m: ["Minute", "Minuten"], s: ["Sekunde", "Sekunden"], and: " und " },
  en: { h24: ["day", "days"], h: ["hour", "hours"], m: ["minute", "minutes"], s: ["second", "seconds"], and: " and " },
} as const;
// "168h" or "1h30m", as the server writes spans: "7 Tage", "1 Stunde und 30 Minuten".
function span(written: string, language: Language): string {
  const words = UNITS[language];
  const said = [...written.matchAll(/(\d+)([hms])/g)].map(([, digits, unit]) => {
    const days = unit === "h" && Number(digits) % 24 === 0;
    const n = days ? Number(digits) / 24 : Number(digits);
    return `${n} ${words[days ? "h24" : (unit as "h" | "m" | "s")][n === 1 ? 0 : 1]}`;
  });
  return said.join(words.and) || `0 ${words.m[1]}`;
}

const OUTDATED_DE = "Diese Seite passt nicht mehr zum Server. Bitte laden Sie sie neu.";
const CUT_DE = "Das gibt es nicht. Vielleicht fehlt ein Teil des Links.";
const GARBLED_DE = "Beim Übertragen ging etwas verloren. Bitte noch einmal senden.";
const WHO_DE = "Diese Person gehört nicht mehr zum Team. Bitte jemand anderen wählen.";
const UNREACHABLE_DE = "Vom Kunden ist weder Mail-Adresse noch Telefonnummer bekannt. Bitte nachtragen, oder am Telefon zusagen.";
const OUTCOME_DE = "Bitte sagen, wie der Anruf ausging.";

const de: Refusals = {
  ALREADY_DUE: "Der Anruf ist schon fällig. „Ich kümmere mich“ hält die Alarme an.",
  ANSWER_NOT_FOUND: "Diese Mail gibt es nicht mehr.",
  ANSWER_TIED: "Diese Mail gehört schon zu einem Rückruf.",
  ATTACHMENT_NOT_FOUND: "Diesen Anhang gibt es nicht.",
  ATTACHMENT_NOT_KEPT: "Diese Datei ist nicht aufbewahrt.",
  BRIEF_FULL: "Mit dem, was schon dasteht, wäre der Text zu lang.",
  CALLBACK_CLOSED: "Dieser Rückruf ist schon geschlossen.",
  CALLBACK_NOT_FOUND: "Diesen Rückruf gibt es nicht mehr.",
  CALLBACK_OR_UNMATCHED: OUTDATED_DE,
  CALLED_TIME_AHEAD: "Diese Zeit kommt noch. Eingetragen wird ein Anruf, der schon war.",
  CALLED_TIME_BEFORE_REQUEST: "Da hatte der Kunde noch nicht um Rückruf gebeten.",
  CALLER_EMPTY: "Bitte mindestens Namen, Telefonnummer oder Mail-Adresse angeben.",
  CHANNEL_MISSING: "Bitte wählen, wie der Kunde es erfährt.",
  CHUNK_TOO_LARGE: OUTDATED_DE,
  CONTACT_EMPTY: "Bitte mindestens Telefonnummer oder Mail-Adresse angeben.",
  CONTENT_TYPE_WRONG: OUTDATED_DE,
  CONTROL_CHARACTER: "Hier stehen unsichtbare Steuerzeichen oder ein Zeilenumbruch. Bitte neu eintippen.",
  COUNT_INVALID: OUTDATED_DE,
  DURATION_MISSING: "Bitte wählen, wie lange die Erinnerung warten soll.",
  FILE_MISSING: "Diese Datei ist leer.",
  FILE_TOO_LARGE: "Die Datei ist größer als 1 MB.",
  FORM_TOKEN_WRONG: OUTDATED_DE,
  FOR_ADMINS_OF_THE_TEAM: "Das schalten nur Admins des Teams um.",
  HEADER_MISSING: OUTDATED_DE,
  HEADER_REPEATED: OUTDATED_DE,
  ID_AMBIGUOUS: CUT_DE,
  ID_INVALID: CUT_DE,
  ID_MISSING: CUT_DE,
  INTAKE_ASSIGNS_NOBODY: "Dieser Zugang trägt nur Anrufer ein. Wer zurückruft, entscheidet das Team.",
  LAST_ADMIN: "Das Team braucht mindestens einen Admin. Bitte zuerst jemand anderen zum Admin machen.",
  LEGAL_HOLD: "Nichts davon darf gelöscht werden: Es wird aus rechtlichen Gründen aufbewahrt.",
  LOCAL_PART_TOO_LONG: (most) => `Vor dem @ dürfen höchstens ${most} Zeichen stehen.`,
  MAIL_EMPTY: "Diese Mail ist leer.",
  MASK_PATH_UNKNOWN: OUTDATED_DE,
  MEDIA_MODE_UNKNOWN: "Bitte wählen: Anhang und Link, nur den Anhang oder nur den Link.",
  MEMBER_AND_NOBODY: OUTDATED_DE,
  MEMBER_FIGURES_OFF: "Zahlen je Person zeigen sich erst, wenn ein Admin sie einschaltet.",
  MEMBER_LEFT: "Diese Person gehört nicht mehr zum Team.",
  MEMBER_MISSING: "Bitte wählen, wer jetzt zurückruft.",
  MEMBER_UNKNOWN: WHO_DE,
  MISPLACED: { rest: OUTDATED_DE, confirm: "Schriftlich bestätigt wird nur, was am Telefon zugesagt ist.", member_id: "Bitte eine Person wählen." },
  MISSING: {
    rest: "Das darf nicht leer bleiben.",
    channel: "Bitte wählen, wie der Kunde es erfährt.",
    disposition: "Bitte sagen, wie es ausging, zum Beispiel „bestellt“ oder „kein Bedarf“.",
    email: "Bitte eine Mail-Adresse wie mueller@example.com angeben.",
    id: OUTDATED_DE,
    kind: "Bitte eine Art wählen.",
    name: "Bitte den Namen angeben, wie ihn Kunden lesen.",
    outcome: OUTCOME_DE,
    phone: "Bitte eine Telefonnummer wie +49 30 123456 angeben.",
    reason: "Bitte sagen, warum niemand mehr anruft.",
    recording_id: "Für eine Sprachnachricht fehlt die Aufnahme.",
    role: "Bitte eine Rolle wählen.",
    secret: "Was ringback sendet, ist signiert: Bitte ein Geheimnis von mindestens 16 Zeichen angeben, dasselbe wie beim Empfänger.",
    text: "Bitte zwei, drei Sätze schreiben.",
  },
  NOBODY_STANDS_IN: "Es gibt keine Vertretung, und niemand der Vorgesetzten ist da. Bitte wählen, wer übernimmt.",
  NOTHING_STAYS: "Die zugesagte Zeit ist schon vorbei. Bitte dem Kunden eine andere anbieten.",
  NOTHING_TO_RESEND: "Es gibt keine Sprachnachricht mehr, die noch zu hören wäre. Bitte eine neue Zeit zusagen.",
  NOT_AN_EMAIL_ADDRESS: "Bitte genau eine Mail-Adresse wie mueller@example.com angeben, ohne Namen und Leerzeichen. Umlaute in der Domain als „xn--…“.",
  NOT_A_CALENDAR: "Das ist keine Kalenderdatei (.ics).",
  NOT_A_DATE: "Bitte einen Tag wie 25.12.2026 wählen.",
  NOT_A_PHONE_NUMBER: "Bitte eine Telefonnummer mit Landesvorwahl angeben, ohne Durchwahl, wie +49 30 123456.",
  NOT_A_TIME: "Das ist keine Uhrzeit. Möglich sind „13:00“, „morgen 9:30“ und „in 2 Stunden“.",
  NOT_A_URL: "Bitte eine ganze Adresse angeben, die mit https:// beginnt.",
  NOT_CALLED_OFF: "Wieder öffnen lässt sich nur, was der Kunde abgesagt hat.",
  NOT_FOUND: "Das gibt es nicht mehr.",
  NOT_IN_ORDER: {
    rest: "Der Anfang muss vor dem Ende liegen.",
    delay: (before) => `Nicht früher als der Schritt darüber, der nach ${dative(span(before, "de"))} kommt.`,
    from_week: "Die erste Woche liegt nach der letzten.",
  },
  NOT_NORMAL: OUTDATED_DE,
  NOT_OVERDUE: "Es gibt noch keinen Alarm, der zu halten wäre.",
  NOT_REPORTED: "Dieses Team meldet nicht, dass Nachrichten angehört wurden.",
  NOT_UNIQUE: { rest: "Das steht schon da. Bitte nur einmal angeben.", extensions: "Diese Durchwahl hat schon ein anderes Mitglied.", id: OUTDATED_DE },
  NOT_UTF8: "Hier stehen Zeichen, die sich nicht lesen lassen. Bitte neu eintippen.",
  NOT_YOURSELF: "Das ändern nur Admins.",
  NOT_YOUR_CALLBACK: "Das ist der Rückruf von jemand anderem. Bitte Ihre Vorgesetzten fragen.",
  NO_ATTEMPT: "Seit der Kunde wartet, ist kein Anruf eingetragen. Bitte zuerst den Anruf eintragen, oder ohne Anruf schließen.",
  NO_MAIL_ADDRESS: "Für die Bestätigung fehlt die Mail-Adresse des Kunden.",
  NO_PROMISE: "Es ist nichts zugesagt, woran zu erinnern wäre.",
  NO_PROPOSAL: "Der Kunde wünscht keine andere Zeit, oder ihm ist schon geantwortet.",
  NO_PUBLIC_URL: "Ohne öffentliche Adresse gibt es keinen Link für Kunden. Bitte am Telefon zusagen, oder als Sprachnachricht.",
  NO_SMS_GATEWAY: "SMS ist hier nicht eingerichtet. Bitte als Sprachnachricht an die Mail-Adresse senden, oder am Telefon zusagen.",
  NO_WAY_TO_REACH_THE_CUSTOMER: { rest: UNREACHABLE_DE, email: UNREACHABLE_DE, phone: "Für eine SMS fehlt die Telefonnummer des Kunden. Bitte nachtragen, oder am Telefon zusagen." },
  OPERATORS_ONLY: "Das dürfen nur Betreiber.",
  OTHERS_TAKE: "Das darf nur hören, wer es gesprochen hat oder zurückruft. Admins können es auch für Vorgesetzte einschalten.",
  OTHER_TEAM: "Mail und Rückruf gehören zu verschiedenen Teams.",
  OUTCOME_MISSING: OUTCOME_DE,
  OUT_OF_RANGE: {
    rest: (least, most) => `Möglich sind ${span(least, "de")} bis ${span(most, "de")}.`,
    duration: "Bitte wählen, wie lange die Erinnerung warten soll.",
    hours: "Der Anfang muss vor dem Ende liegen, beide am selben Tag.",
    promised_time: "Bitte eine Zeit wählen, die noch kommt, in den nächsten 90 Tagen.",
    recipients: (least, most) => `Jeder Schritt braucht jemanden, der alarmiert wird: ${least} bis ${most}.`,
    recording_max_seconds: (least, most) => `Möglich sind ${least} bis ${most} Sekunden.`,
    repeat_count: (least, most) => `Möglich sind ${least} bis ${most} Wiederholungen.`,
    repeat_from_step: "Bitte einen der Schritte wählen, oder nur den letzten.",
    retention_days: (least, most) => `Möglich sind ${least} bis ${most} Tage nach dem Schließen.`,
    same_ring_within: OUTDATED_DE,
    slot_length: (least, most) => `Möglich sind ganze Minuten, von ${least} Minuten bis ${most} Stunden.`,
    steps: (least, most) => `Es braucht ${least} bis ${most} Schritte.`,
    timeout: "Möglich sind 1 Minute bis 7 Tage.",
    weekday: OUTDATED_DE,
  },
  OWN_SUBSTITUTE: "Niemand vertritt sich selbst. Bitte jemand anderen wählen.",
  PAGE_SIZE_NEGATIVE: OUTDATED_DE,
  PAGE_TOKEN_INVALID: OUTDATED_DE,
  PROMISED_ALREADY: "Genau diese Zeit ist schon zugesagt. Damit sie bleibt, den Wunsch bitte ablehnen.",
  PROMISED_TIME_PASSED: "Diese Zeit ist schon vorbei. Bitte eine zusagen, die noch kommt.",
  PROMISED_TIME_TOO_FAR: (days) => `Zusagen lässt sich höchstens ${days} Tage voraus.`,
  PROMISE_CHANGED: "Diese Zeit gilt nicht mehr. Bitte ansehen, was jetzt zugesagt ist.",
  PROMISE_RUNNING: "Dem Kunden ist eine Zeit zugesagt, und jemand muss die Zusage halten. Bitte wählen, wer jetzt zurückruft.",
  RECORDING_EMPTY: "Die Aufnahme ist leer. Bitte neu sprechen.",
  RECORDING_FAILED: "Diese Aufnahme lässt sich nicht verwenden. Bitte neu sprechen.",
  RECORDING_MISSING: "Für eine Sprachnachricht fehlt die Aufnahme.",
  RECORDING_NOT_READY: "Diese Aufnahme lässt sich nicht senden. Bitte neu sprechen.",
  RECORDING_OF_OTHER_CALLBACK: "Diese Aufnahme ist für einen anderen Rückruf gesprochen.",
  RECORDING_TOO_LARGE: (most) => `Die Aufnahme ist zu groß: höchstens ${most} MB.`,
  RENDITION_MISSING: OUTDATED_DE,
  RENDITION_NOT_FOUND: "Diese Fassung der Aufnahme gibt es (noch) nicht.",
  REQUEST_ID_INVALID: OUTDATED_DE,
  REQUEST_ID_MISSING: OUTDATED_DE,
  REQUEST_ID_REUSED: "Das ist schon einmal anders abgeschickt worden. Bitte die Seite neu laden und ansehen, was gilt.",
  REVISION_INVALID: OUTDATED_DE,
  RING_TIME_AHEAD: "Diese Zeit kommt noch. Gemeint ist, wann der Kunde angerufen hat.",
  ROLE_MISSING: "Bitte wählen, was der Zugang darf.",
  ROLE_OF_MEMBER: OUTDATED_DE,
  SAME_MEMBER: "Bitte jemand anderen wählen als die Person, die abgibt.",
  SECRET_TOO_LONG: (most) => `Das Geheimnis ist zu lang: höchstens ${most} Zeichen.`,
  SECRET_TOO_SHORT: (least) => `Das Geheimnis ist zu kurz: mindestens ${least} Zeichen.`,
  SHA256_INVALID: OUTDATED_DE,
  SHA256_MISMATCH: GARBLED_DE,
  SIZE_MISMATCH: GARBLED_DE,
  SKIPPED_BY_CLOCK_CHANGE: "Diese Zeit gibt es an dem Tag nicht: Die Uhr wird vorgestellt.",
  TEAM_ID_INVALID: OUTDATED_DE,
  TEAM_ID_MISSING: OUTDATED_DE,
  TEMPLATES_TOO_MANY: (most) => `Höchstens ${most} eigene Texte.`,
  TEMPLATE_INVALID: "Ein Platzhalter in diesem Text stimmt nicht: Jede Klammer {{ endet mit }}, und jeder Abschnitt {{#…}} mit {{/…}}.",
  TEMPLATE_TOO_LONG: "Der Text ist zu lang: höchstens 64 KB.",
  TEXT_TOO_LONG: (most) => `Der Text ist zu lang: höchstens ${most} Zeichen.`,
  TIME_AHEAD: "Diese Zeit kommt noch.",
  TIME_MISSING: "Bitte die Zeit wählen, die der Kunde erfährt.",
  TIME_PASSED: "Diese Zeit ist schon vorbei. Bitte eine wählen, die noch kommt.",
  TIME_PAST: "Diese Zeit ist schon vorbei. Bitte eine wählen, die noch kommt.",
  TOO_LONG: (most) => `Das ist zu lang: höchstens ${most} Zeichen, Umlaute zählen doppelt.`,
  TOO_MANY: {
    rest: (most) => `Das sind zu viele: höchstens ${most}.`,
    absences: (most) => `Höchstens ${most} Abwesenheiten.`,
    callback_ids: (most) => `Höchstens ${most} Rückrufe auf einmal.`,
    channels: (most) => `Höchstens ${most} Kanäle.`,
    holidays: (most) => `Höchstens ${most} Feiertage.`,
    hours: (most) => `Höchstens ${most} Zeiten in der Woche. Bitte zusammenfassen, was aneinander grenzt.`,
    members: (most) => `Ein Team hat höchstens ${most} Mitglieder.`,
    to_member_ids: (most) => `Höchstens ${most} Personen auf einmal.`,
  },
  TOO_MANY_WEEKS: (most) => `Höchstens ${most} Wochen auf einmal.`,
  UNKNOWN_LANGUAGE: "Möglich sind Deutsch und Englisch.",
  UNKNOWN_MEMBER: WHO_DE,
  UNKNOWN_PROVIDER: "Diese Telefonanlage kennt ringback nicht.",
  UNKNOWN_REVISION: OUTDATED_DE,
  UNKNOWN_TIME_ZONE: "Diese Zeitzone gibt es nicht. Bitte einen Namen wie Europe/Berlin angeben.",
  UNKNOWN_TOPIC: "Möglich sind Bestellung, Reklamation und Frage.",
  URL_MISSING: "Bitte zuerst die Adresse angeben, wie https://chat.example.com/hooks/…",
  WAIT_TOO_LONG: OUTDATED_DE,
  WEEK_INVALID: "Bitte eine Woche wie 2026-W48 angeben.",
  WHO_MISSING: "Bitte sagen, um wen es geht: Telefonnummer oder Mail-Adresse.",
};

// "nach 7 Tagen".
const dative = (said: string): string => said.replace(/Tage$/, "Tagen");

const OUTDATED_EN = "This page no longer fits the server. Please load it anew.";
const CUT_EN = "There is no such thing. Perhaps a part of the link is missing.";
const GARBLED_EN = "Something was lost on the way. Please send it again.";
const WHO_EN = "This person is no longer with the team. Please choose somebody else.";
const UNREACHABLE_EN = "Neither mail address nor phone number of the customer is known. Please add one, or promise it on the phone.";
const OUTCOME_EN = "Please say what came of the call.";

const en: Refusals = {
  ALREADY_DUE: "The call is due already. “I have it” holds the alarms.",
  ANSWER_NOT_FOUND: "This mail is gone.",
  ANSWER_TIED: "This mail belongs to a callback already.",
  ATTACHMENT_NOT_FOUND: "There is no such attachment.",
  ATTACHMENT_NOT_KEPT: "This file was not kept.",
  BRIEF_FULL: "With what is written already the text would be too long.",
  CALLBACK_CLOSED: "This callback is closed already.",
  CALLBACK_NOT_FOUND: "This callback is gone.",
  CALLBACK_OR_UNMATCHED: OUTDATED_EN,
  CALLED_TIME_AHEAD: "This time is still to come. A call is logged once it was made.",
  CALLED_TIME_BEFORE_REQUEST: "The customer had not asked for a call by then.",
  CALLER_EMPTY: "Please give a name, a phone number or a mail address at least.",
  CHANNEL_MISSING: "Please choose how the customer is told.",
  CHUNK_TOO_LARGE: OUTDATED_EN,
  CONTACT_EMPTY: "Please give a phone number or a mail address at least.",
  CONTENT_TYPE_WRONG: OUTDATED_EN,
  CONTROL_CHARACTER: "There are invisible control characters or a line break in it. Please type it anew.",
  COUNT_INVALID: OUTDATED_EN,
  DURATION_MISSING: "Please choose how long the reminder waits.",
  FILE_MISSING: "This file is empty.",
  FILE_TOO_LARGE: "The file is larger than 1 MB.",
  FORM_TOKEN_WRONG: OUTDATED_EN,
  FOR_ADMINS_OF_THE_TEAM: "Only admins of the team switch that.",
  HEADER_MISSING: OUTDATED_EN,
  HEADER_REPEATED: OUTDATED_EN,
  ID_AMBIGUOUS: CUT_EN,
  ID_INVALID: CUT_EN,
  ID_MISSING: CUT_EN,
  INTAKE_ASSIGNS_NOBODY: "This access takes callers in. The team decides who calls back.",
  LAST_ADMIN: "The team needs one admin at least. Please make somebody else admin first.",
  LEGAL_HOLD: "None of this may be deleted: it is under legal hold.",
  LOCAL_PART_TOO_LONG: (most) => `At most ${most} characters may stand before the @.`,
  MAIL_EMPTY: "This mail is empty.",
  MASK_PATH_UNKNOWN: OUTDATED_EN,
  MEDIA_MODE_UNKNOWN: "Please choose: attachment and link, the attachment only or the link only.",
  MEMBER_AND_NOBODY: OUTDATED_EN,
  MEMBER_FIGURES_OFF: "Figures by person are shown once an admin switches them on.",
  MEMBER_LEFT: "This person is no longer with the team.",
  MEMBER_MISSING: "Please choose who calls back from now on.",
  MEMBER_UNKNOWN: WHO_EN,
  MISPLACED: { rest: OUTDATED_EN, confirm: "Only what was promised on the phone is confirmed in writing.", member_id: "Please choose a person." },
  MISSING: {
    rest: "This must not stay empty.",
    channel: "Please choose how the customer is told.",
    disposition: "Please say how it ended, for instance “ordered” or “no interest”.",
    email: "Please give a mail address like mueller@example.com.",
    id: OUTDATED_EN,
    kind: "Please choose a kind.",
    name: "Please give the name as customers read it.",
    outcome: OUTCOME_EN,
    phone: "Please give a phone number like +49 30 123456.",
    reason: "Please say why nobody calls any more.",
    recording_id: "A voice message needs its take.",
    role: "Please choose a role.",
    secret: "What ringback sends is signed: please give a secret of 16 characters at least, the same as the receiver's.",
    text: "Please write two or three sentences.",
  },
  NOBODY_STANDS_IN: "Nobody stands in, and no manager is present. Please choose who takes over.",
  NOTHING_STAYS: "The promised time has passed. Please offer the customer another one.",
  NOTHING_TO_RESEND: "No voice message is still to be heard. Please promise a new time.",
  NOT_AN_EMAIL_ADDRESS: "Please give one plain mail address like mueller@example.com, without name and spaces. Other letters than a to z in the domain as “xn--…”.",
  NOT_A_CALENDAR: "This is no calendar file (.ics).",
  NOT_A_DATE: "Please choose a day like 25 December 2026.",
  NOT_A_PHONE_NUMBER: "Please give a phone number with its country code, without extension, like +49 30 123456.",
  NOT_A_TIME: "That is no time. Possible are “13:00”, “tomorrow 9:30” and “in 2 hours”.",
  NOT_A_URL: "Please give a whole address that begins with https://.",
  NOT_CALLED_OFF: "Only what the customer called off can be reopened.",
  NOT_FOUND: "It is gone.",
  NOT_IN_ORDER: {
    rest: "The start must be before the end.",
    delay: (before) => `Not before the step above, which comes after ${span(before, "en")}.`,
    from_week: "The first week is after the last.",
  },
  NOT_NORMAL: OUTDATED_EN,
  NOT_OVERDUE: "There is no alarm to hold yet.",
  NOT_REPORTED: "This team does not report that messages are played.",
  NOT_UNIQUE: { rest: "It is there already. Please name it once.", extensions: "Another member has this extension already.", id: OUTDATED_EN },
  NOT_UTF8: "There are characters in it that cannot be read. Please type it anew.",
  NOT_YOURSELF: "Only admins change that.",
  NOT_YOUR_CALLBACK: "That is somebody else's callback. Please ask your managers.",
  NO_ATTEMPT: "No call is logged since the customer waits. Please log the call first, or close it without a call.",
  NO_MAIL_ADDRESS: "The customer's mail address is missing for the confirmation.",
  NO_PROMISE: "Nothing is promised to be reminded of.",
  NO_PROPOSAL: "The customer wishes no other time, or was answered already.",
  NO_PUBLIC_URL: "Without a public address there is no link for customers. Please promise it on the phone, or by voice message.",
  NO_SMS_GATEWAY: "SMS is not set up here. Please send a voice message to the mail address, or promise it on the phone.",
  NO_WAY_TO_REACH_THE_CUSTOMER: { rest: UNREACHABLE_EN, email: UNREACHABLE_EN, phone: "An SMS needs the customer's phone number. Please add it, or promise it on the phone." },
  OPERATORS_ONLY: "Only operators may do that.",
  OTHERS_TAKE: "Only who spoke it or calls back may hear this. Admins can switch it on for managers too.",
  OTHER_TEAM: "The mail and the callback belong to different teams.",
  OUTCOME_MISSING: OUTCOME_EN,
  OUT_OF_RANGE: {
    rest: (least, most) => `Possible are ${span(least, "en")} to ${span(most, "en")}.`,
    duration: "Please choose how long the reminder waits.",
    hours: "The start must be before the end, both on the same day.",
    promised_time: "Please choose a time that is still to come, within the next 90 days.",
    recipients: (least, most) => `Each step needs somebody to alarm: ${least} to ${most}.`,
    recording_max_seconds: (least, most) => `Possible are ${least} to ${most} seconds.`,
    repeat_count: (least, most) => `Possible are ${least} to ${most} repeats.`,
    repeat_from_step: "Please choose one of the steps, or the last one only.",
    retention_days: (least, most) => `Possible are ${least} to ${most} days after closing.`,
    same_ring_within: OUTDATED_EN,
    slot_length: (least, most) => `Possible are whole minutes, from ${least} minutes to ${most} hours.`,
    steps: (least, most) => `It takes ${least} to ${most} steps.`,
    timeout: "Possible are 1 minute to 7 days.",
    weekday: OUTDATED_EN,
  },
  OWN_SUBSTITUTE: "Nobody stands in for themselves. Please choose somebody else.",
  PAGE_SIZE_NEGATIVE: OUTDATED_EN,
  PAGE_TOKEN_INVALID: OUTDATED_EN,
  PROMISED_ALREADY: "That very time is promised already. To let it stay, decline the wish.",
  PROMISED_TIME_PASSED: "This time has passed. Please promise one that is still to come.",
  PROMISED_TIME_TOO_FAR: (days) => `A promise reaches at most ${days} days ahead.`,
  PROMISE_CHANGED: "This time no longer counts. Please look at what is promised now.",
  PROMISE_RUNNING: "The customer has been promised a time, and somebody has to keep it. Please choose who calls back from now on.",
  RECORDING_EMPTY: "The take is empty. Please speak anew.",
  RECORDING_FAILED: "This take cannot be used. Please speak anew.",
  RECORDING_MISSING: "A voice message needs its take.",
  RECORDING_NOT_READY: "This take cannot be sent. Please speak anew.",
  RECORDING_OF_OTHER_CALLBACK: "This take was spoken for another callback.",
  RECORDING_TOO_LARGE: (most) => `The take is too large: at most ${most} MB.`,
  RENDITION_MISSING: OUTDATED_EN,
  RENDITION_NOT_FOUND: "This rendition of the take is not there (yet).",
  REQUEST_ID_INVALID: OUTDATED_EN,
  REQUEST_ID_MISSING: OUTDATED_EN,
  REQUEST_ID_REUSED: "That was sent before with other words. Please load the page anew and look at what counts.",
  REVISION_INVALID: OUTDATED_EN,
  RING_TIME_AHEAD: "This time is still to come. It is about when the customer rang.",
  ROLE_MISSING: "Please choose what the access may do.",
  ROLE_OF_MEMBER: OUTDATED_EN,
  SAME_MEMBER: "Please choose somebody else than who hands over.",
  SECRET_TOO_LONG: (most) => `The secret is too long: at most ${most} characters.`,
  SECRET_TOO_SHORT: (least) => `The secret is too short: at least ${least} characters.`,
  SHA256_INVALID: OUTDATED_EN,
  SHA256_MISMATCH: GARBLED_EN,
  SIZE_MISMATCH: GARBLED_EN,
  SKIPPED_BY_CLOCK_CHANGE: "There is no such time on that day: the clocks go forward.",
  TEAM_ID_INVALID: OUTDATED_EN,
  TEAM_ID_MISSING: OUTDATED_EN,
  TEMPLATES_TOO_MANY: (most) => `At most ${most} texts of your own.`,
  TEMPLATE_INVALID: "A placeholder in this text is not right: each {{ ends with }}, and each section {{#…}} with {{/…}}.",
  TEMPLATE_TOO_LONG: "The text is too long: at most 64 KB.",
  TEXT_TOO_LONG: (most) => `The text is too long: at most ${most} characters.`,
  TIME_AHEAD: "This time is still to come.",
  TIME_MISSING: "Please choose the time that the customer is told.",
  TIME_PASSED: "This time has passed. Please choose one that is still to come.",
  TIME_PAST: "This time has passed. Please choose one that is still to come.",
  TOO_LONG: (most) => `This is too long: at most ${most} characters, those beside a to z count twice.`,
  TOO_MANY: {
    rest: (most) => `Those are too many: at most ${most}.`,
    absences: (most) => `At most ${most} absences.`,
    callback_ids: (most) => `At most ${most} callbacks at once.`,
    channels: (most) => `At most ${most} channels.`,
    holidays: (most) => `At most ${most} holidays.`,
    hours: (most) => `At most ${most} spans in a week. Please join the ones that touch.`,
    members: (most) => `A team has at most ${most} members.`,
    to_member_ids: (most) => `At most ${most} people at once.`,
  },
  TOO_MANY_WEEKS: (most) => `At most ${most} weeks at once.`,
  UNKNOWN_LANGUAGE: "Possible are German and English.",
  UNKNOWN_MEMBER: WHO_EN,
  UNKNOWN_PROVIDER: "ringback does not know this telephone system.",
  UNKNOWN_REVISION: OUTDATED_EN,
  UNKNOWN_TIME_ZONE: "There is no such time zone. Please give a name like Europe/Berlin.",
  UNKNOWN_TOPIC: "Possible are order, complaint and question.",
  URL_MISSING: "Please give the address first, like https://chat.example.com/hooks/…",
  WAIT_TOO_LONG: OUTDATED_EN,
  WEEK_INVALID: "Please give a week like 2026-W48.",
  WHO_MISSING: "Please say whom it is about: phone number or mail address.",
};

const REFUSALS: Record<Language, Refusals> = { de, en };

export interface Refusal {
  code?: string;
  message?: string;
  field?: string;
  reason?: string;
}

// The server's own sentence, without the field's path before it.
const ownSentence = ({ message = "", field = "" }: Refusal): string =>
  field && message.startsWith(`${field}: `) ? message.slice(field.length + 2) : message;

// Null where the reason, or the limit that belongs to it, is none that is known here: another server may say more.
function sentenceOf(refused: Refusal): string | null {
  const found = REFUSALS[language.value][refused.reason ?? ""];
  if (!found) return null;
  const last = (refused.field ?? "").replace(/\[[^\]]*\]/g, "").split(".").pop() ?? "";
  const name = last.replace(/[A-Z]/g, (letter) => "_" + letter.toLowerCase());
  const said = typeof found === "object" ? (found[name] ?? found.rest) : found;
  if (typeof said === "string") return said;
  const limits = ownSentence(refused).match(/\d+(?:[hms]\d*)*/g) ?? [];
  return limits.length < said.length ? null : said(...limits);
}

// An error in the reader's words: what is said of its reason, else what is general about its kind, with the server's own
// sentence where that says more.
export function inWords(error: unknown): string {
  const refused = error as Refusal;
  const said = sentenceOf(refused);
  if (said) return said;
  const known = shellWords().errors as Record<string, string>;
  const general = known[refused.code ?? "INTERNAL"] ?? known.INTERNAL;
  const own = ownSentence(refused);
  return own && ["INVALID_ARGUMENT", "FAILED_PRECONDITION"].includes(refused.code ?? "") ? `${general} (${own})` : general;
}

// The same below the field that it is about.
export const atField = (refused: Refusal): string => sentenceOf(refused) ?? ownSentence(refused);
