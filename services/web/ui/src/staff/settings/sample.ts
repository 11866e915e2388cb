// A template with made-up facts in it, near enough to see how it reads: Mustache's values, sections and inverted sections.
import type { Language } from "../shell/words";

type Facts = Record<string, string | { of: string }[]>;

const LINES = (text: string): { of: string }[] => text.split("\n").map((of) => ({ of }));
const MADE_UP: Record<Language, Facts> = {
  de: {
    greeting: "Guten Morgen", caller: "Herr Müller", company: "Müller Logistik GmbH", rep: "Anna Schmidt", reader: "Anna", assignee: "Anna Schmidt", when: "heute um 13 Uhr",
    when_full: "Dienstag, 24. November, 13:00 Uhr", due: "heute um 13 Uhr", asked: "heute um 10:12 Uhr", left: "5 Minuten", overdue: "10 Minuten", waiting: "2 Stunden", phone: "+49 40 123456",
    rep_phone: "+49 40 123450", brief: "Es geht um die Lieferung vom Montag.", brief_lines: LINES("Es geht um die Lieferung vom Montag."), spoken: "1", spoken_lines: LINES("Guten Morgen Herr Müller, …"),
    page_url: "https://rueckruf.example/m/…", desk_url: "https://rueckruf.example/desk/…", audio: "1", can_reply: "1", calendar: "1", note: "hat dreimal angerufen", topic: "Bestellung",
    reason: "550 no such user", wished: "morgen um 9 Uhr", callback: "cb07h3k9", calls_count: "2",
  },
  en: {
    greeting: "Good morning", caller: "Mr Miller", company: "Miller Logistics Ltd", rep: "Anna Schmidt", reader: "Anna", assignee: "Anna Schmidt", when: "today at 1 pm",
    when_full: "Tuesday, 24 November, 1:00 pm", due: "today at 1 pm", asked: "today at 10:12", left: "5 minutes", overdue: "10 minutes", waiting: "2 hours", phone: "+44 20 7946 0000",
    rep_phone: "+44 20 7946 0001", brief: "It is about Monday's delivery.", brief_lines: LINES("It is about Monday's delivery."), spoken: "1", spoken_lines: LINES("Good morning Mr Miller, …"),
    page_url: "https://callback.example/m/…", desk_url: "https://callback.example/desk/…", audio: "1", can_reply: "1", calendar: "1", note: "has rung three times", topic: "Order",
    reason: "550 no such user", wished: "tomorrow at 9", callback: "cb07h3k9", calls_count: "2",
  },
};
// What may be put into a text by hand.
export const PLACEHOLDERS = ["greeting", "caller", "company", "rep", "team", "when", "when_full", "phone", "rep_phone", "brief", "page_url"];
export const SPOKEN_PLACEHOLDERS = ["greeting", "caller", "company", "rep", "team", "when"];

function fill(text: string, facts: Facts): string {
  return text
    .replace(/[ \t]*\{\{([#^])(\w+)\}\}\n?([\s\S]*?)\{\{\/\2\}\}\n?/g, (_, sign: string, name: string, inner: string) => {
      const value = facts[name];
      if (Array.isArray(value)) return sign === "#" ? value.map((one) => fill(inner, { ...facts, ...one })).join("") : "";
      return (sign === "#") === !!value ? fill(inner, facts) : "";
    })
    .replace(/\{\{\{?&?\s*(\w+)\s*\}?\}\}/g, (_, name: string) => (typeof facts[name] === "string" ? (facts[name] as string) : ""))
    .replace(/\{\{>[^}]*\}\}/g, "");
}
export const sample = (text: string, language: Language, team: string): string => fill(text, { ...MADE_UP[language], team }).trim();

// A notice's parts: below "--- subject", "--- line", "--- text" and "--- html".
export const PARTS = ["subject", "line", "text", "html"] as const;
export type Parts = Record<(typeof PARTS)[number], string>;
export function partsOf(template: string): Parts {
  const parts: Parts = { subject: "", line: "", text: "", html: "" };
  for (const [, name, body] of template.matchAll(/^--- (subject|line|text|html)\r?\n([\s\S]*?)(?=^--- |(?![\s\S]))/gm)) parts[name as keyof Parts] = body.trim();
  return parts;
}
export const templateOf = (parts: Parts): string => PARTS.filter((name) => parts[name].trim()).map((name) => `--- ${name}\n${parts[name].trim()}\n`).join("");
