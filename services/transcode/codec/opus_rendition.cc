#include <ogg/ogg.h>
#include <opus/opus.h>

#include <algorithm>
#include <cstring>
#include <deque>
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
constexpr int kComplexity = 10;
// A packet may take a quarter more than the bitrate gives on average: voices with strong overtones need it.
constexpr double kPacketMax = 1.25;
constexpr int kPacketsPerPage = 50;

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

// The encoder with its input, and a decoder that hears every packet as a listener will. Able to step back: where a frame
// decodes to more than it may, only the last few frames are encoded again, a little lower there. libopus allows to copy
// the states of both as bytes (opus.h).
class OpusTake {
 public:
  OpusTake(const Limiter& source, OpusEncoder* encoder, OpusDecoder* decoder, int pre_skip, int packet_bytes_max,
           float limit)
      : source_(source), encoder_(encoder), decoder_(decoder), packet_bytes_max_(packet_bytes_max),
        dips_(source.slices() + 1, 1.0f), tries_(source.slices() + 1, 0),
        watch_(limit, [this, pre_skip, limit](size_t chunk, float peak) {
          const int64_t slice = static_cast<int64_t>(chunk) - pre_skip / kSlice;
          if (slice >= 0 && slice < static_cast<int64_t>(source_.slices())) {
            overshoots.push_back({static_cast<size_t>(slice), peak / limit});
          }
        }) {}

  void EncodeNext() {
    const size_t frame = packets.size();
    if (frame % kCheckpointEvery == 0 && (checkpoints_.empty() || checkpoints_.back().frame < frame)) {
      checkpoints_.push_back(Now());
      if (checkpoints_.size() > kCheckpointsMax) checkpoints_.pop_front();
    }
    float pcm[kFrame];
    for (size_t s = 0; s < kSlicesPerFrame; ++s) Render(frame * kSlicesPerFrame + s, pcm + s * kSlice);
    unsigned char packet[1500];
    const int size = opus_encode_float(encoder_, pcm, kFrame, packet, packet_bytes_max_);
    if (size < 0) throw std::bad_alloc();  // Its only other reason is a wrong argument.
    packets.emplace_back(reinterpret_cast<char*>(packet), static_cast<size_t>(size));
    if (opus_decode_float(decoder_, packet, size, pcm, kFrame, 0) != kFrame) throw std::bad_alloc();
    watch_.Push(pcm, kFrame);
  }
  // After the last packet. May be called again after more.
  float Finish() {
    watch_.Finish();
    return watch_.peak();
  }

  // Steps back to before the earliest overshoot.
  void Repair() {
    size_t first = packets.size() * kSlicesPerFrame;
    std::map<size_t, float> repaired;
    for (const Overshoot& over : overshoots) {
      // Where lowering the place itself did not help, the noise of its surroundings is what is too high.
      const size_t reach = std::min(kReach << tries_[over.slice], kReachMax);
      const size_t from = over.slice < reach ? 0 : over.slice - reach;
      for (size_t i = from; i < std::min(dips_.size(), over.slice + reach + 1); ++i) {
        const auto [place, fresh] = repaired.try_emplace(i, 1.0f);
        place->second = std::min(place->second, dips_[i] * kRepair / over.excess);
      }
      first = std::min(first, from < 1 ? 0 : from - 1);
    }
    for (const Overshoot& over : overshoots) tries_[over.slice] = std::min(tries_[over.slice] + 1, 8);
    overshoots.clear();
    for (const auto& [slice, dip] : repaired) dips_[slice] = dip;
    while (checkpoints_.size() > 1 && checkpoints_.back().frame > first / kSlicesPerFrame) checkpoints_.pop_back();
    const Checkpoint& back = checkpoints_.back();
    std::memcpy(encoder_, back.encoder.data(), back.encoder.size());
    std::memcpy(decoder_, back.decoder.data(), back.decoder.size());
    watch_.StepBack(back.watch);
    packets.resize(back.frame);
    ++repairs;
  }

  std::vector<std::string> packets;
  std::vector<Overshoot> overshoots;  // New since the last repair.
  int repairs = 0;

