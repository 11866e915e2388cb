// The program `ringback`: the command line, and the all-in-one behind `ringback serve`.
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <iostream>

#include "absl/time/clock.h"
#include "core/base/clock.h"
#include "core/base/ids.h"
#include "ringback/backup.h"
#include "ringback/bootstrap.h"
#include "ringback/cli/cli.h"
#include "ringback/cli/commands.h"
#include "ringback/doctor.h"
#include "ringback/keygen.h"
#include "ringback/restore.h"
#include "ringback/serve.h"

namespace {

std::atomic<bool> interrupted{false};

// The first time somebody asks, Ctrl-C begins to be a request instead of the end; the second one is the end.
bool Interrupted() {
  static const bool caught = [] {
    struct sigaction action = {};
    action.sa_handler = [](int) { interrupted = true; };
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    return sigaction(SIGINT, &action, nullptr) == 0;
  }();
  return caught && interrupted;
}

}  // namespace

int main(int argc, char** argv) {
  ringback::cli::World world;
  world.out = &std::cout;
  world.err = &std::cerr;
  world.in = &std::cin;
  world.out_is_terminal = isatty(STDOUT_FILENO) != 0;
  world.err_is_terminal = isatty(STDERR_FILENO) != 0;
  world.in_is_terminal = isatty(STDIN_FILENO) != 0;
  for (char** each = environ; *each != nullptr; ++each) {
    const std::string variable = *each;
    const size_t equals = variable.find('=');
    if (equals != std::string::npos) world.environment[variable.substr(0, equals)] = variable.substr(equals + 1);
  }
  const auto clock = ringback::NewSystemClock(world.Variable("RINGBACK_CLOCK_OFFSET_FILE"));
  const auto random = ringback::NewSystemRandom();
  world.clock = clock.get();
  world.random = random.get();
  world.sleep = [](absl::Duration span) { absl::SleepFor(span); };
  world.interrupted = Interrupted;
  return ringback::cli::Run(std::vector<std::string>(argv + 1, argv + argc), world, [](ringback::cli::Commands& commands) {
    ringback::AddServeCommand(commands);
    ringback::AddBootstrapCommand(commands);
    ringback::AddBackupCommand(commands);
    ringback::AddRestoreCommand(commands);
    ringback::AddDoctorCommand(commands);
    ringback::AddKeygenCommand(commands);
  });
}
