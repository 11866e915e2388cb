// For this room's tests: a host with a fake clock on a real SQLite store and real blobs in a folder of its own, serving
// the room's services over loopback; two teams, the second one strangers.
#pragma once

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/domain/team.h"
#include "core/rpc/client.h"
#include "core/rpc/grpc_server.h"
#include "core/rpc/rpc_fixture.h"
#include "core/runtime/host.h"
#include "core/runtime/notifying_store.h"
#include "core/runtime/pool.h"
#include "core/store/records.h"
#include "core/store/sqlite_store.h"
#include "ingest/app.h"
#include "ingest/load.h"
#include "ingest/team_tokens.h"
#include "ingest/teams.h"
#include "ringback/v1/callback_service.grpc.pb.h"
#include "ringback/v1/contact_service.grpc.pb.h"
#include "ringback/v1/recording_service.grpc.pb.h"
#include "ringback/v1/team_service.grpc.pb.h"

namespace ringback::ingest {

// Tuesday, 9:00 in Berlin.
inline absl::Time Morning() { return absl::FromCivil(absl::CivilSecond(2026, 11, 24, 8), absl::UTCTimeZone()); }

// Calls `before` once before the next commit: whatever it does comes between a decision and its commit.
class RacingStore : public rpc::ForwardingStore {
 public:
  explicit RacingStore(store::Store* inner) : ForwardingStore(inner) {}
  absl::StatusOr<store::CommitResult> CommitOnce(const store::Commit& commit) override {
    std::function<void()> race;
    {
      MutexLock lock(&mutex_);
      race.swap(before_);
    }
    if (race) race();
    return ForwardingStore::CommitOnce(commit);
  }
  void BeforeNextCommit(std::function<void()> before) {
    MutexLock lock(&mutex_);
    before_ = std::move(before);
  }

 private:
  Mutex mutex_;
  std::function<void()> before_ RB_GUARDED_BY(mutex_);
};

class TestHost : public runtime::Host {
 public:
  explicit TestHost(const std::string& folder) : clock_(Morning()), random_(NewSystemRandom()) {
    config_.data_dir = folder;
    config_.public_url = "https://calls.example.com";
    store::SqliteOptions options;
    options.path = folder + "/store.sqlite";
    options.clock = &clock_;
    options.random = random_.get();
    sqlite_ = store::OpenSqliteStore(options).value();
    auto racing = std::make_unique<RacingStore>(sqlite_.get());
    racing_ = racing.get();
    store_ = runtime::NewNotifyingStore(std::move(racing), {signals_.get(), &clock_});
    blobs_ = blob::OpenDirectory(folder + "/blobs").value();
    environment_.store = store_.get();
    environment_.clock = &clock_;
    environment_.random = random_.get();
    environment_.executor = &pool_;
  }
  ~TestHost() override { Stop(); }

  const runtime::Config& config() const override { return config_; }
  Clock& clock() override { return clock_; }
  Random& random() override { return *random_; }
  store::Store& store() override { return *store_; }
  blob::BlobStore& blobs() override { return *blobs_; }
  handoff::Signals& signals() override { return *signals_; }
  runtime::Metrics& metrics() override { return *metrics_; }
  rpc::Environment& rpc() override { return environment_; }
  void AddRpcService(std::unique_ptr<grpc::Service> service) override { services_.push_back(std::move(service)); }
  void AddWorker(runtime::WorkerOptions options, std::unique_ptr<runtime::JobHandler> handler) override {
    workers_[options.name] = std::move(handler);
  }
  void AddComponent(std::string, std::unique_ptr<runtime::Component> component) override {
    components_.push_back(std::move(component));
  }
  void AddPeriodic(std::string, absl::Duration, std::function<absl::Status()>) override {}
  absl::Status Serve(std::function<void()> ready) override {
    for (auto& component : components_) RB_RETURN_IF_ERROR(component->Start());
    std::vector<grpc::Service*> services;
    for (auto& service : services_) services.push_back(service.get());
    rpc::ServerOptions options;
    options.listen = "127.0.0.1:0";
    options.credentials = grpc::InsecureServerCredentials();
    RB_ASSIGN_OR_RETURN(server_, rpc::GrpcServer::Start(options, services));
    if (ready) ready();
    return absl::OkStatus();
  }
  void Stop() override {
    for (auto& component : components_) component->Drain();
    if (server_ != nullptr) server_->Shutdown(absl::Seconds(2));
    server_.reset();
    pool_.Drain();
  }
  std::string grpc_address() const override { return server_->address(); }
  std::shared_ptr<grpc::Channel> InProcessChannel() override { return server_->InProcessChannel(); }
  bool draining() const override { return false; }
  absl::Status Ready() override { return absl::OkStatus(); }

