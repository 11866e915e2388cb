// Tables as files that spreadsheets read, and back (RFC 4180). Numbers and separators as the reader's language has them.
import papa from "papaparse";
import { language } from "../shell/words";

// What a cell says is never a formula, whoever wrote it.
export function download(name: string, rows: (string | number)[][]): void {
  const german = language.value === "de";
  const cells = rows.map((row) => row.map((cell) => (typeof cell === "number" && german ? String(cell).replace(".", ",") : cell)));
  const text = papa.unparse(cells, { delimiter: german ? ";" : ",", escapeFormulae: true });
  const url = URL.createObjectURL(new Blob(["\ufeff" + text], { type: "text/csv;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

export interface Row {
  // As a spreadsheet counts them: the head is 1.
  line: number;
  cells: string[];
}
// The first row is the head; rows without content are left out.
export function read(text: string): { head: string[]; rows: Row[] } {
  const body = text.replace(/^\ufeff/, "");
  // Empty lines count when rows are numbered, and not when the separator is guessed: with two columns they would tip it.
  const { meta } = papa.parse(body, { delimitersToGuess: [",", ";", "\t", "|"], skipEmptyLines: "greedy", preview: 20 });
  const { data } = papa.parse(body, { delimiter: meta.delimiter });
  const rows = data.map((cells, i) => ({ line: i + 1, cells: cells.map((cell) => cell.trim()) })).filter(({ cells }) => cells.some(Boolean));
  return { head: rows[0]?.cells ?? [], rows: rows.slice(1) };
}
// Files of older office programs are not UTF-8.
export function textOf(bytes: ArrayBuffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}
