#include "transcode/codec/wire.h"

#include <cmath>
#include <cstring>

namespace ringback::transcode {
namespace {

constexpr uint32_t kRequestVersion = 0x52515201;
constexpr uint32_t kResultVersion = 0x52535202;
constexpr uint32_t kFindingsMax = 32;

class Writer {
 public:
  template <typename T>
  void Number(T value) {
    out_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void Bytes(std::string_view bytes) {
    Number<uint64_t>(bytes.size());
    out_.append(bytes);
  }
  void Reserve(size_t size) { out_.reserve(size); }
  std::string Take() { return std::move(out_); }

 private:
  std::string out_;
};

// Reading past the end or a number out of range turns `good` false for ever.
class Reader {
 public:
  explicit Reader(std::string_view in) : in_(in) {}
  template <typename T>
  T Number() {
    T value{};
    if (in_.size() < sizeof value) {
      good_ = false;
      return value;
    }
    std::memcpy(&value, in_.data(), sizeof value);
    in_.remove_prefix(sizeof value);
    return value;
  }
  double Real() {
    const double value = Number<double>();
    good_ = good_ && std::isfinite(value);
    return value;
  }
  std::string_view Bytes() {
    const auto size = Number<uint64_t>();
    if (size > in_.size()) {
      good_ = false;
      return {};
    }
    const std::string_view bytes = in_.substr(0, size);
    in_.remove_prefix(size);
    return bytes;
  }
  std::string_view rest() const { return in_; }
  bool good() const { return good_; }

 private:
  std::string_view in_;
  bool good_ = true;
};

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
  Writer w;
  w.Number(kRequestVersion);
  for (double value : {s.duration_max_s, s.duration_min_s, s.target_lufs, s.true_peak_max_dbtp}) w.Number(value);
  for (int32_t value : {s.channels_max, s.opus_bitrate, s.mp3_bitrate_max_kbps}) w.Number(value);
  return w.Take();
}

std::optional<DecodedRequest> DecodeRequest(std::string_view request) {
  Reader r(request);
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
  Writer w;
  w.Reserve(result.opus.size() + result.mp3.size() + 1024);
  w.Number(kResultVersion);
  w.Bytes(result.input_format);
  w.Bytes(result.opus);
  w.Bytes(result.mp3);
  w.Bytes(result.waveform);
  ForEachReal(result.measurements, [&](double value) { w.Number(value); });
  w.Number<int32_t>(result.measurements.sample_rate_in);
  w.Number<int32_t>(result.measurements.channels_in);
  w.Number<uint32_t>(static_cast<uint32_t>(result.findings.size()));
  for (const Finding& finding : result.findings) {
    w.Number(finding.code);
    w.Number(finding.severity);
    w.Number(finding.value);
  }
  return w.Take();
}

absl::StatusOr<TranscodeResult> DecodeResult(std::string_view bytes) {
  const auto malformed = [] { return absl::InternalError("the codec's answer is malformed"); };
  Reader r(bytes);
  if (r.Number<uint32_t>() != kResultVersion) return malformed();
  TranscodeResult result;
  result.input_format = r.Bytes();
  result.opus = r.Bytes();
  result.mp3 = r.Bytes();
  result.waveform = r.Bytes();
  ForEachReal(result.measurements, [&](double& value) { value = r.Real(); });
  result.measurements.sample_rate_in = r.Number<int32_t>();
  result.measurements.channels_in = r.Number<int32_t>();
  const auto count = r.Number<uint32_t>();
  if (!r.good() || count > kFindingsMax) return malformed();
  bool fatal = false;
  for (uint32_t i = 0; i < count; ++i) {
    Finding finding;
    finding.code = static_cast<FindingCode>(r.Number<uint8_t>());
    finding.severity = static_cast<Severity>(r.Number<uint8_t>());
    finding.value = r.Real();
    if (finding.code == FindingCode::kUnspecified || finding.code > FindingCode::kDecoderLimit) return malformed();
    if (finding.severity > Severity::kFatal) return malformed();
    fatal = fatal || finding.severity == Severity::kFatal;
    result.findings.push_back(finding);
  }
  if (!r.good() || !r.rest().empty() || result.input_format.size() > 16) return malformed();
  // Either all renditions or none, and none exactly when something fatal was found.
  const bool all = !result.opus.empty() && !result.mp3.empty() && result.waveform.size() == kWaveformBins;
  const bool none = result.opus.empty() && result.mp3.empty() && result.waveform.empty();
  if (fatal ? !none : !all) return malformed();
  return result;
}

}  // namespace ringback::transcode
