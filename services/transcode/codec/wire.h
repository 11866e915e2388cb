// Bytes between codec_client and ringback-codec. Both are built and shipped together; a version number refuses a
// mismatched pair. The response comes from a process that read hostile input, so it is parsed with suspicion.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "transcode/transcode_result.h"

namespace ringback::transcode {

// What precedes the recording's bytes in a request.
std::string EncodeRequestHeader(const TranscodeSettings& settings);

struct DecodedRequest {
  TranscodeSettings settings;
  std::string_view bytes;  // Into the request.
};
// Empty when the header is not one of this version.
std::optional<DecodedRequest> DecodeRequest(std::string_view request);

std::string EncodeResult(const TranscodeResult& result);
// INTERNAL when the bytes are not a well-formed result: unknown numbers, sizes that do not add up, values that are not
// finite.
absl::StatusOr<TranscodeResult> DecodeResult(std::string_view bytes);

}  // namespace ringback::transcode
