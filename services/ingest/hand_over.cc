#include "ingest/hand_over.h"

#include <optional>
#include <set>

#include "absl/strings/str_cat.h"
#include "core/domain/hand_over.h"
#include "core/domain/team.h"
#include "core/store/again.h"
#include "ingest/team_members.h"
#include "ingest/teams.h"

namespace ringback::ingest {
namespace {

constexpr size_t kCallbacksMost = 500;
constexpr int kSuccessorsMost = 100;

absl::Status Check(const record::TeamRecord& team, const api::HandOverMemberRequest& request, absl::Time now) {
  if (request.to_member_ids_size() > kSuccessorsMost) {
    return domain::InvalidField("to_member_ids", "TOO_MANY", absl::StrCat("at most ", kSuccessorsMost));
  }
  std::set<std::string> seen;
  for (int i = 0; i < request.to_member_ids_size(); ++i) {
    const std::string field = absl::StrCat("to_member_ids[", i, "]");
    const record::Member* member = domain::FindMember(team, request.to_member_ids(i));
    if (member == nullptr || member->inactive()) {
      return domain::InvalidField(field, "MEMBER_UNKNOWN", "this is no active member of the team");
    }
    if (member->id() == request.member_id()) {
      return domain::InvalidField(field, "SAME_MEMBER", "somebody else than the member whose callbacks they are");
    }
    if (!seen.insert(member->id()).second) return domain::InvalidField(field, "NOT_UNIQUE", "name each member once");
  }
  if (request.callback_ids_size() > static_cast<int>(kCallbacksMost)) {
    return domain::InvalidField("callback_ids", "TOO_MANY", absl::StrCat("at most ", kCallbacksMost));
  }
  for (int i = 0; i < request.callback_ids_size(); ++i) {
    if (store::CallbackKey(request.callback_ids(i)).ok()) continue;
    return domain::InvalidField(absl::StrCat("callback_ids[", i, "]"), "ID_INVALID",
                                "a callback's id looks like cb07h3k9x2m4q8w1");
  }
  if (request.has_away_until() && rpc::FromProto(request.away_until()) <= now) {
    return domain::InvalidField("away_until", "TIME_PASSED", "a time that is still to come");
  }
  return absl::OkStatus();
}

// In a commit of its own, and before anything changes hands: what comes in meanwhile finds the substitute.
absl::Status NoteAbsence(runtime::Host& host, const std::string& team_id, const std::string& member_id, absl::Time until) {
  return store::Again([&]() -> absl::Status {
    RB_ASSIGN_OR_RETURN(auto team, LoadTeam(host, team_id));
    RB_ASSIGN_OR_RETURN(const absl::Time now, host.store().Now());
    for (record::Member& member : *team.message.mutable_members()) {
      if (member.id() != member_id) continue;
      const record::Absence* known = domain::AbsenceAt(member, now);
      if (known != nullptr && (!known->has_end_time() || rpc::FromProto(known->end_time()) >= until)) return absl::OkStatus();
      record::Absence& absence = *member.add_absences();
      *absence.mutable_start_time() = rpc::ToProto(now);
      *absence.mutable_end_time() = rpc::ToProto(until);
    }
    RB_RETURN_IF_ERROR(domain::CheckTeam(team.message));
    store::Commit commit;
    commit.shard = store::TeamKey(team_id)->shard;
    commit.commit_id = NewCommitId(host, commit.shard);
    AddTeam(team.message, team.version, &commit);
    return host.store().CommitOnce(commit).status();
  });
}

// Everything in the member's index of open callbacks, soonest due first.
absl::StatusOr<std::vector<std::string>> OpenOf(runtime::Host& host, const record::TeamRecord& team,
                                                const std::string& member_id) {
  RB_ASSIGN_OR_RETURN(const store::Key key, store::TeamKey(team.id()));
  const store::IndexKey index{key.shard, team.id(), absl::StrCat(std::string(store::index::kOpenBy), member_id)};
  std::vector<std::string> entries;
  store::Page page;
  page.limit = 500;
  for (;;) {
    RB_ASSIGN_OR_RETURN(const auto scan, host.store().Scan(index, "", "", page));
    entries.insert(entries.end(), scan.members.begin(), scan.members.end());
    if (!scan.more || scan.members.empty()) return entries;
    page.after = scan.members.back();
  }
}

class HandOver {
 public:
  HandOver(runtime::Host& host, const rpc::Call& call, const api::HandOverMemberRequest& request)
      : host_(host), call_(call), request_(request), wanted_(request.callback_ids().begin(), request.callback_ids().end()) {}

  // Runs again where it was interrupted: what has changed hands stands no longer in the member's index.
  absl::Status Run(const record::TeamRecord& team, api::HandOverMemberResponse* response) {
    RB_ASSIGN_OR_RETURN(const bool more, Find(team));
    if (!callbacks_.empty()) {
      RB_ASSIGN_OR_RETURN(auto successors, Successors(team));
      const std::vector<std::string> chosen = domain::Spread(due_, std::move(successors), team);
      for (size_t i = 0; i < callbacks_.size(); ++i) RB_RETURN_IF_ERROR(Give(team, callbacks_[i], chosen[i]));
    }
    for (const auto& one : done_) *response->add_handed_over() = one;
    response->set_more(more);
    return absl::OkStatus();
  }

