#include "ingest/take.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/base/ids.h"
#include "core/base/log.h"
#include "core/handoff/handoff.h"
#include "ingest/upload.h"

namespace ringback::ingest {
namespace {

constexpr absl::Duration kSameContent = absl::Hours(24);
constexpr absl::Duration kUnusedKept = absl::Hours(24 * 30);  // a team without a retention of its own

}  // namespace

absl::StatusOr<std::unique_ptr<Take>> Take::Begin(runtime::Host& host, rpc::Call call,
                                                  const api::UploadHeader& header) {
  std::unique_ptr<Take> take(new Take(host, std::move(call)));
  take->header_ = header;
  RB_RETURN_IF_ERROR(take->CheckHeader());
  const int shard = take->call_.principal.shard;
  take->recording_id_ = NewId(id_prefix::kRecording, shard, host.random());
  take->blob_ = absl::StrCat(take->recording_id_.substr(2, 2), "/", take->recording_id_, "/original");
  RB_ASSIGN_OR_RETURN(take->writer_, host.blobs().Create(take->blob_));
  return take;
}

absl::Status Take::CheckHeader() {
  if (header_.request_id().empty() || header_.request_id().size() > 64) {
    return domain::InvalidField("header.request_id", "REQUEST_ID_MISSING", "1 to 64 characters of the client's choice");
  }
  absl::AsciiStrToLower(header_.mutable_sha256());
  if (header_.sha256().size() != 64 || header_.sha256().find_first_not_of("0123456789abcdef") != std::string::npos) {
    return domain::InvalidField("header.sha256", "SHA256_INVALID", "the SHA-256 of all bytes as 64 hexadecimal digits");
  }
  if (header_.size_bytes() < 0 || header_.size_bytes() > kRecordingBytesMax) {
    return domain::InvalidField("header.size_bytes", "RECORDING_TOO_LARGE", "a recording has at most 128 MiB");
  }
  if (!header_.callback_id().empty()) {
    RB_ASSIGN_OR_RETURN(const auto callback, FindCallback(host_, call_, header_.callback_id(), "header.callback_id"));
    header_.set_callback_id(callback.message.id());
    if (callback.message.phase() == record::CallbackRecord::PHASE_CLOSED) {
      return domain::FieldError(absl::StatusCode::kFailedPrecondition, "header.callback_id", "CALLBACK_CLOSED",
                                "this callback is closed");
    }
  }
  return absl::OkStatus();
}

absl::Status Take::Append(std::string_view chunk) {
  if (static_cast<int64_t>(chunk.size()) > kChunkBytesMax) {
    return domain::InvalidField("chunk", "CHUNK_TOO_LARGE", "a chunk has at most 1 MiB");
  }
  size_ += static_cast<int64_t>(chunk.size());
  if (size_ > kRecordingBytesMax) {
    return domain::InvalidField("chunk", "RECORDING_TOO_LARGE", "a recording has at most 128 MiB");
  }
  if (header_.size_bytes() != 0 && size_ > header_.size_bytes()) {
    return domain::InvalidField("header.size_bytes", "SIZE_MISMATCH", "more bytes came than the header announced");
  }
  hash_.Add(chunk);
  if (size_ > static_cast<int64_t>(handoff::kPayloadMax)) {
    payload_.reset();
  } else {
    payload_->append(chunk);
  }
  return writer_->Append(chunk);
}

absl::Status Take::CheckContent() {
  if (size_ == 0) return domain::InvalidField("chunk", "RECORDING_EMPTY", "not a single byte came");
  if (header_.size_bytes() != 0 && size_ != header_.size_bytes()) {
    return domain::InvalidField("header.size_bytes", "SIZE_MISMATCH",
                                absl::StrCat(header_.size_bytes(), " bytes were announced, ", size_, " came"));
  }
  const std::string hex = hash_.Hex();
  if (header_.sha256() == hex) return absl::OkStatus();
  return domain::InvalidField("header.sha256", "SHA256_MISMATCH",
                              absl::StrCat("the bytes that came have ", hex, ": send them again"));
}

absl::Status Take::Complete(api::UploadRecordingResponse* response) {
  const TraceScope trace(call_.trace_id);  // the transcode goes on under it
  laps_.Lap("receive");
  RB_RETURN_IF_ERROR(CheckContent());
  api::UploadHeader request = header_;
  request.clear_size_bytes();  // knowing it or not makes no other request of it
  bool decided = false;
  const absl::Status status = rpc::Once<api::UploadHeader, api::UploadRecordingResponse>(
      host_.rpc(), call_, request, response, [&](store::Commit* commit, api::UploadRecordingResponse* answer) {
        decided = true;
        return Decide(commit, answer);
      });
  const bool used = status.ok() && decided && response->recording().id() == recording_id_;
  // With UNAVAILABLE the outcome is unknown: the record may be there and need its bytes.
  if (stored_ && !used && !absl::IsUnavailable(status)) {
    if (const absl::Status removed = host_.blobs().Delete(blob_); !removed.ok()) {
      RB_LOG_WARN("the blob of the unused recording {} stays for the sweeper: {}", recording_id_,
                  std::string(removed.message()));
    }
  }
  RB_RETURN_IF_ERROR(status);
  laps_.Lap("commit");
  if (used) RB_LOG_INFO("upload: {} of {} KB {}", recording_id_, size_ / 1000, laps_.Text());
  if (!used) {
    response->set_repeated(true);
    if (auto now = FindRecording(host_, call_, response->recording().id(), "header.request_id"); now.ok()) {
      *response->mutable_recording() = rpc::ToApi(now->message);
    }
    return absl::OkStatus();
  }
  RB_LOG_INFO("recording {} of {} bytes was taken in{}", recording_id_, size_,
              header_.callback_id().empty() ? "" : " for " + header_.callback_id());
  return absl::OkStatus();
}

store::Key Take::MarkKey() const {
  const std::string content = absl::StrCat("upload/", header_.callback_id(), "/", call_.principal.ActorId(), "/", header_.sha256());
  return store::Key{call_.principal.shard, store::Kind::kRequest,
                    absl::StrCat(call_.principal.team_id, ".", Sha256Hex(content))};
}

absl::Status Take::Decide(store::Commit* commit, api::UploadRecordingResponse* response) {
  // The mark of this content, version-checked: of two equal uploads at one moment the second finds the first.
  const store::Key mark_key = MarkKey();
  RB_ASSIGN_OR_RETURN(const auto marks, host_.store().GetMany({mark_key}));
  if (marks[0].version != 0) {
    const auto known = FindRecording(host_, call_, marks[0].value, "header.sha256");
    if (known.ok()) {
      *response->mutable_recording() = rpc::ToApi(known->message);
      response->set_repeated(true);
      return absl::OkStatus();
    }
    if (!absl::IsNotFound(known.status())) return known.status();  // else it was erased in the meantime
  }
  if (!stored_) {
    laps_.Lap("check");
    RB_RETURN_IF_ERROR(writer_->Finish());
    stored_ = true;
    laps_.Lap("blob");
  }
  RB_ASSIGN_OR_RETURN(const absl::Time now, host_.store().Now());
  record::RecordingRecord recording;
  recording.set_id(recording_id_);
  recording.set_team_id(call_.principal.team_id);
  recording.set_callback_id(header_.callback_id());
  recording.set_author(call_.principal.ActorId());
  recording.set_state(record::RecordingRecord::STATE_RECEIVED);
  *recording.mutable_create_time() = rpc::ToProto(now);
  recording.set_sha256(header_.sha256());
  recording.set_size_bytes(size_);
  recording.set_original_blob(blob_);
  recording.set_trace_id(call_.trace_id);
  store::AddPut(*store::RecordingKey(recording_id_), 0, recording, commit);
  store::Put mark;
  mark.key = mark_key;
  mark.expected_version = marks[0].version;
  mark.value = recording_id_;
  mark.expires = now + kSameContent;
  commit->puts.push_back(std::move(mark));
  store::DueChange due{store::TranscodeDue(recording), now};
  due.payload = payload_;
  commit->due.push_back(std::move(due));
  RB_RETURN_IF_ERROR(AddCallback(now, commit));
  *response->mutable_recording() = rpc::ToApi(recording);
  return absl::OkStatus();
}

// Whose data the recording is, so that it leaves with it. The callback's version is part of the commit: an erasure at the
// same moment either sees this recording or makes this commit ABORTED.
absl::Status Take::AddCallback(absl::Time now, store::Commit* commit) {
  const int shard = call_.principal.shard;
  const std::string& team = call_.principal.team_id;
  if (header_.callback_id().empty()) {
    // Nobody's yet: it leaves by itself unless a promise takes it.
    RB_ASSIGN_OR_RETURN(const auto loaded, LoadTeam(host_, team));
    const int days = loaded.message.retention_days();
    commit->due.push_back(store::DueChange{store::RetentionDue(shard, team, recording_id_),
                                           now + (days > 0 ? absl::Hours(24) * days : kUnusedKept)});
    return absl::OkStatus();
  }
  RB_ASSIGN_OR_RETURN(const auto callback, FindCallback(host_, call_, header_.callback_id(), "header.callback_id"));
  if (callback.message.phase() == record::CallbackRecord::PHASE_CLOSED) {
    return domain::FieldError(absl::StatusCode::kFailedPrecondition, "header.callback_id", "CALLBACK_CLOSED",
                              "this callback is closed");
  }
  store::AddPut(*store::CallbackKey(callback.message.id()), callback.version, callback.message, commit);
  commit->indexes.push_back(store::IndexChange{
      store::IndexKey{shard, team, std::string(store::index::kRecordingsOf)},
      store::Member(callback.message.id(), recording_id_), false});
  return absl::OkStatus();
}

}  // namespace ringback::ingest
