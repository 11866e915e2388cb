// --config, --set and --data, as the commands take them that work on a server's own files: serve, backup, restore, doctor.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "core/runtime/config.h"
#include "ringback/cli/commands.h"

namespace ringback {

struct ServerOptions {
  std::string config_file;
  std::vector<std::string> set;  // "mail.transport=smtp://…"

  void AddTo(CLI::App* command) {
    command->add_option("--config", config_file, "Configuration file (or RINGBACK_CONFIG)")->type_name("FILE");
    command->add_option("--set", set, "One key of the configuration; counts before file and variables; may be repeated")
        ->type_name("KEY=VALUE");
  }
};

// File, variables, --set, `more` (flags of the command): the later one counts. --data and RINGBACK_DATA name the data directory.
// A usage error for what is wrong: it names the place and what would be right.
absl::StatusOr<runtime::Config> LoadServerConfig(const ServerOptions& options, cli::Commands& commands,
                                                 std::vector<std::pair<std::string, std::string>> more = {});

}  // namespace ringback
