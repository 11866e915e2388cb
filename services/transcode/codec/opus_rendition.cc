#include <ogg/ogg.h>
#include <opus/opus.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <vector>

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
// Quieter frames than this share of the limit (1.6 dB under it) are not checked. Hybrid Opus rarely adds 1 dB to a
// frame's peak, and 1.44 dB is the most seen in some 36,000 limited milliseconds of synthetic speech; with
// OPUS_APPLICATION_VOIP, whose high-pass shifts phases, 2.3 dB. A measured margin, not a proof.
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

// Decodes what a listener would hear around loud frames and notes peaks over the limit.
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
    wanted_.resize(source.slices() / kSlicesPerFrame + 3);
    for (size_t slice = 0; slice < source.slices(); ++slice) {
      if (source.PeakAfter(slice) < limit * kWorthChecking) continue;
      // The decoder is pre_skip behind, so a slice comes out of its own frame or of the next.
      const size_t frame = slice / kSlicesPerFrame;
      wanted_[frame] = wanted_[frame + 1] = true;
    }
  }

  // `packets` are all so far; the last one is new.
  void Packet(const std::vector<std::string>& packets) {
    const size_t frame = packets.size() - 1;
    if (!wanted_[frame]) {
      running_ = false;
      return;
    }
    if (!running_) Settle(packets, frame);
    float decoded[kFrame];
    if (Decode(packets[frame], decoded)) watch_.Push(decoded, kFrame);
  }
  // The packets from `frame` on will come again.
  void Rewind() {
    running_ = false;
    watch_.Restart(0);
    overshoots.clear();
  }
  float Finish() {
    watch_.Finish();
    return watch_.peak();
  }

  std::vector<Overshoot> overshoots;

 private:
  bool Decode(const std::string& packet, float* decoded) {
    return opus_decode_float(decoder_.get(), reinterpret_cast<const unsigned char*>(packet.data()),
                             static_cast<opus_int32>(packet.size()), decoded, kFrame, 0) == kFrame;
  }
  // Before the decoder has settled its output is nobody's.
  void Settle(const std::vector<std::string>& packets, size_t frame) {
    opus_decoder_ctl(decoder_.get(), OPUS_RESET_STATE);
    float ignored[kFrame];
    for (size_t f = frame < kPreRoll ? 0 : frame - kPreRoll; f < frame; ++f) Decode(packets[f], ignored);
    watch_.Restart(frame * kFrame);
    running_ = true;
  }

  const Limiter& source_;
  const int pre_skip_;
  PeakWatch watch_;
  std::unique_ptr<OpusDecoder, Destroy> decoder_;
  std::vector<bool> wanted_;
  bool running_ = false;
};

// The encoder with its input, able to step back: where a frame decodes to more than it may, only the last few frames are
// encoded again, a little lower there. libopus allows to copy an encoder's state as bytes (opus.h).
class OpusTake {
 public:
  OpusTake(const Limiter& source, OpusEncoder* encoder)
      : source_(source), encoder_(encoder), size_(static_cast<size_t>(opus_encoder_get_size(1))),
        dips_(source.slices() + 1, 1.0f) {}

  void EncodeNext() {
    const size_t frame = packets.size();
    if (frame % kCheckpointEvery == 0) {
      std::swap(older_, newer_);
      newer_.frame = frame;
      newer_.state.resize(size_);
      std::memcpy(newer_.state.data(), encoder_, size_);
    }
    float pcm[kFrame];
    for (size_t s = 0; s < kSlicesPerFrame; ++s) Render(frame * kSlicesPerFrame + s, pcm + s * kSlice);
    unsigned char packet[1500];
    const int size = opus_encode_float(encoder_, pcm, kFrame, packet, sizeof packet);
    if (size < 0) throw std::bad_alloc();  // Its only other reason is a wrong argument.
    packets.emplace_back(reinterpret_cast<char*>(packet), static_cast<size_t>(size));
  }

