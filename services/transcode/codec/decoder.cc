#include "transcode/codec/decoder.h"

#include <soxr.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/opt.h>
}

namespace ringback::transcode {
namespace {

// Codec padding and rounding may add this much to a take of exactly the cap.
constexpr double kCapSlack_s = 0.1;
constexpr int kRateMin = 4000;
constexpr int kRateMax = 192000;

struct Allowed {
  Container container;
  const char* demuxer;
  std::vector<std::pair<AVCodecID, const char*>> decoders;
};

const std::vector<Allowed>& AllowList() {
  static const std::vector<Allowed> list = {
      {Container::kWav, "wav",
       {{AV_CODEC_ID_PCM_S16LE, "pcm_s16le"}, {AV_CODEC_ID_PCM_U8, "pcm_u8"}, {AV_CODEC_ID_PCM_S24LE, "pcm_s24le"},
        {AV_CODEC_ID_PCM_S32LE, "pcm_s32le"}, {AV_CODEC_ID_PCM_F32LE, "pcm_f32le"},
        {AV_CODEC_ID_PCM_F64LE, "pcm_f64le"}, {AV_CODEC_ID_PCM_ALAW, "pcm_alaw"},
        {AV_CODEC_ID_PCM_MULAW, "pcm_mulaw"}}},
      {Container::kFlac, "flac", {{AV_CODEC_ID_FLAC, "flac"}}},
      {Container::kMp3, "mp3", {{AV_CODEC_ID_MP3, "mp3float"}}},
      {Container::kOgg, "ogg", {{AV_CODEC_ID_OPUS, "opus"}}},
      {Container::kWebm, "matroska", {{AV_CODEC_ID_OPUS, "opus"}}},
      {Container::kMp4, "mov",
       {{AV_CODEC_ID_AAC, "aac"}, {AV_CODEC_ID_AMR_NB, "amrnb"}, {AV_CODEC_ID_AMR_WB, "amrwb"}}},
      {Container::kAmr, "amr", {{AV_CODEC_ID_AMR_NB, "amrnb"}, {AV_CODEC_ID_AMR_WB, "amrwb"}}},
  };
  return list;
}

struct MemoryFile {
  std::string_view bytes;
  size_t at = 0;

  static int Read(void* opaque, uint8_t* out, int size) {
    auto* file = static_cast<MemoryFile*>(opaque);
    const size_t n = std::min(static_cast<size_t>(size), file->bytes.size() - file->at);
    if (n == 0) return AVERROR_EOF;
    std::memcpy(out, file->bytes.data() + file->at, n);
    file->at += n;
    return static_cast<int>(n);
  }
  static int64_t Seek(void* opaque, int64_t offset, int whence) {
    auto* file = static_cast<MemoryFile*>(opaque);
    const auto size = static_cast<int64_t>(file->bytes.size());
    if (whence & AVSEEK_SIZE) return size;
    whence &= ~AVSEEK_FORCE;
    const int64_t base = whence == SEEK_CUR ? static_cast<int64_t>(file->at) : whence == SEEK_END ? size : 0;
    if (offset < -base || offset > size - base) return AVERROR(EINVAL);
    file->at = static_cast<size_t>(base + offset);
    return base + offset;
  }
};

// Refuses whatever a container asks to open besides itself (external references, playlists).
int RefuseOpen(AVFormatContext*, AVIOContext**, const char*, int, AVDictionary**) { return AVERROR(EPERM); }

struct Closer {
  void operator()(AVFormatContext* c) const { avformat_close_input(&c); }
  void operator()(AVIOContext* c) const {
    av_freep(&c->buffer);
    avio_context_free(&c);
  }
  void operator()(AVCodecContext* c) const { avcodec_free_context(&c); }
  void operator()(AVPacket* p) const { av_packet_free(&p); }
  void operator()(AVFrame* f) const { av_frame_free(&f); }
  void operator()(soxr* s) const { soxr_delete(s); }
};
template <typename T>
using Owned = std::unique_ptr<T, Closer>;

template <typename T>
T* OrNoMemory(T* pointer) {
  if (pointer == nullptr) throw std::bad_alloc();
  return pointer;
}

int CheckMemory(int error) {
  if (error == AVERROR(ENOMEM)) throw std::bad_alloc();
  return error;
}

// Adds one channel into `mono` and counts samples at full scale. `stride` is the distance between samples.
template <typename T>
int64_t AddChannel(const T* in, int stride, int count, float scale, float offset, float full, float weight,
                   float* mono) {
  int32_t clipped = 0;
  if (stride == 1) {
    for (int i = 0; i < count; ++i) {
      const float x = (static_cast<float>(in[i]) - offset) * scale;
      clipped += std::fabs(x) >= full;
      mono[i] += x * weight;
    }
  } else {
    for (int i = 0; i < count; ++i) {
      const float x = (static_cast<float>(in[static_cast<size_t>(i) * stride]) - offset) * scale;
      clipped += std::fabs(x) >= full;
      mono[i] += x * weight;
    }
  }
  return clipped;
}

// Frames in, mono 48 kHz out.
class Mixer {
 public:
  Mixer(const PcmSink& sink, bool resample) : sink_(sink), resample_(resample) {}