 private:
  struct Checkpoint {
    size_t frame = 0;
    std::vector<unsigned char> encoder, decoder;
    PeakWatch::State watch;
  };
  static constexpr size_t kCheckpointEvery = 6, kCheckpointsMax = 4;
  // Slices. The widest reach, twice in a row, stays within the frames that the checkpoints cover.
  static constexpr size_t kReach = 3, kReachMax = 48;
  static constexpr float kRepair = 0.97f;

  Checkpoint Now() const {
    const auto bytes = [](const void* state, int size) {
      const auto* from = static_cast<const unsigned char*>(state);
      return std::vector<unsigned char>(from, from + size);
    };
    return {packets.size(), bytes(encoder_, opus_encoder_get_size(1)), bytes(decoder_, opus_decoder_get_size(1)),
            watch_.state()};
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
  OpusDecoder* const decoder_;
  const int packet_bytes_max_;
  std::vector<float> dips_;  // Factor per slice, on top of the limiter.
  std::vector<int> tries_;   // Repairs so far, per slice.
  PeakWatch watch_;
  std::deque<Checkpoint> checkpoints_;
};

}  // namespace

Rendition EncodeOpus(const Limiter& source, int bitrate, float true_peak_max) {
  int error = 0;
  const std::unique_ptr<OpusEncoder, Destroy> encoder(opus_encoder_create(kRate, 1, OPUS_APPLICATION_AUDIO, &error));
  if (error != OPUS_OK) throw std::bad_alloc();
  opus_encoder_ctl(encoder.get(), OPUS_SET_BITRATE(bitrate));
  opus_encoder_ctl(encoder.get(), OPUS_SET_VBR(1));
  opus_encoder_ctl(encoder.get(), OPUS_SET_VBR_CONSTRAINT(0));
  opus_encoder_ctl(encoder.get(), OPUS_SET_COMPLEXITY(kComplexity));
  // Of libopus' two coders the one for music (CELT), for speech too at this bitrate: half the CPU (2.4 ms per second
  // against 5.0 at complexity 5), and it follows the waveform and keeps loudness. On real voices it is closer to the take
  // up to 16 kHz (mel log-spectral distance 1.2 against 1.5), less close below 8 kHz (PESQ, ITU-T P.862.2: 4.24 against
  // 4.43; 24 kb/s at complexity 10 for speech, as scripts do it, has 1.9 and 4.27). Complexity 5 would save 0.7 ms and
  // costs voices with strong overtones much (2.9 against 2.4).
  opus_encoder_ctl(encoder.get(), OPUS_SET_SIGNAL(OPUS_SIGNAL_MUSIC));
  opus_int32 pre_skip = 0;
  opus_encoder_ctl(encoder.get(), OPUS_GET_LOOKAHEAD(&pre_skip));

  const auto samples = static_cast<int64_t>(source.slices()) * kSlice;
  const auto frames = static_cast<size_t>((samples + pre_skip + kFrame - 1) / kFrame);
  const std::unique_ptr<OpusDecoder, Destroy> decoder(opus_decoder_create(kRate, 1, &error));
  if (error != OPUS_OK) throw std::bad_alloc();
  const double packet_bytes = static_cast<double>(bitrate) / 8 * kFrame / kRate;
  OpusTake take(source, encoder.get(), decoder.get(), pre_skip,
                std::min(1500, static_cast<int>(packet_bytes * kPacketMax)), true_peak_max);
  Rendition rendition;
  // Far more than ever needed; a take that resists keeps its overshoots, and the caller sees them.
  const int repairs_max = static_cast<int>(frames) / 4 + 20;
  while (take.packets.size() < frames) {
    take.EncodeNext();
    if (take.packets.size() == frames) rendition.true_peak = take.Finish();
    if (take.overshoots.empty()) continue;
    if (take.repairs < repairs_max) {
      take.Repair();
    } else {
      rendition.overshoots.insert(rendition.overshoots.end(), take.overshoots.begin(), take.overshoots.end());
      take.overshoots.clear();
    }
  }

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