  // Steps back to before the earliest overshoot.
  void Repair(const std::vector<Overshoot>& overshoots) {
    size_t first = packets.size() * kSlicesPerFrame;
    for (const Overshoot& over : overshoots) {
      const size_t from = over.slice < kReach ? 0 : over.slice - kReach;
      for (size_t i = from; i < std::min(dips_.size(), over.slice + kReach + 1); ++i) {
        repaired_[i] = std::min(Repaired(i), dips_[i] * kRepair / over.excess);
      }
      first = std::min(first, from < 1 ? 0 : from - 1);
    }
    for (const auto& [slice, dip] : repaired_) dips_[slice] = dip;
    repaired_.clear();
    const Checkpoint& back = newer_.frame <= first / kSlicesPerFrame ? newer_ : older_;
    std::memcpy(encoder_, back.state.data(), size_);
    packets.resize(back.frame);
    if (&back == &older_) newer_ = older_;
    ++repairs;
  }

  std::vector<std::string> packets;
  int repairs = 0;

 private:
  struct Checkpoint {
    size_t frame = 0;
    std::vector<unsigned char> state;
  };
  static constexpr size_t kCheckpointEvery = 6;
  static constexpr size_t kReach = 3;
  static constexpr float kRepair = 0.97f;

  float Repaired(size_t slice) const {
    const auto found = repaired_.find(slice);
    return found == repaired_.end() ? 1.0f : found->second;
  }
  float Node(size_t slice) const {
    return std::min(slice == 0 ? 1.0f : dips_[slice - 1], dips_[std::min(slice, dips_.size() - 1)]);
  }
  void Render(size_t slice, float* out) const {
    if (slice >= source_.slices()) {
      std::fill(out, out + kSlice, 0.0f);
      return;
    }
    source_.Render(slice, out);
    const float from = Node(slice), to = Node(slice + 1);
    if (from == 1 && to == 1) return;
    for (int i = 0; i < kSlice; ++i) out[i] *= from + (to - from) * static_cast<float>(i) / kSlice;
  }

  const Limiter& source_;
  OpusEncoder* const encoder_;
  const size_t size_;
  std::vector<float> dips_;  // Factor per slice, on top of the limiter.
  std::map<size_t, float> repaired_;
  Checkpoint older_, newer_;
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

  const auto samples = static_cast<int64_t>(source.slices()) * kSlice;
  const auto frames = static_cast<size_t>((samples + pre_skip + kFrame - 1) / kFrame);
  OpusCheck check(source, pre_skip, true_peak_max);
  OpusTake take(source, encoder.get());
  Rendition rendition;
  // Far more than ever needed; a take that resists keeps its overshoots, and the caller sees them.
  const int repairs_max = static_cast<int>(frames) / 4 + 20;
  while (take.packets.size() < frames) {
    take.EncodeNext();
    check.Packet(take.packets);
    if (take.packets.size() == frames) check.Finish();
    if (check.overshoots.empty()) continue;
    if (take.repairs < repairs_max) {
      take.Repair(check.overshoots);
      check.Rewind();
    } else {
      rendition.overshoots.insert(rendition.overshoots.end(), check.overshoots.begin(), check.overshoots.end());
      check.overshoots.clear();
    }
  }
  rendition.true_peak = check.Finish();

  OggWriter ogg;
  WriteHeaders(&ogg, pre_skip);
  for (size_t frame = 0; frame < frames; ++frame) {
    const std::string& packet = take.packets[frame];
    const bool last = frame + 1 == frames;
    const int64_t granule = last ? samples + pre_skip : static_cast<int64_t>(frame + 1) * kFrame;
    ogg.Packet(reinterpret_cast<const unsigned char*>(packet.data()), packet.size(), granule, false, last,
               frame % kPacketsPerPage == kPacketsPerPage - 1);
  }
  rendition.bytes = ogg.Take();
  return rendition;
}

}  // namespace ringback::transcode