  // False when the frame's sample format is none that an allowed decoder gives.
  bool Push(const AVFrame& frame) {
    const int count = frame.nb_samples;
    const int channels = frame.ch_layout.nb_channels;
    if (frame.sample_rate != rate_) StartRate(frame.sample_rate);
    mono_.assign(static_cast<size_t>(count), 0.0f);
    const bool planar = av_sample_fmt_is_planar(static_cast<AVSampleFormat>(frame.format));
    const int stride = planar ? 1 : channels;
    const float weight = 1.0f / static_cast<float>(channels);
    const auto add = [&]<typename T>(const T*, float scale, float offset, float full) {
      for (int c = 0; c < channels; ++c) {
        const T* data = planar ? reinterpret_cast<const T*>(frame.extended_data[c])
                               : reinterpret_cast<const T*>(frame.extended_data[0]) + c;
        clipped_ += AddChannel(data, stride, count, scale, offset, full, weight, mono_.data());
      }
    };
    switch (av_get_packed_sample_fmt(static_cast<AVSampleFormat>(frame.format))) {
      case AV_SAMPLE_FMT_U8: add(static_cast<uint8_t*>(nullptr), 1.0f / 128, 128, 127.0f / 128); break;
      case AV_SAMPLE_FMT_S16: add(static_cast<int16_t*>(nullptr), 1.0f / 32768, 0, 0.999f); break;
      case AV_SAMPLE_FMT_S32: add(static_cast<int32_t*>(nullptr), 1.0f / 2147483648.0f, 0, 0.999f); break;
      case AV_SAMPLE_FMT_FLT: add(static_cast<float*>(nullptr), 1, 0, 0.999f); break;
      case AV_SAMPLE_FMT_DBL: add(static_cast<double*>(nullptr), 1, 0, 0.999f); break;
      default: return false;
    }
    // A float recording may hold anything, not-a-number included.
    for (float& x : mono_) x = x > -32.0f && x < 32.0f ? x : 0.0f;
    samples_ += static_cast<int64_t>(count) * channels;
    seconds_ += static_cast<double>(count) / rate_;
    Resample(mono_.data(), mono_.size());
    return true;
  }
  void PushSilence(int rate, int count) {
    if (rate != rate_) StartRate(rate);
    mono_.assign(static_cast<size_t>(count), 0.0f);
    seconds_ += static_cast<double>(count) / rate_;
    Resample(mono_.data(), mono_.size());
  }
  void Finish() {
    if (resampler_) Resample(nullptr, 0);
  }
  double seconds() const { return seconds_; }
  double clipped_share() const { return samples_ == 0 ? 0 : static_cast<double>(clipped_) / samples_; }

 private:
  void StartRate(int rate) {
    Finish();
    rate_ = rate;
    resampler_.reset();
    if (rate == kRate || !resample_) return;
    const soxr_io_spec_t io = soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I);
    // Medium quality passes 20 Hz to 20 kHz of 44.1 kHz untouched by ear; speech codecs follow.
    const soxr_quality_spec_t quality = soxr_quality_spec(SOXR_MQ, 0);
    const soxr_runtime_spec_t runtime = soxr_runtime_spec(1);
    soxr_error_t error = nullptr;
    resampler_.reset(soxr_create(rate, kRate, 1, &error, &io, &quality, &runtime));
    if (error != nullptr) throw std::bad_alloc();
  }
  void Resample(const float* in, size_t count) {
    if (!resampler_) {
      sink_(in, count);
      return;
    }
    resampled_.resize(4096);
    bool flush = in == nullptr;
    size_t used = 0;
    for (;;) {
      size_t took = 0, made = 0;
      soxr_process(resampler_.get(), flush ? nullptr : in + used, count - used, &took, resampled_.data(),
                   resampled_.size(), &made);
      used += took;
      if (made > 0) sink_(resampled_.data(), made);
      if (made < resampled_.size() && (flush || used == count)) return;
    }
  }

