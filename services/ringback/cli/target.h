// Which server the command line talks to, and as whom: RINGBACK_TARGET and RINGBACK_TOKEN, else the token file that a
// running all-in-one leaves in its data directory.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "ringback/cli/world.h"

namespace ringback::cli {

struct Target {
  std::string address;         // "127.0.0.1:7420", or one per program: see rpc::ParsePlaces
  std::string token;
  std::string operator_token;  // "" when this machine's operator is somebody else
  std::string member_id;       // whose token it is; "" when not known
};

// Where token files are looked for, in order: `data_dir` alone when given (--data), else RINGBACK_DATA alone, else
// ./data and ~/.local/share/ringback.
std::vector<std::string> DataDirs(const std::string& data_dir, const World& world);

// UNAVAILABLE, saying how to start a server, when there is none; FAILED_PRECONDITION for a token file that cannot be
// read or is none.
absl::StatusOr<Target> FindTarget(const std::string& data_dir, const World& world);

}  // namespace ringback::cli
