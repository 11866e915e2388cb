// What a foreign server said, in a form that a record and a log can hold.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace ringback::delivery {

// One line of at most `bytes_max` bytes of UTF-8 for a reason; foreign bytes that are no UTF-8 become '?'.
std::string ReasonLine(absl::string_view text, size_t bytes_max = 300);

}  // namespace ringback::delivery
