#include "transcode/codec/wire.h"

#include "core/sandbox/fields.h"

namespace ringback::transcode {
namespace {

constexpr uint32_t kRequestVersion = 0x52515201;
constexpr uint32_t kResultVersion = 0x52535202;
constexpr uint32_t kFindingsMax = 32;

using sandbox::FieldReader;
using sandbox::FieldWriter;

// One list for both directions, so that they cannot drift apart.
template <typename M, typename F>
void ForEachReal(M& m, const F& f) {
  for (auto* value : {&m.duration_in_s, &m.duration_out_s, &m.loudness_in_lufs, &m.loudness_out_lufs,
                      &m.true_peak_in_dbtp, &m.true_peak_out_dbtp, &m.clipped_share, &m.speech_s, &m.noise_floor_dbfs,
                      &m.gain_db, &m.limited_share, &m.decode_ms, &m.encode_ms}) {
    f(*value);
  }
}

}  // namespace

std::string EncodeRequestHeader(const TranscodeSettings& s) {
  FieldWriter w;
  w.Number(kRequestVersion);
  for (double value : {s.duration_max_s, s.duration_min_s, s.target_lufs, s.true_peak_max_dbtp}) w.Number(value);
  for (int32_t value : {s.channels_max, s.opus_bitrate, s.mp3_bitrate_max_kbps}) w.Number(value);
  return w.Take();
}

std::optional<DecodedRequest> DecodeRequest(std::string_view request) {
  FieldReader r(request);
  DecodedRequest out;
  if (r.Number<uint32_t>() != kRequestVersion) return std::nullopt;
  TranscodeSettings& s = out.settings;
  for (double* value : {&s.duration_max_s, &s.duration_min_s, &s.target_lufs, &s.true_peak_max_dbtp}) *value = r.Real();
  for (int* value : {&s.channels_max, &s.opus_bitrate, &s.mp3_bitrate_max_kbps}) *value = r.Number<int32_t>();
  out.bytes = r.rest();
  if (!r.good()) return std::nullopt;
  return out;
}

std::string EncodeResult(const TranscodeResult& result) {
  FieldWriter w;
  w.Reserve(result.opus.size() + result.mp3.size() + 1024);
  w.Number(kResultVersion);
  w.Bytes(result.input_format);
  w.Bytes(result.opus);
  w.Bytes(result.mp3);
  w.Bytes(result.waveform);
  ForEachReal(result.measurements, [&](double value) { w.Number(value); });
  w.Number<int32_t>(result.measurements.sample_rate_in);
  w.Number<int32_t>(result.measurements.channels_in);
  w.Count(result.findings.size());
  for (const Finding& finding : result.findings) {
    w.Number(finding.code);
    w.Number(finding.severity);
    w.Number(finding.value);
  }
  return w.Take();
}

absl::StatusOr<TranscodeResult> DecodeResult(std::string_view bytes) {
  const auto malformed = [] { return absl::InternalError("the codec's answer is malformed"); };
  FieldReader r(bytes);
  if (r.Number<uint32_t>() != kResultVersion) return malformed();
  TranscodeResult result;
  result.input_format = r.Bytes();
  result.opus = r.Bytes();
  result.mp3 = r.Bytes();
  result.waveform = r.Bytes();
  ForEachReal(result.measurements, [&](double& value) { value = r.Real(); });
  result.measurements.sample_rate_in = r.Number<int32_t>();
  result.measurements.channels_in = r.Number<int32_t>();
  result.findings.resize(r.Count(kFindingsMax));
  bool fatal = false;
  for (Finding& finding : result.findings) {
    finding.code = r.Number<FindingCode>();
    finding.severity = r.Number<Severity>();
    finding.value = r.Real();
    if (finding.code == FindingCode::kUnspecified || finding.code > FindingCode::kDecoderLimit) return malformed();
    if (finding.severity > Severity::kFatal) return malformed();
    fatal = fatal || finding.severity == Severity::kFatal;
  }
  if (!r.AtEnd() || result.input_format.size() > 16) return malformed();
  // Either all renditions or none, and none exactly when something fatal was found.
  const bool all = !result.opus.empty() && !result.mp3.empty() && result.waveform.size() == kWaveformBins;
  const bool none = result.opus.empty() && result.mp3.empty() && result.waveform.empty();
  if (fatal ? !none : !all) return malformed();
  return result;
}

}  // namespace ringback::transcode
