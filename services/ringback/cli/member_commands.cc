// member: add, list, show, set, remove, absent, hand-over.
#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "core/base/status_macros.h"
#include "core/domain/input.h"
#include "core/domain/proto_time.h"
#include "ringback/cli/commands.h"
#include "ringback/cli/given_options.h"
#include "ringback/cli/print.h"

namespace ringback::cli {
namespace {

using domain::FromProto;
using domain::ToProto;

// "mail", "mail:a@b.c", "webhook:URL", "slack:URL", "teams:URL", "sms:+49…", "desk".
absl::StatusOr<v1::Channel> ParseChannel(const std::string& text, const std::string& secret) {
  const size_t colon = text.find(':');
  const std::string kind = text.substr(0, colon);
  v1::Channel channel;
  if (colon != std::string::npos) channel.set_address(text.substr(colon + 1));
  if (kind == "mail") {
    channel.set_kind(v1::CHANNEL_KIND_MAIL);
  } else if (kind == "sms") {
    channel.set_kind(v1::CHANNEL_KIND_SMS);
  } else if (kind == "desk") {
    channel.set_kind(v1::CHANNEL_KIND_DESK);
  } else if (kind == "webhook" || kind == "slack" || kind == "teams") {
    channel.set_kind(v1::CHANNEL_KIND_WEBHOOK);
    channel.set_secret(secret);
    if (kind == "slack") channel.set_format(v1::WEBHOOK_FORMAT_SLACK);
    if (kind == "teams") channel.set_format(v1::WEBHOOK_FORMAT_TEAMS);
    if (channel.address().empty()) {
      return domain::InvalidField("channel", "NO_URL", absl::StrCat(kind, " needs an address: ", kind, ":https://…"));
    }
  } else {
    return domain::InvalidField("channel", "UNKNOWN_CHANNEL",
                                absl::StrCat("\"", text, "\" is none; use mail, mail:ADDRESS, webhook:URL, slack:URL, "
                                             "teams:URL, sms:NUMBER or desk"));
  }
  return channel;
}

std::string ChannelWords(const v1::Member& member) {
  if (member.channels().empty()) return "mail, desk";
  return absl::StrJoin(member.channels(), ", ", [](std::string* out, const v1::Channel& channel) {
    if (channel.format() == v1::WEBHOOK_FORMAT_SLACK) {
      out->append("slack");
    } else if (channel.format() == v1::WEBHOOK_FORMAT_TEAMS) {
      out->append("teams");
    } else {
      out->append(PlainWords(v1::ChannelKind_Name(channel.kind()), "CHANNEL_KIND_"));
    }
  });
}

struct MemberOptions {
  std::string name, email, phone, role, language, time_zone, substitute, secret, secret_file, busy_url;
  std::vector<std::string> channels, extensions;
  GivenOptions given;

  void AddTo(CLI::App* command, bool required) {
    given.Field(command->add_option("--name", name, "As customers read it")->required(required), "name");
    given.Field(command->add_option("--email", email, "Mail address")->required(required), "email");
    given.Field(command->add_option("--phone", phone, "Number"), "phone");
    given.Field(command->add_option("--role", role, required ? "rep (default), manager or admin" : "rep, manager or admin")
                    ->check(CLI::IsMember({"rep", "manager", "admin"})), "role");
    given.Field(command->add_option("--language", language, "de or en; else the team's"), "language");
    given.Field(command->add_option("--time-zone", time_zone, "Europe/Berlin, …; else the team's"), "time_zone");
    given.Field(command->add_option("--substitute", substitute, "Who stands in: name, mail address or id"), "substitute_id");
    given.Field(command->add_option("--channel", channels,
                                    "How to reach them, in order: mail, webhook:URL, slack:URL, teams:URL, sms:NUMBER, "
                                    "desk; may be repeated; replaces what was there; \"\": mail, then the desk"), "channels");
    given.Field(command->add_option("--extension", extensions,
                                    "In the telephone system: who is called there; may be repeated; replaces what was "
                                    "there; \"\": none"), "extensions");
    given.Field(command->add_option("--busy-url", busy_url, "Calendar subscription (iCalendar, https://) with other appointments"),
                "busy_url");
    CLI::Option* const key = command->add_option("--webhook-secret", secret, "Key of the webhooks' signature, 16 bytes or more; webhook:URL needs one");
    command->add_option("--webhook-secret-file", secret_file, "File with it: other users do not see it there")->excludes(key);
  }

