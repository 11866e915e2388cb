// The team page: what is about to break, and how to save it; and what found no way by itself.
import { Empty } from "../shell/parts";
import { isManager } from "../shell/session";
import { shellWords } from "../shell/words";
import "../desk/desk.css";
import { rep } from "./filters";
import { HandOver, handingOver } from "./hand_over";
import { List } from "./list";
import "./team.css";
import { teamWords } from "./team_words";

export function Team() {
  const w = teamWords();
  if (!isManager()) {
    return <Empty title={w.notForReps}><p>{w.notForRepsText}</p><a class="button" href="/desk">{shellWords().toDesk}</a></Empty>;
  }
  return (
    <div class="team">
      <div class="team-top">
        <h1>{w.title}</h1>
        <button type="button" class="button" onClick={() => (handingOver.value = rep.value || "?")}>{w.sick}</button>
      </div>
      <List />
      {handingOver.value && <HandOver />}
    </div>
  );
}
