#include <opus/opus.h>
#include <ogg/ogg.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>

#include "transcode/codec/encoders.h"
#include "transcode/codec/true_peak.h"

namespace ringback::transcode {
namespace {

constexpr int kFrame = 960;  // 20 ms: what every player expects.
constexpr int kSlicesPerFrame = kFrame / kSlice;
constexpr int kComplexity = 5;
constexpr int kPacketsPerPage = 50;
// The decoder needs this many packets before what it gives is what a listener hears (RFC 7845, 80 ms).
constexpr int kPreRoll = 4;
// Quieter frames than this share of the limit are not checked: hybrid Opus at 32 kb/s adds 1 dB to a frame's peak at
// most (measured on 12,000 limited frames; with OPUS_APPLICATION_VOIP, whose high-pass shifts phases, 2.3 dB).
constexpr float kWorthChecking = 0.83f;

struct Destroy {
  void operator()(OpusEncoder* e) const { opus_encoder_destroy(e); }
  void operator()(OpusDecoder* d) const { opus_decoder_destroy(d); }
};

class OggWriter {
 public:
  OggWriter() {
    // One logical stream per file: any serial number will do, and a fixed one keeps the bytes reproducible.
    if (ogg_stream_init(&stream_, 0x52424B31) != 0) throw std::bad_alloc();
  }
  ~OggWriter() { ogg_stream_clear(&stream_); }

  void Packet(const unsigned char* data, size_t size, int64_t granule, bool first, bool last, bool end_page) {
    ogg_packet packet{};
    packet.packet = const_cast<unsigned char*>(data);
    packet.bytes = static_cast<long>(size);
    packet.b_o_s = first;
    packet.e_o_s = last;
    packet.granulepos = granule;
    packet.packetno = number_++;
    if (ogg_stream_packetin(&stream_, &packet) != 0) throw std::bad_alloc();
    ogg_page page;
    while (end_page || last ? ogg_stream_flush(&stream_, &page) : ogg_stream_pageout(&stream_, &page)) {
      out_.append(reinterpret_cast<char*>(page.header), static_cast<size_t>(page.header_len));
      out_.append(reinterpret_cast<char*>(page.body), static_cast<size_t>(page.body_len));
    }
  }
  std::string Take() { return std::move(out_); }

 private:
  ogg_stream_state stream_;
  int64_t number_ = 0;
  std::string out_;
};

void PutLe(std::string* out, uint32_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out->push_back(static_cast<char>(value >> (8 * i) & 0xFF));
}

void WriteHeaders(OggWriter* ogg, int pre_skip) {
  std::string head = "OpusHead";
  PutLe(&head, 1, 1);         // Version.
  PutLe(&head, 1, 1);         // Channels.
  PutLe(&head, static_cast<uint32_t>(pre_skip), 2);
  PutLe(&head, kRate, 4);     // Input rate, informative.
  PutLe(&head, 0, 2);         // Output gain: none, the gain is in the samples.
  PutLe(&head, 0, 1);         // Mapping family: mono or stereo.
  ogg->Packet(reinterpret_cast<const unsigned char*>(head.data()), head.size(), 0, true, false, true);
  const std::string vendor = "ringback";
  std::string tags = "OpusTags";
  PutLe(&tags, static_cast<uint32_t>(vendor.size()), 4);
  tags += vendor;
  PutLe(&tags, 0, 4);
  ogg->Packet(reinterpret_cast<const unsigned char*>(tags.data()), tags.size(), 0, false, false, true);
}

// Decodes what a listener would hear around loud frames and reports peaks over the limit.
class OpusCheck {
 public:
  OpusCheck(const Limiter& source, int pre_skip, float limit)
      : source_(source), pre_skip_(pre_skip), watch_(limit, [this, limit](size_t chunk, float peak) {
          const int64_t slice = static_cast<int64_t>(chunk) - pre_skip_ / kSlice;
          if (slice >= 0 && slice < static_cast<int64_t>(source_.slices())) {
            overshoots.push_back({static_cast<size_t>(slice), peak / limit});
          }
        }) {
    int error = 0;
    decoder_.reset(opus_decoder_create(kRate, 1, &error));
    if (error != OPUS_OK) throw std::bad_alloc();
    const size_t frames = source.slices() / kSlicesPerFrame + 3;
    wanted_.resize(frames);
    for (size_t slice = 0; slice < source.slices(); ++slice) {
      if (source.PeakAfter(slice) < limit * kWorthChecking) continue;
      // The decoder is pre_skip behind, so a slice can come out of its own frame or of the next.
      const size_t frame = slice / kSlicesPerFrame;
      const size_t from = frame < kPreRoll ? 0 : frame - kPreRoll;
      for (size_t f = from; f <= frame + 1; ++f) wanted_[f] = f >= frame ? 2 : std::max<char>(wanted_[f], 1);
    }
  }

