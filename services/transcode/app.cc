#include "transcode/app.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/laps.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "core/domain/rules.h"
#include "core/rpc/translate.h"
#include "core/store/records.h"
#include "transcode/codec_client.h"

namespace ringback::transcode {
namespace {

namespace record = ::ringback::store::v1;

constexpr int kCommitTries = 10;
constexpr int kDefaultCapSeconds = 120;
constexpr int kSlotsByDefaultMax = 8;  // a child may need 240 MB

std::string BlobName(const record::RecordingRecord& recording, std::string_view part) {
  return absl::StrCat(recording.id().substr(2, 2), "/", recording.id(), "/", std::string(part));
}

void SetMeasurements(const TranscodeResult& result, record::RecordingRecord* recording) {
  const Measurements& measured = result.measurements;
  recording->set_duration_seconds(measured.duration_out_s);
  recording->set_input_loudness_lufs(measured.loudness_in_lufs);
  recording->set_input_peak_dbtp(measured.true_peak_in_dbtp);
  recording->set_output_loudness_lufs(measured.loudness_out_lufs);
  recording->set_output_peak_dbtp(measured.true_peak_out_dbtp);
  recording->set_clipped_share(measured.clipped_share);
  recording->set_speech_seconds(measured.speech_s);
  recording->set_noise_floor_dbfs(measured.noise_floor_dbfs);
  recording->set_waveform(result.waveform);
  recording->clear_findings();
  for (const Finding& finding : result.findings) {
    record::RecordingRecord::Finding* to = recording->add_findings();
    to->set_code(std::string(FindingName(finding.code)));
    to->set_fatal(finding.severity == Severity::kFatal);
    to->set_text_de(FindingText(finding, "de"));
    to->set_text_en(FindingText(finding, "en"));
  }
}

// What the rep reads when a take cannot be used: its fatal findings in words.
std::string FatalWords(const record::RecordingRecord& recording, const std::string& language) {
  std::string words;
  for (const auto& finding : recording.findings()) {
    if (!finding.fatal()) continue;
    absl::StrAppend(&words, words.empty() ? "" : "; ", language == "en" ? finding.text_en() : finding.text_de());
  }
  return words;
}

class TranscodeHandler : public runtime::JobHandler {
 public:
  TranscodeHandler(runtime::Host& host, CodecOptions codec) : host_(host), codec_(std::move(codec)) {}

  absl::Status Handle(const runtime::Job& job) override {
    Laps laps;
    const store::Lease& lease = job.lease;
    const store::Key key{lease.key.shard, store::Kind::kRecording, lease.key.id};
    auto loaded = store::Load<record::RecordingRecord>(host_.store(), key);
    if (absl::IsNotFound(loaded.status())) return Forget(lease);  // erased in the meantime
    RB_RETURN_IF_ERROR(loaded.status());
    runtime::JobBegins(job, loaded->message.trace_id());
    if (loaded->message.state() != record::RecordingRecord::STATE_RECEIVED) return Forget(lease);

    TranscodeSettings settings;
    RB_ASSIGN_OR_RETURN(const store::Key team_key, store::TeamKey(loaded->message.team_id()));
    RB_ASSIGN_OR_RETURN(const auto team, store::Load<record::TeamRecord>(host_.store(), team_key));
    settings.duration_max_s =
        team.message.recording_max_seconds() > 0 ? team.message.recording_max_seconds() : kDefaultCapSeconds;

    laps.Lap("load");
    RB_ASSIGN_OR_RETURN(TranscodeResult result, Transcode(loaded->message, job.payload.get(), settings));
    laps.Lap("codec");
    laps.Within("decode", result.measurements.decode_ms);
    laps.Within("encode", result.measurements.encode_ms);
    if (result.ok()) {
      RB_RETURN_IF_ERROR(KeepRenditions(loaded->message, result));
      laps.Lap("renditions");
    }
    const auto mp3 = std::make_shared<const std::string>(result.mp3);
    RB_RETURN_IF_ERROR(CommitOutcome(lease, key, team.message, mp3, [&](record::RecordingRecord* recording) {
      SetMeasurements(result, recording);
      if (!result.ok()) {
        recording->set_state(record::RecordingRecord::STATE_FAILED);
        return;
      }
      recording->set_state(record::RecordingRecord::STATE_READY);
      recording->set_opus_blob(BlobName(*recording, "voice.opus"));
      recording->set_mp3_blob(BlobName(*recording, "voice.mp3"));
      recording->set_opus_size_bytes(static_cast<int64_t>(result.opus.size()));
      recording->set_mp3_size_bytes(static_cast<int64_t>(result.mp3.size()));
    }));
    laps.Lap("commit");
    RB_LOG_INFO("transcode: {} of {} s {}", lease.key.id, std::lround(result.measurements.duration_in_s), laps.Text());
    Tell(lease.key.id, result);
    return absl::OkStatus();
  }

