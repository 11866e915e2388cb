// What the server warns of, in the reader's words. Its sentences are English and made for the command line; the pages know
// them by what does not change in them. A test holds this list against the server's sources.
import { language } from "./words";

type Said = (...parts: string[]) => string;

// The server's sentence, with (…) for what it fills in.
const WARNINGS: [RegExp, { de: Said; en: Said }][] = [
  [/^spoken text says (.+), the promise is for (.+)$/, {
    de: (said, promised) => `Im Text steht ${said}, versprochen wird ${promised}.`,
    en: (said, promised) => `The text says ${said}, promised is ${promised}.`,
  }],
  [/^.+ is outside the team's hours$/, {
    de: () => "Diese Zeit liegt außerhalb der Arbeitszeiten.",
    en: () => "That time is outside working hours.",
  }],
  [/^(.+) is away now(?:; (.+) stands in)?$/, {
    de: (who, other) => `${who} ist gerade abwesend${other ? `, die Vertretung hat ${other}` : ""}.`,
    en: (who, other) => `${who} is away now${other ? `, ${other} stands in` : ""}.`,
  }],
  [/^(.+) is away at [-\d]+ [:\d]+; nobody stands in$/, {
    de: (who) => `${who} ist dann abwesend, und niemand vertritt.`,
    en: (who) => `${who} is away then, and nobody stands in.`,
  }],
  [/^(.+) is away at [-\d]+ [:\d]+; (.+) stands in$/, {
    de: (who, other) => `${who} ist dann abwesend, die Vertretung hat ${other}.`,
    en: (who, other) => `${who} is away then, ${other} stands in.`,
  }],
  [/^the note is full \(\d+ bytes\): the end of this one was not kept$/, {
    de: () => "Die Notiz ist voll, ihr Ende fehlt.",
    en: () => "The note is full, its end is missing.",
  }],
  [/^that ring was before the customer was spoken to: the callback stays as it is$/, {
    de: () => "Das war vor dem Gespräch, es bleibt alles, wie es ist.",
    en: () => "That was before the conversation, nothing changes.",
  }],
  [/^that conversation was before the promise was made: the promise stands$/, {
    de: () => "Das Gespräch war vor dem Versprechen, das Versprechen gilt weiter.",
    en: () => "That conversation was before the promise, which still stands.",
  }],
  [/^the customer was not reached before the promised time: the promise stands$/, {
    de: () => "Die versprochene Zeit kommt noch, das Versprechen gilt weiter.",
    en: () => "The promised time is still to come, the promise stands.",
  }],
  [/^that call was before the customer asked again: the callback stays as it is$/, {
    de: () => "Der Kunde hat danach noch einmal angerufen, es bleibt alles, wie es ist.",
    en: () => "The customer rang again after that, nothing changes.",
  }],
  [/^the customer expects a call and cannot be told: there is neither mail address nor phone number$/, {
    de: () => "Der Kunde erwartet einen Anruf und erfährt es nicht: Weder Mail-Adresse noch Telefonnummer sind bekannt.",
    en: () => "The customer expects a call and cannot be told: neither mail address nor phone number is known.",
  }],
  [/^the customer cannot be told: there is neither mail address nor phone number$/, {
    de: () => "Der Kunde erfährt es nicht: Weder Mail-Adresse noch Telefonnummer sind bekannt.",
    en: () => "The customer cannot be told: neither mail address nor phone number is known.",
  }],
];

// That the spoken text and the promised time do not agree.
export const namesAnotherTime = (warning: string): boolean => warning.startsWith("spoken text says ");

// What is not known here shows as the server says it.
export function warningInWords(warning: string): string {
  for (const [pattern, said] of WARNINGS) {
    const found = pattern.exec(warning);
    if (found) return said[language.value](...found.slice(1));
  }
  return warning;
}
