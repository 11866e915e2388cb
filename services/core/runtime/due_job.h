// A due entry as the hand-off carries it: bytes that name stage, shard, team and id, and the lease it was born with.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/store/store.h"

namespace ringback::runtime {

struct OfferedEntry {
  store::DueKey key;
  std::optional<store::Lease> lease;  // nullopt: reserved only, and to be claimed by key
};

std::string EncodeReserved(const store::DueKey& key);
std::string EncodeLeased(const store::Lease& lease);
// nullopt for what is no entry of this version. An older one reads what is leased as reserved, and finds it leased.
std::optional<OfferedEntry> DecodeOffered(std::string_view bytes);

}  // namespace ringback::runtime