  absl::Status DeadLetter(const store::Lease& lease, const std::string& reason) override {
    const store::Key key{lease.key.shard, store::Kind::kRecording, lease.key.id};
    RB_ASSIGN_OR_RETURN(const store::Key team_key, store::TeamKey(lease.key.team));
    RB_ASSIGN_OR_RETURN(const auto team, store::Load<record::TeamRecord>(host_.store(), team_key));
    const absl::Status status = CommitOutcome(lease, key, team.message, nullptr, [&](record::RecordingRecord* recording) {
      recording->set_state(record::RecordingRecord::STATE_FAILED);
      recording->set_dead_reason(reason);
    });
    return absl::IsNotFound(status) ? Forget(lease) : status;
  }

 private:
  void Tell(const std::string& recording_id, const TranscodeResult& result) {
    std::string findings;
    for (const Finding& finding : result.findings) {
      host_.metrics().Count("ringback_findings_total", {{"code", std::string(FindingName(finding.code))}});
      absl::StrAppend(&findings, findings.empty() ? "" : ", ", std::string(FindingName(finding.code)));
    }
    host_.metrics().Count("ringback_transcodes_total", {{"outcome", result.ok() ? "ready" : "unusable"}});
    host_.metrics().Count("ringback_transcoded_audio_seconds_total", {}, result.measurements.duration_in_s);
    RB_LOG_INFO("recording {} is {}: {:.1f} s of voice{}{}", recording_id, result.ok() ? "ready" : "not usable",
                result.measurements.duration_out_s, findings.empty() ? "" : ", ", findings);
  }

  // `handed_off` may be nullptr.
  absl::StatusOr<TranscodeResult> Transcode(const record::RecordingRecord& recording, const std::string* handed_off,
                                            const TranscodeSettings& settings) {
    std::string fetched;
    if (handed_off == nullptr || static_cast<int64_t>(handed_off->size()) != recording.size_bytes()) {
      RB_ASSIGN_OR_RETURN(fetched, host_.blobs().Get(recording.original_blob()));
      handed_off = &fetched;
    }
    const auto begin = std::chrono::steady_clock::now();
    auto result = codec_.Transcode(*handed_off, settings, absl::Seconds(90));
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    host_.metrics().Observe("ringback_codec_seconds", {{"outcome", result.ok() ? "done" : "failed"}}, took.count());
    return result;
  }

  // Both at once, so that they wait for the disk together.
  absl::Status KeepRenditions(const record::RecordingRecord& recording, const TranscodeResult& result) {
    auto opus = std::async(std::launch::async,
                           [&] { return host_.blobs().Put(BlobName(recording, "voice.opus"), result.opus); });
    RB_RETURN_IF_ERROR(host_.blobs().Put(BlobName(recording, "voice.mp3"), result.mp3));
    return opus.get();
  }

  absl::Status Forget(const store::Lease& lease) {
    store::Commit commit;
    commit.shard = lease.key.shard;
    commit.commit_id = absl::StrCat("forget/", lease.lease_id);
    commit.lease = lease;
    commit.due.push_back(store::DueChange{lease.key, std::nullopt});
    return host_.store().CommitOnce(commit).status();
  }

  // Applies `change` to the fresh recording and commits it with everything that follows from its new state: the
  // deliveries that waited for it leave, or the promise it was meant for fails. A version that moved meanwhile (a
  // promise was made for it) only means deciding again; the transcode itself is never repeated for it.
  // The deliveries get `mp3` to take along.
  absl::Status CommitOutcome(const store::Lease& lease, const store::Key& key, const record::TeamRecord& team,
                             const std::shared_ptr<const std::string>& mp3,
                             const std::function<void(record::RecordingRecord*)>& change) {
    absl::Status status;
    for (int i = 0; i < kCommitTries; ++i) {
      RB_ASSIGN_OR_RETURN(auto recording, store::Load<record::RecordingRecord>(host_.store(), key));
      RB_ASSIGN_OR_RETURN(const absl::Time now, host_.store().Now());
      store::Commit commit;
      commit.shard = key.shard;
      commit.commit_id = absl::StrFormat("transcode/%s/%d", lease.lease_id, i);
      commit.lease = lease;
      commit.due.push_back(store::DueChange{lease.key, std::nullopt});
      TraceScope::GoOnUnder(recording.message.trace_id());
      change(&recording.message);
      const bool ready = recording.message.state() == record::RecordingRecord::STATE_READY;
      RB_RETURN_IF_ERROR(ReleaseWaiting(ready, mp3, now, &recording.message, &commit));
      if (!ready) RB_RETURN_IF_ERROR(FailPromise(recording.message, team, now, &commit));
      AddEvent(recording.message, now, ready, &commit);
      if (!recording.message.dead_reason().empty()) {
        commit.indexes.push_back(store::IndexChange{
            store::IndexKey{key.shard, recording.message.team_id(), std::string(store::index::kDead)},
            store::Member(store::SortKey(rpc::FromProto(recording.message.create_time())), recording.message.id()), false});
      }
      store::AddPut(key, recording.version, recording.message, &commit);
      status = host_.store().CommitOnce(commit).status();
      if (!absl::IsAborted(status)) return status;
    }
    return status;
  }

