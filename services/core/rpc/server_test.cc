#include "core/rpc/server.h"

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "core/domain/input.h"
#include "core/rpc/client.h"
#include "core/rpc/grpc_server.h"
#include "core/rpc/rpc_fixture.h"
#include "ringback/v1/reminder_service.grpc.pb.h"

namespace ringback::rpc {
namespace {

using v1::AcknowledgeCallbackRequest;
using v1::AcknowledgeCallbackResponse;
using v1::ListTimersRequest;
using v1::ListTimersResponse;

// Two real methods: a read that is scoped to a team, and a write that happens once.
class SmallReminderService : public v1::ReminderService::CallbackService {
 public:
  explicit SmallReminderService(Environment* environment) : environment_(*environment) {}

  grpc::ServerUnaryReactor* ListTimers(grpc::CallbackServerContext* context, const ListTimersRequest* request,
                                       ListTimersResponse* response) override {
    return Unary(environment_, context, "/ringback.v1.ReminderService/ListTimers", request, response,
                 [](const Call& call, const ListTimersRequest& request, ListTimersResponse* response) -> absl::Status {
                   if (request.page_token() == "bug") return absl::InternalError("a secret of the machine room");
                   RB_RETURN_IF_ERROR(PageSize(request.page_size()).status());
                   RB_ASSIGN_OR_RETURN(const std::string team, ScopedTeam(call.principal, request.team_id()));
                   response->add_timers()->set_callback_id(team);
                   response->set_next_page_token(call.trace_id);
                   return absl::OkStatus();
                 });
  }

  grpc::ServerUnaryReactor* AcknowledgeCallback(grpc::CallbackServerContext* context,
                                                const AcknowledgeCallbackRequest* request,
                                                AcknowledgeCallbackResponse* response) override {
    return Unary(environment_, context, "/ringback.v1.ReminderService/AcknowledgeCallback", request, response,
                 [this](const Call& call, const AcknowledgeCallbackRequest& request,
                        AcknowledgeCallbackResponse* response) {
                   return Once(environment_, call, request, response,
                               [&](store::Commit* commit, AcknowledgeCallbackResponse* out) {
                                 commit->counters.push_back({call.principal.team_id, "g", "acks", 1});
                                 out->mutable_callback()->set_id(request.callback_id());
                                 return absl::OkStatus();
                               });
                 });
  }

 private:
  Environment& environment_;
};

class ServerTest : public StoreTest {
 protected:
  ServerTest() : service_(&environment_) {
    environment_.finished = [this](std::string_view method, absl::StatusCode code, absl::Duration took) {
      MutexLock lock(&mutex_);
      EXPECT_GE(took, absl::ZeroDuration());
      finished_.push_back(std::string(method) + " " + absl::StatusCodeToString(code));
    };
    Start({});
  }

  void Start(const ServerTls& tls) {
    ServerOptions options;
    options.listen = "127.0.0.1:0";
    options.credentials = MakeServerCredentials(tls).value();
    server_ = GrpcServer::Start(options, {&service_}).value();
  }

  std::unique_ptr<Client> NewClient(const std::string& token, ClientOptions options = {}) {
    if (options.target.empty()) options.target = server_->address();
    options.token = token;
    return Client::Create(options, random_.get()).value();
  }

  absl::StatusOr<ListTimersResponse> ListTimers(Client& client, const ListTimersRequest& request) {
    ListTimersResponse response;
    const auto context = client.NewContext();
    RB_RETURN_IF_ERROR(
        FromGrpc(v1::ReminderService::NewStub(client.channel())->ListTimers(context.get(), request, &response)));
    return response;
  }
  absl::StatusOr<ListTimersResponse> ListTimers(const std::string& token, const std::string& team = "") {
    ListTimersRequest request;
    request.set_team_id(team);
    return ListTimers(*NewClient(token), request);
  }

