// Law 9: a write's answer is remembered for 7 days, and none of them may give back a caller who was erased since. Walks
// every method that takes a request_id, found by descriptor.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/text_format.h>
#include <grpcpp/generic/generic_stub.h>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "core/domain/deliveries.h"
#include "core/store/change_callback.h"
#include "delivery/answer_rpc.h"
#include "delivery/delivery_rpc.h"
#include "ingest/ingest_fixture.h"
#include "reminder/reminder_rpc.h"

namespace ringback::ingest {
namespace {

const char* const kServices[] = {"ringback.v1.CallbackService", "ringback.v1.RecordingService",
                                 "ringback.v1.TeamService", "ringback.v1.ContactService",
                                 "ringback.v1.DeliveryService", "ringback.v1.ReminderService",
                                 "ringback.v1.AnswerService"};

// A write that succeeds on a callback of one Erika Zabel; "" for those whose request and answer know of no caller. Behind a
// comma, another one of the same method.
const std::map<std::string, std::string>& Writes() {
  static const auto& rows = *new std::map<std::string, std::string>{
      {"CreateCallback", "request_id: '$R' caller { name: 'Erika Zabel' email: 'zabel@example.com' }"},
      {"MakePromise", "request_id: '$R' callback_id: '$CB' channel: PROMISE_CHANNEL_SPOKEN promised_time { seconds: $LATER }"},
      {"StartCall", "request_id: '$R' callback_id: '$CB'"},
      {"LogAttempt", "request_id: '$R' callback_id: '$CB' outcome: ATTEMPT_OUTCOME_REACHED"},
      {"CompleteCallback", "request_id: '$R' callback_id: '$CB' disposition: 'x'"},
      {"CancelCallback", "request_id: '$R' callback_id: '$CB' reason: 'x'"},
      {"AnswerProposal", "request_id: '$R' callback_id: '$CB'"},
      {"DeclineProposal", "request_id: '$R' callback_id: '$CB'"},
      {"ReopenCallback", "request_id: '$R' callback_id: '$CB'"},
      {"AssignCallback", "request_id: '$R' callback_id: '$CB' member_id: '$BEN'"},
      {"AssignCallback, to nobody", "request_id: '$R' callback_id: '$CB' nobody: true"},
      {"UpdateCaller", "request_id: '$R' callback_id: '$CB' caller { company: 'Zabel KG' }"},
      {"PutContact", "request_id: '$R' caller { name: 'Erika Zabel' email: 'zabel@example.com' }"},
      {"ResendDelivery", "request_id: '$R' callback_id: '$CB'"},
      {"RetryDeadLetter", "request_id: '$R' id: '$DL'"},
      {"DropDeadLetter", "request_id: '$R' id: '$DL'"},
      {"AcknowledgeCallback", "request_id: '$R' callback_id: '$CB'"},
      {"SnoozeCallback", "request_id: '$R' callback_id: '$CB' duration { seconds: 60 }"},
      {"TieAnswer", "request_id: '$R' answer_id: '$AN' callback_id: '$CB'"},
      {"TieAnswer, to none", "request_id: '$R' answer_id: '$AN' unmatched: true"},
      {"DropAnswer", "request_id: '$R' answer_id: '$AN'"},
      {"LogCall", ""},          // ids
      {"UploadRecording", ""},  // answers with the take as it is by then, or with the record of an upload: no caller
      {"CreateTeam", ""},
      {"UpdateTeam", ""},
      {"AddMember", ""},
      {"UpdateMember", ""},
      {"RemoveMember", ""},
      {"SetAbsence", ""},
      {"HandOverMember", ""},  // ids
      {"SetPolicy", ""},
      {"CreateToken", ""},
      {"RevokeToken", ""},
      {"RevokeSessions", ""},
      {"EraseSubject", ""},  // numbers
  };
  return rows;
}

class ErasedAnswersTest : public IngestTest {
 protected:
  ErasedAnswersTest()
      : IngestTest([](runtime::Host& host) {
          host.AddRpcService(delivery::NewDeliveryRpc(host));
          host.AddRpcService(delivery::NewAnswerRpc(host, std::make_shared<delivery::AnswerIntake>(host)));
          host.AddRpcService(reminder::NewReminderRpc(host));
        }),
        stub_(channel_) {}

