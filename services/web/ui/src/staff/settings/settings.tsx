// Settings: each section has an address of its own. A rep has the own profile; managers may look; admins change.
import { useEffect } from "preact/hooks";
import { Loading } from "../shell/parts";
import { path } from "../shell/router";
import { isAdmin, isManager, me, team } from "../shell/session";
import "../desk/desk.css";
import { LeaveGuard } from "./form";
import { Hours } from "./hours";
import { Members } from "./members";
import { PolicyPage } from "./policy";
import { Profile } from "./profile";
import "./settings.css";
import { settingsWords } from "./settings_words";
import { TeamSettings } from "./team_settings";
import { Templates } from "./templates";
import { Tokens } from "./tokens";

const SECTIONS = ["profile", "members", "hours", "policy", "templates", "tokens", "team"] as const;
type Section = (typeof SECTIONS)[number];

export function Settings() {
  const w = settingsWords();
  const [, , asked, id] = path.value.split("/");
  const allowed = isManager() ? SECTIONS.filter((s) => s !== "tokens" || isAdmin()) : (["profile"] as const);
  const section: Section = allowed.find((s) => s === asked) ?? (isManager() && !asked ? "members" : "profile");
  useEffect(() => void (document.title = `${w.title}: ${w.sections[section]}`), [section, id]);
  // On a phone the sections stand in a row that scrolls.
  useEffect(() => document.querySelector(".settings-nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" }), [section, !team.value]);
  const own = team.value?.members?.find((m) => m.id === me.value?.member.id) ?? me.value?.member;
  if (!team.value || !own) return <Loading />;
  return (
    <div class="settings">
      <h1>{w.title}</h1>
      <div class={allowed.length > 1 ? "settings-columns" : undefined}>
        {allowed.length > 1 && (
          <nav class="settings-nav" aria-label={w.title}>
            {allowed.map((s) => <a key={s} href={`/settings/${s}`} aria-current={s === section ? "page" : undefined}>{w.sections[s]}</a>)}
          </nav>
        )}
        <div class="settings-section">
          {section !== "profile" && !isAdmin() && <p class="note">{w.lookOnly}</p>}
          {section === "profile" && <Profile member={own} />}
          {section === "members" && <Members id={id} />}
          {section === "hours" && <Hours />}
          {section === "policy" && <PolicyPage />}
          {section === "templates" && <Templates />}
          {section === "tokens" && <Tokens />}
          {section === "team" && <TeamSettings />}
        </div>
      </div>
      <LeaveGuard />
    </div>
  );
}
