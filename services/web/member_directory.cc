#include "web/member_directory.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/string_view.h"
#include "core/base/status_macros.h"
#include "core/store/records.h"

namespace ringback::web {
namespace {

namespace record = ::ringback::store::v1;

constexpr int kPage = 500;

std::string Folded(std::string_view address) { return absl::AsciiStrToLower(absl::string_view(address.data(), address.size())); }

}  // namespace

absl::StatusOr<std::vector<rpc::MemberOf>> MemberDirectory::Find(std::string_view address) {
  MutexLock lock(&mutex_);
  const absl::Time begun = clock_->Now();
  if (begun >= good_until_) {
    known_ = ReadAll();
    const absl::Time read = clock_->Now();
    good_until_ = begun + std::max(absl::Seconds(1), 10 * (read - begun));
  }
  RB_RETURN_IF_ERROR(known_.status());
  const auto found = known_->find(Folded(address));
  return found == known_->end() ? std::vector<rpc::MemberOf>() : found->second;
}

absl::StatusOr<MemberDirectory::ByAddress> MemberDirectory::ReadAll() {
  ByAddress all;
  for (int shard = 0; shard < kShards; ++shard) {
    store::Page page;
    page.limit = kPage;
    for (bool more = true; more;) {
      RB_ASSIGN_OR_RETURN(const store::ScanResult scan,
                          store_->Scan({shard, "*", std::string(store::index::kTeams)}, "", "", page));
      std::vector<store::Key> keys;
      for (const std::string& id : scan.members) keys.push_back({shard, store::Kind::kTeam, id});
      if (keys.empty()) break;
      RB_ASSIGN_OR_RETURN(const std::vector<store::Record> records, store_->GetMany(keys));
      for (const store::Record& found : records) {
        record::TeamRecord team;
        if (found.version == 0 || !team.ParseFromString(found.value)) continue;
        for (const record::Member& member : team.members()) {
          if (member.inactive() || member.email().empty()) continue;
          all[Folded(member.email())].push_back({team.id(), member.id()});
        }
      }
      more = scan.more;
      page.after = scan.members.back();
    }
  }
  return all;
}

}  // namespace ringback::web
