#include "core/base/clock.h"

#include <fcntl.h>
#include <unistd.h>

#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"

namespace ringback {
namespace {

class SystemClock : public Clock {
 public:
  explicit SystemClock(std::string offset_file) : offset_file_(std::move(offset_file)) {}

  absl::Time Now() override { return absl::Now() + Offset(); }

  absl::Duration Offset() override {
    if (offset_file_.empty()) return absl::ZeroDuration();
    const int fd = open(offset_file_.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return absl::ZeroDuration();
    char text[64];
    const ssize_t size = read(fd, text, sizeof text);
    close(fd);
    double seconds = 0;
    if (size <= 0 || !absl::SimpleAtod(absl::string_view(text, static_cast<size_t>(size)), &seconds)) {
      return absl::ZeroDuration();
    }
    return absl::Seconds(seconds);
  }

 private:
  const std::string offset_file_;
};

}  // namespace

std::unique_ptr<Clock> NewSystemClock(std::string offset_file) {
  return std::make_unique<SystemClock>(std::move(offset_file));
}

}  // namespace ringback
