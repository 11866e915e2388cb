#include "core/store/change_callback.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "core/base/status_macros.h"
#include "core/store/again.h"
#include "core/store/records.h"

namespace ringback::store {
namespace {

constexpr absl::Duration kRevokedKept = absl::Hours(24 * 90);

absl::StatusOr<CommitResult> CommitSurely(Store& store, const Commit& commit) {
  auto result = store.CommitOnce(commit);
  // The outcome is unknown: under the same id the store tells.
  if (absl::IsUnavailable(result.status())) return store.CommitOnce(commit);
  return result;
}

// Whether a commit of this id was carried out, asked by one that cannot be: its version is never there. A store remembers
// commits by the first record they put, and that is the callback in all of them.
absl::StatusOr<bool> WasCommitted(Store& store, const Key& callback, const std::string& commit_id) {
  Commit commit;
  commit.shard = callback.shard;
  commit.commit_id = commit_id;
  Put put;
  put.key = callback;
  put.expected_version = std::numeric_limits<int64_t>::max();
  put.value = "";
  commit.puts.push_back(std::move(put));
  const auto result = CommitSurely(store, commit);
  if (absl::IsAborted(result.status())) return false;
  RB_RETURN_IF_ERROR(result.status());
  return result->repeated;
}

// The callback's record goes before the pages of its history.
void PutFirst(const Key& callback, Commit* commit) {
  const auto own = std::find_if(commit->puts.begin(), commit->puts.end(),
                                [&](const Put& put) { return put.key == callback; });
  std::rotate(commit->puts.begin(), own, own + 1);
}

}  // namespace

absl::StatusOr<record::CallbackRecord> ChangeCallback(Store& store, const Key& callback, const std::string& commit_id,
                                                      const DecideChange& decide, const AddToChange& also) {
  return Again([&]() -> absl::StatusOr<record::CallbackRecord> {
    RB_ASSIGN_OR_RETURN(auto before, Load<record::CallbackRecord>(store, callback));
    RB_ASSIGN_OR_RETURN(const Key team_key, TeamKey(before.message.team_id()));
    RB_ASSIGN_OR_RETURN(const auto team, Load<record::TeamRecord>(store, team_key));
    RB_ASSIGN_OR_RETURN(const absl::Time now, store.Now());
    auto decision = decide(before.message, team.message, now);
    if (!decision.ok()) {
      RB_ASSIGN_OR_RETURN(const bool repeated, WasCommitted(store, callback, commit_id));
      if (!repeated) return decision.status();
      return std::move(before.message);
    }
    Commit commit;
    commit.shard = callback.shard;
    commit.commit_id = commit_id;
    AddDecision(&before.message, before.version, *decision, now, &commit);
    PutFirst(callback, &commit);
    if (also) RB_RETURN_IF_ERROR(also(before.message, *decision, &commit));
    RB_RETURN_IF_ERROR(CommitSurely(store, commit).status());
    RB_ASSIGN_OR_RETURN(auto after, Load<record::CallbackRecord>(store, callback));
    return std::move(after.message);
  });
}

absl::Status RevokePage(Store& store, const record::CallbackRecord& before, Commit* commit) {
  if (before.page_token().empty()) return absl::OkStatus();
  RB_ASSIGN_OR_RETURN(const Key key, PageTokenKey(before.page_token()));
  auto token = Load<record::TokenRecord>(store, key);
  if (absl::IsNotFound(token.status())) return absl::OkStatus();
  RB_RETURN_IF_ERROR(token.status());
  RB_ASSIGN_OR_RETURN(const absl::Time now, store.Now());
  token->message.set_revoked(true);
  AddPut(key, token->version, token->message, commit);
  // Nothing leads to it any more: it leaves by itself, and one that is not there opens nothing either.
  commit->puts.back().expires = now + kRevokedKept;
  return absl::OkStatus();
}

void RenewPage(Random& random, absl::Time now, domain::Decision* decision, Commit* commit) {
  record::CallbackRecord& callback = decision->callback;
  if (!callback.page_token().empty() || callback.erased()) return;
  callback.set_page_token(NewSecret(id_prefix::kPage, commit->shard, random));
  AddPageToken(callback, NewId(id_prefix::kToken, commit->shard, random), now, commit);
}

}  // namespace ringback::store
