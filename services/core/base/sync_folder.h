// Makes names durable: a file that was created or renamed is found after a loss of power only once its folder is synced.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace ringback {

// fsync of the folder itself; "" is the current one. UNAVAILABLE with what the system says.
absl::Status SyncFolder(const std::string& folder);
// The folder that `path`, without a trailing slash, lies in.
absl::Status SyncFolderOf(const std::string& path);

}  // namespace ringback
