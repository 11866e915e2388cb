// The first start of the all-in-one: a demo team to try things with, and a token file by which the command line on the
// same machine finds the server.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/runtime/host.h"

namespace ringback::ingest {

struct Bootstrap {
  std::string team_id;
  bool created = false;  // the demo team was made by this call
};

// Makes the team "Demo" (Anna Schmidt, rep; Ben Weber, rep, her substitute; Clara Vogel, manager; Admin) when the store
// has no team at all; else names the oldest. Idempotent: call at every start, before serving.
absl::StatusOr<Bootstrap> EnsureDemoTeam(runtime::Host& host);

// Writes config().TokenPath() (mode 0600, replaced in one step) as JSON: {"target", "token", "member", "team",
// "operator_token"}. A file whose tokens are still good keeps them and gets the new target; else new tokens are made: one
// of the team's first admin, one of an operator. FAILED_PRECONDITION when the team has no active admin.
absl::Status EnsureLocalToken(runtime::Host& host, const std::string& team_id, const std::string& target);

}  // namespace ringback::ingest
