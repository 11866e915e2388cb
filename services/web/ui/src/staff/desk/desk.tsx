// The desk: who waits, what I promised; speaking and one caller's page have addresses of their own.
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { callbacks, callbacksVersion, loadCallbacks, loadError, loadState } from "../shell/callbacks";
import { Failed, Loading } from "../shell/parts";
import { path } from "../shell/router";
import { me } from "../shell/session";
import { shellWords } from "../shell/words";
import { CallerPage } from "./caller_page";
import "./desk.css";
import { deskWords } from "./desk_words";
import { Holding, Outbox, RowList, Stuck } from "./outbox_view";
import { startOutbox, takes } from "./outbox";
import { MyPromises } from "./promises";
import { startReminders } from "./reminders";
import { Speak } from "./speak";
import { Waiting } from "./waiting";
import { onItsWay, owed, waiting } from "./who";

export function Desk() {
  const [, , id, part] = path.value.split("/");
  if (!id) return <Home />;
  return part === "speak" ? <Speak key={id} id={id} /> : <CallerPage key={id} id={id} />;
}

// On every page: what is on its way can be taken back, goes out, and promises remind.
export function Everywhere() {
  useEffect(() => {
    startOutbox();
    startReminders();
  }, []);
  return <><Stuck /><Holding /></>;
}

const side = signal<"waiting" | "promises">("waiting");

function Home() {
  const w = deskWords();
  const member = me.value?.member.id ?? "";
  void callbacksVersion.value;
  const callers = waiting(callbacks.values(), member).filter((c) => !onItsWay(c.id, takes.value));
  const mine = owed(callbacks.values(), member);
  useEffect(() => void (document.title = `${w.waiting}: ${callers.length}`));
  if (loadState.value === "loading") return <Loading />;
  if (loadState.value === "failed") return <Failed error={loadError.value} retry={() => void loadCallbacks().catch(() => {})} />;
  return (
    <>
      <h1 class="unseen">{shellWords().desk}</h1>
      <RowList />
      <Outbox />
      {/* Where there is no room for two columns. */}
      <div class="sides">
        {(["waiting", "promises"] as const).map((one) => (
          <button key={one} type="button" class="button" aria-pressed={side.value === one} onClick={() => (side.value = one)}>
            {w[one]} <span class="count">{one === "waiting" ? callers.length : mine.length}</span>
          </button>
        ))}
      </div>
      <div class="desk" data-side={side.value}>
        <Waiting callers={callers} />
        <MyPromises owed={mine} />
      </div>
    </>
  );
}
