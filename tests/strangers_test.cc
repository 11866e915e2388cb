// Every method of every service, found by descriptor, called with nobody's, a stranger's and every role's token.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/text_format.h>
#include <grpcpp/generic/generic_stub.h>

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "core/domain/input.h"
#include "core/store/every_record.h"
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

// A good request for every method, about the first team: whatever refuses it does so because of who asks. Behind a comma,
// another one for the same method.
const std::map<std::string, std::string>& GoodRequests() {
  static const auto& rows = *new std::map<std::string, std::string>{
      {"CreateCallback", "request_id: '$R' team_id: '$TM' caller { phone: '030 123456' }"},
      {"CreateCallback, only checked", "team_id: '$TM' caller { phone: '030 123456' } validate_only: true"},
      {"GetCallback", "id: '$CB'"},
      {"ListCallbacks", "team_id: '$TM'"},
      {"MakePromise", "request_id: '$R' callback_id: '$CB' channel: PROMISE_CHANNEL_SPOKEN "
                      "promised_time { seconds: $LATER }"},
      {"StartCall", "request_id: '$R' callback_id: '$CB'"},
      {"LogAttempt", "request_id: '$R' callback_id: '$CB' outcome: ATTEMPT_OUTCOME_REACHED"},
      {"LogCall", "request_id: '$R' team_id: '$TM' phone: '030 123456' outcome: ATTEMPT_OUTCOME_REACHED"},
      {"CompleteCallback", "request_id: '$R' callback_id: '$CB' disposition: 'x'"},
      {"CancelCallback", "request_id: '$R' callback_id: '$CB' reason: 'x'"},
      {"AssignCallback", "request_id: '$R' callback_id: '$CB' member_id: '$MB'"},
      {"AssignCallback, to nobody", "request_id: '$R' callback_id: '$CB' nobody: true"},
      {"UpdateCaller", "request_id: '$R' callback_id: '$CB' caller { name: 'x' }"},
      {"ListHistory", "callback_id: '$CB'"},
      {"WatchCallbacks", "team_id: '$TM'"},
      {"UploadRecording", "header { request_id: '$R' callback_id: '$CB' sha256: '$SHA' }"},
      {"GetRecording", "id: '$RC'"},
      {"DownloadRendition", "recording_id: '$RC' rendition: RENDITION_ORIGINAL"},
      {"CreateTeam", "request_id: '$R' team { name: 'x' } admin { name: 'x' email: 'x@example.com' }"},
      {"GetTeam", "id: '$TM'"},
      {"ListTeams", ""},
      {"UpdateTeam", "request_id: '$R' team { id: '$TM' name: 'x' }"},
      {"AddMember", "request_id: '$R' team_id: '$TM' member { name: 'x' role: ROLE_REP }"},
      {"UpdateMember", "request_id: '$R' member { id: '$MB' name: 'x' }"},
      {"RemoveMember", "request_id: '$R' member_id: '$MB'"},
      {"SetAbsence", "request_id: '$R' member_id: '$MB'"},
      {"HandOverMember", "request_id: '$R' member_id: '$MB'"},
      {"GetPolicy", "team_id: '$TM'"},
      {"PreviewPolicy", "team_id: '$TM' assignee_id: '$MB'"},
      {"SetPolicy", "request_id: '$R' team_id: '$TM' policy { steps { delay { } recipients { kind: KIND_ASSIGNEE } } "
                    "repeat_interval { seconds: 3600 } ack_timeout { seconds: 1800 } response_target { seconds: 3600 } "
                    "follow_up { seconds: 1800 } tolerance { } reminder_lead { } delivery_guard { } "
                    "wrap_up { seconds: 3600 } }"},
      {"CreateToken", "request_id: '$R' team_id: '$TM' member_id: '$MB'"},
      {"CreateSignIn", "member_id: '$MB'"},
      {"RevokeSessions", "request_id: '$R' member_id: '$MB'"},
      {"ListTokens", "team_id: '$TM'"},
      {"RevokeToken", "request_id: '$R' id: '$TK'"},
      {"GetTeamWeek", "team_id: '$TM'"},
      {"GetReport", "team_id: '$TM'"},
      {"ReadHolidays", "team_id: '$TM' ics: 'BEGIN:VCALENDAR'"},
      {"PutContact", "request_id: '$R' team_id: '$TM' caller { phone: '030 123456' name: 'x' }"},
      {"GetContact", "team_id: '$TM' who: '030 123456'"},
      {"ListContacts", "team_id: '$TM'"},
      {"ExportSubject", "team_id: '$TM' who: '030 123456'"},
      {"AnswerProposal", "request_id: '$R' callback_id: '$CB'"},
      {"DeclineProposal", "request_id: '$R' callback_id: '$CB'"},
      {"ReopenCallback", "request_id: '$R' callback_id: '$CB'"},
      {"ListSlots", "callback_id: '$CB'"},
      {"ListDeliveries", "callback_id: '$CB'"},
      {"ResendDelivery", "request_id: '$R' callback_id: '$CB'"},
      {"ListDeadLetters", "team_id: '$TM'"},
      {"GetDeadLetter", "id: '$DL'"},
      {"RetryDeadLetter", "request_id: '$R' id: '$DL'"},
      {"DropDeadLetter", "request_id: '$R' id: '$DL'"},
      {"TestWebhook", "member_id: '$MB' url: 'https://example.com/x'"},
      {"AcknowledgeCallback", "request_id: '$R' callback_id: '$CB'"},
      {"SnoozeCallback", "request_id: '$R' callback_id: '$CB' duration { seconds: 60 }"},
      {"ListTimers", "team_id: '$TM'"},
      {"TakeMail", "header { team_id: '$TM' }"},
      {"ListAnswers", "callback_id: '$CB'"},
      {"ListUnmatched", "team_id: '$TM'"},
      {"TieAnswer", "request_id: '$R' answer_id: '$AN' callback_id: '$CB'"},
      {"TieAnswer, to none", "request_id: '$R' answer_id: '$AN' unmatched: true"},
      {"DropAnswer", "request_id: '$R' answer_id: '$AN'"},
      {"DownloadAnswer", "answer_id: '$AN'"},
      {"EraseSubject", "request_id: '$R' team_id: '$TM' who: 'somebody.else@example.com'"},
  };
  return rows;
}

