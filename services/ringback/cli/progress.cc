// See progress.h.
#include "ringback/cli/progress.h"

#include <algorithm>
#include <ostream>

#include "absl/strings/str_format.h"

namespace ringback::cli {

Progress::Progress(std::string what, int64_t total, World& world)
    : what_(std::move(what)), total_(std::max<int64_t>(total, 1)), world_(world) {
  At(0);
}

Progress::~Progress() {
  if (world_.err_is_terminal) *world_.err << "\r\x1b[K" << std::flush;
}

void Progress::At(int64_t done) {
  if (!world_.err_is_terminal) return;
  const int permille = static_cast<int>(std::min(done, total_) * 1000 / total_);
  if (permille == shown_permille_) return;
  shown_permille_ = permille;
  constexpr int kWidth = 30;
  const int full = permille * kWidth / 1000;
  std::string bar;
  for (int i = 0; i < kWidth; ++i) bar += i < full ? "█" : "░";
  *world_.err << absl::StrFormat("\r%s %s %3d %%  %.1f of %.1f MB", what_, bar, permille / 10, done / 1e6, total_ / 1e6)
              << "\x1b[K" << std::flush;
}

}  // namespace ringback::cli
