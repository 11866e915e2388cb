// send: from a spoken take to a promise the customer was told, in one step; resend.
#include <algorithm>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/ids.h"
#include "core/base/status_macros.h"
#include "core/domain/input.h"
#include "core/domain/proto_time.h"
#include "core/rpc/status.h"
#include "ringback/cli/caller_options.h"
#include "ringback/cli/commands.h"
#include "ringback/cli/print.h"
#include "ringback/cli/progress.h"
#include "ringback/cli/times.h"

namespace ringback::cli {
namespace {

using domain::FromProto;
using domain::ToProto;

constexpr int64_t kRecordingBytesMax = int64_t{128} << 20;
constexpr size_t kChunkBytes = 256 << 10;
constexpr absl::Duration kPromiseAheadMax = absl::Hours(24 * 90);

struct Args {
  std::string file, callback, to, promise, text_file, note;
  CallerOptions caller;
  bool wait = true;
  int wait_seconds = 30;
};

// One try of the upload. The server knows a repeated one by request id and content.
grpc::Status UploadOnce(Session& session, const v1::UploadHeader& header, std::string_view bytes,
                        v1::UploadRecordingResponse* response) {
  const auto context = session.NewContext(absl::Minutes(10));
  const auto stream = session.recordings().UploadRecording(context.get(), response);
  v1::UploadRecordingRequest request;
  *request.mutable_header() = header;
  bool open = stream->Write(request);
  Progress progress("sending", bytes.size(), session.world());
  for (size_t at = 0; open && at < bytes.size(); at += kChunkBytes) {
    const std::string_view chunk = bytes.substr(at, kChunkBytes);
    request.set_chunk(chunk.data(), chunk.size());
    open = stream->Write(request);
    progress.At(at + chunk.size());
  }
  stream->WritesDone();
  return stream->Finish();
}

absl::StatusOr<v1::Recording> Upload(Session& session, const std::string& callback_id, std::string_view bytes) {
  v1::UploadHeader header;
  header.set_request_id(session.NewRequestId());
  header.set_callback_id(callback_id);
  header.set_sha256(Sha256Hex(bytes));
  header.set_size_bytes(bytes.size());
  const absl::Time began = session.Now();
  for (int tries = 1;; ++tries) {
    v1::UploadRecordingResponse response;
    const grpc::Status status = UploadOnce(session, header, bytes, &response);
    if (status.ok()) return std::move(*response.mutable_recording());
    if (status.error_code() != grpc::StatusCode::UNAVAILABLE || !session.WaitToRetry(tries, began)) {
      return rpc::FromGrpc(status);
    }
  }
}

absl::StatusOr<v1::Recording> AwaitTranscode(Session& session, const std::string& id, int seconds) {
  v1::GetRecordingRequest request;
  v1::GetRecordingResponse response;
  request.set_id(id);
  request.set_wait_seconds(std::min(seconds, 60));
  RB_RETURN_IF_ERROR(
      session.Call([&](auto* context) { return session.recordings().GetRecording(context, request, &response); },
                   As::kMember, absl::Seconds(seconds + 15)));
  return std::move(*response.mutable_recording());
}

const v1::Promise* PromiseOf(const v1::Callback& callback, int revision) {
  for (const v1::Promise& promise : callback.promises()) {
    if (promise.revision() == revision) return &promise;
  }
  return nullptr;
}

// Until the customer's channel took the message or refused it, or the time is up.
absl::StatusOr<v1::Callback> AwaitDelivery(Session& session, v1::Callback callback, int revision, absl::Time until) {
  absl::Duration pause = absl::Milliseconds(50);
  // Counted as well, so that a clock that stands still cannot make this endless.
  for (int polls = 0; polls < 1000; ++polls) {
    const v1::Promise* promise = PromiseOf(callback, revision);
    const bool decided = promise == nullptr || promise->state() != v1::Promise::STATE_PENDING;
    if (decided || session.Now() >= until || session.world().interrupted()) break;
    session.world().sleep(pause);
    pause = std::min(pause * 2, absl::Milliseconds(500));
    RB_ASSIGN_OR_RETURN(callback, session.FindCallback(callback.id()));
  }
  return callback;
}

absl::StatusOr<v1::Callback> FindOrRequest(Session& session, const Args& args) {
  if (!args.callback.empty()) return session.FindCallback(args.callback);
  v1::CreateCallbackRequest request;
  v1::CreateCallbackResponse response;
  request.set_request_id(session.NewRequestId());
  RB_ASSIGN_OR_RETURN(*request.mutable_team_id(), session.TeamId());
  *request.mutable_caller() = args.caller.ToProto();
  request.mutable_caller()->set_email(args.to);
  request.set_note(args.note);
  RB_RETURN_IF_ERROR(
      session.Call([&](auto* context) { return session.callbacks().CreateCallback(context, request, &response); }));
  return std::move(*response.mutable_callback());
}

// Everything that can be known before the upload: a wrong time must not cost the rep a minute of sending.
absl::Status Validate(Session& session, v1::MakePromiseRequest request) {
  v1::MakePromiseResponse ignored;
  request.set_validate_only(true);
  const auto ask = [&] {
    request.set_request_id(session.NewRequestId());
    return session.Call([&](auto* context) { return session.callbacks().MakePromise(context, request, &ignored); });
  };
  absl::Status status = ask();
  if (domain::DetailOf(status).field == "recording_id") {
    // That the recording is not there yet is no news; the time is checked as if it had been said on the phone.
    request.set_channel(v1::PROMISE_CHANNEL_SPOKEN);
    status = ask();
  }
  return status;
}

struct Outcome {
  std::string word;  // "accepted", "failed", "not_yet"
  std::string sentence;
};

Outcome OutcomeOf(Session& session, const v1::Callback& callback, int revision) {
  const v1::Caller& caller = callback.caller();
  const std::string& callers_address = caller.email().empty() ? caller.phone() : caller.email();
  const v1::Promise* promise = PromiseOf(callback, revision);
  const std::string time =
      promise == nullptr ? "" : WhenWords(FromProto(promise->promised_time()), session.Now(), session.Zone());
  if (promise != nullptr && promise->state() == v1::Promise::STATE_NOT_DELIVERED) {
    return {"failed", absl::StrCat("NOT delivered to ", callers_address, ": ", callback.delivery_alarm(),
                                   "; the customer has not heard of ", time, ". Mend the address (ringback caller ",
                                   callback.id(), " --email …), then: ringback resend ", callback.id())};
  }
  if (promise != nullptr && promise->state() == v1::Promise::STATE_PENDING) {
    return {"not_yet", absl::StrCat("on its way to ", callers_address, ", not yet accepted; ringback goes on and tells "
                                    "you if it fails (`ringback show ", callback.id(), "`)")};
  }
  return {"accepted", absl::StrCat("sent to ", callers_address, ", accepted; promised ", time)};
}

void PrintJson(Session& session, const v1::Callback& callback, const v1::Recording& recording,
               const v1::MakePromiseResponse& promised, const std::string& outcome) {
  v1::MakePromiseResponse answer = promised;
  *answer.mutable_callback() = callback;
  std::string json = ToJson(answer);
  json.pop_back();
  *session.world().out << json << ",\"recording\":" << ToJson(recording) << ",\"outcome\":\"" << outcome << "\"}\n";
}

absl::Status BadTake(Session& session, const v1::Callback& callback, const v1::Recording& recording) {
  if (session.options().json) PrintJson(session, callback, recording, {}, "bad_take");
  PrintFindings(session, recording, *session.world().err);
  return absl::InvalidArgumentError(
      absl::StrCat("the recording cannot be used; nothing was promised. Record it again, then: ringback send FILE "
                   "--callback ", callback.id()));
}

absl::Status Send(Session& session, const Args& args) {
  if (args.callback.empty() == args.to.empty()) return UsageError("say either --callback ID or --to ADDRESS");
  RB_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(args.file, kRecordingBytesMax, session.world()));
  if (bytes.empty()) return absl::InvalidArgumentError(absl::StrCat(args.file, ": is empty; record it again"));
  v1::MakePromiseRequest request;
  if (!args.text_file.empty()) {
    RB_ASSIGN_OR_RETURN(*request.mutable_spoken_text(), ReadFile(args.text_file, 64 << 10, session.world()));
  }
  RB_ASSIGN_OR_RETURN(const absl::Time at, session.ParseTime(args.promise, "promise"));
  // What the server would refuse anyway must not leave a callback behind.
  if (at <= session.Now() || at > session.Now() + kPromiseAheadMax) {
    return domain::InvalidField("promise", "PROMISE_OUT_OF_RANGE",
                                absl::StrCat(absl::FormatTime("%Y-%m-%d %H:%M", at, session.Zone()),
                                             at <= session.Now() ? " has passed" : " is too far ahead",
                                             "; promise a time in the future, at most 90 days ahead"));
  }
  RB_ASSIGN_OR_RETURN(v1::Callback callback, FindOrRequest(session, args));
  request.set_callback_id(callback.id());
  *request.mutable_promised_time() = ToProto(at);
  request.set_channel(v1::PROMISE_CHANNEL_VOICE_MAIL);
  RB_RETURN_IF_ERROR(Validate(session, request));