  absl::Status Fill(Session& session, v1::Member* member) const {
    member->set_name(name);
    member->set_email(email);
    member->set_phone(phone);
    if (!role.empty()) {
      member->set_role(role == "admin" ? v1::ROLE_ADMIN : role == "manager" ? v1::ROLE_MANAGER : v1::ROLE_REP);
    }
    member->set_language(language);
    member->set_time_zone(time_zone);
    member->set_busy_url(busy_url);
    for (const std::string& extension : extensions) {
      if (!extension.empty()) member->add_extensions(extension);
    }
    if (!substitute.empty()) {
      RB_ASSIGN_OR_RETURN(const v1::Member other, session.FindMember(substitute));
      member->set_substitute_id(other.id());
    }
    std::string key = secret;
    if (!secret_file.empty()) {
      RB_ASSIGN_OR_RETURN(key, ReadFile(secret_file, 4096, session.world()));
      while (!key.empty() && (key.back() == '\n' || key.back() == '\r')) key.pop_back();
    }
    for (const std::string& text : channels) {
      if (text.empty() && channels.size() == 1) break;
      RB_ASSIGN_OR_RETURN(*member->add_channels(), ParseChannel(text, key));
    }
    return absl::OkStatus();
  }
};

template <typename Response>
void PrintMember(Session& session, const Response& response, const std::string& what) {
  if (session.options().json) {
    *session.world().out << ToJson(response) << "\n";
  } else {
    *session.world().out << response.member().id() << "  " << Printable(response.member().name()) << ": " << what << "\n";
  }
}

absl::Status List(Session& session) {
  RB_ASSIGN_OR_RETURN(const v1::Team* const team, session.Team());
  if (session.options().json) {
    v1::GetTeamResponse response;
    *response.mutable_team() = *team;
    *session.world().out << ToJson(response) << "\n";
    return absl::OkStatus();
  }
  Table table({"ID", "NAME", "ROLE", "EMAIL", "CHANNELS", "SUBSTITUTE", "AWAY"});
  for (const v1::Member& member : team->members()) {
    std::vector<std::string> away;
    for (const v1::Absence& absence : member.absences()) {
      if (FromProto(absence.end_time()) < session.Now()) continue;
      away.push_back(absl::StrCat(absl::FormatTime("%e %b %H:%M", FromProto(absence.start_time()), session.Zone()), " to ",
                                  absl::FormatTime("%e %b %H:%M", FromProto(absence.end_time()), session.Zone())));
    }
    table.Row({member.id(), member.name(),
               member.inactive() ? "left" : PlainWords(v1::Role_Name(member.role()), "ROLE_"), member.email(),
               ChannelWords(member), session.NameOf(member.substitute_id()), absl::StrJoin(away, "; ")},
              member.inactive() ? Colour::kDim : Colour::kNone);
  }
  table.Print(*session.world().out, session.world().ColourOut());
  return absl::OkStatus();
}

// "read 12 min ago, 3 appointments", or what is wrong with it.
std::string BusyWords(Session& session, const v1::BusyState& state) {
  std::string words = state.has_fetch_time()
                          ? absl::StrCat("read ", When(session, true, state.fetch_time()), ", ", state.appointments(),
                                         state.appointments() == 1 ? " appointment ahead" : " appointments ahead")
                          : std::string("not read yet");
  if (!state.trouble().empty()) absl::StrAppend(&words, "; TROUBLE: ", state.trouble());
  return words;
}

absl::Status Show(Session& session, const std::string& who) {
  RB_ASSIGN_OR_RETURN(const v1::Member member, session.FindMember(who));
  if (session.options().json) {
    *session.world().out << ToJson(member) << "\n";
    return absl::OkStatus();
  }
  Fields fields;
  fields.Add("member", member.id());
  fields.Add("name", member.name(), Colour::kBold);
  fields.Add("role", member.inactive() ? "left" : PlainWords(v1::Role_Name(member.role()), "ROLE_"));
  fields.Add("email", member.email());
  fields.Add("phone", member.phone());
  fields.Add("language", member.language());
  fields.Add("time zone", member.time_zone());
  fields.Add("channels", ChannelWords(member));
  fields.Add("substitute", session.NameOf(member.substitute_id()));
  for (const v1::Absence& absence : member.absences()) {
    fields.Add("away", absl::StrCat(When(session, true, absence.start_time()), " until ",
                                    When(session, true, absence.end_time())));
  }
  if (member.has_busy_state()) {
    fields.Add("calendar", BusyWords(session, member.busy_state()),
               member.busy_state().trouble().empty() ? Colour::kNone : Colour::kRed);
  }
  fields.Print(*session.world().out, session.world().ColourOut());
  return absl::OkStatus();
}

struct AbsentArgs {
  std::string who, from, until, substitute;
  bool today = false, clear = false;
};

// "2026-12-24" as well as everything ParseTime knows: a day's begin, or with `end` the next day's.
absl::StatusOr<absl::Time> ParseDay(Session& session, const std::string& text, const std::string& field, bool end) {
  absl::CivilDay day;
  if (text.size() == 10 && absl::ParseCivilTime(text, &day)) {
    return absl::FromCivil(absl::CivilDay(end ? day + 1 : day), session.Zone());
  }
  return session.ParseTime(text, field);
}

// The server takes all absences at once; what lies behind us is left out.
absl::Status Absent(Session& session, const AbsentArgs& args) {
  if (!args.clear && !args.today && args.until.empty()) return UsageError("say --until TIME, --today or --clear");
  RB_ASSIGN_OR_RETURN(const v1::Member member, session.FindMember(args.who));
  v1::SetAbsenceRequest request;
  v1::SetAbsenceResponse response;
  request.set_member_id(member.id());
  const absl::Time now = session.Now();
  if (!args.clear) {
    for (const v1::Absence& absence : member.absences()) {
      if (FromProto(absence.end_time()) > now) *request.add_absences() = absence;
    }
    absl::Time from = now;
    if (!args.from.empty()) {
      RB_ASSIGN_OR_RETURN(from, ParseDay(session, args.from, "from", false));
    }
    absl::Time until = absl::FromCivil(absl::ToCivilDay(now, session.Zone()) + 1, session.Zone());
    if (!args.today) {
      RB_ASSIGN_OR_RETURN(until, ParseDay(session, args.until, "until", true));
    }
    v1::Absence* const absence = request.add_absences();
    *absence->mutable_start_time() = ToProto(from);
    *absence->mutable_end_time() = ToProto(until);
    if (!args.substitute.empty()) {
      RB_ASSIGN_OR_RETURN(const v1::Member substitute, session.FindMember(args.substitute));
      absence->set_substitute_id(substitute.id());
    }
  }
  request.set_request_id(session.NewRequestId());
  RB_RETURN_IF_ERROR(session.Call(
      [&](auto* context) { return session.teams().SetAbsence(context, request, &response); }, As::kMemberThenOperator));
  std::string what = "no absences";
  if (!request.absences().empty()) {
    const v1::Absence& last = *request.absences().rbegin();
    what = absl::StrCat("away ", When(session, true, last.start_time()), " until ", When(session, true, last.end_time()));
  }
  PrintMember(session, response, what);
  return absl::OkStatus();
}

struct HandOverArgs {
  std::string who, until;
  std::vector<std::string> to, callbacks;
  bool today = false, yes = false;
};

// "12 of Anna's callbacks: 7 to Ben, 5 to Cara".
std::string HandedOverWords(Session& session, const v1::HandOverMemberResponse& response) {
  std::map<std::string, int> shares;
  for (const v1::HandedOver& one : response.handed_over()) ++shares[session.NameOf(one.member_id())];
  return absl::StrJoin(shares, ", ", [](std::string* out, const auto& share) {
    absl::StrAppend(out, share.second, " to ", Printable(share.first));
  });
}

// Asks as often as the server has more than it hands over at once.
absl::Status HandOver(Session& session, const HandOverArgs& args) {
  if (args.today && !args.until.empty()) return UsageError("say --today or --away-until TIME, not both");
  RB_ASSIGN_OR_RETURN(const v1::Member member, session.FindMember(args.who));
  v1::HandOverMemberRequest request;
  v1::HandOverMemberResponse all;
  request.set_member_id(member.id());
  for (const std::string& to : args.to) {
    RB_ASSIGN_OR_RETURN(const v1::Member other, session.FindMember(to));
    request.add_to_member_ids(other.id());
  }
  for (const std::string& id : args.callbacks) {
    RB_ASSIGN_OR_RETURN(const v1::Callback callback, session.FindCallback(id));
    request.add_callback_ids(callback.id());
  }
  if (args.today || !args.until.empty()) {
    absl::Time until = absl::FromCivil(absl::ToCivilDay(session.Now(), session.Zone()) + 1, session.Zone());
    if (!args.until.empty()) {
      RB_ASSIGN_OR_RETURN(until, ParseDay(session, args.until, "away-until", true));
    }
    *request.mutable_away_until() = ToProto(until);
  }
  RB_RETURN_IF_ERROR(Confirm(absl::StrCat("Hand over ", args.callbacks.empty() ? "every open callback" : "these callbacks",
                                          " of ", Printable(member.name()), "?"), args.yes, session.world()));
  bool more = true;
  while (more) {
    v1::HandOverMemberResponse response;
    request.set_request_id(session.NewRequestId());
    RB_RETURN_IF_ERROR(
        session.Call([&](auto* context) { return session.teams().HandOverMember(context, request, &response); }));
    more = response.more() && !response.handed_over().empty();
    all.mutable_handed_over()->MergeFrom(response.handed_over());
    all.set_more(response.more());
  }
  if (session.options().json) {
    *session.world().out << ToJson(all) << "\n";
    return absl::OkStatus();
  }
  *session.world().out << member.id() << "  " << Printable(member.name()) << ": "
                       << (all.handed_over().empty() ? "nothing was open" : HandedOverWords(session, all)) << "\n";
  return absl::OkStatus();
}

}  // namespace

void AddMemberCommands(Commands& commands) {
  CLI::App* member = commands.app().add_subcommand("member", "The team's people: add, list, show, set, remove, absent, hand-over");
  member->require_subcommand(1);

  auto options = std::make_shared<MemberOptions>();
  CLI::App* add = member->add_subcommand("add", "A new member");
  options->AddTo(add, true);
  commands.OnServer(add, [options](Session& session) -> absl::Status {
    v1::AddMemberRequest request;
    v1::AddMemberResponse response;
    request.set_request_id(session.NewRequestId());
    RB_ASSIGN_OR_RETURN(*request.mutable_team_id(), session.TeamId());
    RB_RETURN_IF_ERROR(options->Fill(session, request.mutable_member()));
    if (request.member().role() == v1::ROLE_UNSPECIFIED) request.mutable_member()->set_role(v1::ROLE_REP);
    RB_RETURN_IF_ERROR(session.Call(
        [&](auto* context) { return session.teams().AddMember(context, request, &response); }, As::kMemberThenOperator));
    PrintMember(session, response, "added; a token for them: ringback token create --member " + response.member().id());
    return absl::OkStatus();
  });

  commands.OnServer(member->add_subcommand("list", "Everybody"), List);

  auto shown = std::make_shared<std::string>();
  CLI::App* show = member->add_subcommand("show", "All about one of them, and where their calendar subscription stands");
  show->add_option("WHO", *shown, "Name, mail address, id or \"me\"")->required();
  commands.OnServer(show, [shown](Session& session) { return Show(session, *shown); });

  auto who = std::make_shared<std::string>();
  auto changes = std::make_shared<MemberOptions>();
  CLI::App* set = member->add_subcommand("set", "Change what is said, \"\" empties it; the rest stays");
  set->add_option("WHO", *who, "Name, mail address, id or \"me\"")->required();
  changes->AddTo(set, false);
  commands.OnServer(set, [who, changes](Session& session) -> absl::Status {
    v1::UpdateMemberRequest request;
    v1::UpdateMemberResponse response;
    RB_RETURN_IF_ERROR(changes->Fill(session, request.mutable_member()));
    *request.mutable_update_mask() = changes->given.Mask();
    if (request.update_mask().paths().empty()) return UsageError("say what is to change; --help lists it");
    RB_ASSIGN_OR_RETURN(const v1::Member found, session.FindMember(*who));
    request.set_request_id(session.NewRequestId());
    request.mutable_member()->set_id(found.id());
    RB_RETURN_IF_ERROR(session.Call(
        [&](auto* context) { return session.teams().UpdateMember(context, request, &response); },
        As::kMemberThenOperator));
    PrintMember(session, response, "changed");
    return absl::OkStatus();
  });

  auto yes = std::make_shared<bool>(false);
  CLI::App* remove = member->add_subcommand("remove", "Somebody left; open callbacks go to the substitute");
  remove->add_option("WHO", *who, "Name, mail address or id")->required();
  remove->add_flag("--yes", *yes, "Do not ask");
  commands.OnServer(remove, [who, yes](Session& session) -> absl::Status {
    RB_ASSIGN_OR_RETURN(const v1::Member found, session.FindMember(*who));
    RB_RETURN_IF_ERROR(Confirm(absl::StrCat("Remove ", Printable(found.name()), "?"), *yes, session.world()));
    v1::RemoveMemberRequest request;
    v1::RemoveMemberResponse response;
    request.set_request_id(session.NewRequestId());
    request.set_member_id(found.id());
    RB_RETURN_IF_ERROR(session.Call(
        [&](auto* context) { return session.teams().RemoveMember(context, request, &response); },
        As::kMemberThenOperator));
    PrintMember(session, response, absl::StrCat("removed; ", response.handed_over(), " callbacks changed hands"));
    return absl::OkStatus();
  });

  auto absent_args = std::make_shared<AbsentArgs>();
  CLI::App* absent = member->add_subcommand("absent", "Note when somebody is away");
  absent->add_option("WHO", absent_args->who, "Name, mail address, id or \"me\"")->required();
  absent->add_option("--from", absent_args->from, "2026-12-24, \"tomorrow 8:00\"; now if not said")->type_name("TIME");
  absent->add_option("--until,--to", absent_args->until, "The last day (2027-01-06) or a time")->type_name("TIME");
  absent->add_flag("--today", absent_args->today, "Until midnight: sick today");
  absent->add_option("--substitute", absent_args->substitute, "Who stands in this time");
  absent->add_flag("--clear", absent_args->clear, "Is back: forget the absences");
  commands.OnServer(absent, [absent_args](Session& session) { return Absent(session, *absent_args); });

  auto hand_over_args = std::make_shared<HandOverArgs>();
  CLI::App* hand_over = member->add_subcommand("hand-over", "Give somebody's open callbacks to others");
  hand_over->add_option("WHO", hand_over_args->who, "Whose: name, mail address, id or \"me\"")->required();
  hand_over->add_option("--to", hand_over_args->to,
                        "Who gets them; may be repeated: spread by what each has planned; else the substitute, or the next "
                        "in the chain");
  hand_over->add_option("--callback", hand_over_args->callbacks, "Only this one; may be repeated")->type_name("ID");
  hand_over->add_flag("--today", hand_over_args->today, "Also note: away until midnight");
  hand_over->add_option("--away-until", hand_over_args->until, "Also note: away until the last day (2027-01-06) or a time")
      ->type_name("TIME");
  hand_over->add_flag("--yes", hand_over_args->yes, "Do not ask");
  commands.OnServer(hand_over, [hand_over_args](Session& session) { return HandOver(session, *hand_over_args); });
}

}  // namespace ringback::cli
