// The words of the team's pages, German and English. A word that one language lacks does not compile: each part of the pages
// has a words file of its own, made with `spoken`.
import { signal } from "@preact/signals";

export type Language = "de" | "en";
export const language = signal<Language>("de");

export function setLanguage(tag: string | undefined): void {
  language.value = tag?.startsWith("en") ? "en" : "de";
  document.documentElement.lang = language.value;
}

// const words = spoken({ de: { wait: "Warten" }, en: { wait: "Wait" } });  …  words().wait
export function spoken<T>(both: { de: T; en: NoInfer<T> }): () => T {
  return () => both[language.value];
}

export const shellWords = spoken({
  de: {
    desk: "Schreibtisch",
    team: "Team",
    report: "Wort gehalten",
    settings: "Einstellungen",
    profile: "Mein Profil",
    signOut: "Abmelden",
    signOutEverywhere: "Überall abmelden",
    skip: "Zum Inhalt",
    keys: "Tastatur",
    keysHelp: "Tastenkürzel zeigen",
    close: "Schließen",
    cancel: "Abbrechen",
    undo: "Rückgängig",
    retry: "Noch einmal versuchen",
    loading: "Wird geladen …",
    menu: "Menü",
    notLive: "Nicht live",
    notLiveLong: "Keine Verbindung: Was Sie sehen, ist von",
    connecting: "Verbindet …",
    live: "Live",
    signedOut: "Sie sind abgemeldet",
    signedOutText: "Bitte melden Sie sich neu an. Aufnahmen, die noch nicht gesendet sind, bleiben in diesem Browser.",
    signIn: "Anmelden",
    notFound: "Diese Seite gibt es nicht",
    toDesk: "Zum Schreibtisch",
    dismiss: "Meldung schließen",
    minutes: (n: number) => (n === 1 ? "1 Minute" : `${n} Minuten`),
    errors: {
      OFFLINE: "Keine Verbindung zum Server. Bitte gleich noch einmal versuchen.",
      UNAVAILABLE: "Der Server ist gerade nicht erreichbar. Bitte gleich noch einmal versuchen.",
      DEADLINE_EXCEEDED: "Der Server hat zu lange gebraucht. Bitte noch einmal versuchen.",
      RESOURCE_EXHAUSTED: "Zu viel auf einmal. Bitte einen Moment warten.",
      PERMISSION_DENIED: "Das dürfen Sie mit Ihrer Rolle nicht.",
      NOT_FOUND: "Das gibt es nicht mehr, oder es gehört jetzt jemand anderem.",
      ABORTED: "Jemand anderes war schneller. Bitte noch einmal ansehen.",
      FAILED_PRECONDITION: "Das geht jetzt nicht.",
      INVALID_ARGUMENT: "Eine Angabe stimmt nicht.",
      UNAUTHENTICATED: "Sie sind abgemeldet.",
      UNIMPLEMENTED: "Das kann dieser Server noch nicht.",
      ALREADY_EXISTS: "Das gibt es schon.",
      INTERNAL: "Das hat nicht geklappt.",
    },
  },
  en: {
    desk: "Desk",
    team: "Team",
    report: "Keeping our word",
    settings: "Settings",
    profile: "My profile",
    signOut: "Sign out",
    signOutEverywhere: "Sign out everywhere",
    skip: "Skip to content",
    keys: "Keyboard",
    keysHelp: "Show the keys",
    close: "Close",
    cancel: "Cancel",
    undo: "Undo",
    retry: "Try again",
    loading: "Loading …",
    menu: "Menu",
    notLive: "Not live",
    notLiveLong: "No connection: what you see is from",
    connecting: "Connecting …",
    live: "Live",
    signedOut: "You are signed out",
    signedOutText: "Please sign in again. Takes that are not sent yet stay in this browser.",
    signIn: "Sign in",
    notFound: "There is no such page",
    toDesk: "To the desk",
    dismiss: "Dismiss",
    minutes: (n: number) => (n === 1 ? "1 minute" : `${n} minutes`),
    errors: {
      OFFLINE: "No connection to the server. Please try again in a moment.",
      UNAVAILABLE: "The server cannot be reached right now. Please try again in a moment.",
      DEADLINE_EXCEEDED: "The server took too long. Please try again.",
      RESOURCE_EXHAUSTED: "Too much at once. Please wait a moment.",
      PERMISSION_DENIED: "Your role does not allow that.",
      NOT_FOUND: "It is gone, or belongs to somebody else now.",
      ABORTED: "Somebody else was faster. Please look again.",
      FAILED_PRECONDITION: "That is not possible now.",
      INVALID_ARGUMENT: "Something in the form is not right.",
      UNAUTHENTICATED: "You are signed out.",
      UNIMPLEMENTED: "This server cannot do that yet.",
      ALREADY_EXISTS: "It is there already.",
      INTERNAL: "That did not work.",
    },
  },
});
