// Everything of the outside that the command line touches: streams, environment, clock, randomness, waiting. Tests hand
// in their own.
#pragma once

#include <functional>
#include <iosfwd>
#include <map>
#include <string>

#include "absl/time/time.h"
#include "core/base/clock.h"
#include "core/base/ids.h"

namespace ringback::cli {

struct World {
  std::ostream* out = nullptr;
  std::ostream* err = nullptr;
  std::istream* in = nullptr;
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  bool in_is_terminal = false;
  std::map<std::string, std::string> environment;
  Clock* clock = nullptr;    // what "+2h" and "in 20 min" count from
  Random* random = nullptr;  // request ids
  std::function<void(absl::Duration)> sleep;
  std::function<bool()> interrupted = [] { return false; };  // Ctrl-C was pressed

  // "" when it is not set.
  std::string Variable(const std::string& name) const {
    const auto found = environment.find(name);
    return found == environment.end() ? "" : found->second;
  }
  bool ColourOut() const { return out_is_terminal && Variable("NO_COLOR").empty() && Variable("TERM") != "dumb"; }
  // Findings come in two languages; everything else the command line says is English.
  bool German() const {
    for (const char* name : {"LC_ALL", "LC_MESSAGES", "LANG"}) {
      if (const std::string value = Variable(name); !value.empty()) return value.rfind("de", 0) == 0;
    }
    return false;
  }
};

}  // namespace ringback::cli
