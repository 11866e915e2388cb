// What stands on the teleprompter: the team's template or the built-in one, filled in for this caller and time. Pure.
import type { CallerJson } from "../../protocol/ringback/v1/callback_pb";
import type { Language } from "../shell/words";

export interface PromptFacts {
  language: Language;
  caller: CallerJson | undefined;
  rep: string;
  team: string;
  zone: string;
  nowMs: number;
  promisedMs: number | null;
}

export const BUILT_IN: Record<Language, string> = {
  de: `{{greeting}}{{#caller}} {{caller}}{{/caller}}, hier ist {{rep}}. Ich habe gesehen, dass Sie um Rückruf gebeten haben. Das will ich gerne tun, habe allerdings noch zwei Angelegenheiten, die ich ganz dringend erledigen muss. Ich hoffe, Sie haben dafür Verständnis.

Mein Vorschlag: Sie senden mir eine kurze Mail, zwei bis drei Sätze, worum es geht, dann kann ich mich besser vorbereiten. Und ich rufe Sie {{when}} an. Versprochen! Einverstanden?

Ich danke Ihnen herzlich für Ihr Verständnis und freue mich auf unser Gespräch.`,
  en: `{{greeting}}{{#caller}} {{caller}}{{/caller}}, this is {{rep}}. I have seen that you asked for a call. I would love to, and have two urgent matters to settle first. I hope you understand.

My suggestion: you send me a short mail, two or three sentences on what it is about, so that I am well prepared. And I will call you {{when}}. Promised! Does that suit you?

Thank you very much for your understanding. I am looking forward to our conversation.`,
};

// "heute um 13:20 Uhr", "tomorrow at 1:20 pm"
export function spokenTime(at: number, nowMs: number, zone: string, language: Language): string {
  const dayOf = (ms: number): string => new Intl.DateTimeFormat("en-CA", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" }).format(ms);
  const days = Math.round((Date.parse(dayOf(at)) - Date.parse(dayOf(nowMs))) / 86400000);
  const locale = language === "de" ? "de-DE" : "en-GB";
  const named = (options: Intl.DateTimeFormatOptions): string => new Intl.DateTimeFormat(locale, { timeZone: zone, ...options }).format(at);
  const day = days === 0 || days === 1 ? new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(days, "day")
    : language === "de" ? `am ${named({ weekday: "long", ...(days > 6 && { day: "numeric", month: "long" }) })}`
      : `on ${named({ weekday: "long", ...(days > 6 && { day: "numeric", month: "long" }) })}`;
  if (language === "de") return `${day} um ${named({ hour: "numeric", minute: "2-digit" }).replace(/^0/, "").replace(/:00$/, "").replace(/ Uhr$/, "")} Uhr`;
  const clock = new Intl.DateTimeFormat("en-US", { timeZone: zone, hour: "numeric", minute: "2-digit" }).format(at).replace(":00", "").toLowerCase();
  return `${day} at ${clock.replace(/\s/g, " ")}`;
}

function greeting({ language, nowMs, zone }: PromptFacts): string {
  const hour = Number(new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", hourCycle: "h23" }).format(nowMs));
  if (language === "de") return hour < 11 ? "Guten Morgen" : hour < 18 ? "Guten Tag" : "Guten Abend";
  return hour < 12 ? "Good morning" : hour < 18 ? "Good afternoon" : "Good evening";
}

export function fillPrompt(facts: PromptFacts, template = ""): string {
  // Of a notice's template, the spoken part is its text.
  const text = /^--- text\r?\n([\s\S]*?)(?=^--- |(?![\s\S]))/m.exec(template)?.[1]?.trim() || template.trim() || BUILT_IN[facts.language];
  const values: Record<string, string> = {
    greeting: greeting(facts), caller: facts.caller?.name ?? "", company: facts.caller?.company ?? "", rep: facts.rep, team: facts.team,
    when: facts.promisedMs === null ? "…" : spokenTime(facts.promisedMs, facts.nowMs, facts.zone, facts.language),
  };
  return text
    .replace(/\{\{([#^])(\w+)\}\}([\s\S]*?)\{\{\/\2\}\}/g, (_, sign: string, name: string, inner: string) => ((sign === "#") === !!values[name] ? inner : ""))
    .replace(/\{\{\{?(\w+)\}?\}\}/g, (_, name: string) => values[name] ?? "");
}

// The text with another time in it: where the old one stands word for word.
export function moveTime(text: string, from: string, to: string): string {
  return from && text.includes(from) ? text.replaceAll(from, to) : text;
}
