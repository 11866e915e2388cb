// ringback-codec: the only program that links codecs. Two uses:
//   ringback-codec                          a sandboxed child: jobs come over descriptor 3 (core/sandbox/serve.h)
//   ringback-codec --file IN --out DIR      one recording from the command line, in the same sandbox
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <optional>
#include <string>

#include "absl/strings/numbers.h"
#include "core/sandbox/child_pool.h"
#include "core/sandbox/serve.h"
#include "transcode/codec/decoder.h"
#include "transcode/codec/engine.h"
#include "transcode/codec/wire.h"

namespace ringback::transcode {
namespace {

std::string Answer(std::string request) {
  const std::optional<DecodedRequest> decoded = DecodeRequest(request);
  if (!decoded) _exit(EXIT_FAILURE);  // Our own parent never sends this.
  const TranscodeSettings settings = decoded->settings;
  const size_t skip = request.size() - decoded->bytes.size();
  return EncodeResult(Transcode(std::move(request), skip, settings));
}

bool AppendFile(const std::string& path, std::string* out) {
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) return false;
  std::fseek(file, 0, SEEK_END);
  const long size = std::ftell(file);
  std::rewind(file);
  const size_t at = out->size();
  if (size > 0) out->resize(at + static_cast<size_t>(size));
  const bool good = size >= 0 && std::fread(out->data() + at, 1, out->size() - at, file) == out->size() - at;
  std::fclose(file);
  return good;
}

bool WriteFile(const std::string& path, const std::string& bytes) {
  std::ofstream out(path, std::ios::binary);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  out.close();
  if (out.fail()) std::fprintf(stderr, "ringback-codec: cannot write %s: %s\n", path.c_str(), std::strerror(errno));
  return !out.fail();
}

void PrintJson(const TranscodeResult& result) {
  const Measurements& m = result.measurements;
  std::printf("{\"format\": \"%s\", \"ok\": %s, \"duration_in_s\": %.3f, \"duration_out_s\": %.3f, "
              "\"loudness_in_lufs\": %.2f, \"loudness_out_lufs\": %.2f, \"true_peak_in_dbtp\": %.2f, "
              "\"true_peak_out_dbtp\": %.2f, \"clipped_share\": %.6f, \"speech_s\": %.2f, \"noise_floor_dbfs\": %.1f, "
              "\"gain_db\": %.2f, \"limited_share\": %.4f, \"sample_rate_in\": %d, \"channels_in\": %d, \"findings\": [",
              result.input_format.c_str(), result.ok() ? "true" : "false", m.duration_in_s, m.duration_out_s,
              m.loudness_in_lufs, m.loudness_out_lufs, m.true_peak_in_dbtp, m.true_peak_out_dbtp, m.clipped_share,
              m.speech_s, m.noise_floor_dbfs, m.gain_db, m.limited_share, m.sample_rate_in, m.channels_in);
  const char* separator = "";
  for (const Finding& finding : result.findings) {
    std::printf("%s{\"code\": \"%s\", \"severity\": %d, \"value\": %g, \"text\": \"%s\"}", separator,
                std::string(FindingName(finding.code)).c_str(), static_cast<int>(finding.severity), finding.value,
                FindingText(finding, "en").c_str());
    separator = ", ";
  }
  std::printf("]}\n");
}

int Usage() {
  std::fprintf(stderr, "usage: ringback-codec --file IN --out DIR [--max-seconds N] [--min-seconds N] [--target-lufs N]\n"
                       "writes DIR/message.opus, DIR/message.mp3 and DIR/waveform, and prints what was measured\n");
  return 2;
}

int CommandLine(int argc, char** argv) {
  std::string in_path, out_dir;
  TranscodeSettings settings;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    if (i + 1 == argc) return Usage();
    const char* value = argv[++i];
    if (flag == "--file") {
      in_path = value;
    } else if (flag == "--out") {
      out_dir = value;
    } else if (flag == "--max-seconds") {
      if (!absl::SimpleAtod(value, &settings.duration_max_s)) return Usage();
    } else if (flag == "--min-seconds") {
      if (!absl::SimpleAtod(value, &settings.duration_min_s)) return Usage();
    } else if (flag == "--target-lufs") {
      if (!absl::SimpleAtod(value, &settings.target_lufs)) return Usage();
    } else {
      return Usage();
    }
  }
  if (in_path.empty() || out_dir.empty()) return Usage();
  std::string request = EncodeRequestHeader(settings);
  if (!AppendFile(in_path, &request)) {
    std::fprintf(stderr, "ringback-codec: cannot read %s: %s\n", in_path.c_str(), std::strerror(errno));
    return 1;
  }
  const auto response = sandbox::RunForked(&Answer, &WarmUpDecoder, sandbox::Limits(), request, absl::Seconds(300));
  if (!response.ok()) {
    std::fprintf(stderr, "ringback-codec: %s\n", std::string(response.status().message()).c_str());
    return 1;
  }
  const auto result = DecodeResult(*response);
  if (!result.ok()) {
    std::fprintf(stderr, "ringback-codec: %s\n", std::string(result.status().message()).c_str());
    return 1;
  }
  if (result->ok() && !(WriteFile(out_dir + "/message.opus", result->opus) &&
                        WriteFile(out_dir + "/message.mp3", result->mp3) &&
                        WriteFile(out_dir + "/waveform", result->waveform))) {
    return 1;
  }
  PrintJson(*result);
  return result->ok() ? 0 : 1;
}

}  // namespace
}  // namespace ringback::transcode

int main(int argc, char** argv) {
  using namespace ringback;
  if (argc > 1) return transcode::CommandLine(argc, argv);
  sandbox::ServeSandboxed(&transcode::Answer, &transcode::WarmUpDecoder);
}