  static bool IsWrite(const google::protobuf::MethodDescriptor& method) {
    const auto* header = method.input_type()->FindFieldByName("header");  // a stream's first message
    return method.input_type()->FindFieldByName("request_id") != nullptr ||
           (header != nullptr && header->message_type()->FindFieldByName("request_id") != nullptr);
  }

  absl::Status Call(const std::string& path, const std::string& request, std::string* answer) {
    grpc::ClientContext context;
    Identify(context, team_.clara_token);
    grpc::CompletionQueue queue;
    const grpc::Slice slice(request);
    auto call = stub_.PrepareUnaryCall(&context, path, grpc::ByteBuffer(&slice, 1), &queue);
    call->StartCall();
    grpc::ByteBuffer response;
    grpc::Status status;
    call->Finish(&response, &status, nullptr);
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    answer->clear();
    if (status.ok()) {
      std::vector<grpc::Slice> slices;
      EXPECT_TRUE(response.Dump(&slices).ok());
      for (const auto& part : slices) answer->append(reinterpret_cast<const char*>(part.begin()), part.size());
    }
    return rpc::FromGrpc(status);
  }

  absl::Status Promise(const std::string& callback_id, api::PromiseChannel channel, const std::string& recording_id) {
    api::MakePromiseRequest promise;
    promise.set_request_id(NextRequestId());
    promise.set_callback_id(callback_id);
    promise.set_channel(channel);
    promise.set_recording_id(recording_id);
    *promise.mutable_promised_time() = rpc::ToProto(host_->fake_clock().Now() + absl::Hours(2));
    api::MakePromiseResponse promised;
    return Do(*callbacks_, &api::CallbackService::Stub::MakePromise, promise, &promised, team_.anna_token);
  }

  // Erika Zabel's callback in a state in which `method` is legal; returns its id.
  std::string Prepare(const std::string& method) {
    host_->fake_clock().Set(Morning());
    api::CreateCallbackRequest request;
    request.set_request_id(NextRequestId());
    request.mutable_caller()->set_name("Erika Zabel");
    request.mutable_caller()->set_email("zabel@example.com");
    const std::string id = Create(request, team_.anna_token).id();
    answer_id_ = UnmatchedMail();
    if (method == "CompleteCallback") {
      api::LogAttemptRequest attempt;
      attempt.set_request_id(NextRequestId());
      attempt.set_callback_id(id);
      attempt.set_outcome(api::ATTEMPT_OUTCOME_REACHED);
      api::LogAttemptResponse logged;
      EXPECT_TRUE(Do(*callbacks_, &api::CallbackService::Stub::LogAttempt, attempt, &logged, team_.anna_token).ok());
    } else if (method == "SnoozeCallback" || method == "AcknowledgeCallback") {
      EXPECT_TRUE(Promise(id, api::PROMISE_CHANNEL_SPOKEN, "").ok());
      if (method == "AcknowledgeCallback") host_->fake_clock().Advance(absl::Hours(3));
    } else if (method == "AnswerProposal" || method == "DeclineProposal") {
      EXPECT_TRUE(Promise(id, api::PROMISE_CHANNEL_SPOKEN, "").ok());
      TheCustomer(id, domain::CustomerPropose{Morning() + absl::Hours(3)});
    } else if (method == "ReopenCallback") {
      TheCustomer(id, domain::CustomerCallOff{});
    } else if (method == "ResendDelivery" || method == "RetryDeadLetter" || method == "DropDeadLetter") {
      const std::string take = UploadTake("voice", id).id();
      FinishTranscode(take, record::RecordingRecord::STATE_READY);
      EXPECT_TRUE(Promise(id, api::PROMISE_CHANNEL_VOICE_MAIL, take).ok());
      if (method != "ResendDelivery") LetDie(domain::DeliveryId(id, 1));
    }
    return id;
  }

  void TheCustomer(const std::string& id, const domain::Command& command) {
    const auto changed = store::ChangeCallback(
        host_->store(), *store::CallbackKey(id), "customer/" + id,
        [&](const record::CallbackRecord& callback, const record::TeamRecord& team, absl::Time now) {
          return domain::Apply(callback, command, team, {"customer", true}, now);
        });
    EXPECT_TRUE(changed.ok()) << changed.status();
  }

