#include "transcode/codec_client.h"

#include "transcode/codec/wire.h"

namespace ringback::transcode {

std::string CodecBesideThisProgram() { return sandbox::BesideThisProgram("ringback-codec"); }

Codec::Codec(const CodecOptions& options)
    : pool_({.program = options.program,
             .limits = options.limits,
             .children_max = options.children_max,
             .idle_timeout = options.idle_timeout}) {}

absl::StatusOr<TranscodeResult> Codec::Transcode(std::string_view bytes, const TranscodeSettings& settings,
                                                 absl::Duration timeout) {
  const auto failed = [](FindingCode code) {
    TranscodeResult result;
    result.findings.push_back({code, Severity::kFatal, 0});
    return result;
  };
  const absl::StatusOr<std::string> response = pool_.Run({EncodeRequestHeader(settings), bytes}, timeout);
  if (response.ok()) {
    absl::StatusOr<TranscodeResult> result = DecodeResult(*response);
    // A child that answers nonsense has been taken over by its input.
    if (!result.ok()) return failed(FindingCode::kDecoderCrashed);
    return result;
  }
  switch (response.status().code()) {
    case absl::StatusCode::kInternal: return failed(FindingCode::kDecoderCrashed);
    case absl::StatusCode::kResourceExhausted: return failed(FindingCode::kDecoderLimit);
    // What computes too long has reached its CPU limit before: this child was kept from computing.
    case absl::StatusCode::kDeadlineExceeded: return absl::UnavailableError(response.status().message());
    default: return response.status();
  }
}

}  // namespace ringback::transcode