  const PcmSink& sink_;
  const bool resample_;
  Owned<soxr> resampler_;
  int rate_ = 0;
  std::vector<float> mono_, resampled_;
  int64_t samples_ = 0, clipped_ = 0;
  double seconds_ = 0;
};

Finding Fatal(FindingCode code, double value = 0) { return {code, Severity::kFatal, value}; }

class Run {
 public:
  Run(std::string_view bytes, const TranscodeSettings& settings, const PcmSink& sink, bool resample)
      : settings_(settings), file_{bytes}, mixer_(sink, resample) {}

  DecodeOutcome Go() {
    outcome_.container = Sniff(file_.bytes);
    if (outcome_.container == Container::kUnknown) {
      outcome_.fatal = Fatal(FindingCode::kNotAudio);
      return outcome_;
    }
    if (Open() && OpenDecoder()) ReadAll();
    outcome_.seconds = mixer_.seconds();
    outcome_.clipped_share = mixer_.clipped_share();
    return outcome_;
  }

 private:
  bool Fail(FindingCode code, double value = 0) {
    outcome_.fatal = Fatal(code, value);
    return false;
  }

  bool Open() {
    for (const Allowed& allowed : AllowList()) {
      if (allowed.container == outcome_.container) allowed_ = &allowed;
    }
    constexpr int kBuffer = 64 << 10;
    auto* buffer = static_cast<unsigned char*>(OrNoMemory(av_malloc(kBuffer)));
    io_.reset(avio_alloc_context(buffer, kBuffer, 0, &file_, &MemoryFile::Read, nullptr, &MemoryFile::Seek));
    if (!io_) {
      av_free(buffer);
      throw std::bad_alloc();
    }
    AVFormatContext* format = OrNoMemory(avformat_alloc_context());
    format->pb = io_.get();
    format->io_open = &RefuseOpen;
    format->flags |= AVFMT_FLAG_CUSTOM_IO;
    format->protocol_whitelist = av_strdup("");
    // libav would probe the samples of a WAV for other formats in disguise. The allow-list makes that pointless.
    format->max_probe_packets = 0;
    format->probesize = 32;
    AVDictionary* options = nullptr;
    if (outcome_.container == Container::kWav) av_dict_set(&options, "max_size", "65536", 0);
    // The demuxer is given, so libav probes nothing and cannot choose another.
    const int error = avformat_open_input(&format, "", av_find_input_format(allowed_->demuxer), &options);
    av_dict_free(&options);
    if (CheckMemory(error) < 0) return Fail(FindingCode::kDecodeError);  // open_input freed the context.
    format_.reset(format);
    for (unsigned i = 0; i < format->nb_streams; ++i) {
      AVStream* stream = format->streams[i];
      if (stream_ == nullptr && stream->codecpar->codec_type == AVMEDIA_TYPE_AUDIO) {
        stream_ = stream;
      } else {
        stream->discard = AVDISCARD_ALL;
      }
    }
    return stream_ != nullptr || Fail(FindingCode::kNotAudio);
  }

  bool OpenDecoder() {
    const AVCodecParameters& parameters = *stream_->codecpar;
    if (parameters.ch_layout.nb_channels > settings_.channels_max) {
      return Fail(FindingCode::kTooManyChannels, parameters.ch_layout.nb_channels);
    }
    const AVCodec* codec = nullptr;
    for (const auto& [id, name] : allowed_->decoders) {
      if (id == parameters.codec_id) codec = avcodec_find_decoder_by_name(name);
    }
    if (codec == nullptr) return Fail(FindingCode::kDecodeError);
    codec_.reset(OrNoMemory(avcodec_alloc_context3(codec)));
    CheckMemory(avcodec_parameters_to_context(codec_.get(), &parameters));
    codec_->thread_count = 1;
    codec_->pkt_timebase = stream_->time_base;
    // No decoder may set up more than this, whatever a header asks for.
    codec_->max_samples = static_cast<int64_t>(kRateMax) * 8;
    if (CheckMemory(avcodec_open2(codec_.get(), codec, nullptr)) < 0) return Fail(FindingCode::kDecodeError);
    return true;
  }

