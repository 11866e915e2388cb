#include "ingest/team_members.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/base/ids.h"
#include "core/domain/escalation.h"
#include "core/domain/team.h"
#include "core/rpc/update_mask.h"
#include "core/store/again.h"
#include "ingest/hand_over.h"
#include "ingest/teams.h"

namespace ringback::ingest {
namespace {

constexpr int kFruitlessMost = 10;

using LoadedTeam = store::Loaded<record::TeamRecord>;

record::Member* Find(record::TeamRecord& team, const std::string& member_id) {
  for (record::Member& member : *team.mutable_members()) {
    if (member.id() == member_id) return &member;
  }
  return nullptr;
}

// Nobody is stood in for by somebody who left.
void ForgetSubstitute(const std::string& gone, record::TeamRecord* team) {
  for (record::Member& member : *team->mutable_members()) {
    if (member.substitute_id() == gone) member.clear_substitute_id();
    for (record::Absence& absence : *member.mutable_absences()) {
      if (absence.substitute_id() == gone) absence.clear_substitute_id();
    }
  }
}

// Who gets the open callbacks of somebody who leaves: the substitute, else the first by the team's chain. "" when nobody
// is left.
std::string Heir(const record::TeamRecord& team, const record::Member& leaving, absl::Time now) {
  const record::Member* substitute = domain::FindMember(team, leaving.substitute_id());
  if (substitute != nullptr && !substitute->inactive()) return substitute->id();
  const std::string chosen = domain::Present(team, leaving.id(), now).member_id;
  if (!chosen.empty() && chosen != leaving.id()) return chosen;
  for (const auto role : {record::Member::ROLE_MANAGER, record::Member::ROLE_ADMIN}) {
    for (const record::Member& member : team.members()) {
      if (!member.inactive() && member.role() == role && member.id() != leaving.id()) return member.id();
    }
  }
  return "";
}

// Each in a commit of its own: a repeated request goes on where a dead one stopped.
absl::StatusOr<int> HandOver(runtime::Host& host, const rpc::Call& call, const record::TeamRecord& team,
                             const record::Member& leaving) {
  RB_ASSIGN_OR_RETURN(const store::Key team_key, store::TeamKey(team.id()));
  const store::IndexKey owned{team_key.shard, team.id(), absl::StrCat(std::string(store::index::kOpenBy), leaving.id())};
  int handed_over = 0;
  for (int fruitless = 0; fruitless < kFruitlessMost;) {
    store::Page page;
    page.limit = 100;
    RB_ASSIGN_OR_RETURN(const auto scan, host.store().Scan(owned, "", "", page));
    if (scan.members.empty()) return handed_over;
    const int before = handed_over;
    for (const std::string& entry : scan.members) {
      RB_ASSIGN_OR_RETURN(const store::Key key, store::CallbackKey(store::IdOfMember(entry)));
      RB_ASSIGN_OR_RETURN(const absl::Time now, host.store().Now());
      RB_ASSIGN_OR_RETURN(const bool passed_on, PassOn(host, call, team, key, leaving.id(), Heir(team, leaving, now)));
      if (passed_on) ++handed_over;
    }
    fruitless = handed_over == before ? fruitless + 1 : 0;
  }
  return absl::AbortedError("the member's callbacks change too fast to be handed over; send the request again");
}

// The calendar subscription is read at once when it is new, and forgotten with all that it said when it is gone.
absl::Status Subscribe(runtime::Host& host, const std::string& team_id, const std::string& member_id,
                       const std::string& before, const std::string& after, store::Commit* commit) {
  if (after == before) return absl::OkStatus();
  store::DueChange due{store::BusyDue(team_id, member_id), std::nullopt};
  if (!after.empty()) {
    RB_ASSIGN_OR_RETURN(due.due, host.store().Now());
  }
  commit->due.push_back(std::move(due));
  store::Put busy;
  RB_ASSIGN_OR_RETURN(busy.key, store::BusyKey(member_id));
  busy.any_version = true;
  commit->puts.push_back(std::move(busy));
  return absl::OkStatus();
}

// The member leaves the team's record before any callback is handed over, so that none comes in behind.
absl::StatusOr<LoadedTeam> Deactivate(runtime::Host& host, const std::string& team_id, const std::string& member_id) {
  RB_ASSIGN_OR_RETURN(LoadedTeam team, LoadTeam(host, team_id));
  record::Member* member = Find(team.message, member_id);
  if (member == nullptr) return NotThere("member_id", "member");
  if (member->inactive()) return team;
  member->set_inactive(true);
  const std::string subscription = member->busy_url();
  member->clear_busy_url();
  ForgetSubstitute(member_id, &team.message);
  RB_RETURN_IF_ERROR(domain::CheckTeam(team.message));
  store::Commit commit;
  commit.shard = store::TeamKey(team_id)->shard;
  commit.commit_id = NewCommitId(host, commit.shard);
  AddTeam(team.message, team.version, &commit);
  RB_RETURN_IF_ERROR(Subscribe(host, team_id, member_id, subscription, "", &commit));
  RB_RETURN_IF_ERROR(host.store().CommitOnce(commit).status());
  ++team.version;
  return team;
}

absl::Status OthersAreNotYours(std::string_view field, std::string_view whose) {
  return domain::FieldError(absl::StatusCode::kPermissionDenied, field, "NOT_YOURSELF", whose);
}

// How things are shown to one, and when one is busy, is one's own; all else of people is the admins'.
absl::Status MayUpdate(const rpc::Call& call, const std::string& member_id, const rpc::UpdateMask& mask) {
  const rpc::Role role = call.principal.role;
  if (role == rpc::Role::kAdmin || role == rpc::Role::kOperator) return absl::OkStatus();
  if (member_id != call.principal.member_id) return OthersAreNotYours("member.id", "only an admin changes other members");
  if (mask.Within({"language", "time_zone", "busy_url"})) return absl::OkStatus();
  return OthersAreNotYours("update_mask", "of yourself you change language, time_zone and busy_url; an admin changes the rest");
}

}  // namespace

absl::StatusOr<LoadedTeam> TeamOfMember(runtime::Host& host, const rpc::Call& call, const std::string& member_id,
                                        std::string_view field) {
  const auto shard = ShardOf(member_id, id_prefix::kMember);
  if (!shard.ok()) return domain::InvalidField(field, "ID_INVALID", "a member's id looks like mb07h3k9x2m4q8w1");
  if (call.principal.role != rpc::Role::kOperator) {
    RB_ASSIGN_OR_RETURN(LoadedTeam team, TeamOf(host, call, ""));
    if (domain::FindMember(team.message, member_id) == nullptr) return NotThere(field, "member");
    return team;
  }
  RB_ASSIGN_OR_RETURN(const auto ids, TeamsOfShard(host.store(), *shard));
  for (const std::string& id : ids) {
    RB_ASSIGN_OR_RETURN(LoadedTeam team, LoadTeam(host, id));
    if (domain::FindMember(team.message, member_id) != nullptr) return team;
  }
  return NotThere(field, "member");
}

absl::StatusOr<record::Member> NormaliseMember(const api::Member& member, const record::Member* known,
                                               const std::string& region, std::string_view field) {
  const std::string at = absl::StrCat(std::string(field), ".");
  record::Member out = rpc::FromApi(member);
  out.clear_id();
  out.clear_inactive();
  RB_ASSIGN_OR_RETURN(*out.mutable_name(), domain::OneLine(member.name(), 200, at + "name"));
  if (!member.email().empty()) {
    RB_ASSIGN_OR_RETURN(*out.mutable_email(), domain::NormaliseEmail(member.email(), at + "email"));
  }
  if (!member.phone().empty()) {
    RB_ASSIGN_OR_RETURN(*out.mutable_phone(), domain::NormalisePhone(member.phone(), region, at + "phone"));
  }
  for (int i = 0; i < out.extensions_size(); ++i) {
    RB_ASSIGN_OR_RETURN(*out.mutable_extensions(i),
                        domain::OneLine(member.extensions(i), 40, absl::StrCat(at, "extensions[", i, "]")));
  }
  for (int i = 0; i < out.channels_size(); ++i) {
    record::Channel& channel = *out.mutable_channels(i);
    if (channel.secret().size() > 500) {
      return domain::InvalidField(absl::StrCat(at, "channels[", i, "].secret"), "SECRET_TOO_LONG", "at most 500 bytes");
    }
    if (known == nullptr || !channel.secret().empty()) continue;
    for (const record::Channel& old : known->channels()) {
      if (old.kind() == channel.kind() && old.address() == channel.address()) channel.set_secret(old.secret());
    }
  }
  return out;
}

absl::Status AddMember(runtime::Host& host, const rpc::Call& call, const api::AddMemberRequest& request,
                       api::AddMemberResponse* response) {
  RB_ASSIGN_OR_RETURN(const auto found, TeamOf(host, call, request.team_id()));
  const std::string team_id = found.message.id();
  return rpc::Once<api::AddMemberRequest, api::AddMemberResponse>(
      host.rpc(), call, request, response,
      [&](store::Commit* commit, api::AddMemberResponse* answer) -> absl::Status {
        RB_ASSIGN_OR_RETURN(auto team, LoadTeam(host, team_id));
        RB_ASSIGN_OR_RETURN(record::Member member,
                            NormaliseMember(request.member(), nullptr, host.config().region, "member"));
        member.set_id(NewId(id_prefix::kMember, commit->shard, host.random()));
        RB_RETURN_IF_ERROR(domain::CheckMember(member, team.message, "member"));
        *team.message.add_members() = member;
        RB_RETURN_IF_ERROR(domain::CheckTeam(team.message));
        AddTeam(team.message, team.version, commit);
        RB_RETURN_IF_ERROR(Subscribe(host, team_id, member.id(), "", member.busy_url(), commit));
        *answer->mutable_member() = rpc::ToApi(member);
        return absl::OkStatus();
      });
}

absl::Status UpdateMember(runtime::Host& host, const rpc::Call& call, const api::UpdateMemberRequest& request,
                          api::UpdateMemberResponse* response) {
  RB_ASSIGN_OR_RETURN(const auto found, TeamOfMember(host, call, request.member().id(), "member.id"));
  RB_ASSIGN_OR_RETURN(const rpc::UpdateMask mask,
                      rpc::UpdateMask::Of(request.update_mask(), request.member(), {"id", "inactive", "busy_state"}));
  RB_RETURN_IF_ERROR(MayUpdate(call, request.member().id(), mask));
  const std::string team_id = found.message.id();
  return rpc::Once<api::UpdateMemberRequest, api::UpdateMemberResponse>(
      host.rpc(), call, request, response,
      [&](store::Commit* commit, api::UpdateMemberResponse* answer) -> absl::Status {
        RB_ASSIGN_OR_RETURN(auto team, LoadTeam(host, team_id));
        record::Member* member = Find(team.message, request.member().id());
        if (member == nullptr) return NotThere("member.id", "member");
        RB_ASSIGN_OR_RETURN(const record::Member given, NormaliseMember(mask.Only(request.member()), member,
                                                                        host.config().region, "member"));
        const std::string subscription = member->busy_url();
        mask.Copy(given, member);
        RB_RETURN_IF_ERROR(domain::CheckMember(*member, team.message, "member"));
        RB_RETURN_IF_ERROR(domain::CheckTeam(team.message));
        AddTeam(team.message, team.version, commit);
        RB_RETURN_IF_ERROR(Subscribe(host, team_id, member->id(), subscription, member->busy_url(), commit));
        *answer->mutable_member() = rpc::ToApi(*member);
        return absl::OkStatus();
      });
}

absl::Status RemoveMember(runtime::Host& host, const rpc::Call& call, const api::RemoveMemberRequest& request,
                          api::RemoveMemberResponse* response) {
  RB_ASSIGN_OR_RETURN(const auto found, TeamOfMember(host, call, request.member_id(), "member_id"));
  const std::string team_id = found.message.id();
  int handed_over = 0;
  return rpc::Once<api::RemoveMemberRequest, api::RemoveMemberResponse>(
      host.rpc(), call, request, response, [&](store::Commit*, api::RemoveMemberResponse* answer) -> absl::Status {
        const auto team = store::Again([&] { return Deactivate(host, team_id, request.member_id()); });
        RB_RETURN_IF_ERROR(team.status());
        const record::Member& member = *domain::FindMember(team->message, request.member_id());
        RB_ASSIGN_OR_RETURN(const int now_handed_over, HandOver(host, call, team->message, member));
        handed_over += now_handed_over;
        *answer->mutable_member() = rpc::ToApi(member);
        answer->set_handed_over(handed_over);
        return absl::OkStatus();
      });
}

absl::Status SetAbsence(runtime::Host& host, const rpc::Call& call, const api::SetAbsenceRequest& request,
                        api::SetAbsenceResponse* response) {
  RB_ASSIGN_OR_RETURN(const auto found, TeamOfMember(host, call, request.member_id(), "member_id"));
  if (call.principal.role == rpc::Role::kRep && request.member_id() != call.principal.member_id) {
    return OthersAreNotYours("member_id", "only a manager notes when others are away");
  }
  const std::string team_id = found.message.id();
  return rpc::Once<api::SetAbsenceRequest, api::SetAbsenceResponse>(
      host.rpc(), call, request, response,
      [&](store::Commit* commit, api::SetAbsenceResponse* answer) -> absl::Status {
        RB_ASSIGN_OR_RETURN(auto team, LoadTeam(host, team_id));
        record::Member* member = Find(team.message, request.member_id());
        if (member == nullptr) return NotThere("member_id", "member");
        member->clear_absences();
        for (const api::Absence& absence : request.absences()) {
          record::Absence* to = member->add_absences();
          if (absence.has_start_time()) *to->mutable_start_time() = absence.start_time();
          if (absence.has_end_time()) *to->mutable_end_time() = absence.end_time();
          to->set_substitute_id(absence.substitute_id());
        }
        RB_RETURN_IF_ERROR(domain::CheckMember(*member, team.message, ""));
        AddTeam(team.message, team.version, commit);
        *answer->mutable_member() = rpc::ToApi(*member);
        return absl::OkStatus();
      });
}

}  // namespace ringback::ingest
