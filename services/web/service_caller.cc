#include "web/service_caller.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/util/json_util.h>
#include <grpcpp/generic/generic_stub.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "core/rpc/status.h"
#include "core/rpc/trace.h"
#include "ringback/v1/answer_service.grpc.pb.h"
#include "ringback/v1/callback_service.pb.h"
#include "ringback/v1/contact_service.pb.h"
#include "ringback/v1/delivery_service.pb.h"
#include "ringback/v1/recording_service.grpc.pb.h"
#include "ringback/v1/reminder_service.pb.h"
#include "ringback/v1/team_service.pb.h"

namespace ringback::web {
namespace {

namespace api = ::ringback::v1;
namespace protobuf = ::google::protobuf;

// GetRecording may wait so long, and something for the way.
constexpr absl::Duration kDeadline = absl::Seconds(65);
constexpr size_t kChunkBytes = 1 << 20;

using Stub = grpc::TemplatedGenericStub<protobuf::MessageLite, protobuf::MessageLite>;

struct Service {
  std::string_view name;
  const protobuf::Descriptor* (*message)();  // one of its file
  std::shared_ptr<grpc::Channel> ServiceChannels::*channel;
};
constexpr Service kServices[] = {
    {"AnswerService", &api::ListAnswersRequest::descriptor, &ServiceChannels::delivery},
    {"CallbackService", &api::GetCallbackRequest::descriptor, &ServiceChannels::ingest},
    {"ContactService", &api::GetContactRequest::descriptor, &ServiceChannels::ingest},
    {"DeliveryService", &api::ListDeliveriesRequest::descriptor, &ServiceChannels::delivery},
    {"RecordingService", &api::GetRecordingRequest::descriptor, &ServiceChannels::ingest},
    {"ReminderService", &api::SnoozeCallbackRequest::descriptor, &ServiceChannels::reminder},
    {"TeamService", &api::GetTeamRequest::descriptor, &ServiceChannels::ingest},
};

std::string Text(std::string_view text) { return std::string(text); }

absl::Status NoMethod(std::string_view service, std::string_view method) {
  return absl::UnimplementedError(absl::StrCat("there is no method ", Text(service), "/", Text(method), " here"));
}

absl::StatusOr<std::string> ToJson(const protobuf::Message& message) {
  std::string json;
  const auto status = protobuf::util::MessageToJsonString(message, &json);
  if (!status.ok()) return absl::InternalError(absl::StrCat("an answer is no JSON: ", status.ToString()));
  return json;
}

std::unique_ptr<protobuf::Message> NewMessage(const protobuf::Descriptor* type) {
  return std::unique_ptr<protobuf::Message>(protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
}

// All chunks of a stream, in one.
template <typename Response>
absl::StatusOr<std::string> ReadAll(std::unique_ptr<grpc::ClientReader<Response>> reader) {
  std::string bytes;
  Response part;
  while (reader->Read(&part)) bytes += part.chunk();
  RB_RETURN_IF_ERROR(rpc::FromGrpc(reader->Finish()));
  return bytes;
}

}  // namespace

absl::StatusOr<ServiceChannels> ConnectServices(const rpc::Places& places, const rpc::ClientOptions& options, Random* random) {
  const auto connect = [&](const std::string& target) -> absl::StatusOr<std::shared_ptr<grpc::Channel>> {
    rpc::ClientOptions one = options;
    one.target = target;
    RB_ASSIGN_OR_RETURN(const auto client, rpc::Client::Create(std::move(one), random));
    return client->channel();
  };
  ServiceChannels channels;
  RB_ASSIGN_OR_RETURN(channels.ingest, connect(places.ingest));
  RB_ASSIGN_OR_RETURN(channels.delivery, connect(places.delivery));
  RB_ASSIGN_OR_RETURN(channels.reminder, connect(places.reminder));
  return channels;
}

std::unique_ptr<grpc::ClientContext> ServiceCaller::NewContext(std::string_view bearer) const {
  auto context = std::make_unique<grpc::ClientContext>();
  context->AddMetadata("authorization", absl::StrCat("Bearer ", Text(bearer)));
  const std::string& current = TraceScope::Current();
  context->AddMetadata("traceparent", rpc::TraceParent(current.empty() ? rpc::NewTraceId(*random_) : current, *random_));
  context->set_deadline(absl::ToChronoTime(absl::Now() + kDeadline));
  return context;
}

absl::StatusOr<std::string> ServiceCaller::CallJson(std::string_view bearer, std::string_view service,
                                                    std::string_view method, std::string_view json) const {
  const Service* const found = std::find_if(std::begin(kServices), std::end(kServices),
                                            [&](const Service& each) { return each.name == service; });
  if (found == std::end(kServices)) return NoMethod(service, method);
  const protobuf::ServiceDescriptor* const described = found->message()->file()->FindServiceByName(Text(service));
  const protobuf::MethodDescriptor* const called = described == nullptr ? nullptr : described->FindMethodByName(Text(method));
  if (called == nullptr || called->client_streaming() || called->server_streaming()) return NoMethod(service, method);

  const auto request = NewMessage(called->input_type());
  if (!json.empty()) {
    const auto parsed = protobuf::util::JsonStringToMessage(protobuf::StringPiece(json.data(), json.size()), request.get());
    if (!parsed.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("the body is no ", std::string(called->input_type()->name()), ": ",
                                                     std::string(parsed.message().data(), parsed.message().size())));
    }
  }
  const auto response = NewMessage(called->output_type());
  const auto context = NewContext(bearer);
  grpc::Status status;
  absl::Notification done;
  Stub stub(channels_.*found->channel);
  stub.UnaryCall(context.get(), absl::StrCat("/", described->full_name(), "/", called->name()), {}, request.get(),
                 response.get(), [&](grpc::Status ended) {
                   status = std::move(ended);
                   done.Notify();
                 });
  done.WaitForNotification();
  RB_RETURN_IF_ERROR(rpc::FromGrpc(status));
  return ToJson(*response);
}

absl::StatusOr<std::string> ServiceCaller::UploadRecording(std::string_view bearer, const Upload& header,
                                                           std::string_view bytes) const {
  const auto stub = api::RecordingService::NewStub(channels_.ingest);
  const auto context = NewContext(bearer);
  api::UploadRecordingResponse response;
  const auto writer = stub->UploadRecording(context.get(), &response);
  api::UploadRecordingRequest part;
  part.mutable_header()->set_request_id(header.request_id);
  part.mutable_header()->set_callback_id(header.callback_id);
  part.mutable_header()->set_sha256(header.sha256);
  part.mutable_header()->set_size_bytes(static_cast<int64_t>(bytes.size()));
  bool open = writer->Write(part);
  for (size_t offset = 0; open && offset < bytes.size(); offset += kChunkBytes) {
    part.set_chunk(Text(bytes.substr(offset, kChunkBytes)));
    open = writer->Write(part);
  }
  writer->WritesDone();
  RB_RETURN_IF_ERROR(rpc::FromGrpc(writer->Finish()));
  return ToJson(response);
}

absl::StatusOr<std::string> ServiceCaller::DownloadRendition(std::string_view bearer, const std::string& recording_id,
                                                             std::string_view rendition) const {
  api::DownloadRenditionRequest request;
  request.set_recording_id(recording_id);
  request.set_rendition(rendition == "opus" ? api::RENDITION_OPUS
                        : rendition == "mp3" ? api::RENDITION_MP3
                                             : api::RENDITION_ORIGINAL);
  const auto stub = api::RecordingService::NewStub(channels_.ingest);
  const auto context = NewContext(bearer);
  return ReadAll(stub->DownloadRendition(context.get(), request));
}

absl::StatusOr<std::string> ServiceCaller::DownloadAnswer(std::string_view bearer, const std::string& answer_id,
                                                          int attachment) const {
  api::DownloadAnswerRequest request;
  request.set_answer_id(answer_id);
  request.set_attachment(attachment);
  const auto stub = api::AnswerService::NewStub(channels_.delivery);
  const auto context = NewContext(bearer);
  return ReadAll(stub->DownloadAnswer(context.get(), request));
}

}  // namespace ringback::web
