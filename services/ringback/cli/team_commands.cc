// team: create, show, list, set, week, holidays; token: create, list, revoke.
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "core/domain/input.h"
#include "core/domain/proto_time.h"
#include "ringback/cli/commands.h"
#include "ringback/cli/given_options.h"
#include "ringback/cli/hours.h"
#include "ringback/cli/print.h"
#include "ringback/cli/times.h"

namespace ringback::cli {
namespace {

// What create and set have in common.
struct TeamOptions {
  std::string name, time_zone, language, mail_address, media, legal_hold, member_figures, report_listened, play_others_takes, slot_length;
  std::string footer_company, footer_legal, imprint_url, privacy_url, footer_phone;
  std::vector<std::string> hours, holidays, templates, hook_secrets;
  int retention_days = 0, max_seconds = 0;
  GivenOptions given;

  void AddTo(CLI::App* command) {
    const auto option = [&](const char* flag, auto& value, const char* field, const char* help) {
      return given.Field(command->add_option(flag, value, help), field);
    };
    option("--time-zone", time_zone, "time_zone", "Europe/Berlin, …");
    option("--language", language, "language", "Of mails: de or en")->check(CLI::IsMember({"de", "en"}));
    option("--mail-address", mail_address, "mail_address", "From which customers get mail");
    option("--hours", hours, "calendar.hours",
           "\"Mon-Fri 8:00-18:00\" or always; may be repeated; replaces what was there");
    option("--holiday", holidays, "calendar.holidays",
           "2026-12-25; may be repeated; replaces what was there; none: no holidays");
    option("--retention-days", retention_days, "retention_days", "From closing to purge, 1 to 3650");
    option("--media", media, "media_mode", "What the customer gets; both: attachment and link")
        ->check(CLI::IsMember({"both", "attachment", "link"}));
    option("--max-seconds", max_seconds, "recording_max_seconds", "Longest voice message, 2 to 600; 0: the default of 120");
    option("--slot-length", slot_length, "slot_length", "How long a call is planned for, 5m to 4h; 15m if never said")
        ->type_name("SPAN");
    option("--footer-company", footer_company, "footer.company", "Company below every mail");
    option("--footer-legal", footer_legal, "footer.legal_text", "Legal lines below every mail");
    option("--footer-phone", footer_phone, "footer.phone", "The number to call instead");
    option("--imprint-url", imprint_url, "footer.imprint_url", "Link to the imprint");
    option("--privacy-url", privacy_url, "footer.privacy_url", "Link to the privacy notice");
    option("--template", templates, "templates",
           "de/voice_message=FILE, with parts \"--- subject\", \"--- line\", \"--- text\", \"--- html\" in it; without FILE "
           "the built-in one again; may be repeated");
    option("--hook-secret", hook_secrets, "hook_secrets",
           "twilio=FILE with the account's auth token, 3cx=FILE with a secret of 16 bytes or more; without FILE none any more; "
           "may be repeated");
    option("--legal-hold", legal_hold, "legal_hold", "on stops the purge of everything the team has")
        ->check(CLI::IsMember({"on", "off"}));
    option("--member-figures", member_figures, "member_figures",
           "on shows managers each member's counts in week; for the team's admins, and it stands in the team's history")
        ->check(CLI::IsMember({"on", "off"}));
    option("--report-listened", report_listened, "report_listened",
           "on tells when a customer has played the message, and the customer's page says so; for the team's admins, and it "
           "stands in the team's history")
        ->check(CLI::IsMember({"on", "off"}));
    option("--play-others-takes", play_others_takes, "play_others_takes",
           "on lets managers play voice messages that others spoke; for the team's admins, and it stands in the team's history")
        ->check(CLI::IsMember({"on", "off"}));
  }