  absl::Status ReleaseWaiting(bool ready, const std::shared_ptr<const std::string>& mp3, absl::Time now,
                              record::RecordingRecord* recording, store::Commit* commit) {
    for (const std::string& id : recording->waiting_delivery_ids()) {
      RB_ASSIGN_OR_RETURN(const store::Key key, store::DeliveryKey(id));
      auto delivery = store::Load<record::DeliveryRecord>(host_.store(), key);
      if (absl::IsNotFound(delivery.status())) continue;
      RB_RETURN_IF_ERROR(delivery.status());
      if (delivery->message.state() != record::DeliveryRecord::STATE_WAITING) continue;
      delivery->message.set_state(ready ? record::DeliveryRecord::STATE_QUEUED
                                        : record::DeliveryRecord::STATE_WITHDRAWN);
      store::AddDelivery(delivery->message, delivery->version, commit);
      if (!ready) continue;
      store::DueChange due{store::DeliveryDue(delivery->message), now};
      due.payload = mp3;
      commit->due.push_back(std::move(due));
    }
    recording->clear_waiting_delivery_ids();
    return absl::OkStatus();
  }

  absl::Status FailPromise(const record::RecordingRecord& recording, const record::TeamRecord& team, absl::Time now,
                           store::Commit* commit) {
    if (recording.callback_id().empty()) return absl::OkStatus();
    RB_ASSIGN_OR_RETURN(const store::Key key, store::CallbackKey(recording.callback_id()));
    auto callback = store::Load<record::CallbackRecord>(host_.store(), key);
    if (absl::IsNotFound(callback.status())) return absl::OkStatus();
    RB_RETURN_IF_ERROR(callback.status());
    const std::string words = recording.dead_reason().empty() ? FatalWords(recording, team.language()) : recording.dead_reason();
    const domain::Decision decision = domain::OnRecordingFailed(callback->message, recording.id(), words, team, now);
    if (decision.events.empty()) return absl::OkStatus();  // no promise speaks with it
    store::AddDecision(&callback->message, callback->version, decision, now, commit);
    return absl::OkStatus();
  }

  // Viewers and GetRecording wait for this.
  static void AddEvent(const record::RecordingRecord& recording, absl::Time now, bool ready, store::Commit* commit) {
    record::HistoryEvent event;
    *event.mutable_time() = rpc::ToProto(now);
    event.set_author("system");
    event.set_what(ready ? "recording_ready" : "recording_failed");
    (*event.mutable_details())["recording"] = recording.id();
    commit->events.push_back(store::Event{recording.team_id(), recording.id(), event.SerializeAsString()});
  }

  runtime::Host& host_;
  Codec codec_;
};

// One child per core: a child works on two of them only while it makes both renditions. What comes beyond waits its turn.
int SlotsOf(const runtime::Config& config) {
  if (config.transcode_slots > 0) return config.transcode_slots;
  return std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, kSlotsByDefaultMax);
}

}  // namespace

absl::Status RunTranscode(runtime::Host& host) {
  host.metrics().Describe("ringback_transcodes_total", "Recordings by what they came to: renditions ready, or not usable.");
  host.metrics().Describe("ringback_findings_total", "What listening to the takes showed: TOO_QUIET, CLIPPED, …");
  host.metrics().Describe("ringback_transcoded_audio_seconds_total", "Voice in the recordings as they came, in seconds.");
  host.metrics().Describe("ringback_codec_seconds", "How long the codec took for one recording, its start included.");
  CodecOptions codec;
  codec.program = host.config().codec_path.empty() ? CodecBesideThisProgram() : host.config().codec_path;
  if (!std::filesystem::exists(codec.program)) {
    return absl::FailedPreconditionError(absl::StrCat("the codec program is not at ", codec.program,
                                                      "; build it, or set transcode.codec_path"));
  }
  codec.children_max = SlotsOf(host.config());
  codec.idle_timeout = host.config().codec_idle;

  runtime::WorkerOptions worker;
  worker.name = "transcode";
  worker.stage = store::Stage::kTranscode;
  // As many as there are children: one more would wait here for a child, while another replica may have one free.
  worker.slots = codec.children_max;
  worker.lease = host.config().transcode_lease;
  // A quarter of an hour in all: a full disk or an absent blob store ends none of the takes of that time. What the bytes
  // themselves do to the codec is final at once.
  worker.attempts_max = 20;
  worker.backoff_max = absl::Minutes(1);
  host.AddWorker(worker, std::make_unique<TranscodeHandler>(host, std::move(codec)));
  return absl::OkStatus();
}

}  // namespace ringback::transcode