  std::string UnmatchedMail() {
    record::AnswerRecord answer;
    answer.set_id(NewId(id_prefix::kAnswer, team_.shard, host_->random()));
    answer.set_team_id(team_.id);
    answer.set_source(record::AnswerRecord::SOURCE_MAIL);
    answer.set_kind(record::AnswerRecord::KIND_REPLY);
    answer.set_sender("zabel@example.com");
    answer.set_text("Es geht um den Kran. Erika Zabel");
    *answer.mutable_create_time() = rpc::ToProto(Morning());
    store::Commit commit;
    commit.shard = team_.shard;
    commit.commit_id = "answer/" + answer.id();
    store::AddAnswer(nullptr, 0, answer, Morning() + absl::Hours(720), &commit);
    EXPECT_TRUE(host_->store().CommitOnce(commit).ok());
    return answer.id();
  }

  void LetDie(const std::string& delivery_id) {
    auto dead = store::Load<record::DeliveryRecord>(host_->store(), *store::DeliveryKey(delivery_id)).value();
    dead.message.set_state(record::DeliveryRecord::STATE_FAILED);
    dead.message.set_dead_reason("550 <zabel@example.com>: no such user");
    store::Commit commit;
    commit.shard = team_.shard;
    commit.commit_id = "dead/" + delivery_id;
    store::AddDelivery(dead.message, dead.version, &commit);
    ASSERT_TRUE(host_->store().CommitOnce(commit).ok());
  }

  void Erase(const std::string& who) {
    api::EraseSubjectRequest request;
    request.set_request_id(NextRequestId());
    request.set_who(who);
    api::EraseSubjectResponse response;
    const absl::Status status =
        Do(*contacts_, &api::ContactService::Stub::EraseSubject, request, &response, team_.admin_token);
    ASSERT_TRUE(status.ok()) << status;
  }

  // Once, and again when she has been erased.
  void Walk(const google::protobuf::MethodDescriptor& method, const std::string& row) {
    const auto names_her = [](const std::string& text) {
      return absl::AsciiStrToLower(text).find("zabel") != std::string::npos;
    };
    const std::string id = Prepare(method.name());
    const std::string text = absl::StrReplaceAll(
        row, {{"$R", NextRequestId()},
              {"$CB", id},
              {"$BEN", team_.ben},
              {"$DL", domain::DeliveryId(id, 1)},
              {"$AN", answer_id_},
              {"$LATER", absl::StrCat(absl::ToUnixSeconds(Morning() + absl::Hours(3)))}});
    std::unique_ptr<google::protobuf::Message> request(factory_.GetPrototype(method.input_type())->New());
    ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(text, request.get()));
    const std::string path = absl::StrCat("/", method.service()->full_name(), "/", method.name());
    std::string first, again;
    absl::Status status = Call(path, request->SerializeAsString(), &first);
    ASSERT_TRUE(status.ok()) << status;
    // Of a resent message the answer tells by whom it goes, not to whom, until somebody's refusal quotes the address.
    EXPECT_EQ(names_her(first), method.name() != "ResendDelivery") << "this row shows nothing";
    Erase("zabel@example.com");
    Erase(id);
    status = Call(path, request->SerializeAsString(), &again);
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_FALSE(names_her(again));
    EXPECT_FALSE(again.empty()) << "what was written";
  }

  grpc::GenericStub stub_;
  google::protobuf::DynamicMessageFactory factory_;
  std::string answer_id_;
};

TEST_F(ErasedAnswersTest, NoRepeatedWriteGivesBackWhoWasErased) {
  size_t walked = 0;
  for (const char* name : kServices) {
    const auto* service = google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(name);
    ASSERT_NE(service, nullptr) << name;
    for (int i = 0; i < service->method_count(); ++i) {
      const auto& method = *service->method(i);
      if (!IsWrite(method)) continue;
      SCOPED_TRACE(method.full_name());
      ASSERT_TRUE(Writes().contains(method.name())) << "say what this write's answer holds";
      for (const auto& [row, request] : Writes()) {
        if (row != method.name() && row.rfind(method.name() + ",", 0) != 0) continue;
        SCOPED_TRACE(row);
        ++walked;
        if (!request.empty()) Walk(method, request);
        if (HasFatalFailure()) return;
      }
    }
  }
  EXPECT_EQ(walked, Writes().size());
}

}  // namespace
}  // namespace ringback::ingest
