#include "core/store/erase.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/ids.h"
#include "core/domain/deliveries.h"

namespace ringback::store {
namespace {

int OwnShard(std::string_view id) {
  const auto shard = ShardOf(id);
  RB_CHECK(shard.ok());
  return *shard;
}

google::protobuf::Timestamp ToProto(absl::Time at) {
  google::protobuf::Timestamp proto;
  proto.set_seconds(absl::ToUnixSeconds(at));
  return proto;
}

absl::Time FromProto(const google::protobuf::Timestamp& at) {
  return absl::FromUnixSeconds(at.seconds()) + absl::Nanoseconds(at.nanos());
}

// Whatever version it has by now: a worker that changes it at this moment finds it gone.
void AddDelete(const Key& key, Commit* commit) {
  Put gone;
  gone.key = key;
  gone.any_version = true;
  commit->puts.push_back(std::move(gone));
}

void AddIndexRemoval(int shard, const std::string& team, std::string name, std::string member, Commit* commit) {
  commit->indexes.push_back(IndexChange{IndexKey{shard, team, std::move(name)}, std::move(member), true});
}

// All names a recording can have: a transcode that runs at this moment may write its renditions before it finds the
// record gone.
std::set<std::string> BlobsOf(const std::string& recording_id) {
  const std::string folder = absl::StrCat(recording_id.substr(2, 2), "/", recording_id, "/");
  return {folder + "original", folder + "voice.opus", folder + "voice.mp3"};
}

// The record, its indexes and due entry; its files go to the tombstone.
void AddRecording(const record::RecordingRecord& recording, Commit* commit, record::TombstoneRecord* tombstone) {
  const int shard = OwnShard(recording.id());
  AddDelete(Key{shard, Kind::kRecording, recording.id()}, commit);
  commit->due.push_back(DueChange{TranscodeDue(recording), std::nullopt});
  if (!recording.callback_id().empty()) {
    AddIndexRemoval(shard, recording.team_id(), std::string(index::kRecordingsOf),
                    Member(recording.callback_id(), recording.id()), commit);
  }
  AddIndexRemoval(shard, recording.team_id(), std::string(index::kDead),
                  Member(SortKey(FromProto(recording.create_time())), recording.id()), commit);
  std::set<std::string> blobs = BlobsOf(recording.id());
  for (const std::string& name : {recording.original_blob(), recording.opus_blob(), recording.mp3_blob()}) {
    if (!name.empty()) blobs.insert(name);
  }
  for (const std::string& name : blobs) tombstone->add_blobs(name);
}

absl::Status AddRecordings(Store& store, const record::CallbackRecord& callback, Commit* commit,
                           record::TombstoneRecord* tombstone) {
  Page page;
  page.limit = 500;
  const IndexKey recordings{OwnShard(callback.id()), callback.team_id(), std::string(index::kRecordingsOf)};
  for (;;) {
    RB_ASSIGN_OR_RETURN(const ScanResult scan, store.Scan(recordings, callback.id() + '\x1f', callback.id() + '\x20', page));
    for (const std::string& member : scan.members) {
      RB_ASSIGN_OR_RETURN(const Key key, RecordingKey(IdOfMember(member)));
      auto recording = Load<record::RecordingRecord>(store, key);
      if (absl::IsNotFound(recording.status())) {
        AddIndexRemoval(key.shard, callback.team_id(), std::string(index::kRecordingsOf), member, commit);
        continue;
      }
      RB_RETURN_IF_ERROR(recording.status());
      AddRecording(recording->message, commit, tombstone);
    }
    if (!scan.more || scan.members.empty()) return absl::OkStatus();
    page.after = scan.members.back();
  }
}

// Alarms of other callbacks that were to leave in this one's message wait for nobody any more: they go out by themselves.
absl::Status ReleaseFollowers(Store& store, const record::DeliveryRecord& leader, absl::Time now, Commit* commit) {
  for (const std::string& id : leader.bundle_ids()) {
    RB_ASSIGN_OR_RETURN(const Key key, DeliveryKey(id));
    auto follower = Load<record::DeliveryRecord>(store, key);
    if (absl::IsNotFound(follower.status())) continue;
    RB_RETURN_IF_ERROR(follower.status());
    record::DeliveryRecord& delivery = follower->message;
    if (delivery.callback_id() == leader.callback_id() || delivery.bundled_into_id() != leader.id() ||
        delivery.state() != record::DeliveryRecord::STATE_SENDING) {
      continue;
    }
    delivery.set_state(record::DeliveryRecord::STATE_QUEUED);
    delivery.clear_bundled_into_id();
    AddDelivery(delivery, follower->version, commit);
    commit->due.push_back(DueChange{DeliveryDue(delivery), now});
  }
  return absl::OkStatus();
}

absl::Status AddDeliveries(Store& store, const record::CallbackRecord& callback, absl::Time now, Commit* commit,
                           record::TombstoneRecord* tombstone) {
  std::vector<Key> keys;
  for (int n = 1; n <= callback.delivery_count(); ++n) {
    RB_ASSIGN_OR_RETURN(Key key, DeliveryKey(domain::DeliveryId(callback.id(), n)));
    keys.push_back(std::move(key));
  }
  if (keys.empty()) return absl::OkStatus();
  RB_ASSIGN_OR_RETURN(const auto records, store.GetMany(keys));
  std::set<std::string> messages;
  for (size_t i = 0; i < records.size(); ++i) {
    if (records[i].version == 0) continue;
    record::DeliveryRecord delivery;
    if (!delivery.ParseFromString(records[i].value)) {
      return absl::DataLossError(absl::StrCat("the record ", keys[i].id, " does not parse"));
    }
    AddDelete(keys[i], commit);
    commit->due.push_back(DueChange{DeliveryDue(delivery), std::nullopt});
    RB_RETURN_IF_ERROR(ReleaseFollowers(store, delivery, now, commit));
    const std::string member = Member(SortKey(FromProto(delivery.create_time())), delivery.id());
    AddIndexRemoval(keys[i].shard, callback.team_id(), std::string(index::kDead), member, commit);
    if (!delivery.member_id().empty()) {
      AddIndexRemoval(keys[i].shard, callback.team_id(), absl::StrCat(std::string(index::kAlarms), delivery.member_id()),
                      member, commit);
    }
    messages.insert(delivery.id());
    // A message that spoke of several callers leaves as a whole.
    if (!delivery.bundled_into_id().empty()) messages.insert(delivery.bundled_into_id());
  }
  for (const std::string& id : messages) tombstone->add_message_ids(id);
  return absl::OkStatus();
}

// Nothing but the id stays, and the callback's.
void AddAnswerErasure(const Loaded<record::AnswerRecord>& answer, Commit* commit, record::TombstoneRecord* tombstone) {
  record::AnswerRecord left;
  left.set_id(answer.message.id());
  left.set_team_id(answer.message.team_id());
  AddAnswer(&answer.message, answer.version, left, absl::InfiniteFuture(), commit);
  std::set<std::string> blobs;
  if (!answer.message.original_blob().empty()) blobs.insert(answer.message.original_blob());
  for (const auto& attachment : answer.message.attachments()) {
    if (!attachment.blob().empty()) blobs.insert(attachment.blob());
  }
  for (const std::string& name : blobs) tombstone->add_blobs(name);
  // What told somebody of it while it was tied to a callback that it did not belong to.
  for (const std::string& id : answer.message.quoted_in_ids()) tombstone->add_message_ids(id);
}

// A mail that comes in or is tied at this moment changes the callback's version too: none stays behind.
absl::Status AddAnswers(Store& store, const record::CallbackRecord& callback, Commit* commit, record::TombstoneRecord* tombstone) {
  Page page;
  page.limit = 500;
  const IndexKey answers{OwnShard(callback.id()), callback.team_id(), std::string(index::kAnswers)};
  for (;;) {
    RB_ASSIGN_OR_RETURN(const ScanResult scan, store.Scan(answers, callback.id() + '\x1f', callback.id() + '\x20', page));
    for (const std::string& member : scan.members) {
      RB_ASSIGN_OR_RETURN(const Key key, AnswerKey(IdOfMember(member)));
      auto answer = Load<record::AnswerRecord>(store, key);
      if (absl::IsNotFound(answer.status())) continue;
      RB_RETURN_IF_ERROR(answer.status());
      AddAnswerErasure(*answer, commit, tombstone);
    }
    if (!scan.more || scan.members.empty()) return absl::OkStatus();
    page.after = scan.members.back();
  }
}

// The files leave at `due`.
void AddTombstone(int shard, std::string_view team, record::TombstoneRecord tombstone, absl::Time now, absl::Time due,
                  Commit* commit) {
  if (tombstone.blobs().empty() && tombstone.message_ids().empty()) return;
  *tombstone.mutable_create_time() = ToProto(now);
  AddPut(TombstoneKey(shard, tombstone.subject()), 0, tombstone, commit);
  commit->due.push_back(DueChange{RetentionDue(shard, team, tombstone.subject()), due});
}

}  // namespace

absl::Status AddErasure(Store& store, const Loaded<record::CallbackRecord>& callback, absl::Time now, Commit* commit,
                        const domain::Actor& actor) {
  const record::CallbackRecord& before = callback.message;
  if (before.erased()) return absl::OkStatus();
  RB_ASSIGN_OR_RETURN(const Key team_key, TeamKey(before.team_id()));
  RB_ASSIGN_OR_RETURN(const auto team, Load<record::TeamRecord>(store, team_key));
  domain::Decision decision = domain::Erase(before, team.message, actor, now);
  decision.purge_time.reset();  // it leaves now
  AddDecision(&before, callback.version, decision, now, commit);
  commit->indexes.push_back(DeadTimer(team_key.shard, before.team_id(), before.id(), /*remove=*/true));

  if (!before.page_token().empty()) {
    RB_ASSIGN_OR_RETURN(const Key page_token, PageTokenKey(before.page_token()));
    AddDelete(page_token, commit);
  }
  record::TombstoneRecord tombstone;
  tombstone.set_subject(before.id() + ".files");
  RB_RETURN_IF_ERROR(AddRecordings(store, before, commit, &tombstone));
  RB_RETURN_IF_ERROR(AddDeliveries(store, before, now, commit, &tombstone));
  RB_RETURN_IF_ERROR(AddAnswers(store, before, commit, &tombstone));
  AddTombstone(team_key.shard, before.team_id(), std::move(tombstone), now, now, commit);
  return absl::OkStatus();
}

void AddErasure(const Loaded<record::RecordingRecord>& recording, absl::Time now, Commit* commit) {
  record::TombstoneRecord tombstone;
  tombstone.set_subject(recording.message.id() + ".files");
  AddRecording(recording.message, commit, &tombstone);
  AddTombstone(OwnShard(recording.message.id()), recording.message.team_id(), std::move(tombstone), now, now, commit);
}

void AddErasure(const Loaded<record::AnswerRecord>& answer, absl::Time now, Commit* commit) {
  record::TombstoneRecord tombstone;
  tombstone.set_subject(answer.message.id() + ".files");
  AddAnswerErasure(answer, commit, &tombstone);
  AddTombstone(OwnShard(answer.message.id()), answer.message.team_id(), std::move(tombstone), now, now, commit);
}

void AddErasure(const Loaded<record::ContactRecord>& contact, Commit* commit) {
  AddContactIndexes(contact.message, true, commit);
  Put gone;
  gone.key = Key{OwnShard(contact.message.id()), Kind::kContact, contact.message.id()};
  gone.expected_version = contact.version;
  commit->puts.push_back(std::move(gone));
}

void AddOrphan(const std::string& owner_id, const std::vector<std::string>& blobs, absl::Time due, absl::Time now,
               Commit* commit) {
  std::set<std::string> names(blobs.begin(), blobs.end());
  if (RecordingKey(owner_id).ok()) names.merge(BlobsOf(owner_id));
  record::TombstoneRecord tombstone;
  tombstone.set_subject(owner_id + ".files");
  for (const std::string& name : names) tombstone.add_blobs(name);
  AddTombstone(OwnShard(owner_id), kNobody, std::move(tombstone), now, due, commit);
}

}  // namespace ringback::store