 private:
  // True when there are more of them than one call hands over.
  absl::StatusOr<bool> Find(const record::TeamRecord& team) {
    callbacks_.clear();
    due_.clear();
    RB_ASSIGN_OR_RETURN(const auto entries, OpenOf(host_, team, request_.member_id()));
    std::vector<store::Key> keys;
    bool more = false;
    for (const std::string& entry : entries) {
      const std::string id(store::IdOfMember(entry));
      if (!wanted_.empty() && !wanted_.contains(id)) continue;
      if (keys.size() + done_.size() == kCallbacksMost) {
        more = true;
        break;
      }
      RB_ASSIGN_OR_RETURN(store::Key key, store::CallbackKey(id));
      keys.push_back(std::move(key));
    }
    if (keys.empty()) return more;
    RB_ASSIGN_OR_RETURN(const auto records, host_.store().GetMany(keys));
    for (size_t i = 0; i < records.size(); ++i) {
      record::CallbackRecord callback;
      if (records[i].version == 0 || !callback.ParseFromString(records[i].value)) continue;
      callbacks_.push_back(keys[i]);
      due_.push_back(domain::DueTime(callback));
    }
    return more;
  }

  absl::StatusOr<std::vector<domain::Successor>> Successors(const record::TeamRecord& team) {
    std::vector<std::string> ids(request_.to_member_ids().begin(), request_.to_member_ids().end());
    if (ids.empty()) {
      const std::string heir = domain::Heir(team, request_.member_id(), call_.now);
      if (heir.empty()) {
        return domain::FieldError(absl::StatusCode::kFailedPrecondition, "to_member_ids", "NOBODY_STANDS_IN",
                                  "nobody stands in for this member and no manager is present; name who takes over");
      }
      ids.push_back(heir);
    }
    std::vector<domain::Successor> successors;
    for (const std::string& id : ids) {
      domain::Successor& one = successors.emplace_back();
      one.member_id = id;
      if (ids.size() == 1) break;  // gets them all, whatever is planned
      RB_ASSIGN_OR_RETURN(const auto entries, OpenOf(host_, team, id));
      for (const std::string& entry : entries) one.planned.push_back(store::TimeOfMember(entry));
    }
    return successors;
  }

  absl::Status Give(const record::TeamRecord& team, const store::Key& key, const std::string& to) {
    RB_ASSIGN_OR_RETURN(const bool given, PassOn(host_, call_, team, key, request_.member_id(), to));
    if (!given) return absl::OkStatus();
    api::HandedOver& one = done_.emplace_back();
    one.set_callback_id(key.id);
    one.set_member_id(to);
    return absl::OkStatus();
  }

  runtime::Host& host_;
  const rpc::Call& call_;
  const api::HandOverMemberRequest& request_;
  const std::set<std::string> wanted_;  // empty: all
  std::vector<store::Key> callbacks_;
  std::vector<std::optional<absl::Time>> due_;
  std::vector<api::HandedOver> done_;
};

}  // namespace

absl::StatusOr<bool> PassOn(runtime::Host& host, const rpc::Call& call, const record::TeamRecord& team,
                            const store::Key& callback_key, const std::string& from, const std::string& to) {
  return store::Again([&]() -> absl::StatusOr<bool> {
    const auto callback = store::Load<record::CallbackRecord>(host.store(), callback_key);
    if (absl::IsNotFound(callback.status())) return false;
    RB_RETURN_IF_ERROR(callback.status());
    const bool closed = callback->message.phase() == record::CallbackRecord::PHASE_CLOSED;
    if (closed || callback->message.assignee_id() != from) return false;
    RB_ASSIGN_OR_RETURN(const absl::Time now, host.store().Now());
    RB_ASSIGN_OR_RETURN(const domain::Decision decision,
                        domain::Apply(callback->message, domain::Assign{to}, team,
                                      domain::Actor{call.principal.ActorId()}, now));
    store::Commit commit;
    commit.shard = callback_key.shard;
    commit.commit_id = NewCommitId(host, callback_key.shard);
    store::AddDecision(&callback->message, callback->version, decision, now, &commit);
    RB_RETURN_IF_ERROR(host.store().CommitOnce(commit).status());
    return true;
  });
}

absl::Status HandOverMember(runtime::Host& host, const rpc::Call& call, const api::HandOverMemberRequest& request,
                            api::HandOverMemberResponse* response) {
  RB_ASSIGN_OR_RETURN(const auto found, TeamOfMember(host, call, request.member_id(), "member_id"));
  const std::string team_id = found.message.id();
  HandOver hand_over(host, call, request);
  return rpc::Once<api::HandOverMemberRequest, api::HandOverMemberResponse>(
      host.rpc(), call, request, response, [&](store::Commit*, api::HandOverMemberResponse* answer) -> absl::Status {
        RB_ASSIGN_OR_RETURN(auto team, LoadTeam(host, team_id));
        RB_RETURN_IF_ERROR(Check(team.message, request, call.now));
        if (request.has_away_until()) {
          RB_RETURN_IF_ERROR(NoteAbsence(host, team_id, request.member_id(), rpc::FromProto(request.away_until())));
          RB_ASSIGN_OR_RETURN(team, LoadTeam(host, team_id));
        }
        return hand_over.Run(team.message, answer);
      });
}

}  // namespace ringback::ingest
