#include "core/runtime/due_job.h"

#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/ids.h"

namespace ringback::runtime {
namespace {

constexpr char kSeparator = '\x1f';  // in no id

}  // namespace

std::string EncodeDueKey(const store::DueKey& key) {
  const std::string separator(1, kSeparator);
  return absl::StrCat(static_cast<int>(key.stage), separator, key.shard, separator, key.team, separator, key.id);
}

std::optional<store::DueKey> DecodeDueKey(std::string_view bytes) {
  const std::vector<std::string> parts = absl::StrSplit(absl::string_view(bytes.data(), bytes.size()), kSeparator);
  int stage = 0;
  store::DueKey key;
  if (parts.size() < 4 || !absl::SimpleAtoi(parts[0], &stage) || !absl::SimpleAtoi(parts[1], &key.shard) ||
      stage < static_cast<int>(store::Stage::kTranscode) || stage > static_cast<int>(store::Stage::kBusy) ||
      key.shard < 0 || key.shard >= kShards || parts[3].empty()) {
    return std::nullopt;
  }
  key.stage = static_cast<store::Stage>(stage);
  key.team = parts[2];
  key.id = parts[3];
  return key;
}

}  // namespace ringback::runtime