  FakeClock& fake_clock() { return clock_; }
  RacingStore& racing() { return *racing_; }
  // Between calls: no handler may be at work.
  runtime::Config& mutable_config() { return config_; }
  // No worker runs by itself: a test hands it the lease.
  runtime::JobHandler& worker(const std::string& name) { return *workers_.at(name); }
  void DrainComponents() {
    for (auto& component : components_) component->Drain();
  }

 private:
  runtime::Config config_;
  FakeClock clock_;
  const std::unique_ptr<Random> random_;
  const std::unique_ptr<handoff::Signals> signals_ = handoff::NewLocalSignals();
  const std::unique_ptr<runtime::Metrics> metrics_ = runtime::NewMetrics();
  std::unique_ptr<store::Store> sqlite_;
  RacingStore* racing_ = nullptr;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<blob::BlobStore> blobs_;
  runtime::Pool pool_{4, 1000};
  rpc::Environment environment_;
  std::vector<std::unique_ptr<grpc::Service>> services_;
  std::vector<std::unique_ptr<runtime::Component>> components_;
  std::map<std::string, std::unique_ptr<runtime::JobHandler>> workers_;
  std::unique_ptr<rpc::GrpcServer> server_;
};

// One team of the fixture.
struct TestTeam {
  int shard = 0;
  std::string id, anna, ben, clara, admin;                                // rep, rep and her substitute, manager, admin
  std::string anna_token, ben_token, clara_token, admin_token, intake_token;  // secrets
  std::string intake_token_id;
};

class IngestTest : public testing::Test {
 protected:
  // `more` adds what a test needs beside the room itself.
  explicit IngestTest(const std::function<void(runtime::Host&)>& more = nullptr) {
    folder_ = std::filesystem::temp_directory_path() / ("ringback-ingest-" + NewSecret("tk", 0, *NewSystemRandom()));
    std::filesystem::create_directories(folder_);
    host_ = std::make_unique<TestHost>(folder_.string());
    team_ = MakeTeam(7, "Sales");
    strangers_ = MakeTeam(7, "Strangers");  // in the same shard: only the scope keeps them apart
    operator_token_ = Operator();
    EXPECT_TRUE(RunIngest(*host_).ok());
    if (more) more(*host_);
    EXPECT_TRUE(host_->Serve(nullptr).ok());
    channel_ = grpc::CreateChannel(host_->grpc_address(), grpc::InsecureChannelCredentials());
    callbacks_ = api::CallbackService::NewStub(channel_);
    recordings_ = api::RecordingService::NewStub(channel_);
    teams_ = api::TeamService::NewStub(channel_);
    contacts_ = api::ContactService::NewStub(channel_);
  }
  ~IngestTest() override {
    host_->Stop();
    std::filesystem::remove_all(folder_);
  }

  static void Identify(grpc::ClientContext& context, const std::string& token) {
    if (!token.empty()) context.AddMetadata("authorization", "Bearer " + token);
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
  }

  // One unary call: Do(*callbacks_, &Stub::GetCallback, request, &response, token).
  template <typename Stub, typename Request, typename Response>
  absl::Status Do(Stub& stub, grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                  const Request& request, Response* response, const std::string& token) {
    grpc::ClientContext context;
    Identify(context, token);
    return rpc::FromGrpc((stub.*method)(&context, request, response));
  }

  std::string NextRequestId() { return "r" + std::to_string(++request_ids_); }

  api::CreateCallbackRequest Mueller() {
    api::CreateCallbackRequest request;
    request.set_request_id(NextRequestId());
    request.mutable_caller()->set_name("Herr Müller");
    request.mutable_caller()->set_phone("030 123456");
    request.mutable_caller()->set_email("mueller@Example.com");
    return request;
  }
  api::Callback Create(const api::CreateCallbackRequest& request, const std::string& token) {
    api::CreateCallbackResponse response;
    const absl::Status status = Do(*callbacks_, &api::CallbackService::Stub::CreateCallback, request, &response, token);
    EXPECT_TRUE(status.ok()) << status;
    return response.callback();
  }
  api::Callback Get(const std::string& id) {
    api::GetCallbackRequest request;
    request.set_id(id);
    api::GetCallbackResponse response;
    const absl::Status status =
        Do(*callbacks_, &api::CallbackService::Stub::GetCallback, request, &response, team_.clara_token);
    EXPECT_TRUE(status.ok()) << status;
    return response.callback();
  }

