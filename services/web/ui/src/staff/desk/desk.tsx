// The desk: who waits, what I promised; speaking and one caller's page have addresses of their own.
import { useEffect } from "preact/hooks";
import { callbacks, callbacksVersion, loadCallbacks, loadError, loadState } from "../shell/callbacks";
import { Failed, Loading } from "../shell/parts";
import { path } from "../shell/router";
import { me } from "../shell/session";
import { CallerPage } from "./caller_page";
import "./desk.css";
import { deskWords } from "./desk_words";
import { Holding, Outbox, RowList } from "./outbox_view";
import { startOutbox } from "./outbox";
import { MyPromises } from "./promises";
import { startReminders } from "./reminders";
import { Speak } from "./speak";
import { Waiting } from "./waiting";
import { owed, waiting } from "./who";

export function Desk() {
  useEffect(() => {
    startOutbox();
    startReminders();
  }, []);
  const [, , id, part] = path.value.split("/");
  return (
    <>
      {id ? part === "speak" ? <Speak key={id} id={id} /> : <CallerPage key={id} id={id} /> : <Home />}
      <Holding />
    </>
  );
}

function Home() {
  const w = deskWords();
  const member = me.value?.member.id ?? "";
  void callbacksVersion.value;
  useEffect(() => void (document.title = `${w.waiting}: ${waiting(callbacks.values(), member).length}`));
  if (loadState.value === "loading") return <Loading />;
  if (loadState.value === "failed") return <Failed error={loadError.value} retry={() => void loadCallbacks().catch(() => {})} />;
  return (
    <>
      <h1 class="unseen">{w.waiting}, {w.promises}</h1>
      <RowList />
      <Outbox />
      <div class="desk">
        <Waiting callers={waiting(callbacks.values(), member)} />
        <MyPromises owed={owed(callbacks.values(), member)} />
      </div>
    </>
  );
}
