// Walking all records of a kind, for sweepers, backups and searches.
#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "core/base/status_macros.h"
#include "core/store/store.h"

namespace ringback::store {

// Calls `visit` once with each record of the shard and kind whose id begins with `prefix`, in no order, until it answers
// an error, which is returned. Reads in pages; what comes or goes meanwhile is visited or not.
template <typename Visit>
absl::Status ForEveryRecord(Store& store, int shard, Kind kind, const std::string& prefix, Visit visit) {
  constexpr int kPage = 500;
  std::set<std::string> seen;
  std::string cursor;
  do {
    RB_ASSIGN_OR_RETURN(const ListResult page, store.List(shard, kind, prefix, cursor, kPage));
    for (const Record& record : page.records) {
      if (seen.insert(record.key.id).second) RB_RETURN_IF_ERROR(visit(record));
    }
    cursor = page.cursor;
  } while (!cursor.empty());
  return absl::OkStatus();
}

// All of them at once, ordered by id.
inline absl::StatusOr<std::vector<Record>> AllRecords(Store& store, int shard, Kind kind, const std::string& prefix = "") {
  std::vector<Record> records;
  RB_RETURN_IF_ERROR(ForEveryRecord(store, shard, kind, prefix, [&](const Record& record) {
    records.push_back(record);
    return absl::OkStatus();
  }));
  std::sort(records.begin(), records.end(), [](const Record& a, const Record& b) { return a.key.id < b.key.id; });
  return records;
}

}  // namespace ringback::store
