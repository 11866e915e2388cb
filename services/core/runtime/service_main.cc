#include "core/runtime/service_main.h"

#include <malloc.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "core/runtime/resident.h"

namespace ringback::runtime {

void PrepareProcess() {
  // One arena per thread would cost more than all else in an idle program.
  mallopt(M_ARENA_MAX, 2);
  mallopt(M_TRIM_THRESHOLD, 1 << 20);
  // A mail with its attachment is composed in memory that is at hand: fresh pages cost more than what goes into them.
  // (Setting one of the two ends malloc's own learning, which would have found as much.)
  mallopt(M_MMAP_THRESHOLD, 512 << 10);
  // Debian builds abseil with the search for deadlocks that is meant for development: gRPC's locks pay for it at each turn.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  umask(077);
  // Thousands of viewers are thousands of sockets; the soft limit is for programs that use select().
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = std::min<rlim_t>(files.rlim_max, 65536);
    setrlimit(RLIMIT_NOFILE, &files);
  }
  // A limit on file sizes then reads like a full disk: a failed write, RESOURCE_EXHAUSTED, and not the process's death.
  std::signal(SIGXFSZ, SIG_IGN);
}

absl::StatusOr<CommandLine> ParseCommandLine(const std::vector<std::string>& arguments) {
  CommandLine line;
  if (const char* const file = std::getenv("RINGBACK_CONFIG")) line.config_file = file;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument == "--help-config" || argument == "--help") {
      (argument == "--help" ? line.help : line.help_config) = true;
      continue;
    }
    if (!absl::StartsWith(argument, "--") || argument.size() == 2) {
      return absl::InvalidArgumentError(absl::StrCat("\"", argument, "\" is no flag; flags are --config FILE, --help-config "
                                                     "and --KEY VALUE for every key of the configuration"));
    }
    std::string name = argument.substr(2), value;
    if (const size_t equals = name.find('='); equals != std::string::npos) {
      value = name.substr(equals + 1);
      name.resize(equals);
    } else if (++i < arguments.size()) {
      value = arguments[i];
    } else {
      return absl::InvalidArgumentError(absl::StrCat(argument, " needs a value"));
    }
    if (name == "config") {
      line.config_file = value;
    } else {
      line.flags.emplace_back(name, value);
    }
  }
  return line;
}

std::map<std::string, std::string> RingbackEnvironment() {
  std::map<std::string, std::string> found;
  for (char** each = environ; each != nullptr && *each != nullptr; ++each) {
    const std::string variable = *each;
    const size_t equals = variable.find('=');
    if (equals != std::string::npos && absl::StartsWith(variable, "RINGBACK_")) {
      found[variable.substr(0, equals)] = variable.substr(equals + 1);
    }
  }
  return found;
}

int ServeAll(const Config& config, const std::vector<RunFunction>& run, std::function<void(Host&)> ready) {
  auto host = Host::Create(config);
  absl::Status status = host.status();
  if (absl::IsCancelled(status)) {  // asked to go before there was anything to give back
    RB_LOG_INFO("{}", std::string(status.message()));
    return 0;
  }
  for (const RunFunction each : run) {
    if (status.ok()) status = each(**host);
  }
  if (status.ok()) {
    status = (*host)->Serve([&] {
      if (ready) ready(**host);
      GiveBackStartUpMemory();
    });
    if (absl::IsDeadlineExceeded(status)) {
      // Handlers still run on the host's parts: leave without taking those away from under them. What they held was given
      // back, so nothing is lost and this is no failure.
      RB_LOG_WARN("{}", std::string(status.message()));
      spdlog::shutdown();
      _exit(0);
    }
  }
  if (status.ok()) return 0;
  RB_LOG_ERROR("{}", status.ToString());
  return 1;
}

int ServiceMain(int argc, char** argv, const std::vector<RunFunction>& run) {
  PrepareProcess();
  const auto line = ParseCommandLine(std::vector<std::string>(argv + 1, argv + argc));
  if (!line.ok()) {
    std::fprintf(stderr, "%s\n", std::string(line.status().message()).c_str());
    return 2;
  }
  if (line->help) {
    std::printf("%s [--config FILE] [--KEY VALUE …]\n\n"
                "One program of ringback's pipeline; the README says how they stand together. Flags are the keys of the\n"
                "configuration (--data-dir DIR, --mail.transport URL); RINGBACK_CONFIG and RINGBACK_… variables count too.\n"
                "--help-config prints every key, commented.\n", argv[0]);
    return 0;
  }
  if (line->help_config) {
    std::fputs(ExampleConfig().c_str(), stdout);
    return 0;
  }
  const auto config = LoadConfig(line->config_file, RingbackEnvironment(), line->flags);
  if (!config.ok()) {
    std::fprintf(stderr, "%s\n", std::string(config.status().message()).c_str());
    return 2;
  }
  SetUpLogging(config->log_level, config->log_format == "json" ? LogFormat::kJson : LogFormat::kText);
  return ServeAll(*config, run, nullptr);
}

}  // namespace ringback::runtime
