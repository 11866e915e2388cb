// Lines of a file as callers: which column is what, and an id for each line that is the same whenever it comes. Pure but for
// the hash.
import type { CreateCallbackRequestJson } from "../../protocol/ringback/v1/callback_service_pb";
import type { MemberJson } from "../../protocol/ringback/v1/team_service_pb";
import type { Row } from "../csv/csv";
import { plain } from "./standing";

export const FIELDS = ["name", "company", "phone", "email", "note", "assignee", "language"] as const;
export type Field = (typeof FIELDS)[number];
// Field to index of its column.
export type Mapping = Partial<Record<Field, number>>;

// What heads are called in the wild, plain.
const HEADS: Record<Field, RegExp> = {
  phone: /telefon|phone|nummer|number|^tel|mobil|handy|caller.?id|rufnr/,
  email: /mail/,
  company: /firma|company|unternehmen|organi[sz]ation|account/,
  assignee: /zustandig|assignee|bearbeiter|betreuer|owner|agent/,
  language: /sprache|language|^lang$/,
  note: /notiz|note|bemerkung|grund|betreff|comment|reason|anliegen/,
  name: /name|kontakt|contact|anrufer|caller|kunde|customer/,
};
export function guess(head: string[]): Mapping {
  const mapping: Mapping = {};
  const taken = new Set<number>();
  for (const field of ["phone", "email", "company", "assignee", "language", "note", "name"] as const) {
    const at = head.findIndex((title, i) => !taken.has(i) && HEADS[field].test(plain(title)));
    if (at < 0) continue;
    mapping[field] = at;
    taken.add(at);
  }
  return mapping;
}

export interface Line {
  line: number;
  cells: string[];
  request: Omit<CreateCallbackRequestJson, "requestId">;
  // A member's name or mail address that nobody has.
  unknownMember?: string;
}
export function lineOf({ line, cells }: Row, mapping: Mapping, members: MemberJson[], forAll: string): Line {
  const cell = (field: Field): string => (mapping[field] === undefined ? "" : cells[mapping[field]] ?? "");
  const caller = Object.fromEntries((["name", "company", "phone", "email"] as const).map((f) => [f, cell(f)]).filter(([, text]) => text));
  const language = /^de|^german|^deutsch/.test(plain(cell("language"))) ? "de" : /^en/.test(plain(cell("language"))) ? "en" : "";
  const named = forAll ? "" : cell("assignee");
  const member = named ? members.find((m) => [m.name, m.email, m.id].some((one) => plain(one ?? "") === plain(named))) : undefined;
  const assigneeId = forAll || member?.id;
  return {
    line, cells,
    request: { caller: { ...caller, ...(language && { language }) }, ...(cell("note") && { note: cell("note") }), ...(assigneeId && { assigneeId }) },
    ...(named && !member && { unknownMember: named }),
  };
}
export const isEmpty = ({ request: { caller } }: Line): boolean => !caller?.name && !caller?.phone && !caller?.email;

// The same caller in the same words has the same id, today and in a repeat, in whatever file and line.
export async function requestIdOf(teamId: string, { request }: Line): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify([teamId, request]));
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return "import-" + Array.from(hash.subarray(0, 16), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
