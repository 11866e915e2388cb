// What a blob may be called; the same for every place that keeps blobs.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace ringback::blob {

// INVALID_ARGUMENT for anything but 1 to 200 characters [a-z0-9./_-] in non-empty segments that do not begin with a dot.
absl::Status CheckName(const std::string& name);

}  // namespace ringback::blob