  RB_ASSIGN_OR_RETURN(v1::Recording recording, Upload(session, callback.id(), bytes));
  const absl::Time until = session.Now() + absl::Seconds(args.wait_seconds);
  if (args.wait) {
    // Usually a fraction of a second. A take that cannot be used then leaves the callback as it was.
    RB_ASSIGN_OR_RETURN(recording, AwaitTranscode(session, recording.id(), std::min(args.wait_seconds, 10)));
  }
  if (recording.state() == v1::Recording::STATE_FAILED) return BadTake(session, callback, recording);

  v1::MakePromiseResponse promised;
  request.set_request_id(session.NewRequestId());
  request.set_recording_id(recording.id());
  RB_RETURN_IF_ERROR(
      session.Call([&](auto* context) { return session.callbacks().MakePromise(context, request, &promised); }));
  callback = promised.callback();
  const int revision = callback.promises().empty() ? 0 : callback.promises().rbegin()->revision();
  if (args.wait) {
    if (recording.state() == v1::Recording::STATE_RECEIVED) {
      const int left = absl::ToInt64Seconds(until - session.Now());
      if (left > 0) {
        RB_ASSIGN_OR_RETURN(recording, AwaitTranscode(session, recording.id(), left));
      }
    }
    RB_ASSIGN_OR_RETURN(callback, AwaitDelivery(session, std::move(callback), revision, until));
  }
  const Outcome outcome = OutcomeOf(session, callback, revision);
  if (session.options().json) {
    PrintJson(session, callback, recording, promised, outcome.word);
  } else {
    for (const std::string& warning : promised.warnings()) {
      *session.world().err << "ringback: warning: " << Printable(warning) << "\n";
    }
    if (outcome.word != "failed") PrintAfter(session, callback, outcome.sentence);
    PrintFindings(session, recording, *session.world().out);
  }
  if (outcome.word != "failed") return absl::OkStatus();
  return absl::FailedPreconditionError(outcome.sentence);
}

}  // namespace