  // Sends header and chunks; the response as the server answers.
  absl::Status Upload(const api::UploadHeader& header, const std::vector<std::string>& chunks,
                      api::UploadRecordingResponse* response, const std::string& token) {
    grpc::ClientContext context;
    Identify(context, token);
    auto writer = recordings_->UploadRecording(&context, response);
    api::UploadRecordingRequest message;
    *message.mutable_header() = header;
    bool open = writer->Write(message);
    for (const std::string& chunk : chunks) {
      if (!open) break;
      message.set_chunk(chunk);
      open = writer->Write(message);
    }
    writer->WritesDone();
    return rpc::FromGrpc(writer->Finish());
  }
  api::UploadHeader HeaderOf(const std::string& bytes, const std::string& callback_id = "") {
    api::UploadHeader header;
    header.set_request_id(NextRequestId());
    header.set_callback_id(callback_id);
    header.set_sha256(Sha256Hex(bytes));
    return header;
  }
  api::Recording UploadTake(const std::string& bytes, const std::string& callback_id) {
    api::UploadRecordingResponse response;
    const absl::Status status = Upload(HeaderOf(bytes, callback_id), {bytes}, &response, team_.anna_token);
    EXPECT_TRUE(status.ok()) << status;
    return response.recording();
  }

  // What the transcoder does when it is done, without its deliveries.
  void FinishTranscode(const std::string& recording_id, record::RecordingRecord::State state) {
    const store::Key key = store::RecordingKey(recording_id).value();
    auto recording = store::Load<record::RecordingRecord>(host_->store(), key).value();
    recording.message.set_state(state);
    store::Commit commit;
    commit.shard = key.shard;
    commit.commit_id = "transcode/" + recording_id;
    store::AddPut(key, recording.version, recording.message, &commit);
    record::HistoryEvent event;
    event.set_what("recording_ready");
    commit.events.push_back(store::Event{recording.message.team_id(), recording_id, event.SerializeAsString()});
    ASSERT_TRUE(host_->store().CommitOnce(commit).ok());
  }

  std::vector<std::string> BlobNames() {
    std::vector<std::string> names;
    const std::vector<blob::BlobInfo> blobs = host_->blobs().List("", "", 1000).value();
    for (const auto& blob : blobs) names.push_back(blob.name);
    return names;
  }

  std::filesystem::path folder_;
  std::unique_ptr<TestHost> host_;
  TestTeam team_, strangers_;
  std::string operator_token_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<api::CallbackService::Stub> callbacks_;
  std::unique_ptr<api::RecordingService::Stub> recordings_;
  std::unique_ptr<api::TeamService::Stub> teams_;
  std::unique_ptr<api::ContactService::Stub> contacts_;

 private:
  TestTeam MakeTeam(int shard, const std::string& name) {
    TestTeam out;
    out.shard = shard;
    record::TeamRecord team = domain::NewTeam(NewId(id_prefix::kTeam, shard, host_->random()), name, "Europe/Berlin",
                                              "de", Morning());
    out.id = team.id();
    const auto add = [&](const std::string& who, record::Member::Role role) {
      record::Member& member = *team.add_members();
      member.set_id(NewId(id_prefix::kMember, shard, host_->random()));
      member.set_name(who);
      member.set_email(who + "@example.com");
      member.set_role(role);
      return member.id();
    };
    out.anna = add("Anna", record::Member::ROLE_REP);
    out.ben = add("Ben", record::Member::ROLE_REP);
    out.clara = add("Clara", record::Member::ROLE_MANAGER);
    out.admin = add("Ada", record::Member::ROLE_ADMIN);
    team.mutable_members(0)->set_substitute_id(out.ben);
    store::Commit commit;
    commit.shard = shard;
    commit.commit_id = "team/" + team.id();
    AddTeam(team, 0, &commit);
    const auto token = [&](const std::string& member, record::TokenRecord::Role role) {
      record::TokenRecord record;
      record.set_team_id(team.id());
      record.set_member_id(member);
      record.set_role(role);
      return AddToken(*host_, record, Morning(), &commit);
    };
    out.anna_token = token(out.anna, record::TokenRecord::ROLE_MEMBER).secret;
    out.ben_token = token(out.ben, record::TokenRecord::ROLE_MEMBER).secret;
    out.clara_token = token(out.clara, record::TokenRecord::ROLE_MEMBER).secret;
    out.admin_token = token(out.admin, record::TokenRecord::ROLE_MEMBER).secret;
    const IssuedToken intake = token("", record::TokenRecord::ROLE_INTAKE);
    out.intake_token = intake.secret;
    out.intake_token_id = intake.token.id();
    EXPECT_TRUE(host_->store().CommitOnce(commit).ok());
    return out;
  }

  std::string Operator() {
    store::Commit commit;
    commit.shard = 0;
    commit.commit_id = "operator";
    record::TokenRecord token;
    token.set_role(record::TokenRecord::ROLE_OPERATOR);
    const std::string secret = AddToken(*host_, token, Morning(), &commit).secret;
    EXPECT_TRUE(host_->store().CommitOnce(commit).ok());
    return secret;
  }

  int request_ids_ = 0;
};

// The field an error names.
inline std::string FieldOf(const absl::Status& status) { return domain::DetailOf(status).field; }
inline std::string ReasonOf(const absl::Status& status) { return domain::DetailOf(status).reason; }

}  // namespace ringback::ingest
