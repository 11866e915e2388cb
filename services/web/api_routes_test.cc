// The pages' API over a real gRPC server with services that say what they were asked.
#include "web/api_routes.h"

#include <gmock/gmock.h>

#include "core/domain/input.h"
#include "core/rpc/sessions.h"
#include "core/rpc/status.h"
#include "ringback/v1/answer_service.grpc.pb.h"
#include "ringback/v1/callback_service.grpc.pb.h"
#include "ringback/v1/recording_service.grpc.pb.h"
#include "web/routes_fixture.h"

namespace ringback::web {
namespace {

namespace api = ::ringback::v1;
using http::HeaderOf;
using ::testing::AllOf;
using ::testing::HasSubstr;

std::string Metadata(const grpc::ServerContext& context, const char* key) {
  const auto found = context.client_metadata().find(key);
  return found == context.client_metadata().end() ? "" : std::string(found->second.data(), found->second.size());
}

class FakeCallbacks final : public api::CallbackService::Service {
 public:
  grpc::Status GetCallback(grpc::ServerContext* context, const api::GetCallbackRequest* request,
                           api::GetCallbackResponse* response) override {
    authorization = Metadata(*context, "authorization");
    traceparent = Metadata(*context, "traceparent");
    if (request->id() == "busy") {
      return rpc::ToGrpc(rpc::RetryAfter(absl::ResourceExhaustedError("too busy"), absl::Milliseconds(1500)));
    }
    if (request->id() != kCallbackId) {
      return rpc::ToGrpc(domain::FieldError(absl::StatusCode::kNotFound, "id", "CALLBACK_NOT_FOUND", "there is no such callback"));
    }
    response->mutable_callback()->set_id(kCallbackId);
    response->mutable_callback()->set_version(5);
    return grpc::Status::OK;
  }
  std::string authorization, traceparent;
};

class FakeRecordings final : public api::RecordingService::Service {
 public:
  grpc::Status UploadRecording(grpc::ServerContext*, grpc::ServerReader<api::UploadRecordingRequest>* reader,
                               api::UploadRecordingResponse* response) override {
    api::UploadRecordingRequest part;
    bytes.clear();
    while (reader->Read(&part)) {
      if (part.has_header()) header = part.header();
      bytes += part.chunk();
    }
    response->mutable_recording()->set_id(kRecordingId);
    return grpc::Status::OK;
  }
  grpc::Status DownloadRendition(grpc::ServerContext*, const api::DownloadRenditionRequest* request,
                                 grpc::ServerWriter<api::DownloadRenditionResponse>* writer) override {
    api::DownloadRenditionResponse part;
    for (const char* chunk : {"01234", "56789"}) {
      part.set_chunk(request->rendition() == api::RENDITION_MP3 ? chunk : "opus-");
      writer->Write(part);
    }
    return grpc::Status::OK;
  }
  api::UploadHeader header;
  std::string bytes;
};

class FakeAnswers final : public api::AnswerService::Service {
 public:
  grpc::Status DownloadAnswer(grpc::ServerContext*, const api::DownloadAnswerRequest* request,
                              grpc::ServerWriter<api::DownloadAnswerResponse>* writer) override {
    api::DownloadAnswerResponse part;
    part.set_chunk(absl::StrCat(request->answer_id(), "/", request->attachment()));
    writer->Write(part);
    return grpc::Status::OK;
  }
};

class ApiRoutesTest : public RoutesTest {
 protected:
  void SetUp() override {
    RoutesTest::SetUp();
    store::Commit commit;
    commit.shard = 7;
    commit.commit_id = NewSecret(id_prefix::kLease, 7, *random_);
    auto session = rpc::AddSession(*sqlite_, *random_, kTeamId, kAnna, "Firefox", clock_.Now(), clock_.Now() + absl::Hours(1), &commit);
    ASSERT_TRUE(session.ok());
    secret_ = session->secret;
    ASSERT_TRUE(sqlite_->CommitOnce(commit).ok());
    grpc::ServerBuilder builder;
    for (grpc::Service* service : std::initializer_list<grpc::Service*>{&callbacks_, &recordings_, &answers_}) builder.RegisterService(service);
    server_ = builder.BuildAndStart();
    const auto channel = server_->InProcessChannel({});
    caller_ = std::make_shared<const ServiceCaller>(ServiceChannels{channel, channel, channel}, random_.get());
    EventHubParts parts;
    parts.store = sqlite_.get();
    parts.known = &known_;
    parts.signals = signals_.get();
    parts.clock = &clock_;
    parts.submit = [](std::function<void()> work) { return work(), true; };
    hub_ = std::make_unique<EventHub>(std::move(parts));
    gate_ = std::make_unique<SessionGate>(sqlite_.get(), &clock_, "https://call.example.com");
    api_ = std::make_unique<ApiRoutes>(ApiParts{gate_.get(), &clock_, hub_.get(), [this] { return caller_; }, "https://call.example.com"});
  }
  void TearDown() override {
    hub_.reset();
    server_->Shutdown();
    RoutesTest::TearDown();
  }

