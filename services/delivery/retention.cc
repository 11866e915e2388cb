#include "delivery/retention.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "core/rpc/translate.h"
#include "core/runtime/erasure_journal.h"
#include "core/store/erase.h"
#include "core/store/records.h"
#include "delivery/maildir.h"

namespace ringback::delivery {
namespace {

namespace record = ::ringback::store::v1;

// The transcode worker's lease, and then some.
constexpr absl::Duration kLongestJob = absl::Minutes(3);
constexpr int kSweepCallsMax = 1000;

class RetentionHandler : public runtime::JobHandler {
 public:
  RetentionHandler(runtime::Host& host, std::atomic<bool>* erased) : host_(host), erased_(erased) {}

  absl::Status Handle(const runtime::Job& job) override {
    const store::Lease& lease = job.lease;
    runtime::JobBegins(job, "");
    auto tombstone = store::Load<record::TombstoneRecord>(host_.store(), store::TombstoneKey(lease.key.shard, lease.key.id));
    if (tombstone.ok()) return RemoveFiles(lease, *tombstone);
    if (!absl::IsNotFound(tombstone.status())) return tombstone.status();
    return Purge(lease);
  }

  // Data that does not leave is a breach of law 9: it is tried again, and the log says so, until it has left.
  absl::Status DeadLetter(const store::Lease& lease, const std::string& reason) override {
    RB_LOG_ERROR("{} does not leave: {}; next try in an hour", lease.key.id, reason);
    return Postpone(lease, absl::Hours(1));
  }

 private:
  store::Commit NewCommit(const store::Lease& lease, std::string_view what) {
    store::Commit commit;
    commit.shard = lease.key.shard;
    commit.commit_id = absl::StrCat(std::string(what), "/", lease.lease_id);
    commit.lease = lease;
    return commit;
  }

  absl::Status Postpone(const store::Lease& lease, absl::Duration by) {
    RB_ASSIGN_OR_RETURN(const absl::Time now, host_.store().Now());
    store::Commit commit = NewCommit(lease, "postpone");
    commit.due.push_back(store::DueChange{lease.key, now + by});
    return host_.store().CommitOnce(commit).status();
  }

  // An orphan's files wait for a while (orphans.h); should its record have come in the meantime, they are no orphan's.
  absl::StatusOr<bool> HasRecord(const std::string& subject) {
    const std::string owner(absl::StripSuffix(subject, ".files"));
    if (const auto key = store::AnswerKey(owner); key.ok()) {
      const auto answer = store::Load<record::AnswerRecord>(host_.store(), *key);
      if (absl::IsNotFound(answer.status())) return false;
      RB_RETURN_IF_ERROR(answer.status());
      return answer->message.has_create_time();  // else only its id is left
    }
    const auto key = store::RecordingKey(owner);
    if (!key.ok()) return false;  // a callback's files
    const absl::Status found = host_.store().Get(*key).status();
    if (absl::IsNotFound(found)) return false;
    RB_RETURN_IF_ERROR(found);
    return true;
  }

  absl::Status Bury(const store::Lease& lease, uint64_t version) {
    store::Commit commit = NewCommit(lease, "buried");
    store::Put gone;
    gone.key = store::TombstoneKey(lease.key.shard, lease.key.id);
    gone.expected_version = version;
    commit.puts.push_back(std::move(gone));
    commit.due.push_back(store::DueChange{lease.key, std::nullopt});
    return host_.store().CommitOnce(commit).status();
  }

  absl::Status RemoveFiles(const store::Lease& lease, const store::Loaded<record::TombstoneRecord>& tombstone) {
    const bool orphan = lease.key.team == store::kNobody;
    RB_ASSIGN_OR_RETURN(const bool alive, HasRecord(tombstone.message.subject()));
    if (alive) {
      host_.metrics().Count("ringback_orphans_total", {{"outcome", "kept"}});
      return Bury(lease, tombstone.version);
    }
    RB_RETURN_IF_ERROR(RemoveFilesOf(tombstone.message, host_.blobs(), host_.config()));
    // A transcode that was under way when its recording was erased may still have written: once more after its lease.
    RB_ASSIGN_OR_RETURN(const absl::Time now, host_.store().Now());
    erased_->store(true);
    if (now - rpc::FromProto(tombstone.message.create_time()) < kLongestJob) return Postpone(lease, kLongestJob);
    if (orphan) host_.metrics().Count("ringback_orphans_total", {{"outcome", "removed"}});
    return Bury(lease, tombstone.version);
  }

  absl::Status PurgeRecording(const store::Lease& lease) {
    const store::Key key{lease.key.shard, store::Kind::kRecording, lease.key.id};
    auto recording = store::Load<record::RecordingRecord>(host_.store(), key);
    store::Commit commit = NewCommit(lease, "purge");
    commit.due.push_back(store::DueChange{lease.key, std::nullopt});
    if (absl::IsNotFound(recording.status())) return host_.store().CommitOnce(commit).status();
    RB_RETURN_IF_ERROR(recording.status());
    RB_ASSIGN_OR_RETURN(const absl::Time now, host_.store().Now());
    RB_RETURN_IF_ERROR(runtime::NoteErasures(host_.config(), now, {lease.key.id}));
    store::AddErasure(*recording, now, &commit);
    return host_.store().CommitOnce(commit).status();
  }