  absl::Status Fill(v1::Team* team, World& world) const {
    team->set_name(name);
    team->set_time_zone(time_zone);
    team->set_language(language);
    team->set_mail_address(mail_address);
    for (const std::string& text : hours) {
      team->mutable_calendar();
      if (text == "always" && hours.size() == 1) break;
      if (const absl::Status status = AddHours(text, team->mutable_calendar()); !status.ok()) {
        return domain::InvalidField("hours", "NO_HOURS", std::string(status.message()));
      }
    }
    for (const std::string& day : holidays) {
      if (day == "none" && holidays.size() == 1) break;
      team->mutable_calendar()->add_holidays(day);
    }
    team->set_retention_days(retention_days);
    if (media == "link") team->set_media_mode(v1::MEDIA_MODE_LINK);
    if (media == "attachment") team->set_media_mode(v1::MEDIA_MODE_ATTACHMENT);
    team->set_recording_max_seconds(max_seconds);
    const std::string footer = footer_company + footer_legal + footer_phone + imprint_url + privacy_url;
    if (!footer.empty()) {
      team->mutable_footer()->set_company(footer_company);
      team->mutable_footer()->set_legal_text(footer_legal);
      team->mutable_footer()->set_phone(footer_phone);
      team->mutable_footer()->set_imprint_url(imprint_url);
      team->mutable_footer()->set_privacy_url(privacy_url);
    }
    for (const std::string& pair : templates) {
      const size_t equals = pair.find('=');
      if (equals == std::string::npos || equals == 0) return UsageError("--template is written NAME=FILE");
      if (equals + 1 == pair.size()) {
        (*team->mutable_templates())[pair.substr(0, equals)] = "";
        continue;
      }
      RB_ASSIGN_OR_RETURN((*team->mutable_templates())[pair.substr(0, equals)],
                          ReadFile(pair.substr(equals + 1), 1 << 20, world));
    }
    RB_RETURN_IF_ERROR(FillHookSecrets(team, world));
    team->set_legal_hold(legal_hold == "on");
    team->set_member_figures(member_figures == "on");
    team->set_report_listened(report_listened == "on");
    team->set_play_others_takes(play_others_takes == "on");
    if (!slot_length.empty()) {
      const absl::StatusOr<absl::Duration> span = ParseSpan(slot_length);
      if (!span.ok()) return domain::InvalidField("slot-length", "NOT_A_SPAN", std::string(span.status().message()));
      *team->mutable_slot_length() = domain::ToProto(*span);
    }
    return absl::OkStatus();
  }

