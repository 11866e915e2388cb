// See server_options.h.
#include "ringback/server_options.h"

#include "absl/strings/match.h"

namespace ringback {
namespace {

// Variables of the command line's client side; everything else that begins with RINGBACK_ is the configuration's.
bool IsClients(const std::string& name) {
  for (const char* known : {"RINGBACK_DATA", "RINGBACK_TARGET", "RINGBACK_TOKEN", "RINGBACK_CA_FILE",
                            "RINGBACK_CERTIFICATE_FILE", "RINGBACK_KEY_FILE", "RINGBACK_CONFIG"}) {
    if (name == known) return true;
  }
  return false;
}

}  // namespace

absl::StatusOr<runtime::Config> LoadServerConfig(const ServerOptions& options, cli::Commands& commands,
                                                 std::vector<std::pair<std::string, std::string>> more) {
  const cli::World& world = commands.world();
  std::map<std::string, std::string> environment;
  for (const auto& [name, value] : world.environment) {
    if (absl::StartsWith(name, "RINGBACK_") && !IsClients(name)) environment[name] = value;
  }
  std::vector<std::pair<std::string, std::string>> flags;
  for (const std::string& pair : options.set) {
    const size_t equals = pair.find('=');
    if (equals == std::string::npos || equals == 0) return cli::UsageError("--set is written KEY=VALUE");
    flags.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
  }
  const std::string& data = commands.options().data_dir;
  const std::string named = data.empty() ? world.Variable("RINGBACK_DATA") : data;
  if (!named.empty()) flags.emplace_back("data-dir", named);
  flags.insert(flags.end(), more.begin(), more.end());
  const std::string file = options.config_file.empty() ? world.Variable("RINGBACK_CONFIG") : options.config_file;
  absl::StatusOr<runtime::Config> config = runtime::LoadConfig(file, environment, flags);
  if (!config.ok()) return cli::UsageError(std::string(config.status().message()));
  return config;
}

}  // namespace ringback