void AddSendCommands(Commands& commands) {
  auto args = std::make_shared<Args>();
  CLI::App* command = commands.app().add_subcommand("send", "Send a voice message and promise a time with it");
  command->add_option("FILE", args->file, "The take: WAV, FLAC, MP3, Ogg, WebM, MP4, AMR; - reads standard input")->required();
  command->add_option("--callback", args->callback, "For this callback")->type_name("ID");
  command->add_option("--to", args->to, "Take the caller in with this mail address first")->type_name("ADDRESS");
  args->caller.AddTo(command, /*with_email=*/false);
  command->add_option("--note", args->note, "With --to: what is known");
  command->add_option("--promise", args->promise, "13:00, \"tomorrow 9:30\", +2h, RFC 3339")->type_name("TIME")->required();
  command->add_option("--text", args->text_file, "File with the spoken text, for those who cannot listen")->type_name("FILE");
  command->add_flag("--wait,!--no-wait", args->wait, "Wait until it was accepted (default)");
  command->add_option("--wait-seconds", args->wait_seconds, "How long at most")->check(CLI::Range(0, 600))->capture_default_str();
  commands.OnServer(command, [args](Session& session) { return Send(session, *args); });

  auto id = std::make_shared<std::string>();
  CLI::App* resend = commands.app().add_subcommand("resend", "Send a callback's newest voice message again");
  resend->add_option("ID", *id, "The callback")->required();
  commands.OnServer(resend, [id](Session& session) -> absl::Status {
    RB_ASSIGN_OR_RETURN(const v1::Callback callback, session.FindCallback(*id));
    v1::ResendDeliveryRequest request;
    v1::ResendDeliveryResponse response;
    request.set_request_id(session.NewRequestId());
    request.set_callback_id(callback.id());
    RB_RETURN_IF_ERROR(
        session.Call([&](auto* context) { return session.deliveries().ResendDelivery(context, request, &response); }));
    if (session.options().json) {
      *session.world().out << ToJson(response) << "\n";
    } else {
      PrintAfter(session, callback, absl::StrCat("sent again to ", callback.caller().email(), " as ",
                                                 response.delivery().id()));
    }
    return absl::OkStatus();
  });
}

}  // namespace ringback::cli
