#include "core/runtime/due_job.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "core/base/ids.h"

namespace ringback::runtime {
namespace {

constexpr char kSeparator[] = "\x1f";  // in no id

}  // namespace

std::string EncodeReserved(const store::DueKey& key) {
  return absl::StrJoin({absl::StrCat(static_cast<int>(key.stage)), absl::StrCat(key.shard), key.team, key.id}, kSeparator);
}

std::string EncodeLeased(const store::Lease& lease) {
  return absl::StrJoin({EncodeReserved(lease.key), lease.lease_id, absl::StrCat(absl::ToUnixMicros(lease.due)),
                        absl::StrCat(absl::ToUnixMicros(lease.expires)), absl::StrCat(lease.attempts)},
                       kSeparator);
}

std::optional<OfferedEntry> DecodeOffered(std::string_view bytes) {
  const std::vector<std::string> parts = absl::StrSplit(absl::string_view(bytes.data(), bytes.size()), kSeparator);
  int stage = 0;
  OfferedEntry entry;
  store::DueKey& key = entry.key;
  if (parts.size() < 4 || !absl::SimpleAtoi(parts[0], &stage) || !absl::SimpleAtoi(parts[1], &key.shard) ||
      stage < static_cast<int>(store::Stage::kTranscode) || stage > static_cast<int>(store::Stage::kBusy) ||
      key.shard < 0 || key.shard >= kShards || parts[3].empty()) {
    return std::nullopt;
  }
  key.stage = static_cast<store::Stage>(stage);
  key.team = parts[2];
  key.id = parts[3];
  store::Lease lease{key};
  int64_t due_us = 0, expires_us = 0;
  if (parts.size() >= 8 && absl::SimpleAtoi(parts[5], &due_us) && absl::SimpleAtoi(parts[6], &expires_us) &&
      absl::SimpleAtoi(parts[7], &lease.attempts)) {
    lease.lease_id = parts[4];
    lease.due = absl::FromUnixMicros(due_us);
    lease.expires = absl::FromUnixMicros(expires_us);
    entry.lease = std::move(lease);
  }
  return entry;
}

}  // namespace ringback::runtime
