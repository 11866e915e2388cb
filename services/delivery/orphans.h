// Bytes that no record names: a crash between the writing of a recording or a mail and its commit leaves them behind, and nobody
// would ever miss them. Found here, page by page; removed by retention, which owns what leaves.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/blob/blob_store.h"
#include "core/runtime/metrics.h"
#include "core/store/store.h"

namespace ringback::delivery {

// A found orphan gets a tombstone whose files leave at `grace` after they were written, and not before half of `grace`
// has passed since they were found: a store that lost its records, or the wrong one, does not cost a single recording as
// long as somebody reads the log within that time. An upload in flight is safe because it is young (a quarter of `grace`
// at least is far more than a commit may take), and a second look at the record precedes the removal. Renditions of a
// recording whose record is there are never touched: they leave with it.
//
// Any number of replicas may sweep: the tombstone is written once, and removing is claimed work like any other.
class Orphans {
 public:
  // `grace`: at least an hour.
  Orphans(store::Store* store, blob::BlobStore* blobs, runtime::Metrics* metrics, absl::Duration grace)
      : store_(*store), blobs_(*blobs), metrics_(*metrics), grace_(grace) {}

  // One round of bounded work (10,000 names); call it every minute, one call at a time. A pass over all names is followed by
  // an hour's rest. Also removes what dead writers left. Errors leave the place where the next round goes on.
  absl::Status Round();

 private:
  absl::Status Examine(const std::vector<blob::BlobInfo>& page, absl::Time now);
  absl::Status Mark(const std::string& owner_id, const std::vector<blob::BlobInfo>& blobs, absl::Time now);

  store::Store& store_;
  blob::BlobStore& blobs_;
  runtime::Metrics& metrics_;
  const absl::Duration grace_;
  std::string after_;  // "": a pass begins
  absl::Time finished_ = absl::InfinitePast();
  int found_ = 0;  // in this pass
};

}  // namespace ringback::delivery