  // Those to be forgotten stand there with "": Set leaves them out of what the team keeps.
  absl::Status FillHookSecrets(v1::Team* team, World& world) const {
    for (const std::string& pair : hook_secrets) {
      const size_t equals = pair.find('=');
      if (equals == std::string::npos || equals == 0) return UsageError("--hook-secret is written PROVIDER=FILE");
      std::string& secret = (*team->mutable_hook_secrets())[pair.substr(0, equals)];
      if (equals + 1 == pair.size()) continue;
      RB_ASSIGN_OR_RETURN(secret, ReadFile(pair.substr(equals + 1), 4096, world));
      while (!secret.empty() && (secret.back() == '\n' || secret.back() == '\r')) secret.pop_back();
    }
    return absl::OkStatus();
  }
};

void PrintTeam(Session& session, const v1::Team& team) {
  Fields fields;
  fields.Add("team", team.id());
  fields.Add("name", team.name(), Colour::kBold);
  fields.Add("time zone", team.time_zone());
  fields.Add("language", team.language());
  fields.Add("mail address", team.mail_address());
  fields.Add("hours", HoursWords(team.calendar()));
  fields.Add("holidays", absl::StrJoin(team.calendar().holidays(), ", "));
  fields.Add("retention", absl::StrCat(team.retention_days(), " days after closing"));
  fields.Add("legal hold", team.legal_hold() ? "yes: nothing is purged" : "", Colour::kYellow);
  fields.Add("slot length", team.has_slot_length() ? SpanWords(domain::FromProto(team.slot_length())) : "");
  fields.Add("listened", team.report_listened() ? "reported, and the customer's page says so" : "");
  fields.Add("others' takes", team.play_others_takes() ? "played by managers too" : "");
  fields.Add("member figures", team.member_figures() ? "shown to managers" : "");
  for (const v1::HistoryEvent& event : team.history()) {
    fields.Add("history", absl::StrCat(When(session, true, event.event_time()), "  ", event.what(), ", ",
                                       session.NameOf(event.author())));
  }
  fields.Add("customers get", team.media_mode() == v1::MEDIA_MODE_LINK         ? "the link"
                              : team.media_mode() == v1::MEDIA_MODE_ATTACHMENT ? "the attachment"
                                                                               : "attachment and link");
  fields.Add("footer", team.footer().company());
  std::vector<std::string> templates;
  for (const auto& [name, text] : team.templates()) templates.push_back(name);
  fields.Add("own templates", absl::StrJoin(templates, ", "));
  std::vector<std::string> providers;
  for (const auto& [provider, secret] : team.hook_secrets()) providers.push_back(provider);
  fields.Add("hook secrets", absl::StrJoin(providers, ", "));
  fields.Print(*session.world().out, session.world().ColourOut());
}

absl::Status Create(Session& session, const TeamOptions& options, const v1::Member& admin) {
  v1::CreateTeamRequest request;
  v1::CreateTeamResponse response;
  request.set_request_id(session.NewRequestId());
  RB_RETURN_IF_ERROR(options.Fill(request.mutable_team(), session.world()));
  *request.mutable_admin() = admin;
  request.mutable_admin()->set_role(v1::ROLE_ADMIN);
  RB_RETURN_IF_ERROR(session.Call(
      [&](auto* context) { return session.teams().CreateTeam(context, request, &response); }, As::kMemberThenOperator));
  if (session.options().json) {
    *session.world().out << ToJson(response) << "\n";
    return absl::OkStatus();
  }
  PrintTeam(session, response.team());
  *session.world().out << "\nThe admin's token, shown this once (RINGBACK_TOKEN):\n" << response.admin_token() << "\n";
  return absl::OkStatus();
}

absl::Status List(Session& session) {
  v1::ListTeamsRequest request;
  v1::ListTeamsResponse all;
  request.set_page_size(500);
  do {
    v1::ListTeamsResponse page;
    const absl::Status status = session.Call(
        [&](auto* context) { return session.teams().ListTeams(context, request, &page); }, As::kMemberThenOperator);
    if (absl::IsPermissionDenied(status)) {  // no operator: the own one
      RB_ASSIGN_OR_RETURN(const v1::Team* const own, session.Team());
      *all.add_teams() = *own;
      break;
    }
    RB_RETURN_IF_ERROR(status);
    all.mutable_teams()->MergeFrom(page.teams());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  if (session.options().json) {
    *session.world().out << ToJson(all) << "\n";
    return absl::OkStatus();
  }
  Table table({"ID", "NAME", "TIME ZONE", "LANGUAGE", "MEMBERS", "MAIL ADDRESS"});
  for (const v1::Team& team : all.teams()) {
    int active = 0;
    for (const v1::Member& member : team.members()) active += member.inactive() ? 0 : 1;
    table.Row({team.id(), team.name(), team.time_zone(), team.language(), absl::StrCat(active), team.mail_address()});
  }
  table.Print(*session.world().out, session.world().ColourOut());
  return absl::OkStatus();
}

// Of what the team has, all but those that are to be forgotten; an empty text keeps the secret, which nobody can read.
void KeepHookSecrets(const v1::Team& team, v1::Team* update) {
  auto& secrets = *update->mutable_hook_secrets();
  std::vector<std::string> forgotten;
  for (const auto& [provider, secret] : secrets) {
    if (secret.empty()) forgotten.push_back(provider);
  }
  for (const auto& [provider, secret] : team.hook_secrets()) secrets.insert({provider, ""});
  for (const std::string& provider : forgotten) secrets.erase(provider);
}

absl::Status Set(Session& session, const TeamOptions& options) {
  v1::UpdateTeamRequest request;
  v1::UpdateTeamResponse response;
  RB_RETURN_IF_ERROR(options.Fill(request.mutable_team(), session.world()));
  *request.mutable_update_mask() = options.given.Mask();
  if (request.update_mask().paths().empty()) return UsageError("say what is to change; --help lists it");
  RB_ASSIGN_OR_RETURN(const v1::Team* const team, session.Team());
  // Templates are replaced as a whole: those not named stay.
  for (const auto& [name, text] : team->templates()) {
    request.mutable_team()->mutable_templates()->insert({name, text});
  }
  KeepHookSecrets(*team, request.mutable_team());
  request.set_request_id(session.NewRequestId());
  request.mutable_team()->set_id(team->id());
  RB_RETURN_IF_ERROR(session.Call(
      [&](auto* context) { return session.teams().UpdateTeam(context, request, &response); }, As::kMemberThenOperator));
  if (session.options().json) {
    *session.world().out << ToJson(response) << "\n";
  } else {
    PrintTeam(session, response.team());
  }
  return absl::OkStatus();
}

absl::Status Week(Session& session, const std::string& week) {
  v1::GetTeamWeekRequest request;
  v1::GetTeamWeekResponse response;
  RB_ASSIGN_OR_RETURN(*request.mutable_team_id(), session.TeamId());
  request.set_week(week);
  RB_RETURN_IF_ERROR(session.Call(
      [&](auto* context) { return session.teams().GetTeamWeek(context, request, &response); }, As::kMemberThenOperator));
  if (session.options().json) {
    *session.world().out << ToJson(response) << "\n";
    return absl::OkStatus();
  }
  *session.world().out << response.week() << "\n";
  const std::map<std::string, int64_t> counts(response.counts().begin(), response.counts().end());
  Fields fields;
  for (const auto& [name, count] : counts) {
    if (name.find(':') != std::string::npos) continue;  // how many took how long: report makes medians of them
    const size_t slash = name.find('/');  // "kept/mb07…": one member's
    fields.Add(slash == std::string::npos ? name : name.substr(0, slash) + ", " + session.NameOf(name.substr(slash + 1)),
               absl::StrCat(count));
  }
  fields.Print(*session.world().out, session.world().ColourOut());
  return absl::OkStatus();
}

// Those that are still to come join what the team's calendar has.
absl::Status AddHolidays(Session& session, const v1::ReadHolidaysResponse& found) {
  RB_ASSIGN_OR_RETURN(const v1::Team* const team, session.Team());
  const std::string today = absl::FormatCivilTime(absl::ToCivilDay(session.Now(), session.Zone()));
  std::set<std::string> days(team->calendar().holidays().begin(), team->calendar().holidays().end());
  for (const v1::Holiday& holiday : found.holidays()) {
    if (holiday.date() >= today) days.insert(holiday.date());
  }
  v1::UpdateTeamRequest request;
  v1::UpdateTeamResponse response;
  request.set_request_id(session.NewRequestId());
  request.mutable_team()->set_id(team->id());
  request.mutable_team()->mutable_calendar()->mutable_holidays()->Assign(days.begin(), days.end());
  request.mutable_update_mask()->add_paths("calendar.holidays");
  return session.Call([&](auto* context) { return session.teams().UpdateTeam(context, request, &response); });
}

absl::Status Holidays(Session& session, const std::string& file, bool add) {
  v1::ReadHolidaysRequest request;
  v1::ReadHolidaysResponse response;
  RB_ASSIGN_OR_RETURN(*request.mutable_ics(), ReadFile(file, 1 << 20, session.world()));
  RB_ASSIGN_OR_RETURN(*request.mutable_team_id(), session.TeamId());
  RB_RETURN_IF_ERROR(
      session.Call([&](auto* context) { return session.teams().ReadHolidays(context, request, &response); }));
  if (add) RB_RETURN_IF_ERROR(AddHolidays(session, response));
  if (session.options().json) {
    *session.world().out << ToJson(response) << "\n";
    return absl::OkStatus();
  }
  Table table({"DAY", "NAME"});
  for (const v1::Holiday& holiday : response.holidays()) table.Row({holiday.date(), holiday.name()});
  table.Print(*session.world().out, session.world().ColourOut());
  return absl::OkStatus();
}

void AddTeam(Commands& commands) {
  CLI::App* team = commands.app().add_subcommand("team", "Teams: create, show, list, set, week, holidays");
  team->require_subcommand(1);
  struct CreateArgs {
    TeamOptions team;
    std::string admin_name, admin_email;
  };
  auto create_args = std::make_shared<CreateArgs>();
  CLI::App* create = team->add_subcommand("create", "A new team with its first admin; for operators");
  create->add_option("NAME", create_args->team.name, "The team's name")->required();
  create->add_option("--admin-name", create_args->admin_name, "The first admin, as customers read it")->required();
  create->add_option("--admin-email", create_args->admin_email, "Mail address")->required();
  create_args->team.AddTo(create);
  commands.OnServer(create, [create_args](Session& session) {
    v1::Member admin;
    admin.set_name(create_args->admin_name);
    admin.set_email(create_args->admin_email);
    return Create(session, create_args->team, admin);
  });
  commands.OnServer(team->add_subcommand("show", "One's own, or the one of --team"), [](Session& session) -> absl::Status {
    RB_ASSIGN_OR_RETURN(const v1::Team* const own, session.Team());
    v1::GetTeamResponse response;
    *response.mutable_team() = *own;
    if (session.options().json) {
      *session.world().out << ToJson(response) << "\n";
    } else {
      PrintTeam(session, *own);
    }
    return absl::OkStatus();
  });
  commands.OnServer(team->add_subcommand("list", "Every team, for operators; else one's own"), List);
  auto options = std::make_shared<TeamOptions>();
  CLI::App* set = team->add_subcommand("set", "Change what is said, \"\" empties it; the rest stays");
  options->given.Field(set->add_option("--name", options->name, "The team's name"), "name");
  options->AddTo(set);
  commands.OnServer(set, [options](Session& session) { return Set(session, *options); });
  auto week = std::make_shared<std::string>();
  CLI::App* week_command = team->add_subcommand("week", "How reliably the team kept its word; each member's counts: one's own, all with --member-figures on");
  week_command->add_option("WEEK", *week, "2026-W48; this one if not said");
  commands.OnServer(week_command, [week](Session& session) { return Week(session, *week); });
  auto file = std::make_shared<std::string>();
  auto add = std::make_shared<bool>(false);
  CLI::App* holidays = team->add_subcommand("holidays", "The whole days in a calendar file; for the team's admins");
  holidays->add_option("FILE", *file, "iCalendar (.ics); - reads standard input")->required();
  holidays->add_flag("--add", *add, "Those still to come are the team's holidays too");
  commands.OnServer(holidays, [file, add](Session& session) { return Holidays(session, *file, *add); });
}

absl::Status CreateToken(Session& session, const std::string& who, bool intake, bool operates, const std::string& label,
                         const std::string& expires) {
  if ((who.empty() ? 0 : 1) + intake + operates != 1) return UsageError("say one of --member, --intake and --operator");
  v1::CreateTokenRequest request;
  v1::CreateTokenResponse response;
  request.set_request_id(session.NewRequestId());
  RB_ASSIGN_OR_RETURN(*request.mutable_team_id(), session.TeamId());
  if (!who.empty()) {
    RB_ASSIGN_OR_RETURN(const v1::Member member, session.FindMember(who));
    request.set_member_id(member.id());
  } else {
    request.set_role(intake ? v1::ROLE_INTAKE : v1::ROLE_OPERATOR);
  }
  request.set_label(label);
  if (!expires.empty()) {
    RB_ASSIGN_OR_RETURN(const absl::Time at, session.ParseTime(expires, "expires"));
    *request.mutable_expire_time() = domain::ToProto(at);
  }
  RB_RETURN_IF_ERROR(session.Call(
      [&](auto* context) { return session.teams().CreateToken(context, request, &response); },
      As::kMemberThenOperator));
  if (session.options().json) {
    *session.world().out << ToJson(response) << "\n";
  } else {
    *session.world().err << response.token().id() << ": shown this once, only a hash is kept\n";
    *session.world().out << response.secret() << "\n";
  }
  return absl::OkStatus();
}

absl::Status ListTokens(Session& session) {
  v1::ListTokensRequest request;
  v1::ListTokensResponse all;
  RB_ASSIGN_OR_RETURN(*request.mutable_team_id(), session.TeamId());
  request.set_page_size(500);
  do {
    v1::ListTokensResponse page;
    RB_RETURN_IF_ERROR(session.Call(
        [&](auto* context) { return session.teams().ListTokens(context, request, &page); }, As::kMemberThenOperator));
    all.mutable_tokens()->MergeFrom(page.tokens());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  if (session.options().json) {
    *session.world().out << ToJson(all) << "\n";
    return absl::OkStatus();
  }
  Table table({"ID", "OF", "LABEL", "MADE", "ENDS", "STATE"});
  for (const v1::Token& token : all.tokens()) {
    table.Row({token.id(),
               token.member_id().empty() ? PlainWords(v1::Role_Name(token.role()), "ROLE_") : session.NameOf(token.member_id()),
               token.label(), When(session, true, token.create_time()),
               When(session, token.has_expire_time(), token.expire_time()), token.revoked() ? "revoked" : ""},
              token.revoked() ? Colour::kDim : Colour::kNone);
  }
  table.Print(*session.world().out, session.world().ColourOut());
  return absl::OkStatus();
}

void AddToken(Commands& commands) {
  CLI::App* token = commands.app().add_subcommand("token", "API tokens: create, list, revoke");
  token->require_subcommand(1);
  struct Args {
    std::string member, label, expires, id;
    bool intake = false, operates = false;
  };
  auto args = std::make_shared<Args>();
  CLI::App* create = token->add_subcommand("create", "A new token; prints the secret this once");
  create->add_option("--member", args->member, "This member's: name, mail address, id or \"me\"");
  create->add_flag("--intake", args->intake, "Takes callers, calls and mails in and nothing else: telephone systems, web forms, mail servers");
  create->add_flag("--operator", args->operates, "Runs the system");
  create->add_option("--label", args->label, "What it is for");
  create->add_option("--expires", args->expires, "When it ends: +720h, \"2027-01-31 00:00\"")->type_name("TIME");
  commands.OnServer(create, [args](Session& session) {
    return CreateToken(session, args->member, args->intake, args->operates, args->label, args->expires);
  });
  commands.OnServer(token->add_subcommand("list", "Every token of the team"), ListTokens);
  CLI::App* revoke = token->add_subcommand("revoke", "End a token at once");
  revoke->add_option("ID", args->id, "The token's id (tk…)")->required();
  commands.OnServer(revoke, [args](Session& session) -> absl::Status {
    v1::RevokeTokenRequest request;
    v1::RevokeTokenResponse response;
    request.set_request_id(session.NewRequestId());
    request.set_id(args->id);
    RB_RETURN_IF_ERROR(session.Call(
        [&](auto* context) { return session.teams().RevokeToken(context, request, &response); },
        As::kMemberThenOperator));
    if (session.options().json) {
      *session.world().out << ToJson(response) << "\n";
    } else {
      *session.world().out << response.token().id() << ": revoked\n";
    }
    return absl::OkStatus();
  });
}

}  // namespace

void AddTeamCommands(Commands& commands) {
  AddTeam(commands);
  AddToken(commands);
}

}  // namespace ringback::cli