  HttpRequest Request(const std::string& method, const std::string& target) {
    HttpRequest request;
    request.method = method;
    request.target = target;
    request.peer = "127.0.0.1";
    request.host = "localhost:7421";
    request.cookie = "ringback=" + secret_;
    if (method == "POST") {
      request.sec_fetch_site = "same-origin";
      request.content_type = "application/json";
      request.form_token = rpc::FormToken(secret_);
    }
    return request;
  }
  HttpResponse Send(const HttpRequest& request) {
    auto response = api_->Handle(request);
    EXPECT_TRUE(response.has_value()) << request.target;
    return *std::move(response);
  }
  HttpResponse GetApi(const std::string& target) { return Send(Request("GET", target)); }
  HttpResponse Post(const std::string& target, const std::string& body) {
    HttpRequest request = Request("POST", target);
    request.body = body;
    return Send(request);
  }

  FakeCallbacks callbacks_;
  FakeRecordings recordings_;
  FakeAnswers answers_;
  std::unique_ptr<grpc::Server> server_;
  std::shared_ptr<const ServiceCaller> caller_;
  rpc::KnownTokens known_;
  std::unique_ptr<handoff::Signals> signals_ = handoff::NewLocalSignals();
  std::unique_ptr<EventHub> hub_;
  std::unique_ptr<SessionGate> gate_;
  std::unique_ptr<ApiRoutes> api_;
  std::string secret_;
};

TEST_F(ApiRoutesTest, AMethodIsCalledInTheSessionsNameAndAnswersInJson) {
  const HttpResponse answer = Post("/api/v1/CallbackService/GetCallback", absl::StrCat("{\"id\":\"", kCallbackId, "\"}"));
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(HeaderOf(answer, "Content-Type"), "application/json");
  EXPECT_EQ(answer.body, "{\"callback\":{\"id\":\"cb07aaaaaaaaaaaa\",\"version\":\"5\"}}");
  EXPECT_EQ(callbacks_.authorization, "Bearer " + secret_);
  EXPECT_THAT(callbacks_.traceparent, testing::StartsWith("00-"));
}

TEST_F(ApiRoutesTest, AnErrorSaysItsCodeFieldReasonAndWhenToTryAgain) {
  const HttpResponse none = Post("/api/v1/CallbackService/GetCallback", "{\"id\":\"other\"}");
  EXPECT_EQ(none.status, 404);
  EXPECT_THAT(none.body, AllOf(HasSubstr("\"code\":\"NOT_FOUND\""), HasSubstr("\"field\":\"id\""),
                               HasSubstr("\"reason\":\"CALLBACK_NOT_FOUND\""), HasSubstr("there is no such callback")));
  const HttpResponse busy = Post("/api/v1/CallbackService/GetCallback", "{\"id\":\"busy\"}");
  EXPECT_EQ(busy.status, 429);
  EXPECT_THAT(busy.body, HasSubstr("\"retryAfterMs\":1500"));
}

TEST_F(ApiRoutesTest, JsonThatIsNotTheRequestIsNamed) {
  for (const char* body : {"{\"idd\":\"x\"}", "{", "[]", "{\"id\":{}}"}) {
    const HttpResponse answer = Post("/api/v1/CallbackService/GetCallback", body);
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_THAT(answer.body, AllOf(HasSubstr("INVALID_ARGUMENT"), HasSubstr("no GetCallbackRequest"))) << body;
  }
  HttpRequest request = Request("POST", "/api/v1/CallbackService/GetCallback");
  request.content_type = "text/plain";
  EXPECT_THAT(Send(request).body, HasSubstr("application/json"));
}

TEST_F(ApiRoutesTest, WhatIsNoUnaryMethodIsNotThere) {
  for (const char* target : {"/api/v1/CallbackService/WatchCallbacks", "/api/v1/CallbackService/Nothing", "/api/v1/Nothing/GetCallback",
                             "/api/v1/RecordingService/UploadRecording"}) {
    EXPECT_EQ(Post(target, "{}").status, 501) << target;
  }
  EXPECT_EQ(GetApi("/api/v1/CallbackService/GetCallback").status, 405);
  EXPECT_EQ(GetApi("/api/v2/me").status, 404);
  EXPECT_EQ(GetApi("/api/v1/a/b/c/d").status, 404);
  EXPECT_EQ(api_->Handle(Request("GET", "/desk")), std::nullopt);
}

TEST_F(ApiRoutesTest, NothingIsChangedForAnotherSitesPageOrWithoutTheWordForForms) {
  const std::string target = "/api/v1/CallbackService/GetCallback";
  HttpRequest foreign = Request("POST", target);
  foreign.sec_fetch_site = "cross-site";
  EXPECT_EQ(Send(foreign).status, 403);
  HttpRequest silent = Request("POST", target);
  silent.form_token.clear();
  EXPECT_THAT(Send(silent).body, HasSubstr("FORM_TOKEN_WRONG"));
  HttpRequest other = Request("POST", target);
  other.form_token = rpc::FormToken("ss07other");
  EXPECT_EQ(Send(other).status, 403);
  HttpRequest nobody = Request("POST", target);
  nobody.cookie.clear();
  EXPECT_EQ(Send(nobody).status, 401);
  EXPECT_EQ(callbacks_.authorization, "");
  for (HttpRequest take : {foreign, silent, other, nobody}) {
    take.target = "/api/v1/recordings?request_id=1";
    EXPECT_TRUE(api_->AdmitTake(take).has_value());
    EXPECT_GE(Send(take).status, 401);
  }
}

TEST_F(ApiRoutesTest, MeSaysWhoOneIsAndTheWordForForms) {
  const HttpResponse me = GetApi("/api/v1/me");
  EXPECT_EQ(me.status, 200);
  EXPECT_THAT(me.body, AllOf(HasSubstr("\"name\":\"Anna Schmidt\""), HasSubstr("\"team\":{\"id\":\"tm07aaaaaaaaaaaa\""),
                             HasSubstr(absl::StrCat("\"formToken\":\"", rpc::FormToken(secret_), "\"")),
                             HasSubstr("\"now\":\"2026-11-23T09:00:00Z\""), HasSubstr("\"pagesUrl\":\"https://call.example.com\"")));
  secret_ = "ss07wrong";
  EXPECT_EQ(GetApi("/api/v1/me").status, 401);
}

TEST_F(ApiRoutesTest, ATakeGoesThroughWhole) {
  HttpRequest request = Request("POST", "/api/v1/recordings?request_id=r1&callback_id=cb07&sha256=abc");
  request.body = std::string((2 << 20) + 7, 'x');
  EXPECT_EQ(api_->AdmitTake(request), std::nullopt);
  const HttpResponse answer = Send(request);
  EXPECT_EQ(answer.body, absl::StrCat("{\"recording\":{\"id\":\"", kRecordingId, "\"}}"));
  EXPECT_EQ(recordings_.bytes, request.body);
  EXPECT_EQ(recordings_.header.request_id(), "r1");
  EXPECT_EQ(recordings_.header.callback_id(), "cb07");
  EXPECT_EQ(recordings_.header.sha256(), "abc");
  EXPECT_EQ(recordings_.header.size_bytes(), static_cast<int64_t>(request.body.size()));
}

TEST_F(ApiRoutesTest, ATakeIsHeardInPartsToo) {
  HttpRequest request = Request("GET", "/api/v1/recordings/rc07/mp3");
  const HttpResponse whole = Send(request);
  EXPECT_EQ(whole.body, "0123456789");
  EXPECT_EQ(HeaderOf(whole, "Content-Type"), "audio/mpeg");
  request.range = "bytes=3-6";
  const HttpResponse part = Send(request);
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, "3456");
  EXPECT_EQ(HeaderOf(part, "Content-Range"), "bytes 3-6/10");
  request.range = "bytes=10-";
  EXPECT_EQ(Send(request).status, 416);
  EXPECT_EQ(GetApi("/api/v1/recordings/rc07/opus").body, "opus-opus-");
  EXPECT_EQ(HeaderOf(GetApi("/api/v1/recordings/rc07/original"), "Content-Disposition"), "attachment");
  EXPECT_EQ(GetApi("/api/v1/recordings/rc07/wav").status, 404);
}

TEST_F(ApiRoutesTest, WhatCustomersSentIsADownloadAlone) {
  const HttpResponse mail = GetApi("/api/v1/answers/an07/original");
  EXPECT_EQ(mail.body, "an07/0");
  EXPECT_EQ(HeaderOf(mail, "Content-Type"), "message/rfc822");
  EXPECT_EQ(HeaderOf(mail, "Content-Disposition"), "attachment");
  EXPECT_THAT(HeaderOf(mail, "Content-Security-Policy"), HasSubstr("sandbox"));
  EXPECT_EQ(GetApi("/api/v1/answers/an07/attachments/2").body, "an07/2");
  EXPECT_EQ(GetApi("/api/v1/answers/an07/attachments/x").status, 404);
  EXPECT_EQ(GetApi("/api/v1/answers/an07/other").status, 404);
}

TEST_F(ApiRoutesTest, LiveChangesGoOnFromWhereTheBrowserStands) {
  HttpResponse live = GetApi("/api/v1/events");
  ASSERT_NE(live.live, nullptr);
  EXPECT_EQ(HeaderOf(live, "Content-Type"), "text/event-stream");
  HttpRequest behind = Request("GET", "/api/v1/events?since=0");
  behind.last_event_id = "77";
  live = Send(behind);
  EXPECT_THAT(*live.live->Take().blocks.back(), HasSubstr("resync"));
  EXPECT_EQ(GetApi("/api/v1/events?since=x").status, 400);
  secret_ = "ss07wrong";
  EXPECT_EQ(GetApi("/api/v1/events").status, 401);
}

TEST_F(ApiRoutesTest, WithoutServicesTheAnswerSaysWhatIsMissing) {
  caller_ = nullptr;
  const HttpResponse answer = Post("/api/v1/CallbackService/GetCallback", "{}");
  EXPECT_EQ(answer.status, 503);
  EXPECT_THAT(answer.body, HasSubstr("web.services"));
}

}  // namespace
}  // namespace ringback::web
