// What the pages use of papaparse; its published types bring Node's along.
declare module "papaparse" {
  interface Parsed {
    data: string[][];
    errors: { type: string; code: string; message: string; row?: number }[];
    meta: { delimiter: string };
  }
  const papa: {
    parse(text: string, options?: { delimiter?: string; delimitersToGuess?: string[]; skipEmptyLines?: "greedy"; preview?: number }): Parsed;
    unparse(rows: unknown[][], options?: { delimiter?: string; escapeFormulae?: boolean }): string;
  };
  export default papa;
}