  const std::string team_ = AddTeam(7);
  const std::string other_team_ = AddTeam(8);
  const std::string token_ = AddToken(team_, "rep");
  Mutex mutex_;
  std::vector<std::string> finished_ RB_GUARDED_BY(mutex_);
  SmallReminderService service_;
  std::unique_ptr<GrpcServer> server_;
};

TEST_F(ServerTest, AMemberReachesTheOwnTeamAndNoOther) {
  EXPECT_EQ(ListTimers(token_)->timers(0).callback_id(), team_);
  EXPECT_EQ(ListTimers(token_, team_)->timers(0).callback_id(), team_);
  EXPECT_EQ(ListTimers(token_, other_team_).status().code(), absl::StatusCode::kPermissionDenied);
}

TEST_F(ServerTest, TokensThatDoNotCountAreRefused) {
  const std::string revoked = AddToken(team_, "rep", [](store::v1::TokenRecord* record) { record->set_revoked(true); });
  const std::string expired = AddToken(
      team_, "rep", [](store::v1::TokenRecord* record) { record->mutable_expire_time()->set_seconds(1); });
  for (const std::string& token : {std::string(), std::string("rb_tk07aaaaaaaaaaaaaaaaaaaaaaaaaa"), revoked, expired}) {
    EXPECT_EQ(ListTimers(token).status().code(), absl::StatusCode::kUnauthenticated) << token;
  }
}

TEST_F(ServerTest, ATokenThatIsRevokedBetweenTwoCallsOfOneConnectionIsRefused) {
  const auto client = NewClient(token_);
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(ListTimers(*client, {}).ok());
  store::v1::TokenRecord token;
  token.set_team_id(team_);
  token.set_member_id("rep");
  token.set_role(store::v1::TokenRecord::ROLE_MEMBER);
  token.set_revoked(true);
  Write(TokenKey(token_).value(), token.SerializeAsString());
  EXPECT_EQ(ListTimers(*client, {}).status().code(), absl::StatusCode::kUnauthenticated);
}

TEST_F(ServerTest, ARoleThatMayNotIsRefused) {
  EXPECT_EQ(ListTimers(AddToken(team_, store::v1::TokenRecord::ROLE_INTAKE)).status().code(),
            absl::StatusCode::kPermissionDenied);
}

TEST_F(ServerTest, AWriteHappensOnceThroughTheWire) {
  const auto client = NewClient(token_);
  AcknowledgeCallbackRequest request;
  request.set_request_id("r1");
  request.set_callback_id("cb07aaaaaaaaaaaa");
  for (int i = 0; i < 3; ++i) {
    AcknowledgeCallbackResponse response;
    const auto context = client->NewContext();
    const auto status = v1::ReminderService::NewStub(client->channel())->AcknowledgeCallback(context.get(), request,
                                                                                           &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(response.callback().id(), "cb07aaaaaaaaaaaa");
  }
  EXPECT_EQ(store_->Counters(7, team_, "g").value()[0].second, 1);
}

TEST_F(ServerTest, AFieldsErrorArrivesWithFieldAndReason) {
  ListTimersRequest request;
  request.set_page_size(-1);
  const absl::Status status = ListTimers(*NewClient(token_), request).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(domain::DetailOf(status).field, "page_size");
  EXPECT_EQ(domain::DetailOf(status).reason, "PAGE_SIZE_NEGATIVE");
}

TEST_F(ServerTest, InternalWordsDoNotLeave) {
  ListTimersRequest request;
  request.set_page_token("bug");
  const absl::Status status = ListTimers(*NewClient(token_), request).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(status.ToString().find("machine room"), std::string::npos);
}

TEST_F(ServerTest, AFullPoolAnswersAtOnceWhenToTryAgain) {
  executor_.SetBusy(true);
  const absl::Status status = ListTimers(token_).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(RetryAfterOf(status), absl::Seconds(1));
}

TEST_F(ServerTest, AMessageOverTheLimitIsRefused) {
  ListTimersRequest request;
  request.set_team_id(std::string(3 << 20, 'x'));
  EXPECT_EQ(ListTimers(*NewClient(token_), request).status().code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(ServerTest, TheClientsTraceGoesOn) {
  const TraceScope trace("4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(ListTimers(token_)->next_page_token(), "4bf92f3577b34da6a3ce929d0e0e4736");
}

TEST_F(ServerTest, EveryFinishedCallIsReported) {
  ListTimers(token_).IgnoreError();
  ListTimers("").IgnoreError();
  MutexLock lock(&mutex_);
  EXPECT_EQ(finished_, (std::vector<std::string>{"/ringback.v1.ReminderService/ListTimers OK",
                                                 "/ringback.v1.ReminderService/ListTimers UNAUTHENTICATED"}));
}

TEST_F(ServerTest, HealthNeedsNoTokenAndFollowsTheServer) {
  const auto client = NewClient("");
  EXPECT_FALSE(CheckHealth(client->channel(), absl::Seconds(10)).value()) << "not serving until told so";
  server_->SetServing(true);
  EXPECT_TRUE(CheckHealth(client->channel(), absl::Seconds(10)).value());
  server_->SetServing(false);
  EXPECT_FALSE(CheckHealth(client->channel(), absl::Seconds(10)).value());
  server_->Shutdown(absl::ZeroDuration());
  EXPECT_EQ(CheckHealth(client->channel(), absl::Seconds(10)).status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(ServerTest, AServerWithoutMethodsReportsItsHealthToo) {
  ServerOptions options;
  options.listen = "127.0.0.1:0";
  options.credentials = grpc::InsecureServerCredentials();
  const auto server = GrpcServer::Start(options, {});
  ASSERT_TRUE(server.ok()) << server.status();
  (*server)->SetServing(true);
  ClientOptions client;
  client.target = (*server)->address();
  EXPECT_TRUE(CheckHealth(NewClient("", client)->channel(), absl::Seconds(10)).value());
}

TEST_F(ServerTest, APortThatIsTakenIsAnErrorAndNotShared) {
  ServerOptions options;
  options.listen = server_->address();
  options.credentials = grpc::InsecureServerCredentials();
  SmallReminderService another(&environment_);
  const auto second = GrpcServer::Start(options, {&another});
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(ServerTest, ACallNobodyWaitsForAnyLongerIsNotBegun) {
  executor_.Hold();
  const auto client = NewClient(token_);
  const auto context = client->NewContext(absl::Milliseconds(200));
  ListTimersResponse response;
  EXPECT_EQ(v1::ReminderService::NewStub(client->channel())->ListTimers(context.get(), {}, &response).error_code(),
            grpc::StatusCode::DEADLINE_EXCEEDED);
  // The server counts the time from the call's arrival, which was before this moment: wait on the clock that gRPC uses.
  std::this_thread::sleep_until(std::chrono::system_clock::now() + std::chrono::milliseconds(210));
  ASSERT_EQ(executor_.WorkOff(), 1u);
  MutexLock lock(&mutex_);
  ASSERT_EQ(finished_.size(), 1u);
  EXPECT_NE(finished_[0], "/ringback.v1.ReminderService/ListTimers OK");
}

// Certificates of a small authority, made anew for each run, so that none can expire.
class TlsTest : public ServerTest {
 protected:
  TlsTest() {
    Shell("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=ca "
          "-keyout ca.key -out ca.pem");
    for (const std::string name : {"server", "client"}) {
      Shell("openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=" + name + " -keyout " + name +
            ".key -out " + name + ".csr");
      Shell("printf 'subjectAltName=DNS:ringback.test' > ext && openssl x509 -req -in " + name +
            ".csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out " + name + ".pem");
    }
  }
  void Shell(const std::string& command) {
    ASSERT_EQ(std::system(("cd " + folder_.path() + " && { " + command + "; } >openssl.log 2>&1").c_str()), 0) << command;
  }
  std::string Pem(const std::string& name) {
    std::stringstream text;
    text << std::ifstream(folder_.File(name)).rdbuf();
    return text.str();
  }
  ClientOptions Trusting() {
    ClientOptions options;
    options.ca_pem = Pem("ca.pem");
    options.server_name = "ringback.test";
    options.deadline = absl::Seconds(5);
    return options;
  }
};

TEST_F(TlsTest, OverTlsAClientThatTrustsTheAuthorityIsServed) {
  Start({Pem("server.pem"), Pem("server.key"), ""});
  EXPECT_TRUE(ListTimers(*NewClient(token_, Trusting()), {}).ok());
  EXPECT_EQ(ListTimers(*NewClient(token_), {}).status().code(), absl::StatusCode::kUnavailable) << "without TLS";
}

TEST_F(TlsTest, MutualTlsWantsTheClientsCertificateBesideTheToken) {
  Start({Pem("server.pem"), Pem("server.key"), Pem("ca.pem")});
  EXPECT_EQ(ListTimers(*NewClient(token_, Trusting()), {}).status().code(), absl::StatusCode::kUnavailable);
  ClientOptions options = Trusting();
  options.certificate_pem = Pem("client.pem");
  options.key_pem = Pem("client.key");
  EXPECT_TRUE(ListTimers(*NewClient(token_, options), {}).ok());
  EXPECT_EQ(ListTimers(*NewClient("", options), {}).status().code(), absl::StatusCode::kUnauthenticated);
}

TEST(CredentialsTest, HalfATlsIsRefused) {
  EXPECT_FALSE(MakeServerCredentials({"cert", "", ""}).ok());
  EXPECT_FALSE(MakeServerCredentials({"", "key", ""}).ok());
  EXPECT_FALSE(MakeServerCredentials({"", "", "ca"}).ok());
  const auto random = NewSeededRandom(1);
  EXPECT_FALSE(Client::Create({}, random.get()).ok());
  ClientOptions plain_with_ca;
  plain_with_ca.target = "http://x:1";
  plain_with_ca.ca_pem = "pem";
  EXPECT_FALSE(Client::Create(plain_with_ca, random.get()).ok());
}

}  // namespace
}  // namespace ringback::rpc
