// The customer's data leaves on time: callbacks whose retention is over are erased, and what erasure left on disk
// (recordings, mails in the outbox) is removed. Here because the outbox is delivery's.
#pragma once

#include <atomic>
#include <memory>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/blob/blob_store.h"
#include "core/runtime/host.h"
#include "ringback/store/v1/records.pb.h"

namespace ringback::delivery {

// Removes the blobs and the copies in the outbox that a tombstone names. Idempotent.
absl::Status RemoveFilesOf(const ::ringback::store::v1::TombstoneRecord& tombstone, blob::BlobStore& blobs,
                           const runtime::Config& config);

// For stage kRetention; an entry's id is a callback's, a lone recording's or an unmatched answer's (its purge date) or a tombstone's (files to be
// removed).
class Retention {
 public:
  explicit Retention(runtime::Host& host) : host_(host) {}

  std::unique_ptr<runtime::JobHandler> NewHandler();

  // Removes what has expired from the store and, after erasures and once a day, clears erased bytes out of its files
  // (free pages, log). Call it every minute, one call at a time.
  absl::Status Sweep();

 private:
  absl::Status Compact(absl::Time now);

  runtime::Host& host_;
  std::atomic<bool> erased_{true};  // something may lie there since before this start
  absl::Time next_compact_ = absl::InfinitePast();
  absl::Time compacted_ = absl::InfinitePast();
};

// How long to leave the store's files alone after clearing them took `took`: a small office's are clear within a minute,
// a large store gives at most a hundredth of its time to it, and law 9's day is kept.
absl::Duration CompactPause(absl::Duration took);

}  // namespace ringback::delivery
