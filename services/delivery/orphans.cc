#include "delivery/orphans.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "core/store/erase.h"
#include "core/store/records.h"

namespace ringback::delivery {
namespace {

constexpr int kPage = 1000;
constexpr int kPagesPerRound = 10;
constexpr absl::Duration kRest = absl::Hours(1);

// The record that owns bytes: a recording's or an answer's.
absl::StatusOr<store::Key> OwnerKey(const std::string& id) {
  const auto recording = store::RecordingKey(id);
  return recording.ok() ? recording : store::AnswerKey(id);
}

// "rc07…" of "07/rc07…/original", "an07…" of "07/an07….original"; "" for a name that is neither a recording's nor an
// answer's: not ours to judge.
std::string OwnerOf(const std::string& name) {
  const size_t first = name.find('/');
  if (first == std::string::npos) return "";
  const size_t second = name.find_first_of("/.", first + 1);
  if (second == std::string::npos) return "";
  std::string owner = name.substr(first + 1, second - first - 1);
  if (!OwnerKey(owner).ok() || owner.substr(2, 2) != name.substr(0, first)) return "";
  return owner;
}

}  // namespace

absl::Status Orphans::Round() {
  RB_ASSIGN_OR_RETURN(const absl::Time now, store_.Now());
  if (after_.empty()) {
    finished_ = std::min(finished_, now);  // the clock was set back
    if (now - finished_ < kRest) return absl::OkStatus();
    found_ = 0;
    RB_RETURN_IF_ERROR(blobs_.RemoveLeftOvers());
  }
  for (int i = 0; i < kPagesPerRound; ++i) {
    RB_ASSIGN_OR_RETURN(const auto page, blobs_.List("", after_, kPage));
    RB_RETURN_IF_ERROR(Examine(page, now));
    if (page.size() < kPage) {
      after_.clear();
      finished_ = now;
      if (found_ > 0) {
        RB_LOG_WARN("the bytes of {} recordings or mails belong to no record; they leave the disk within {}. After a crash that is "
                    "a few; should it be many, this may be the wrong store: stop the server and look",
                    found_, absl::FormatDuration(grace_));
      }
      return absl::OkStatus();
    }
    after_ = page.back().name;
  }
  return absl::OkStatus();
}

absl::Status Orphans::Examine(const std::vector<blob::BlobInfo>& page, absl::Time now) {
  std::map<std::string, std::vector<blob::BlobInfo>> owners;
  for (const blob::BlobInfo& blob : page) {
    if (std::string owner = OwnerOf(blob.name); !owner.empty()) owners[std::move(owner)].push_back(blob);
  }
  std::vector<store::Key> keys;
  for (auto it = owners.begin(); it != owners.end();) {
    const bool young = std::any_of(it->second.begin(), it->second.end(),
                                   [&](const blob::BlobInfo& blob) { return now - blob.modified < grace_ / 4; });
    if (young) {
      it = owners.erase(it);
      continue;
    }
    RB_ASSIGN_OR_RETURN(store::Key key, OwnerKey(it->first));
    keys.push_back(std::move(key));
    ++it;
  }
  if (keys.empty()) return absl::OkStatus();
  RB_ASSIGN_OR_RETURN(const auto records, store_.GetMany(keys));
  for (size_t i = 0; i < keys.size(); ++i) {
    if (records[i].version == 0) RB_RETURN_IF_ERROR(Mark(keys[i].id, owners[keys[i].id], now));
  }
  return absl::OkStatus();
}

absl::Status Orphans::Mark(const std::string& owner_id, const std::vector<blob::BlobInfo>& blobs, absl::Time now) {
  absl::Time due = now + grace_ / 2;
  std::vector<std::string> names;
  for (const blob::BlobInfo& blob : blobs) {
    due = std::max(due, blob.modified + grace_);
    names.push_back(blob.name);
  }
  RB_ASSIGN_OR_RETURN(const store::Key key, OwnerKey(owner_id));
  store::Commit commit;
  commit.shard = key.shard;
  commit.commit_id = absl::StrCat("orphan/", owner_id, "/", absl::ToUnixSeconds(now));
  store::AddOrphan(owner_id, names, due, now, &commit);
  const auto marked = store_.CommitOnce(commit);
  if (absl::IsAborted(marked.status())) return absl::OkStatus();  // found before, here or by another replica
  RB_RETURN_IF_ERROR(marked.status());
  if (marked->repeated) return absl::OkStatus();
  metrics_.Count("ringback_orphans_total", {{"outcome", "found"}});
  ++found_;
  return absl::OkStatus();
}

}  // namespace ringback::delivery