  // Mail that found no callback, or was dropped from the list.
  absl::Status PurgeAnswer(const store::Lease& lease) {
    const store::Key key{lease.key.shard, store::Kind::kAnswer, lease.key.id};
    auto answer = store::Load<record::AnswerRecord>(host_.store(), key);
    store::Commit commit = NewCommit(lease, "purge");
    if (absl::IsNotFound(answer.status()) ||
        (answer.ok() && (!answer->message.callback_id().empty() || !answer->message.has_create_time()))) {
      commit.due.push_back(store::DueChange{lease.key, std::nullopt});
      return host_.store().CommitOnce(commit).status();
    }
    RB_RETURN_IF_ERROR(answer.status());
    RB_ASSIGN_OR_RETURN(const store::Key team_key, store::TeamKey(answer->message.team_id()));
    RB_ASSIGN_OR_RETURN(const auto team, store::Load<record::TeamRecord>(host_.store(), team_key));
    if (team.message.legal_hold()) return Postpone(lease, absl::Hours(24));
    RB_ASSIGN_OR_RETURN(const absl::Time now, host_.store().Now());
    RB_RETURN_IF_ERROR(runtime::NoteErasures(host_.config(), now, {lease.key.id}));
    store::AddErasure(*answer, now, &commit);  // ends this entry too
    return host_.store().CommitOnce(commit).status();
  }

  absl::Status Purge(const store::Lease& lease) {
    if (absl::StartsWith(lease.key.id, "rc")) return PurgeRecording(lease);
    if (absl::StartsWith(lease.key.id, "an")) return PurgeAnswer(lease);
    const store::Key key{lease.key.shard, store::Kind::kCallback, lease.key.id};
    auto callback = store::Load<record::CallbackRecord>(host_.store(), key);
    store::Commit commit = NewCommit(lease, "purge");
    if (absl::IsNotFound(callback.status()) || (callback.ok() && callback->message.erased())) {
      commit.due.push_back(store::DueChange{lease.key, std::nullopt});
      return host_.store().CommitOnce(commit).status();
    }
    RB_RETURN_IF_ERROR(callback.status());
    RB_ASSIGN_OR_RETURN(const store::Key team_key, store::TeamKey(callback->message.team_id()));
    RB_ASSIGN_OR_RETURN(const auto team, store::Load<record::TeamRecord>(host_.store(), team_key));
    if (callback->message.legal_hold() || team.message.legal_hold()) return Postpone(lease, absl::Hours(24));
    RB_ASSIGN_OR_RETURN(const absl::Time now, host_.store().Now());
    commit.due.push_back(store::DueChange{lease.key, std::nullopt});
    RB_RETURN_IF_ERROR(runtime::NoteErasures(host_.config(), now, {lease.key.id}));
    RB_RETURN_IF_ERROR(store::AddErasure(host_.store(), *callback, now, &commit));
    return host_.store().CommitOnce(commit).status();
  }

  runtime::Host& host_;
  std::atomic<bool>* const erased_;
};

}  // namespace

absl::Status RemoveFilesOf(const record::TombstoneRecord& tombstone, blob::BlobStore& blobs, const runtime::Config& config) {
  for (const std::string& blob : tombstone.blobs()) RB_RETURN_IF_ERROR(blobs.Delete(blob));
  // Only a Maildir keeps copies; mail that a server took is that server's.
  std::vector<std::string> ids;
  for (const std::string& id : tombstone.message_ids()) {
    ids.push_back(absl::StrContains(id, '@') ? id : absl::StrCat(id, "@", config.mail_domain));
  }
  return RemoveFromMaildir(config.OutboxDir(), ids);
}

std::unique_ptr<runtime::JobHandler> Retention::NewHandler() {
  return std::make_unique<RetentionHandler>(host_, &erased_);
}

absl::Duration CompactPause(absl::Duration took) { return std::clamp(took * 100, absl::Seconds(30), absl::Hours(12)); }

absl::Status Retention::Sweep() {
  // Each call's work is bounded, so that writers get their turn in between.
  for (int calls = 0; calls < kSweepCallsMax; ++calls) {
    RB_ASSIGN_OR_RETURN(const int removed, host_.store().Sweep());
    if (removed == 0) break;
  }
  const absl::Time now = host_.clock().Now();
  if (now < next_compact_ || (!erased_.load() && now - compacted_ < absl::Hours(24))) return absl::OkStatus();
  return Compact(now);
}

absl::Status Retention::Compact(absl::Time now) {
  erased_.store(false);  // before it begins: what is erased meanwhile is for the next time
  const auto begin = std::chrono::steady_clock::now();
  const absl::Status status = host_.store().Compact();
  next_compact_ = now + CompactPause(absl::FromChrono(std::chrono::steady_clock::now() - begin));
  if (status.ok()) {
    compacted_ = now;
  } else {
    erased_.store(true);
  }
  return status;
}

}  // namespace ringback::delivery
