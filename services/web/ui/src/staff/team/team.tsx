// The team page: what is about to break, and how to save it; and what found no way by itself.
import { useEffect } from "preact/hooks";
import { Empty } from "../shell/parts";
import { path } from "../shell/router";
import { isManager } from "../shell/session";
import { number } from "../shell/time";
import { shellWords } from "../shell/words";
import "../desk/desk.css";
import { DeadLetters } from "./dead_letters";
import { rep } from "./filters";
import { HandOver, handingOver } from "./hand_over";
import { shownDeadLetters, shownUnmatched, useInboxes } from "./inboxes";
import { Import } from "./import";
import { List } from "./list";
import { Unmatched } from "./unmatched";
import "./team.css";
import { teamWords } from "./team_words";

const PARTS = { list: List, mail: Unmatched, letters: DeadLetters, import: Import };
type Part = keyof typeof PARTS;

export function Team() {
  const w = teamWords();
  if (!isManager()) {
    return <Empty title={w.notForReps}><p>{w.notForRepsText}</p><a class="button" href="/desk">{shellWords().toDesk}</a></Empty>;
  }
  return <Rooms />;
}

function Rooms() {
  const w = teamWords();
  useInboxes();
  const asked = path.value.split("/")[2] ?? "list";
  const part: Part = asked in PARTS ? (asked as Part) : "list";
  const Shown = PARTS[part];
  // On a phone they stand in a row that scrolls.
  useEffect(() => document.querySelector(".team-parts [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" }), [part]);
  const left = { mail: shownUnmatched.value?.length ?? 0, letters: shownDeadLetters.value?.length ?? 0 };
  return (
    <div class="team">
      <h1 class="unseen">{w.title}</h1>
      <div class="team-top">
        <nav class="team-parts" aria-label={w.title}>
          {(Object.keys(PARTS) as Part[]).map((one) => (
            <a key={one} href={one === "list" ? "/team" : `/team/${one}`} aria-current={one === part ? "page" : undefined}>
              {w.parts[one]} {(one === "mail" || one === "letters") && left[one] > 0 && <span class="count some">{number(left[one])}</span>}
            </a>
          ))}
        </nav>
        {part === "list" && <button type="button" class="button" onClick={() => (handingOver.value = rep.value || "?")}>{w.sick}</button>}
      </div>
      <Shown />
      {handingOver.value && <HandOver />}
    </div>
  );
}
