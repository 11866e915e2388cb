// One voice message on its way in: its bytes into a blob, checked as they come, then its record. Knows no stream.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/laps.h"
#include "core/blob/blob_store.h"
#include "ingest/content_hash.h"
#include "ingest/load.h"
#include "ringback/v1/recording_service.pb.h"

namespace ringback::ingest {

// Used by one thread at a time; blocks. Destroyed without a successful Complete, it leaves nothing behind.
class Take {
 public:
  // Checks the header: INVALID_ARGUMENT, NOT_FOUND for a callback of another team, FAILED_PRECONDITION for a closed one.
  static absl::StatusOr<std::unique_ptr<Take>> Begin(runtime::Host& host, rpc::Call call,
                                                     const api::UploadHeader& header);
  // INVALID_ARGUMENT for more than was announced or allowed; RESOURCE_EXHAUSTED when the disk is full.
  absl::Status Append(std::string_view chunk);
  // The bytes are durable, then the record: RECEIVED and due to be transcoded. The same content by the same author for
  // the same callback within a day is the same recording.
  absl::Status Complete(api::UploadRecordingResponse* response);

 private:
  Take(runtime::Host& host, rpc::Call call) : host_(host), call_(std::move(call)) {}
  absl::Status CheckHeader();
  absl::Status CheckContent();
  absl::Status Decide(store::Commit* commit, api::UploadRecordingResponse* response);
  absl::Status AddCallback(absl::Time now, store::Commit* commit);
  store::Key MarkKey() const;

  runtime::Host& host_;
  const rpc::Call call_;
  api::UploadHeader header_;
  std::string recording_id_;
  std::string blob_;
  std::unique_ptr<blob::Writer> writer_;
  bool stored_ = false;  // the blob is durable under its name
  int64_t size_ = 0;
  // The bytes once more while they are few enough to travel with the job.
  std::shared_ptr<std::string> payload_ = std::make_shared<std::string>();
  ContentHash hash_;
  Laps laps_;
};

}  // namespace ringback::ingest
