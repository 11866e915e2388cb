#include "transcode/codec/sniff.h"

#include <cstdint>

namespace ringback::transcode {
namespace {

using std::string_view_literals::operator""sv;

uint8_t At(std::string_view bytes, size_t i) { return static_cast<uint8_t>(bytes[i]); }

// Size of the MPEG audio layer III frame at the start of `bytes`, 0 when there is none (ISO 11172-3, 13818-3).
size_t Mp3FrameSize(std::string_view bytes) {
  if (bytes.size() < 4 || At(bytes, 0) != 0xFF || (At(bytes, 1) & 0xE6) != 0xE2) return 0;
  const int version = (At(bytes, 1) >> 3) & 3;  // 0: 2.5, 2: 2, 3: 1
  const int bitrate_index = At(bytes, 2) >> 4;
  const int rate_index = (At(bytes, 2) >> 2) & 3;
  if (version == 1 || bitrate_index == 0 || bitrate_index == 15 || rate_index == 3) return 0;
  static constexpr int kBitrate1[] = {0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320};
  static constexpr int kBitrate2[] = {0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160};
  static constexpr int kRate[] = {44100, 48000, 32000};
  const int rate = kRate[rate_index] >> (version == 3 ? 0 : version == 2 ? 1 : 2);
  const int kbps = version == 3 ? kBitrate1[bitrate_index] : kBitrate2[bitrate_index];
  return static_cast<size_t>((version == 3 ? 144 : 72) * kbps * 1000 / rate + ((At(bytes, 2) >> 1) & 1));
}

// A lone sync word occurs by chance in any data; two frames in a row do not.
bool LooksLikeMp3(std::string_view bytes) {
  if (bytes.substr(0, 3) == "ID3") return true;
  const size_t size = Mp3FrameSize(bytes);
  if (size == 0) return false;
  return size >= bytes.size() || Mp3FrameSize(bytes.substr(size)) > 0;
}

}  // namespace

Container Sniff(std::string_view bytes) {
  if (bytes.size() < 12) return Container::kUnknown;
  const std::string_view head = bytes.substr(0, 4);
  if ((head == "RIFF" || head == "RF64") && bytes.substr(8, 4) == "WAVE") return Container::kWav;
  if (head == "fLaC") return Container::kFlac;
  if (head == "OggS") return Container::kOgg;
  if (head == "\x1A\x45\xDF\xA3"sv) return Container::kWebm;
  if (bytes.substr(4, 4) == "ftyp") return Container::kMp4;
  if (bytes.substr(0, 5) == "#!AMR") return Container::kAmr;
  if (LooksLikeMp3(bytes)) return Container::kMp3;
  return Container::kUnknown;
}

std::string_view ContainerName(Container container) {
  switch (container) {
    case Container::kWav: return "wav";
    case Container::kFlac: return "flac";
    case Container::kMp3: return "mp3";
    case Container::kOgg: return "ogg";
    case Container::kWebm: return "webm";
    case Container::kMp4: return "mp4";
    case Container::kAmr: return "amr";
    case Container::kUnknown: break;
  }
  return "";
}

namespace {

// What programs write that stream into a pipe and cannot go back to fill the size in: 0, 2^32 - 1 (ffmpeg, GStreamer) or
// a little under 2 GiB (sox, arecord).
bool IsPlaceholder(uint64_t size) {
  return size == 0 || size >= 0xFFFFFF00 || (size >= 0x7FFFF000 && size <= 0x80000000);
}

}  // namespace

bool WavEndsInsideData(std::string_view bytes) {
  size_t at = 12;
  while (at + 8 <= bytes.size()) {
    uint64_t size = 0;
    for (size_t i = 4; i-- > 0;) size = size << 8 | At(bytes, at + 4 + i);
    if (bytes.substr(at, 4) == "data") {
      return !IsPlaceholder(size) && size > bytes.size() - at - 8;
    }
    at += 8 + size + size % 2;
  }
  return false;
}

bool OggEndsInsidePage(std::string_view bytes) {
  size_t at = 0;
  while (at < bytes.size()) {
    if (bytes.substr(at, 4) != "OggS") return false;  // Something else follows; the demuxer resynchronises.
    if (bytes.size() - at < 27) return true;
    const size_t segments = At(bytes, at + 26);
    if (bytes.size() - at < 27 + segments) return true;
    size_t size = 27 + segments;
    for (size_t i = 0; i < segments; ++i) size += At(bytes, at + 27 + i);
    if (bytes.size() - at < size) return true;
    at += size;
  }
  return false;
}

}  // namespace ringback::transcode
