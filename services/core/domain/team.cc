#include "core/domain/team.h"

#include <algorithm>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/domain/calendar.h"
#include "core/domain/escalation.h"
#include "core/domain/input.h"
#include "core/domain/proto_time.h"

namespace ringback::domain {
namespace {

using store::v1::Channel;
using store::v1::Member;
using store::v1::TeamRecord;

constexpr size_t kSecretBytesMin = 16;
constexpr size_t kExtensionBytesMax = 40;

// An error of a part, with the path of the whole before its field.
absl::Status Within(const absl::Status& status, std::string_view path) {
  if (status.ok()) return status;
  const FieldDetail detail = DetailOf(status);
  std::string description(status.message());
  if (absl::StartsWith(description, detail.field + ": ")) description.erase(0, detail.field.size() + 2);
  return FieldError(status.code(), absl::StrCat(std::string(path), detail.field.empty() ? "" : ".", detail.field),
                    detail.reason, description);
}

// Already in the form that input.h makes of it.
template <typename Normalise>
absl::Status IsNormal(const std::string& value, const std::string& field, Normalise normalise) {
  RB_ASSIGN_OR_RETURN(const std::string normal, normalise());
  if (normal != value) return InvalidField(field, "NOT_NORMAL", absl::StrCat("should be written \"", normal, "\""));
  return absl::OkStatus();
}

absl::Status CheckSubstitute(const std::string& id, const Member& member, const TeamRecord& team,
                             const std::string& field) {
  if (id.empty()) return absl::OkStatus();
  if (id == member.id()) return InvalidField(field, "OWN_SUBSTITUTE", "nobody stands in for themselves");
  const Member* substitute = FindMember(team, id);
  if (substitute == nullptr || substitute->inactive()) {
    return InvalidField(field, "UNKNOWN_MEMBER", absl::StrCat("\"", id, "\" is no active member of this team"));
  }
  return absl::OkStatus();
}

// What receives ringback's own events must be able to tell them from anybody's; chat services have a secret address.
absl::Status CheckWebhookSecret(const Channel& channel, const std::string& field) {
  const bool own_format = channel.format() != Channel::FORMAT_SLACK && channel.format() != Channel::FORMAT_TEAMS;
  if (channel.secret().empty() && own_format) {
    return InvalidField(field, "MISSING", "events are signed: give a secret of 16 bytes or more, the receiver's too");
  }
  if (!channel.secret().empty() && channel.secret().size() < kSecretBytesMin) {
    return InvalidField(field, "SECRET_TOO_SHORT", "at least 16 bytes");
  }
  return absl::OkStatus();
}

absl::Status CheckBusyUrl(const std::string& url, const std::string& field) {
  if (url.empty()) return absl::OkStatus();
  RB_RETURN_IF_ERROR(IsNormal(url, field, [&] { return OneLine(url, 2000, field); }));
  const bool http = absl::StartsWith(url, "https://") || absl::StartsWith(url, "http://");
  if (!http || url.find_first_of(" \"<>\\") != std::string::npos) {
    return InvalidField(field, "NOT_A_URL",
                        "the address of a calendar subscription begins with https:// (write that for webcal://)");
  }
  return absl::OkStatus();
}

absl::Status CheckExtensions(const Member& member, const std::string& path) {
  if (member.extensions_size() > 20) return InvalidField(path, "TOO_MANY", "at most 20 extensions");
  for (int i = 0; i < member.extensions_size(); ++i) {
    const std::string field = absl::StrCat(path, "[", i, "]");
    const std::string& extension = member.extensions(i);
    if (extension.empty()) return InvalidField(field, "MISSING", "an extension like 21, as the telephone system writes it");
    RB_RETURN_IF_ERROR(IsNormal(extension, field, [&] { return OneLine(extension, kExtensionBytesMax, field); }));
  }
  return absl::OkStatus();
}

// A hook's secret is long enough not to be guessed, and there is one for who checks with it.
absl::Status CheckHookSecrets(const TeamRecord& team) {
  for (const auto& [provider, secret] : team.hook_secrets()) {
    const std::string field = absl::StrCat("hook_secrets[", provider, "]");
    if (provider != "3cx" && provider != "twilio") return InvalidField(field, "UNKNOWN_PROVIDER", "3cx or twilio");
    RB_RETURN_IF_ERROR(IsNormal(secret, field, [&] { return OneLine(secret, 500, field); }));
    if (secret.size() < kSecretBytesMin) return InvalidField(field, "SECRET_TOO_SHORT", "at least 16 bytes");
  }
  return absl::OkStatus();
}

}  // namespace

TeamRecord NewTeam(const std::string& id, const std::string& name, const std::string& time_zone,
                   const std::string& language, absl::Time now) {
  TeamRecord team;
  team.set_id(id);
  team.set_name(name);
  team.set_time_zone(time_zone);
  team.set_language(language);
  *team.mutable_create_time() = ToProto(now);
  *team.mutable_policy() = DefaultPolicy();
  *team.mutable_calendar() = DefaultCalendar();
  team.set_retention_days(30);
  return team;
}

const Member* FindMember(const TeamRecord& team, const std::string& member_id) {
  if (member_id.empty()) return nullptr;
  for (const Member& member : team.members()) {
    if (member.id() == member_id) return &member;
  }
  return nullptr;
}

const Member* FindByExtension(const TeamRecord& team, const std::string& extension) {
  if (extension.empty()) return nullptr;
  for (const Member& member : team.members()) {
    if (member.inactive()) continue;
    for (const std::string& own : member.extensions()) {
      if (own == extension) return &member;
    }
  }
  return nullptr;
}

const store::v1::Absence* AbsenceAt(const Member& member, absl::Time at) {
  for (const auto& absence : member.absences()) {
    const bool begun = !absence.has_start_time() || FromProto(absence.start_time()) <= at;
    const bool over = absence.has_end_time() && FromProto(absence.end_time()) <= at;
    if (begun && !over) return &absence;
  }
  return nullptr;
}

std::vector<Channel> MemberChannels(const Member& member, const TeamRecord&) {
  std::vector<Channel> channels;
  for (const Channel& channel : member.channels()) {
    if (channel.kind() == Channel::KIND_DESK) continue;
    channels.push_back(channel);
    // A channel without an address means the member's own.
    if (channel.address().empty() && channel.kind() == Channel::KIND_MAIL) channels.back().set_address(member.email());
    if (channel.address().empty() && channel.kind() == Channel::KIND_SMS) channels.back().set_address(member.phone());
    if (channels.back().address().empty()) channels.pop_back();
  }
  if (member.channels().empty() && !member.email().empty()) {
    channels.emplace_back();
    channels.back().set_kind(Channel::KIND_MAIL);
    channels.back().set_address(member.email());
  }
  channels.emplace_back();
  channels.back().set_kind(Channel::KIND_DESK);
  return channels;
}

absl::Status CheckChannel(const Channel& channel, std::string_view path) {
  const std::string field = absl::StrCat(std::string(path), ".address");
  switch (channel.kind()) {
    case Channel::KIND_MAIL:
      if (channel.address().empty()) return absl::OkStatus();  // the member's own
      return IsNormal(channel.address(), field, [&] { return NormaliseEmail(channel.address(), field); });
    case Channel::KIND_SMS:
      if (channel.address().empty()) return absl::OkStatus();
      return IsNormal(channel.address(), field, [&] { return NormalisePhone(channel.address(), "", field); });
    case Channel::KIND_WEBHOOK: {
      RB_RETURN_IF_ERROR(IsNormal(channel.address(), field, [&] { return OneLine(channel.address(), 2000, field); }));
      const bool http =
          absl::StartsWith(channel.address(), "https://") || absl::StartsWith(channel.address(), "http://");
      if (!http || channel.address().find_first_of(" \"<>\\") != std::string::npos) {
        return InvalidField(field, "NOT_A_URL", "a webhook's address begins with https:// or http://");
      }
      return CheckWebhookSecret(channel, absl::StrCat(std::string(path), ".secret"));
    }
    case Channel::KIND_DESK: return absl::OkStatus();
    default:
      return InvalidField(absl::StrCat(std::string(path), ".kind"), "MISSING", "mail, webhook, sms or desk");
  }
}

absl::Status CheckMember(const Member& member, const TeamRecord& team, std::string_view path) {
  const std::string at = path.empty() ? "" : absl::StrCat(std::string(path), ".");
  if (member.id().empty()) return InvalidField(at + "id", "MISSING", "a member has an id");
  if (member.name().empty()) return InvalidField(at + "name", "MISSING", "the name as the customer reads it");
  RB_RETURN_IF_ERROR(IsNormal(member.name(), at + "name", [&] { return OneLine(member.name(), 200, at + "name"); }));
  if (!member.email().empty()) {
    RB_RETURN_IF_ERROR(
        IsNormal(member.email(), at + "email", [&] { return NormaliseEmail(member.email(), at + "email"); }));
  }
  if (!member.phone().empty()) {
    RB_RETURN_IF_ERROR(
        IsNormal(member.phone(), at + "phone", [&] { return NormalisePhone(member.phone(), "", at + "phone"); }));
  }
  if (member.role() < Member::ROLE_REP || member.role() > Member::ROLE_ADMIN) {
    return InvalidField(at + "role", "MISSING", "rep, manager or admin");
  }
  if (!member.language().empty() && member.language() != "de" && member.language() != "en") {
    return InvalidField(at + "language", "UNKNOWN_LANGUAGE", "de or en, or empty for the team's");
  }
  if (!member.time_zone().empty()) {
    if (auto zone = LoadZone(member.time_zone()); !zone.ok()) {
      return FieldError(zone.status().code(), at + "time_zone", DetailOf(zone.status()).reason,
                        "use a name like Europe/Berlin, or leave it empty for the team's");
    }
  }
  RB_RETURN_IF_ERROR(CheckBusyUrl(member.busy_url(), at + "busy_url"));
  RB_RETURN_IF_ERROR(CheckExtensions(member, at + "extensions"));
  if (member.channels_size() > 10) return InvalidField(at + "channels", "TOO_MANY", "at most 10 channels");
  for (int i = 0; i < member.channels_size(); ++i) {
    RB_RETURN_IF_ERROR(CheckChannel(member.channels(i), absl::StrCat(at, "channels[", i, "]")));
  }
  if (member.absences_size() > 200) return InvalidField(at + "absences", "TOO_MANY", "at most 200 absences");
  for (int i = 0; i < member.absences_size(); ++i) {
    const auto& absence = member.absences(i);
    const std::string field = absl::StrCat(at, "absences[", i, "]");
    if (!absence.has_start_time() || !absence.has_end_time() ||
        FromProto(absence.start_time()) >= FromProto(absence.end_time())) {
      return InvalidField(field, "NOT_IN_ORDER", "a start before an end");
    }
    RB_RETURN_IF_ERROR(CheckSubstitute(absence.substitute_id(), member, team, field + ".substitute_id"));
  }
  return CheckSubstitute(member.substitute_id(), member, team, at + "substitute_id");
}

absl::Status CheckTeam(const TeamRecord& team) {
  if (team.id().empty()) return InvalidField("id", "MISSING", "a team has an id");
  if (team.name().empty()) return InvalidField("name", "MISSING", "the team's name");
  RB_RETURN_IF_ERROR(IsNormal(team.name(), "name", [&] { return OneLine(team.name(), 200, "name"); }));
  if (auto zone = LoadZone(team.time_zone()); !zone.ok()) return zone.status();
  if (team.language() != "de" && team.language() != "en") {
    return InvalidField("language", "UNKNOWN_LANGUAGE", "de or en");
  }
  if (!team.mail_address().empty()) {
    RB_RETURN_IF_ERROR(IsNormal(team.mail_address(), "mail_address",
                                [&] { return NormaliseEmail(team.mail_address(), "mail_address"); }));
  }
  if (team.members_size() > 10000) return InvalidField("members", "TOO_MANY", "at most 10000 members; make more teams");
  std::set<std::string> ids, extensions;
  bool has_admin = false;
  for (int i = 0; i < team.members_size(); ++i) {
    const Member& member = team.members(i);
    const std::string path = absl::StrCat("members[", i, "]");
    // Who left keeps the record as it was: nothing is sent there any more.
    if (!member.inactive()) RB_RETURN_IF_ERROR(CheckMember(member, team, path));
    if (!ids.insert(member.id()).second) {
      return InvalidField(path + ".id", "NOT_UNIQUE", absl::StrCat("\"", member.id(), "\" is there twice"));
    }
    for (int k = 0; k < member.extensions_size() && !member.inactive(); ++k) {
      if (extensions.insert(member.extensions(k)).second) continue;
      return InvalidField(absl::StrCat(path, ".extensions[", k, "]"), "NOT_UNIQUE",
                          absl::StrCat("\"", member.extensions(k), "\" is another member's already"));
    }
    has_admin = has_admin || (!member.inactive() && member.role() == Member::ROLE_ADMIN);
  }
  if (!has_admin) {
    return InvalidField("members", "LAST_ADMIN", "one active admin must stay; make another member admin first");
  }
  if (team.has_policy()) {
    RB_RETURN_IF_ERROR(Within(CheckPolicy(team.policy()), "policy"));
    for (int i = 0; i < team.policy().steps_size(); ++i) {
      for (int k = 0; k < team.policy().steps(i).recipients_size(); ++k) {
        const std::string& id = team.policy().steps(i).recipients(k).member_id();
        const Member* member = FindMember(team, id);
        if (!id.empty() && (member == nullptr || member->inactive())) {
          return InvalidField(absl::StrCat("policy.steps[", i, "].recipients[", k, "].member_id"), "UNKNOWN_MEMBER",
                              absl::StrCat("\"", id, "\" is no active member of this team"));
        }
      }
    }
  }
  RB_RETURN_IF_ERROR(Within(CheckCalendar(team.calendar()), "calendar"));
  RB_RETURN_IF_ERROR(CheckHookSecrets(team));
  if (team.retention_days() < 0 || team.retention_days() > 3650) {
    return InvalidField("retention_days", "OUT_OF_RANGE", "1 to 3650 days after closing; 0 means 30");
  }
  if (team.recording_max_seconds() != 0 && (team.recording_max_seconds() < 2 || team.recording_max_seconds() > 600)) {
    return InvalidField("recording_max_seconds", "OUT_OF_RANGE", "2 to 600 seconds; 0 means 120");
  }
  const auto& slot = team.slot_length();
  if (team.has_slot_length() && (slot.seconds() < 5 * 60 || slot.seconds() > 4 * 3600 || slot.seconds() % 60 != 0 ||
                                 slot.nanos() != 0)) {
    return InvalidField("slot_length", "OUT_OF_RANGE", "whole minutes from 5 minutes to 4 hours; unset means 15 minutes");
  }
  return absl::OkStatus();
}

}  // namespace ringback::domain