  void Packet(size_t frame, const unsigned char* data, int size) {
    if (wanted_[frame] == 0) {
      running_ = false;
      return;
    }
    if (!running_) {
      opus_decoder_ctl(decoder_.get(), OPUS_RESET_STATE);
      watch_.Restart(frame * kFrame);
      running_ = true;
    }
    float decoded[kFrame];
    const int n = opus_decode_float(decoder_.get(), data, size, decoded, kFrame, 0);
    // Before the decoder has settled its output is nobody's: silence keeps the count.
    if (wanted_[frame] == 1) std::fill(decoded, decoded + kFrame, 0.0f);
    if (n == kFrame) watch_.Push(decoded, kFrame);
  }
  float Finish() {
    watch_.Finish();
    return watch_.peak();
  }

  std::vector<Overshoot> overshoots;

 private:
  const Limiter& source_;
  const int pre_skip_;
  PeakWatch watch_;
  std::unique_ptr<OpusDecoder, Destroy> decoder_;
  std::vector<char> wanted_;  // 0: skip, 1: decode only, 2: look at.
  bool running_ = false;
};

}  // namespace

Rendition EncodeOpus(const Limiter& source, int bitrate, float true_peak_max) {
  int error = 0;
  const std::unique_ptr<OpusEncoder, Destroy> encoder(opus_encoder_create(kRate, 1, OPUS_APPLICATION_AUDIO, &error));
  if (error != OPUS_OK) throw std::bad_alloc();
  opus_encoder_ctl(encoder.get(), OPUS_SET_BITRATE(bitrate));
  opus_encoder_ctl(encoder.get(), OPUS_SET_VBR(1));
  opus_encoder_ctl(encoder.get(), OPUS_SET_COMPLEXITY(kComplexity));
  opus_encoder_ctl(encoder.get(), OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
  opus_int32 pre_skip = 0;
  opus_encoder_ctl(encoder.get(), OPUS_GET_LOOKAHEAD(&pre_skip));

  OggWriter ogg;
  WriteHeaders(&ogg, pre_skip);
  OpusCheck check(source, pre_skip, true_peak_max);
  const auto samples = static_cast<int64_t>(source.slices()) * kSlice;
  const auto frames = static_cast<size_t>((samples + pre_skip + kFrame - 1) / kFrame);
  size_t slice = 0;
  for (size_t frame = 0; frame < frames; ++frame) {
    float pcm[kFrame];
    for (int s = 0; s < kSlicesPerFrame; ++s, ++slice) {
      float* out = pcm + s * kSlice;
      if (slice < source.slices()) {
        source.Render(slice, out);
      } else {
        std::fill(out, out + kSlice, 0.0f);
      }
    }
    unsigned char packet[1500];
    const int size = opus_encode_float(encoder.get(), pcm, kFrame, packet, sizeof packet);
    if (size < 0) throw std::bad_alloc();  // Its only other reason is a wrong argument.
    const bool last = frame + 1 == frames;
    const int64_t granule = last ? samples + pre_skip : static_cast<int64_t>(frame + 1) * kFrame;
    ogg.Packet(packet, static_cast<size_t>(size), granule, false, last, frame % kPacketsPerPage == kPacketsPerPage - 1);
    check.Packet(frame, packet, size);
  }
  Rendition rendition;
  rendition.true_peak = check.Finish();
  rendition.overshoots = std::move(check.overshoots);
  rendition.bytes = ogg.Take();
  return rendition;
}

}  // namespace ringback::transcode