class StrangersTest : public IngestTest {
 protected:
  StrangersTest()
      : IngestTest([](runtime::Host& host) {
          host.AddRpcService(delivery::NewDeliveryRpc(host));
          host.AddRpcService(delivery::NewAnswerRpc(host, std::make_shared<delivery::AnswerIntake>(host)));
          host.AddRpcService(reminder::NewReminderRpc(host));
        }),
        stub_(channel_) {
    const api::Callback callback = Create(Mueller(), team_.anna_token);
    callback_id_ = callback.id();
    recording_id_ = UploadTake("voice", callback.id()).id();
    answer_id_ = UnmatchedMail();
  }

  // A mail of the first team that waits to be tied.
  std::string UnmatchedMail() {
    record::AnswerRecord answer;
    answer.set_id(NewId(id_prefix::kAnswer, team_.shard, host_->random()));
    answer.set_team_id(team_.id);
    answer.set_source(record::AnswerRecord::SOURCE_MAIL);
    answer.set_kind(record::AnswerRecord::KIND_REPLY);
    answer.set_sender("somebody@example.com");
    answer.set_original_blob(absl::StrCat("07/", answer.id(), "/original"));
    *answer.mutable_create_time() = rpc::ToProto(Morning());
    EXPECT_TRUE(host_->blobs().Put(answer.original_blob(), "From: somebody@example.com\n\nHallo\n").ok());
    store::Commit commit;
    commit.shard = team_.shard;
    commit.commit_id = "answer/" + answer.id();
    store::AddAnswer(nullptr, 0, answer, Morning() + absl::Hours(720), &commit);
    EXPECT_TRUE(host_->store().CommitOnce(commit).ok());
    return answer.id();
  }

  void TieMail() {
    const store::Key key = store::AnswerKey(answer_id_).value();
    const auto answer = store::Load<record::AnswerRecord>(host_->store(), key).value();
    record::AnswerRecord tied = answer.message;
    tied.set_callback_id(callback_id_);
    store::Commit commit;
    commit.shard = team_.shard;
    commit.commit_id = "tied/" + answer_id_;
    store::AddAnswer(&answer.message, answer.version, tied, Morning(), &commit);
    EXPECT_TRUE(host_->store().CommitOnce(commit).ok());
  }

  // The one thing that the team decides itself, beside the table.
  void LetOthersTakesBePlayed() {
    auto team = store::Load<record::TeamRecord>(host_->store(), store::TeamKey(team_.id).value()).value();
    team.message.set_play_others_takes(true);
    store::Commit commit;
    commit.shard = team_.shard;
    commit.commit_id = "play/" + team_.id;
    AddTeam(team.message, team.version, &commit);
    EXPECT_TRUE(host_->store().CommitOnce(commit).ok());
  }

