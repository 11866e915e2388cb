#include "ingest/teams.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/ids.h"
#include "core/base/log.h"
#include "core/domain/escalation.h"
#include "core/domain/team.h"
#include "core/rpc/update_mask.h"
#include "core/store/again.h"
#include "core/words/notice_parts.h"
#include "ingest/team_members.h"
#include "ingest/team_tokens.h"

namespace ringback::ingest {
namespace {

constexpr char kAllTeams[] = "*";
constexpr size_t kTemplateBytesMax = 64 * 1024;
constexpr int kTemplatesMax = 100;
// RFC 5321 4.5.3.1.1: a local part has at most 64 bytes. Answers go to the team's with "+" and a page's secret in it.
constexpr size_t kTeamLocalPartMax = 64 - 1 - 30;

// Messages of the two languages with the same fields on the wire.
template <typename To, typename From>
To Same(const From& from) {
  To to;
  to.ParseFromString(from.SerializeAsString());
  return to;
}

absl::StatusOr<record::Footer> NormaliseFooter(const api::Footer& footer) {
  record::Footer out;
  RB_ASSIGN_OR_RETURN(*out.mutable_company(), domain::OneLine(footer.company(), 200, "team.footer.company"));
  RB_ASSIGN_OR_RETURN(*out.mutable_legal_text(), domain::SeveralLines(footer.legal_text(), 4000, "team.footer.legal_text"));
  RB_ASSIGN_OR_RETURN(*out.mutable_imprint_url(), domain::OneLine(footer.imprint_url(), 500, "team.footer.imprint_url"));
  RB_ASSIGN_OR_RETURN(*out.mutable_privacy_url(), domain::OneLine(footer.privacy_url(), 500, "team.footer.privacy_url"));
  RB_ASSIGN_OR_RETURN(*out.mutable_phone(), domain::OneLine(footer.phone(), 60, "team.footer.phone"));
  return out;
}

// Named in the mask they replace what the team has; else they are added to it.
absl::Status MergeTemplates(const api::Team& from, bool replace, record::TeamRecord* team) {
  if (replace) team->clear_templates();
  for (const auto& [name, text] : from.templates()) {
    if (name.size() > 100 || text.size() > kTemplateBytesMax) {
      return domain::InvalidField("team.templates", "TEMPLATE_TOO_LONG", "a name has at most 100 bytes, a template 64 KiB");
    }
    if (absl::Status works = text.empty() ? absl::OkStatus() : words::CheckNotice(name, text); !works.ok()) {
      return domain::InvalidField(absl::StrCat("team.templates[", name, "]"), "TEMPLATE_INVALID",
                                  std::string(works.message()));
    }
    if (text.empty()) {
      team->mutable_templates()->erase(name);  // the built-in one again
    } else {
      (*team->mutable_templates())[name] = text;
    }
  }
  if (team->templates_size() > kTemplatesMax) {
    return domain::InvalidField("team.templates", "TEMPLATES_TOO_MANY", absl::StrCat("at most ", kTemplatesMax));
  }
  return absl::OkStatus();
}

// Named in the mask they replace what the team has, else they are added to it; an empty one keeps what is there, as it is
// never shown.
void MergeHookSecrets(const api::Team& from, bool replace, const record::TeamRecord& known, record::TeamRecord* team) {
  *team->mutable_hook_secrets() = replace ? google::protobuf::Map<std::string, std::string>() : known.hook_secrets();
  for (const auto& [provider, secret] : from.hook_secrets()) {
    const auto old = known.hook_secrets().find(provider);
    const bool keep = secret.empty() && old != known.hook_secrets().end();
    (*team->mutable_hook_secrets())[provider] = keep ? old->second : secret;
  }
}

// The fields of a team that UpdateTeam changes, as the record has them.
absl::StatusOr<record::TeamRecord> Normalise(const api::Team& team) {
  record::TeamRecord out;
  RB_ASSIGN_OR_RETURN(*out.mutable_name(), domain::OneLine(team.name(), 200, "team.name"));
  out.set_time_zone(team.time_zone());
  out.set_language(team.language());
  if (!team.mail_address().empty()) {
    RB_ASSIGN_OR_RETURN(*out.mutable_mail_address(), domain::NormaliseEmail(team.mail_address(), "team.mail_address"));
    if (out.mail_address().rfind('@') > kTeamLocalPartMax) {
      return domain::InvalidField("team.mail_address", "LOCAL_PART_TOO_LONG",
                                  absl::StrCat("at most ", kTeamLocalPartMax,
                                               " bytes before the @: answers add a token of 31 to it, and mail allows 64"));
    }
  }
  if (team.has_policy()) *out.mutable_policy() = rpc::FromApi(team.policy());
  if (team.has_calendar()) *out.mutable_calendar() = Same<record::Calendar>(team.calendar());
  if (team.has_footer()) {
    RB_ASSIGN_OR_RETURN(*out.mutable_footer(), NormaliseFooter(team.footer()));
  }
  out.set_retention_days(team.retention_days());
  if (!api::MediaMode_IsValid(team.media_mode())) {
    return domain::InvalidField("team.media_mode", "MEDIA_MODE_UNKNOWN", "both, attachment or link");
  }
  out.set_media_mode(static_cast<record::TeamRecord::MediaMode>(team.media_mode()));
  out.set_recording_max_seconds(team.recording_max_seconds());
  out.set_legal_hold(team.legal_hold());
  out.set_member_figures(team.member_figures());
  out.set_report_listened(team.report_listened());
  if (team.has_slot_length()) *out.mutable_slot_length() = team.slot_length();
  out.set_play_others_takes(team.play_others_takes());
  return out;
}

absl::StatusOr<rpc::UpdateMask> TeamMask(const google::protobuf::FieldMask& mask, const api::Team& team) {
  return rpc::UpdateMask::Of(mask, team, {"id", "members", "create_time", "history"});
}

// What the mask means in `from` replaces what the team has.
absl::Status Merge(const api::Team& from, const rpc::UpdateMask& mask, record::TeamRecord* team) {
  RB_ASSIGN_OR_RETURN(record::TeamRecord given, Normalise(mask.Only(from)));
  *given.mutable_templates() = team->templates();
  if (mask.Has("templates")) RB_RETURN_IF_ERROR(MergeTemplates(from, mask.explicit_paths(), &given));
  MergeHookSecrets(mask.Only(from), mask.explicit_paths(), *team, &given);
  mask.Copy(given, team);
  return absl::OkStatus();
}

// One of the switches by which people are looked at: they are for the team's own admins, and each stands in the team's
// history.
absl::Status NoteSwitch(const rpc::Call& call, const char* name, bool before, bool after, const char* what, absl::Time now,
                        record::TeamRecord* team, store::Commit* commit) {
  if (after == before) return absl::OkStatus();
  if (call.principal.role != rpc::Role::kAdmin) {
    return domain::FieldError(absl::StatusCode::kPermissionDenied, absl::StrCat("team.", name), "FOR_ADMINS_OF_THE_TEAM",
                              absl::StrCat("only an admin of the team switches whether ", what));
  }
  record::HistoryEvent& event = *team->add_history();
  event.set_number(team->history_size());
  *event.mutable_time() = rpc::ToProto(now);
  event.set_author(call.principal.ActorId());
  event.set_what(absl::StrCat(name, after ? "_on" : "_off"));
  commit->events.push_back(store::Event{team->id(), team->id(), event.SerializeAsString()});
  return absl::OkStatus();
}

absl::Status NoteSwitches(const rpc::Call& call, const record::TeamRecord& before, absl::Time now,
                          record::TeamRecord* team, store::Commit* commit) {
  RB_RETURN_IF_ERROR(NoteSwitch(call, "member_figures", before.member_figures(), team->member_figures(),
                                "each member's figures are shown", now, team, commit));
  RB_RETURN_IF_ERROR(NoteSwitch(call, "report_listened", before.report_listened(), team->report_listened(),
                                "it is told that customers play their message", now, team, commit));
  return NoteSwitch(call, "play_others_takes", before.play_others_takes(), team->play_others_takes(),
                    "managers may play what others spoke", now, team, commit);
}

// One callback's timer comes earlier under the team as it is now.
absl::Status Rearm(runtime::Host& host, const record::TeamRecord& team, const std::string& callback_id) {
  RB_ASSIGN_OR_RETURN(const store::Key key, store::CallbackKey(callback_id));
  return store::Again([&]() -> absl::Status {
    const auto callback = store::Load<record::CallbackRecord>(host.store(), key);
    if (absl::IsNotFound(callback.status())) return absl::OkStatus();
    RB_RETURN_IF_ERROR(callback.status());
    RB_ASSIGN_OR_RETURN(const absl::Time now, host.store().Now());
    const auto next = domain::NextTimer(callback->message, team, now);
    if (!next.has_value() || !callback->message.has_next_timer_time()) return absl::OkStatus();
    if (*next >= rpc::FromProto(callback->message.next_timer_time())) return absl::OkStatus();
    domain::Decision decision;
    decision.callback = callback->message;
    *decision.callback.mutable_next_timer_time() = rpc::ToProto(*next);
    decision.next_timer = next;
    store::Commit commit;
    commit.shard = key.shard;
    commit.commit_id = NewCommitId(host, key.shard);
    store::AddDecision(&callback->message, callback->version, decision, now, &commit);
    return host.store().CommitOnce(commit).status();
  });
}

// An open callback keeps the timer it has: under a new policy it may be due earlier. Later ones set themselves right when
// they fire. Safe to repeat.
absl::Status RearmAll(runtime::Host& host, const std::string& team_id) {
  RB_ASSIGN_OR_RETURN(const auto team, LoadTeam(host, team_id));
  RB_ASSIGN_OR_RETURN(const store::Key key, store::TeamKey(team_id));
  store::Page page;
  page.limit = 500;
  for (;;) {
    RB_ASSIGN_OR_RETURN(const auto scan, host.store().Scan(
        store::IndexKey{key.shard, team_id, std::string(store::index::kOpen)}, "", "", page));
    for (const std::string& member : scan.members) {
      RB_RETURN_IF_ERROR(Rearm(host, team.message, std::string(store::IdOfMember(member))));
    }
    if (!scan.more || scan.members.empty()) return absl::OkStatus();
    page.after = scan.members.back();
  }
}

// Where the members' calendar subscriptions stand.
absl::Status AddBusyStates(runtime::Host& host, api::Team* team) {
  std::vector<store::Key> keys;
  std::vector<api::BusyState*> states;
  for (api::Member& member : *team->mutable_members()) {
    if (!member.has_busy_state()) continue;
    RB_ASSIGN_OR_RETURN(store::Key key, store::BusyKey(member.id()));
    keys.push_back(std::move(key));
    states.push_back(member.mutable_busy_state());
  }
  if (keys.empty()) return absl::OkStatus();
  RB_ASSIGN_OR_RETURN(const std::vector<store::Record> records, host.store().GetMany(keys));
  RB_ASSIGN_OR_RETURN(const absl::Time now, host.store().Now());
  for (size_t i = 0; i < records.size(); ++i) {
    record::BusyRecord busy;
    if (records[i].version == 0 || !busy.ParseFromString(records[i].value)) continue;
    if (busy.has_fetch_time()) *states[i]->mutable_fetch_time() = busy.fetch_time();
    states[i]->set_trouble(busy.trouble());
    for (const auto& span : busy.spans()) {
      if (rpc::FromProto(span.end_time()) > now) states[i]->set_appointments(states[i]->appointments() + 1);
    }
  }
  return absl::OkStatus();
}

}  // namespace

void AddTeam(const record::TeamRecord& team, uint64_t version, store::Commit* commit) {
  const store::Key key = *store::TeamKey(team.id());  // ringback's own id
  store::AddPut(key, version, team, commit);
  if (version == 0) {
    commit->indexes.push_back(
        store::IndexChange{store::IndexKey{key.shard, kAllTeams, std::string(store::index::kTeams)}, team.id(), false});
  }
}

absl::Status At(std::string_view path, const absl::Status& status) {
  const domain::FieldDetail detail = domain::DetailOf(status);
  if (status.ok() || detail.field.empty()) return status;
  std::string description(status.message());
  if (absl::StartsWith(description, detail.field + ": ")) description.erase(0, detail.field.size() + 2);
  return domain::FieldError(status.code(), absl::StrCat(std::string(path), ".", detail.field), detail.reason, description);
}

absl::StatusOr<std::vector<std::string>> TeamsOfShard(store::Store& store, int shard) {
  std::vector<std::string> ids;
  store::Page page;
  page.limit = 500;
  for (;;) {
    RB_ASSIGN_OR_RETURN(const auto scan, store.Scan(
        store::IndexKey{shard, kAllTeams, std::string(store::index::kTeams)}, "", "", page));
    ids.insert(ids.end(), scan.members.begin(), scan.members.end());
    if (!scan.more || scan.members.empty()) return ids;
    page.after = scan.members.back();
  }
}

absl::Status CreateTeam(runtime::Host& host, const rpc::Call& call, const api::CreateTeamRequest& request,
                        api::CreateTeamResponse* response) {
  return rpc::Once<api::CreateTeamRequest, api::CreateTeamResponse>(
      host.rpc(), call, request, response,
      [&](store::Commit* commit, api::CreateTeamResponse* answer) -> absl::Status {
        RB_ASSIGN_OR_RETURN(const absl::Time now, host.store().Now());
        record::TeamRecord team = domain::NewTeam(NewId(id_prefix::kTeam, commit->shard, host.random()), "",
                                                  "Europe/Berlin", "de", now);
        RB_ASSIGN_OR_RETURN(const rpc::UpdateMask given, TeamMask({}, request.team()));
        RB_RETURN_IF_ERROR(Merge(request.team(), given, &team));
        RB_RETURN_IF_ERROR(NoteSwitches(call, record::TeamRecord(), now, &team, commit));
        RB_ASSIGN_OR_RETURN(record::Member admin,
                            NormaliseMember(request.admin(), nullptr, host.config().region, "admin"));
        admin.set_id(NewId(id_prefix::kMember, commit->shard, host.random()));
        admin.set_role(record::Member::ROLE_ADMIN);
        *team.add_members() = admin;
        RB_RETURN_IF_ERROR(domain::CheckMember(admin, team, "admin"));
        RB_RETURN_IF_ERROR(At("team", domain::CheckTeam(team)));
        AddTeam(team, 0, commit);
        record::TokenRecord token;
        token.set_team_id(team.id());
        token.set_member_id(admin.id());
        token.set_role(record::TokenRecord::ROLE_MEMBER);
        token.set_label("first admin");
        answer->set_admin_token(AddToken(host, std::move(token), now, commit).secret);
        *answer->mutable_team() = rpc::ToApi(team);
        return absl::OkStatus();
      });
}

absl::Status GetTeam(runtime::Host& host, const rpc::Call& call, const api::GetTeamRequest& request,
                     api::GetTeamResponse* response) {
  RB_ASSIGN_OR_RETURN(const auto team, TeamOf(host, call, request.id()));
  *response->mutable_team() = rpc::ToApi(team.message);
  return AddBusyStates(host, response->mutable_team());
}

absl::Status ListTeams(runtime::Host& host, const rpc::Call& call, const api::ListTeamsRequest& request,
                       api::ListTeamsResponse* response) {
  if (call.principal.role != rpc::Role::kOperator) {
    RB_ASSIGN_OR_RETURN(const auto own, TeamOf(host, call, ""));
    *response->add_teams() = rpc::ToApi(own.message);
    return absl::OkStatus();
  }
  RB_ASSIGN_OR_RETURN(const int size, rpc::PageSize(request.page_size()));
  RB_ASSIGN_OR_RETURN(const std::string after, rpc::DecodePageToken(request.page_token()));  // the last team's id
  int first = 0;
  if (!after.empty()) {
    const auto shard = ShardOf(after, id_prefix::kTeam);
    if (!shard.ok()) {
      return domain::InvalidField("page_token", "PAGE_TOKEN_INVALID", "use a previous answer's next_page_token");
    }
    first = *shard;
  }
  for (int shard = first; shard < kShards; ++shard) {
    RB_ASSIGN_OR_RETURN(const auto ids, TeamsOfShard(host.store(), shard));
    for (const std::string& id : ids) {
      if (shard == first && id <= after) continue;
      if (response->teams_size() == size) {
        response->set_next_page_token(rpc::EncodePageToken(response->teams().rbegin()->id()));
        return absl::OkStatus();
      }
      RB_ASSIGN_OR_RETURN(const auto team, LoadTeam(host, id));
      *response->add_teams() = rpc::ToApi(team.message);
    }
  }
  return absl::OkStatus();
}

absl::Status UpdateTeam(runtime::Host& host, const rpc::Call& call, const api::UpdateTeamRequest& request,
                        api::UpdateTeamResponse* response) {
  RB_ASSIGN_OR_RETURN(const auto found, TeamOf(host, call, request.team().id()));
  RB_ASSIGN_OR_RETURN(const rpc::UpdateMask mask, TeamMask(request.update_mask(), request.team()));
  const std::string id = found.message.id();
  RB_RETURN_IF_ERROR((rpc::Once<api::UpdateTeamRequest, api::UpdateTeamResponse>(
      host.rpc(), call, request, response,
      [&](store::Commit* commit, api::UpdateTeamResponse* answer) -> absl::Status {
        RB_ASSIGN_OR_RETURN(auto team, LoadTeam(host, id));
        const record::TeamRecord before = team.message;
        RB_RETURN_IF_ERROR(Merge(request.team(), mask, &team.message));
        RB_ASSIGN_OR_RETURN(const absl::Time now, host.store().Now());
        RB_RETURN_IF_ERROR(NoteSwitches(call, before, now, &team.message, commit));
        RB_RETURN_IF_ERROR(At("team", domain::CheckTeam(team.message)));
        AddTeam(team.message, team.version, commit);
        *answer->mutable_team() = rpc::ToApi(team.message);
        return absl::OkStatus();
      })));
  const bool moves_timers = mask.Has("policy") || mask.Has("calendar") || mask.Has("time_zone");
  return moves_timers ? RearmAll(host, id) : absl::OkStatus();
}

absl::Status GetPolicy(runtime::Host& host, const rpc::Call& call, const api::GetPolicyRequest& request,
                       api::GetPolicyResponse* response) {
  RB_ASSIGN_OR_RETURN(const auto team, TeamOf(host, call, request.team_id()));
  *response->mutable_policy() = rpc::ToApi(team.message.policy());
  return absl::OkStatus();
}

absl::Status SetPolicy(runtime::Host& host, const rpc::Call& call, const api::SetPolicyRequest& request,
                       api::SetPolicyResponse* response) {
  RB_ASSIGN_OR_RETURN(const auto found, TeamOf(host, call, request.team_id()));
  google::protobuf::FieldMask paths = request.update_mask();
  if (paths.paths().empty()) paths.add_paths("*");
  RB_ASSIGN_OR_RETURN(const rpc::UpdateMask mask, rpc::UpdateMask::Of(paths, request.policy()));
  const std::string id = found.message.id();
  RB_RETURN_IF_ERROR((rpc::Once<api::SetPolicyRequest, api::SetPolicyResponse>(
      host.rpc(), call, request, response,
      [&](store::Commit* commit, api::SetPolicyResponse* answer) -> absl::Status {
        RB_ASSIGN_OR_RETURN(auto team, LoadTeam(host, id));
        mask.Copy(rpc::FromApi(request.policy()), team.message.mutable_policy());
        RB_RETURN_IF_ERROR(At("policy", domain::CheckPolicy(team.message.policy())));
        RB_RETURN_IF_ERROR(domain::CheckTeam(team.message));
        AddTeam(team.message, team.version, commit);
        *answer->mutable_policy() = rpc::ToApi(team.message.policy());
        return absl::OkStatus();
      })));
  return RearmAll(host, id);
}

}  // namespace ringback::ingest
