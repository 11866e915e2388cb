// A due entry's key as the hand-off carries it: bytes that name stage, shard, team and id.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/store/store.h"

namespace ringback::runtime {

std::string EncodeDueKey(const store::DueKey& key);
// nullopt for what is no key of this version.
std::optional<store::DueKey> DecodeDueKey(std::string_view bytes);

}  // namespace ringback::runtime