  // Whether a good request for the method names one of these.
  static bool SpeaksOf(const google::protobuf::MethodDescriptor& method, std::initializer_list<const char*> what) {
    const auto row = GoodRequests().find(method.name());
    return row != GoodRequests().end() && std::any_of(what.begin(), what.end(), [&](const char* one) {
             return row->second.find(one) != std::string::npos;
           });
  }

  struct Answer {
    absl::Status status;
    std::string data;  // of the first message
  };

  std::string RequestOf(const google::protobuf::MethodDescriptor& method) {
    const auto row = GoodRequests().find(method.name() + variant_);
    EXPECT_NE(row, GoodRequests().end()) << "no row for " << method.full_name();
    if (row == GoodRequests().end()) return "";
    const std::string text = absl::StrReplaceAll(
        row->second, {{"$TM", team_.id},
                      {"$CB", callback_id_},
                      {"$RC", recording_id_},
                      {"$DL", absl::StrCat("dl", callback_id_.substr(2), "0001")},
                      {"$MB", team_.ben},
                      {"$AN", answer_id_},
                      {"$TK", team_.intake_token_id},
                      {"$SHA", Sha256Hex("voice")},
                      {"$LATER", absl::StrCat(absl::ToUnixSeconds(Morning() + absl::Hours(3)))},
                      {"$R", NextRequestId()}});
    std::unique_ptr<google::protobuf::Message> request(factory_.GetPrototype(method.input_type())->New());
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, request.get())) << method.full_name();
    return request->SerializeAsString();
  }

  // Any kind of method: one request message, the end of requests, the first response, the status.
  Answer Call(const google::protobuf::MethodDescriptor& method, const std::string& token) {
    grpc::ClientContext context;
    Identify(context, token);
    grpc::CompletionQueue queue;
    const std::string path = absl::StrCat("/", method.service()->full_name(), "/", method.name());
    auto call = stub_.PrepareCall(&context, path, &queue);
    const auto wait = [&queue] {
      void* tag = nullptr;
      bool ok = false;
      return queue.Next(&tag, &ok) && ok;
    };
    call->StartCall(nullptr);
    wait();
    grpc::Slice slice(RequestOf(method));
    call->Write(grpc::ByteBuffer(&slice, 1), nullptr);
    if (wait()) {
      call->WritesDone(nullptr);
      wait();
    }
    Answer answer;
    grpc::ByteBuffer response;
    call->Read(&response, nullptr);
    if (wait()) {
      std::vector<grpc::Slice> slices;
      EXPECT_TRUE(response.Dump(&slices).ok());
      for (const auto& part : slices) answer.data.append(reinterpret_cast<const char*>(part.begin()), part.size());
      if (method.server_streaming()) context.TryCancel();
    }
    grpc::Status status;
    call->Finish(&status, nullptr);
    wait();
    answer.status = rpc::FromGrpc(status);
    return answer;
  }

  void ForEach(const std::function<void(const google::protobuf::MethodDescriptor&)>& visit) {
    for (const char* name : kServices) {
      const auto* service = google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(name);
      ASSERT_NE(service, nullptr) << name;
      for (int i = 0; i < service->method_count(); ++i) {
        const auto& method = *service->method(i);
        SCOPED_TRACE(method.full_name());
        variant_ = "";
        visit(method);
        for (const auto& [row, request] : GoodRequests()) {
          if (row.rfind(method.name() + ",", 0) != 0) continue;
          SCOPED_TRACE(row);
          variant_ = row.substr(method.name().size());
          visit(method);
        }
      }
    }
  }

  std::string Everything() {
    std::string all;
    for (int kind = 1; kind <= 14; ++kind) {
      const std::vector<store::Record> records =
          store::AllRecords(host_->store(), 7, static_cast<store::Kind>(kind)).value();
      for (const auto& record : records) {
        absl::StrAppend(&all, record.key.id, "=", record.value, "\n");
      }
    }
    return all;
  }

  grpc::GenericStub stub_;
  google::protobuf::DynamicMessageFactory factory_;
  std::string callback_id_, recording_id_, answer_id_;
  std::string variant_;  // which of a method's requests ForEach is at
};

TEST_F(StrangersTest, NobodyGetsInWithoutAGoodToken) {
  for (const std::string& token : {std::string(), std::string("rb_tk07zzzzzzzzzzzzzzzzzzzzzzzzzz"), std::string("x")}) {
    ForEach([&](const auto& method) {
      const Answer answer = Call(method, token);
      EXPECT_EQ(answer.status.code(), absl::StatusCode::kUnauthenticated) << method.full_name() << answer.status;
      EXPECT_EQ(answer.data, "") << method.full_name();
    });
  }
}

