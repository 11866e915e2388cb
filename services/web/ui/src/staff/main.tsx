// The team's pages: which part of them an address shows. Each part has a folder; the shell is what they share.
import { render } from "preact";
import "../colours.css";
import "./shell/shell.css";
import { Desk, Everywhere } from "./desk/desk";
import { Frame } from "./shell/frame";
import { Empty, Failed, Loading } from "./shell/parts";
import { navigate, path } from "./shell/router";
import { me, start, startError } from "./shell/session";
import { shellWords } from "./shell/words";
import { Report } from "./report/report";
import { Settings } from "./settings/settings";
import { Team } from "./team/team";

function Page() {
  if (!me.value) return startError.value ? <Failed error={startError.value} /> : <Loading />;
  return <><Everywhere /><Part /></>;
}

function Part() {
  const [, part] = path.value.split("/");
  switch (part) {
    case "desk":
      return <Desk />;
    case "team":
      return <Team />;
    case "report":
      return <Report />;
    case "settings":
      return <Settings />;
    default:
      return <Empty title={shellWords().notFound}><a class="button" href="/desk">{shellWords().toDesk}</a></Empty>;
  }
}

render(<Frame><Page /></Frame>, document.body);
void start();
if ("serviceWorker" in navigator) {
  void navigator.serviceWorker.register("/sw.js").catch(() => {});
  // A notice was pressed.
  navigator.serviceWorker.onmessage = ({ data }) => typeof data?.open === "string" && navigate(data.open);
}