  void ReadAll() {
    const Owned<AVPacket> packet(OrNoMemory(av_packet_alloc()));
    const Owned<AVFrame> frame(OrNoMemory(av_frame_alloc()));
    int packets = 0, bad_packets = 0;
    int error = 0;
    bool going = true;
    while (going && (error = CheckMemory(av_read_frame(format_.get(), packet.get()))) >= 0) {
      if (packet->stream_index == stream_->index) {
        ++packets;
        const int bad_before = bad_packets;
        if (CheckMemory(avcodec_send_packet(codec_.get(), packet.get())) < 0) ++bad_packets;
        going = TakeFrames(frame.get(), &bad_packets);
        if (outcome_.container == Container::kAmr && bad_packets > bad_before && codec_->sample_rate > 0) {
          // Telephones send comfort noise instead of pauses, which libav cannot decode: 20 ms of silence.
          bad_packets = bad_before;
          mixer_.PushSilence(codec_->sample_rate, codec_->sample_rate / 50);
        }
      }
      av_packet_unref(packet.get());
    }
    if (going) {
      avcodec_send_packet(codec_.get(), nullptr);
      going = TakeFrames(frame.get(), &bad_packets);
    }
    if (!going) return;
    mixer_.Finish();
    const bool read_error = error < 0 && error != AVERROR_EOF;
    if (bad_packets > std::max(2, packets / 100) || (mixer_.seconds() == 0 && (bad_packets > 0 || read_error))) {
      Fail(FindingCode::kDecodeError);
      return;
    }
    outcome_.truncated = read_error || EndsEarly();
  }

  // False when the job is decided.
  bool TakeFrames(AVFrame* frame, int* bad_packets) {
    for (;;) {
      const int error = CheckMemory(avcodec_receive_frame(codec_.get(), frame));
      if (error == AVERROR(EAGAIN) || error == AVERROR_EOF) return true;
      if (error < 0) {
        ++*bad_packets;
        return true;
      }
      const int channels = frame->ch_layout.nb_channels;
      if (channels > settings_.channels_max) return Fail(FindingCode::kTooManyChannels, channels);
      if (channels < 1 || frame->sample_rate < kRateMin || frame->sample_rate > kRateMax) {
        return Fail(FindingCode::kDecodeError);
      }
      if (outcome_.channels == 0) {
        outcome_.channels = channels;
        outcome_.sample_rate = frame->sample_rate;
      }
      if (!mixer_.Push(*frame)) return Fail(FindingCode::kDecodeError);
      av_frame_unref(frame);
      if (mixer_.seconds() > settings_.duration_max_s + kCapSlack_s) {
        return Fail(FindingCode::kTooLong, settings_.duration_max_s);
      }
    }
  }

  bool EndsEarly() const {
    if (outcome_.container == Container::kOgg) return OggEndsInsidePage(file_.bytes);
    if (outcome_.container == Container::kWav) return WavEndsInsideData(file_.bytes);
    double claimed = 0;
    if (stream_->duration > 0) {
      claimed = static_cast<double>(stream_->duration) * av_q2d(stream_->time_base);
    } else if (format_->duration > 0) {
      claimed = static_cast<double>(format_->duration) / AV_TIME_BASE;
    }
    return mixer_.seconds() < claimed * 0.99 - 0.1;
  }

  const TranscodeSettings& settings_;
  MemoryFile file_;
  Mixer mixer_;
  DecodeOutcome outcome_;
  const Allowed* allowed_ = nullptr;
  Owned<AVIOContext> io_;
  Owned<AVFormatContext> format_;
  AVStream* stream_ = nullptr;
  Owned<AVCodecContext> codec_;
};

}  // namespace

DecodeOutcome Decode(std::string_view bytes, const TranscodeSettings& settings, const PcmSink& sink) {
  av_log_set_level(AV_LOG_QUIET);
  return Run(bytes, settings, sink, true).Go();
}

void DecodeOwn(std::string_view bytes, const PcmSink& sink) {
  TranscodeSettings unlimited;
  unlimited.duration_max_s = 1e9;
  Run(bytes, unlimited, sink, false).Go();
}

void WarmUpDecoder() {
  av_log_set_level(AV_LOG_QUIET);
  for (const Allowed& allowed : AllowList()) {
    av_find_input_format(allowed.demuxer);
    for (const auto& [id, name] : allowed.decoders) avcodec_find_decoder_by_name(name);
  }
}

}  // namespace ringback::transcode
