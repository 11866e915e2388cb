// Calls ringback-codec: bytes in, renditions or findings out, whatever the bytes do to the codec. Links no codec.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/sandbox/child_pool.h"
#include "transcode/transcode_result.h"

namespace ringback::transcode {

struct CodecOptions {
  std::string program;  // Path of ringback-codec; CodecBesideThisProgram() finds it in the usual place.
  int children_max = 1;
  absl::Duration idle_timeout = absl::Seconds(60);
  sandbox::Limits limits;
};

// ringback-codec in the folder of the running program.
std::string CodecBesideThisProgram();

// Thread-safe. Starts its child with the first transcode and stops it when idle.
class Codec {
 public:
  explicit Codec(const CodecOptions& options);

  // Blocks up to `timeout`. What the bytes cause is a result with findings: also a crash (DECODER_CRASHED) or running
  // out of CPU time or memory (DECODER_LIMIT). Errors say that the codec itself is not usable, and the job may be retried:
  //   UNAVAILABLE  the program does not start, no child was free in time, or the child was ended from outside or kept
  //                from computing until `timeout`
  absl::StatusOr<TranscodeResult> Transcode(std::string_view bytes, const TranscodeSettings& settings,
                                            absl::Duration timeout);

  std::vector<int> ChildPids() const { return pool_.Pids(); }

 private:
  sandbox::ChildPool pool_;
};

}  // namespace ringback::transcode
