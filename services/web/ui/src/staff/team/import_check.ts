// What the server would make of each line, asked before anything is taken in: a few lines at once, and from the beginning
// when the columns mean something else. What was asked once is not asked again.
import { signal } from "@preact/signals";
import { call, type ApiError } from "../shell/api";
import { phoneOf } from "../shell/phone";
import { inWords } from "../shell/refusals";
import { isEmpty, type Line } from "./import_rows";
import { importWords } from "./import_words";

const AT_ONCE = 4;

export interface Foreseen {
  outcome: "new" | "again" | "twice" | "wrong";
  // Why not; or the number as the server has it.
  said: string;
}
// By line.
export const foreseen = signal<ReadonlyMap<number, Foreseen>>(new Map());

// By what is asked: the columns may be changed and changed back.
let known = new Map<string, Foreseen>();
let round = 0;

export function forgetForeseen(): void {
  known = new Map();
  stopForeseeing();
}
export function stopForeseeing(): void {
  ++round;
  foreseen.value = new Map();
}

export async function foresee(lines: Line[]): Promise<void> {
  stopForeseeing();
  const own = round;
  const w = importWords();
  const firsts = new Set<string>();
  const found = new Map<number, Foreseen>();
  const waiting: { line: Line; asked: string }[] = [];
  const repeats: { line: Line; asked: string }[] = [];
  for (const line of lines) {
    const asked = JSON.stringify(line.request);
    if (line.unknownMember) found.set(line.line, { outcome: "wrong", said: w.unknownMember(line.unknownMember) });
    else if (isEmpty(line)) found.set(line.line, { outcome: "wrong", said: w.nothing });
    else if (firsts.has(asked)) repeats.push({ line, asked });
    else if (known.has(asked)) found.set(line.line, known.get(asked)!);
    else waiting.push({ line, asked });
    firsts.add(asked);
  }
  const tell = (): void => {
    if (round !== own) return;
    // What is wrong further up is as wrong here.
    for (const { line, asked } of repeats) {
      const first = known.get(asked);
      if (first) found.set(line.line, first.outcome === "wrong" ? first : { outcome: "twice", said: "" });
    }
    foreseen.value = new Map(found);
  };
  tell();
  let next = 0;
  const work = async (): Promise<void> => {
    while (round === own && next < waiting.length) {
      const { line, asked } = waiting[next++];
      const one = await ask(line);
      // Nobody answers, or it is an older server: what is wrong shows when the lines are taken in.
      if (!one) return;
      known.set(asked, one);
      found.set(line.line, one);
      tell();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

// Without a requestId: a server that does not know validateOnly refuses that, instead of taking the caller in.
async function ask({ request }: Line): Promise<Foreseen | null> {
  try {
    const { callback, rangAgain } = await call("CallbackService", "createCallback", { ...request, validateOnly: true });
    return { outcome: rangAgain ? "again" : "new", said: phoneOf(callback?.caller) };
  } catch (error) {
    const { code, field } = error as ApiError;
    return code === "INVALID_ARGUMENT" && field !== "request_id" ? { outcome: "wrong", said: inWords(error) } : null;
  }
}
