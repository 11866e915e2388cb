// A progress bar on standard error, where that is a terminal; silent elsewhere.
#pragma once

#include <cstdint>
#include <string>

#include "ringback/cli/world.h"

namespace ringback::cli {

class Progress {
 public:
  Progress(std::string what, int64_t total, World& world);
  ~Progress();  // wipes the bar: what follows says how it ended
  void At(int64_t done);

 private:
  const std::string what_;
  const int64_t total_;
  World& world_;
  int shown_permille_ = -1;
};

}  // namespace ringback::cli
