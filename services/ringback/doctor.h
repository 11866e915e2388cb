// `ringback doctor`: what would keep this machine's server from doing its work, found before a customer finds it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/runtime/config.h"
#include "ringback/cli/commands.h"

namespace ringback {

struct Finding {
  enum class Level { kOk, kWarn, kFail };
  std::string what;  // "store"
  Level level = Level::kOk;
  std::string text;  // what is, and what would be right
};

// Looks at everything but the mail's way out. Changes nothing but a file that is written and removed again.
std::vector<Finding> Examine(const runtime::Config& config, Clock* clock, Random* random);

// Sends one real mail to `address` ("" only describes the way out).
Finding ExamineMail(const runtime::Config& config, const std::string& address, Clock* clock, Random* random);

void AddDoctorCommand(cli::Commands& commands);

}  // namespace ringback
