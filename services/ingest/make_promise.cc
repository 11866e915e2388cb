// MakePromise: apart from the other commands because a voice message brings its recording into the commit.
#include "absl/strings/str_cat.h"
#include "core/base/log.h"
#include "core/store/change_callback.h"
#include "ingest/callback_commands.h"

namespace ringback::ingest {
namespace {

constexpr size_t kSpokenCharactersMax = 4000;

using DecisionOr = absl::StatusOr<domain::Decision>;
using LoadedRecording = store::Loaded<record::RecordingRecord>;

absl::StatusOr<domain::MakePromise> Check(const api::MakePromiseRequest& request) {
  domain::MakePromise command;
  if (!request.has_promised_time()) {
    return domain::InvalidField("promised_time", "TIME_MISSING", "say the exact time that the customer is told");
  }
  command.promised_time = rpc::FromProto(request.promised_time());
  RB_ASSIGN_OR_RETURN(command.spoken_text, domain::SeveralLines(request.spoken_text(), kSpokenCharactersMax * 4, "spoken_text"));
  size_t characters = 0;
  for (const char c : command.spoken_text) characters += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  if (characters > kSpokenCharactersMax) {
    return domain::InvalidField("spoken_text", "TEXT_TOO_LONG", absl::StrCat("at most ", kSpokenCharactersMax, " characters"));
  }
  api::PromiseChannel channel = request.channel();
  if (channel == api::PROMISE_CHANNEL_UNSPECIFIED && !request.recording_id().empty()) {
    channel = api::PROMISE_CHANNEL_VOICE_MAIL;
  }
  if (!api::PromiseChannel_IsValid(channel) || channel == api::PROMISE_CHANNEL_UNSPECIFIED) {
    return domain::InvalidField("channel", "CHANNEL_MISSING",
                                "say how the customer is told: a voice message with its recording, SMS, a shared link, or spoken");
  }
  command.channel = static_cast<record::PromiseRecord::Channel>(channel);
  command.recording_id = request.recording_id();
  command.confirm = request.confirm();
  const bool needs_recording = channel == api::PROMISE_CHANNEL_VOICE_MAIL;
  if (needs_recording && command.recording_id.empty() && !request.validate_only()) {
    return domain::InvalidField("recording_id", "RECORDING_MISSING", "a promise by voice message needs its recording");
  }
  return command;
}

// The recording that the promise speaks with, or why it cannot.
absl::StatusOr<LoadedRecording> Usable(runtime::Host& host, const rpc::Call& call, const std::string& id,
                                       const record::CallbackRecord& callback) {
  RB_ASSIGN_OR_RETURN(LoadedRecording recording, FindRecording(host, call, id, "recording_id"));
  const record::RecordingRecord& take = recording.message;
  if (!take.callback_id().empty() && take.callback_id() != callback.id()) {
    return domain::InvalidField("recording_id", "RECORDING_OF_OTHER_CALLBACK", "this recording was made for another callback");
  }
  if (take.state() == record::RecordingRecord::STATE_FAILED) {
    std::string why;
    for (const auto& finding : take.findings()) {
      if (finding.fatal()) absl::StrAppend(&why, why.empty() ? ": " : "; ", finding.text_en());
    }
    return domain::InvalidField("recording_id", "RECORDING_FAILED", absl::StrCat("this recording cannot be used", why));
  }
  return recording;
}

// What this installation cannot do: a phone number reaches nobody without an SMS gateway, and without a public address
// there is no page to link to. (What domain refuses, no address at all, is its own.)
absl::Status CheckReach(const runtime::Host& host, const domain::MakePromise& command, const record::Caller& caller) {
  const bool gateway = !host.config().sms_url.empty();
  const bool page = !host.config().public_url.empty();
  switch (command.channel) {
    case record::PromiseRecord::CHANNEL_LINK_SHARED:
      if (page) return absl::OkStatus();
      return domain::InvalidField("channel", "NO_PUBLIC_URL",
                                  "there is no link to share while public_url is not configured: promise it on the phone "
                                  "(SPOKEN), or by voice message");
    case record::PromiseRecord::CHANNEL_SMS:
      if (gateway) return absl::OkStatus();
      return domain::InvalidField("channel", "NO_SMS_GATEWAY",
                                  caller.email().empty()
                                      ? "no SMS gateway is configured: promise it on the phone (SPOKEN)"
                                      : "no SMS gateway is configured: promise it by voice message to the caller's mail "
                                        "address, or on the phone (SPOKEN)");
    case record::PromiseRecord::CHANNEL_VOICE_MAIL:
      if (gateway || !caller.email().empty()) return absl::OkStatus();
      return domain::InvalidField("caller.email", "NO_WAY_TO_REACH_THE_CUSTOMER",
                                  absl::StrCat("there is no mail address, and no SMS gateway is configured: add the caller's "
                                               "email, or promise it on the phone (SPOKEN)",
                                               page ? ", or share the link by hand (LINK_SHARED)" : ""));
    default: return absl::OkStatus();
  }
}

// A recording that is not ready yet is told, in this very commit and under its version, which delivery waits for it: the
// transcoder's commit either comes first (and this decision is made again, finding it ready) or sees the delivery.
// What goes out with it goes on in its trace.
void AddRecording(const LoadedRecording& recording, domain::Decision& decision, store::Commit* commit) {
  record::RecordingRecord take = recording.message;
  const store::Key key = *store::RecordingKey(take.id());
  const std::string& callback_id = decision.callback.id();
  bool changed = false;
  if (take.callback_id().empty()) {  // from now on it leaves with the callback, not on its own
    take.set_callback_id(callback_id);
    commit->indexes.push_back(store::IndexChange{
        store::IndexKey{key.shard, take.team_id(), std::string(store::index::kRecordingsOf)},
        store::Member(callback_id, take.id()), false});
    commit->due.push_back(store::DueChange{store::RetentionDue(key.shard, take.team_id(), take.id()), std::nullopt});
    changed = true;
  }
  for (record::DeliveryRecord& delivery : decision.new_deliveries) {
    if (delivery.recording_id() != take.id()) continue;
    delivery.set_trace_id(take.trace_id());
    if (delivery.state() != record::DeliveryRecord::STATE_WAITING) continue;
    take.add_waiting_delivery_ids(delivery.id());
    changed = true;
  }
  if (changed) store::AddPut(key, recording.version, take, commit);
}

// By the ids alone, so that whoever follows one of them finds the others.
void Log(const domain::Decision& decision) {
  for (const record::DeliveryRecord& delivery : decision.new_deliveries) {
    RB_LOG_INFO("delivery {} for promise {} of {} was made{}{}", delivery.id(), delivery.promise_revision(),
                delivery.callback_id(), delivery.recording_id().empty() ? "" : " with recording " + delivery.recording_id(),
                delivery.trace_id().empty() || delivery.trace_id() == TraceScope::Current()
                    ? "" : "; it goes on in trace " + delivery.trace_id());
  }
}

absl::Status ValidateOnly(runtime::Host& host, const rpc::Call& call, const api::MakePromiseRequest& request,
                          domain::MakePromise command, api::MakePromiseResponse* response) {
  RB_ASSIGN_OR_RETURN(const auto callback, FindCallback(host, call, request.callback_id(), "callback_id"));
  RB_ASSIGN_OR_RETURN(const auto team, LoadTeam(host, callback.message.team_id()));
  RB_ASSIGN_OR_RETURN(const absl::Time now, host.store().Now());
  RB_RETURN_IF_ERROR(CheckReach(host, command, callback.message.caller()));
  if (!command.recording_id.empty()) {
    RB_ASSIGN_OR_RETURN(const auto recording, Usable(host, call, command.recording_id, callback.message));
    command.recording_ready = recording.message.state() == record::RecordingRecord::STATE_READY;
  }
  RB_ASSIGN_OR_RETURN(const domain::Decision decision, domain::Apply(callback.message, command, team.message,
                                                                     domain::Actor{call.principal.ActorId()}, now));
  *response->mutable_callback() = ToApi(host, callback.message, team.message, callback.version, now);
  response->mutable_warnings()->Assign(decision.warnings.begin(), decision.warnings.end());
  return absl::OkStatus();
}

}  // namespace

absl::Status MakePromise(runtime::Host& host, const rpc::Call& call, const api::MakePromiseRequest& request,
                         api::MakePromiseResponse* response) {
  RB_ASSIGN_OR_RETURN(domain::MakePromise command, Check(request));
  if (request.validate_only()) return ValidateOnly(host, call, request, command, response);
  std::optional<domain::Decision> made;
  RB_RETURN_IF_ERROR((Carry<api::MakePromiseRequest, api::MakePromiseResponse>(
      host, call, request, response,
      [&](const Scene& scene, store::Commit* commit, api::MakePromiseResponse* answer) -> DecisionOr {
        RB_RETURN_IF_ERROR(CheckReach(host, command, scene.callback.message.caller()));
        std::optional<LoadedRecording> recording;
        if (!command.recording_id.empty()) {
          RB_ASSIGN_OR_RETURN(recording, Usable(host, call, command.recording_id, scene.callback.message));
          command.recording_ready = recording->message.state() == record::RecordingRecord::STATE_READY;
        }
        RB_ASSIGN_OR_RETURN(domain::Decision decision,
                            domain::Apply(scene.callback.message, command, scene.team, scene.actor, scene.now));
        store::RenewPage(host.random(), scene.now, &decision, commit);
        if (recording.has_value()) AddRecording(*recording, decision, commit);
        answer->mutable_warnings()->Assign(decision.warnings.begin(), decision.warnings.end());
        made = decision;
        return decision;
      })));
  if (made.has_value()) Log(*made);
  return absl::OkStatus();
}

}  // namespace ringback::ingest