TEST_F(StrangersTest, AnotherTeamsTokensOpenNothingAndChangeNothing) {
  const std::string before = Everything();
  for (const std::string& token : {strangers_.anna_token, strangers_.clara_token, strangers_.admin_token,
                                   strangers_.intake_token}) {
    ForEach([&](const auto& method) {
      const Answer answer = Call(method, token);
      EXPECT_THAT(answer.status.code(), testing::AnyOf(absl::StatusCode::kPermissionDenied, absl::StatusCode::kNotFound))
          << method.full_name() << ": " << answer.status;
      EXPECT_EQ(answer.data, "") << method.full_name();
    });
  }
  EXPECT_EQ(Everything(), before);
}

// A rep's colleague is not quite a stranger: what the rep does not see is not there, by whichever method one asks for it.
TEST_F(StrangersTest, AColleaguesCallbackIsNotThereForARepByAnyMethod) {
  TieMail();
  const std::string before = Everything();
  std::set<std::string> asked;
  ForEach([&](const auto& method) {
    if (!rpc::Allowed(rpc::Role::kRep, absl::StrCat("/", method.service()->full_name(), "/", method.name()))) return;
    if (!SpeaksOf(method, {"$CB", "$RC", "$AN"})) return;
    asked.insert(method.name());
    const Answer answer = Call(method, team_.ben_token);
    EXPECT_EQ(answer.status.code(), absl::StatusCode::kNotFound) << method.full_name() << ": " << answer.status;
    EXPECT_EQ(answer.data, "") << method.full_name();
  });
  EXPECT_GE(asked.size(), 24u);
  EXPECT_EQ(Everything(), before);
  // Whoever owes the call gets in by each of them.
  ForEach([&](const auto& method) {
    if (!asked.contains(method.name())) return;
    const Answer answer = Call(method, team_.anna_token);
    EXPECT_THAT(answer.status.code(), testing::AllOf(testing::Ne(absl::StatusCode::kNotFound),
                                                     testing::Ne(absl::StatusCode::kPermissionDenied)))
        << method.full_name() << ": " << answer.status;
  });
}

TEST_F(StrangersTest, ListsHoldOnlyWhatARepSees) {
  const std::set<std::string> lists = {"ListCallbacks", "ListTimers"};
  ForEach([&](const auto& method) {
    if (!lists.contains(method.name())) return;
    EXPECT_THAT(Call(method, team_.anna_token).data, testing::HasSubstr(callback_id_)) << method.full_name();
    EXPECT_THAT(Call(method, team_.clara_token).data, testing::HasSubstr(callback_id_)) << method.full_name();
    EXPECT_THAT(Call(method, team_.ben_token).data, testing::Not(testing::HasSubstr(callback_id_))) << method.full_name();
  });
}

TEST_F(StrangersTest, EveryRoleGetsExactlyWhatTheTableAllows) {
  LetOthersTakesBePlayed();
  const std::vector<std::pair<rpc::Role, std::string>> roles = {
      {rpc::Role::kIntake, team_.intake_token}, {rpc::Role::kOperator, operator_token_},
      {rpc::Role::kRep, team_.anna_token},      {rpc::Role::kManager, team_.clara_token},
      {rpc::Role::kAdmin, team_.admin_token},
  };
  for (const auto& [role, token] : roles) {
    ForEach([&, role = role, token = token](const auto& method) {
      // These end what the others need.
      if (method.name() == "RemoveMember" || method.name() == "RevokeToken") return;
      const Answer answer = Call(method, token);
      const std::string path = absl::StrCat("/", method.service()->full_name(), "/", method.name());
      // Of themselves members change something: what they may not is the handlers' business, and their tests'.
      if (domain::DetailOf(answer.status).reason == "NOT_YOURSELF") return;
      const bool refused = answer.status.code() == absl::StatusCode::kPermissionDenied;
      EXPECT_EQ(refused, !rpc::Allowed(role, path)) << path << " for role " << static_cast<int>(role) << ": " << answer.status;
      if (refused) {
        EXPECT_EQ(answer.data, "") << path;
      }
      EXPECT_NE(answer.status.code(), absl::StatusCode::kUnimplemented) << path;
      EXPECT_NE(answer.status.code(), absl::StatusCode::kInternal) << path << answer.status;
    });
  }
}

}  // namespace
}  // namespace ringback::ingest
