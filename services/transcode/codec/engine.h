// A recording's bytes to renditions, measurements and findings: the order of the steps. Each step is a file beside this.
#pragma once

#include <string>

#include "transcode/transcode_result.h"

namespace ringback::transcode {

// `bytes` is freed as soon as it is decoded. Deterministic. Throws std::bad_alloc, nothing else.
TranscodeResult Transcode(std::string bytes, size_t skip, const TranscodeSettings& settings);

}  // namespace ringback::transcode
