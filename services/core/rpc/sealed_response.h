// Stored responses, encrypted with a key made from the request itself: whoever repeats the request can read its answer,
// whoever reads the store cannot. A response may hold a new token's secret or a caller's name, and neither may lie in the
// store in clear beyond its own record.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "core/base/ids.h"

namespace ringback::rpc {

// `key_material`: bytes that only the request's sender knows and that belong to one response.
std::string Seal(std::string_view key_material, std::string_view response, Random& random);
// DATA_LOSS when it was not sealed with this key or was damaged.
absl::StatusOr<std::string> Unseal(std::string_view key_material, std::string_view sealed);

}  // namespace ringback::rpc
