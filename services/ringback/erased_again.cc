// See erased_again.h.
#include "ringback/erased_again.h"

#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/ids.h"
#include "core/base/status_macros.h"
#include "core/store/erase.h"
#include "core/store/records.h"
#include "delivery/retention.h"

namespace ringback {
namespace {

namespace record = ::ringback::store::v1;

class Eraser {
 public:
  Eraser(store::Store& store, blob::BlobStore& blobs, const runtime::Config& config)
      : store_(store), blobs_(blobs), config_(config) {}

  absl::Status Erase(const runtime::Erasure& entry) {
    const auto is = [&](std::string_view prefix) { return ShardOf(entry.id, prefix).ok(); };
    if (is(id_prefix::kCallback)) return EraseCallback(entry);
    if (is(id_prefix::kContact)) return EraseContact(entry);
    if (is(id_prefix::kRecording)) return EraseRecording(entry);
    if (is(id_prefix::kAnswer)) return EraseAnswer(entry);
    return absl::OkStatus();  // a later version's
  }

  const ErasedAgain& done() const { return done_; }

 private:
  absl::Status EraseCallback(const runtime::Erasure& entry) {
    RB_ASSIGN_OR_RETURN(const store::Key key, store::CallbackKey(entry.id));
    const auto callback = store::Load<record::CallbackRecord>(store_, key);
    if (absl::IsNotFound(callback.status())) return absl::OkStatus();
    RB_RETURN_IF_ERROR(callback.status());
    if (callback->message.erased()) return absl::OkStatus();
    store::Commit commit = NewCommit(key);
    RB_RETURN_IF_ERROR(store::AddErasure(store_, *callback, entry.time, &commit));
    commit.due.push_back(store::DueChange{store::RetentionDue(key.shard, callback->message.team_id(), entry.id), std::nullopt});
    RB_RETURN_IF_ERROR(store_.CommitOnce(commit).status());
    ++done_.callbacks;
    return RemoveFiles(key);
  }

  absl::Status EraseContact(const runtime::Erasure& entry) {
    RB_ASSIGN_OR_RETURN(const store::Key key, store::ContactKey(entry.id));
    const auto contact = store::Load<record::ContactRecord>(store_, key);
    if (absl::IsNotFound(contact.status())) return absl::OkStatus();
    RB_RETURN_IF_ERROR(contact.status());
    store::Commit commit = NewCommit(key);
    store::AddErasure(*contact, &commit);
    RB_RETURN_IF_ERROR(store_.CommitOnce(commit).status());
    ++done_.contacts;
    return absl::OkStatus();
  }

  absl::Status EraseRecording(const runtime::Erasure& entry) {
    RB_ASSIGN_OR_RETURN(const store::Key key, store::RecordingKey(entry.id));
    const auto recording = store::Load<record::RecordingRecord>(store_, key);
    if (absl::IsNotFound(recording.status())) return absl::OkStatus();
    RB_RETURN_IF_ERROR(recording.status());
    store::Commit commit = NewCommit(key);
    store::AddErasure(*recording, entry.time, &commit);
    commit.due.push_back(store::DueChange{store::RetentionDue(key.shard, recording->message.team_id(), entry.id), std::nullopt});
    RB_RETURN_IF_ERROR(store_.CommitOnce(commit).status());
    ++done_.recordings;
    return RemoveFiles(key);
  }

  absl::Status EraseAnswer(const runtime::Erasure& entry) {
    RB_ASSIGN_OR_RETURN(const store::Key key, store::AnswerKey(entry.id));
    const auto answer = store::Load<record::AnswerRecord>(store_, key);
    if (absl::IsNotFound(answer.status()) || (answer.ok() && !answer->message.has_create_time())) return absl::OkStatus();
    RB_RETURN_IF_ERROR(answer.status());
    store::Commit commit = NewCommit(key);
    store::AddErasure(*answer, entry.time, &commit);
    RB_RETURN_IF_ERROR(store_.CommitOnce(commit).status());
    ++done_.answers;
    return RemoveFiles(key);
  }

  store::Commit NewCommit(const store::Key& key) {
    store::Commit commit;
    commit.shard = key.shard;
    commit.commit_id = NewSecret(id_prefix::kLease, key.shard, *random_);
    return commit;
  }

  // Now, not when the server's retention comes to it. The tombstone stays for that: it has nothing left to remove.
  absl::Status RemoveFiles(const store::Key& owner) {
    const auto tombstone =
        store::Load<record::TombstoneRecord>(store_, store::TombstoneKey(owner.shard, owner.id + ".files"));
    if (absl::IsNotFound(tombstone.status())) return absl::OkStatus();
    RB_RETURN_IF_ERROR(tombstone.status());
    return delivery::RemoveFilesOf(tombstone->message, blobs_, config_);
  }

  store::Store& store_;
  blob::BlobStore& blobs_;
  const runtime::Config& config_;
  const std::unique_ptr<Random> random_ = NewSystemRandom();
  ErasedAgain done_;
};

}  // namespace

absl::StatusOr<ErasedAgain> EraseAgain(const std::vector<runtime::Erasure>& entries, store::Store& store,
                                       blob::BlobStore& blobs, const runtime::Config& config) {
  Eraser eraser(store, blobs, config);
  for (const runtime::Erasure& entry : entries) RB_RETURN_IF_ERROR(eraser.Erase(entry));
  if (!entries.empty()) {
    RB_RETURN_IF_ERROR(store.Sweep().status());
    RB_RETURN_IF_ERROR(store.Compact());
  }
  return eraser.done();
}

}  // namespace ringback
