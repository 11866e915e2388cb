// The commands against a server of their own that answers what a test tells it to.
#include "ringback/cli/cli.h"

#include <gmock/gmock.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/base/mutex.h"
#include "core/base/test_peers.h"
#include "core/domain/input.h"
#include "core/domain/proto_time.h"
#include "core/rpc/status.h"
#include "ringback/v1/answer_service.grpc.pb.h"
#include "ringback/v1/callback_service.grpc.pb.h"
#include "ringback/v1/contact_service.grpc.pb.h"
#include "ringback/v1/delivery_service.grpc.pb.h"
#include "ringback/v1/recording_service.grpc.pb.h"
#include "ringback/v1/reminder_service.grpc.pb.h"
#include "ringback/v1/team_service.grpc.pb.h"

namespace ringback::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

const absl::TimeZone kBerlin = [] {
  absl::TimeZone zone;
  absl::LoadTimeZone("Europe/Berlin", &zone);
  return zone;
}();
const absl::Time kNow = absl::FromCivil(absl::CivilSecond(2026, 11, 23, 12, 0, 0), kBerlin);
constexpr char kId[] = "cb07h3k9x2m4q8w1";

v1::Callback OneCallback() {
  v1::Callback callback;
  callback.set_id(kId);
  callback.mutable_caller()->set_name("Herr Müller");
  callback.mutable_caller()->set_company("Müller GmbH");
  callback.mutable_caller()->set_email("mueller@example.com");
  callback.set_assignee_id("mb07anna");
  callback.set_assignee_name("Anna Schmidt");
  callback.set_phase(v1::Callback::PHASE_WAITING);
  *callback.mutable_due_time() = domain::ToProto(kNow + absl::Hours(4));
  *callback.mutable_create_time() = domain::ToProto(kNow - absl::Minutes(10));
  return callback;
}

// What the server was asked, and what it answers.
struct Script {
  v1::Callback callback = OneCallback();
  v1::Recording::State recording_state = v1::Recording::STATE_READY;
  v1::Promise::State promise_state = v1::Promise::STATE_ARMED;
  int unavailable = 0;                     // so many calls fail with UNAVAILABLE first
  std::string unavailable_words = "draining";
  std::vector<std::string> request_ids;    // of MakePromise, in order
  std::vector<v1::MakePromiseRequest> promises;
  v1::CreateCallbackRequest created;
  std::vector<v1::CreateCallbackRequest> all_created;
  std::vector<v1::CreateCallbackRequest> validated;  // and not created
  v1::LogAttemptRequest attempt;
  v1::AssignCallbackRequest assigned;
  v1::SnoozeCallbackRequest snoozed;
  v1::SetAbsenceRequest absence;
  std::vector<v1::HandOverMemberRequest> hand_overs;
  v1::PreviewPolicyRequest preview;
  v1::GetReportRequest report;
  v1::StartCallRequest started;
  std::string ics;
  bool of_a_colleague = false;  // what CreateCallback finds is not the caller's own
  std::vector<v1::Caller> contacts;
  google::protobuf::FieldMask contact_mask;  // of the last PutContact
  v1::UpdateTeamRequest team_update;
  v1::UpdateMemberRequest member_update;
  v1::UpdateCallerRequest caller_update;
  std::vector<v1::AnswerProposalRequest> answers;
  int declined = 0, reopened = 0;
  v1::BusyState busy;
  std::string uploaded;
  std::string uploaded_sha256;
  std::vector<size_t> chunks;
  int erased = 0;
  std::vector<std::string> tokens;         // of CreateTeam, in order
  absl::Status promise_status;
  std::string mail;
  v1::TakeMailHeader mail_header;
  grpc::Status mail_status = grpc::Status::OK;
};

std::string TokenOf(grpc::ServerContext* context) {
  const auto found = context->client_metadata().find("authorization");
  return found == context->client_metadata().end() ? "" : std::string(found->second.data(), found->second.size());
}

class FakeCallbacks : public v1::CallbackService::Service {
 public:
  explicit FakeCallbacks(Script& script) : script_(script) {}
  grpc::Status CreateCallback(grpc::ServerContext*, const v1::CreateCallbackRequest* request,
                              v1::CreateCallbackResponse* response) override {
    if (request->validate_only()) {
      script_.validated.push_back(*request);
    } else {
      script_.created = *request;
      script_.all_created.push_back(*request);
    }
    if (request->caller().phone() == "bad") {
      return rpc::ToGrpc(domain::InvalidField("caller.phone", "NOT_A_PHONE_NUMBER", "use +49 30 123456"));
    }
    *response->mutable_callback() = script_.callback;
    if (script_.of_a_colleague) {
      response->set_rang_again(true);
      response->mutable_callback()->clear_caller();
    } else if (request->validate_only()) {
      response->mutable_callback()->clear_id();
      *response->mutable_callback()->mutable_caller() = request->caller();
      response->mutable_callback()->mutable_caller()->set_phone("+49" + request->caller().phone().substr(1));
      response->mutable_callback()->mutable_caller()->set_phone_national(request->caller().phone());
    }
    return grpc::Status::OK;
  }
  grpc::Status GetCallback(grpc::ServerContext*, const v1::GetCallbackRequest* request,
                           v1::GetCallbackResponse* response) override {
    if (script_.unavailable > 0) {
      --script_.unavailable;
      return {grpc::StatusCode::UNAVAILABLE, script_.unavailable_words};
    }
    if (std::string(kId).rfind(request->id(), 0) != 0) {
      return rpc::ToGrpc(domain::FieldError(absl::StatusCode::kNotFound, "id", "CALLBACK_NOT_FOUND",
                                            "no callback begins with this"));
    }
    *response->mutable_callback() = script_.callback;
    return grpc::Status::OK;
  }
  grpc::Status ListCallbacks(grpc::ServerContext*, const v1::ListCallbacksRequest* request,
                             v1::ListCallbacksResponse* response) override {
    *response->add_callbacks() = script_.callback;
    if (request->page_token().empty()) {
      response->set_revision(7);
      response->set_next_page_token("more");
    } else {
      response->set_revision(9);
      response->mutable_callbacks(0)->set_id("cb07second0000000");
    }
    return grpc::Status::OK;
  }
  grpc::Status MakePromise(grpc::ServerContext*, const v1::MakePromiseRequest* request,
                           v1::MakePromiseResponse* response) override {
    script_.promises.push_back(*request);
    if (!script_.promise_status.ok()) return rpc::ToGrpc(script_.promise_status);
    *response->mutable_callback() = script_.callback;
    if (request->validate_only()) return grpc::Status::OK;
    v1::Promise* const promise = script_.callback.add_promises();
    promise->set_revision(script_.callback.promises_size());
    *promise->mutable_promised_time() = request->promised_time();
    promise->set_state(script_.promise_state);
    if (script_.promise_state == v1::Promise::STATE_NOT_DELIVERED) {
      script_.callback.set_delivery_alarm("550 no such user");
    }
    *response->mutable_callback() = script_.callback;
    response->add_warnings("Anna is away at that time");
    return grpc::Status::OK;
  }
  grpc::Status LogAttempt(grpc::ServerContext*, const v1::LogAttemptRequest* request,
                          v1::LogAttemptResponse* response) override {
    script_.attempt = *request;
    *response->mutable_callback() = script_.callback;
    v1::Promise* const promise = response->mutable_callback()->add_promises();
    *promise->mutable_promised_time() = domain::ToProto(kNow - absl::Minutes(10));
    promise->set_state(v1::Promise::STATE_SETTLED);
    promise->set_verdict(v1::VERDICT_LATE);
    promise->mutable_late_by()->set_seconds(480);
    return grpc::Status::OK;
  }
  grpc::Status StartCall(grpc::ServerContext*, const v1::StartCallRequest* request,
                         v1::StartCallResponse* response) override {
    script_.started = *request;
    *response->mutable_callback() = script_.callback;
    return grpc::Status::OK;
  }
  grpc::Status AssignCallback(grpc::ServerContext*, const v1::AssignCallbackRequest* request,
                              v1::AssignCallbackResponse* response) override {
    script_.assigned = *request;
    *response->mutable_callback() = script_.callback;
    return grpc::Status::OK;
  }
  grpc::Status UpdateCaller(grpc::ServerContext*, const v1::UpdateCallerRequest* request,
                            v1::UpdateCallerResponse* response) override {
    script_.caller_update = *request;
    *response->mutable_callback() = script_.callback;
    return grpc::Status::OK;
  }
  grpc::Status AnswerProposal(grpc::ServerContext*, const v1::AnswerProposalRequest* request,
                              v1::AnswerProposalResponse* response) override {
    script_.answers.push_back(*request);
    *response->mutable_callback() = script_.callback;
    response->add_warnings("Anna is away at that time");
    return grpc::Status::OK;
  }
  grpc::Status DeclineProposal(grpc::ServerContext*, const v1::DeclineProposalRequest*,
                               v1::DeclineProposalResponse* response) override {
    ++script_.declined;
    *response->mutable_callback() = script_.callback;
    return grpc::Status::OK;
  }
  grpc::Status ReopenCallback(grpc::ServerContext*, const v1::ReopenCallbackRequest*,
                              v1::ReopenCallbackResponse* response) override {
    ++script_.reopened;
    *response->mutable_callback() = script_.callback;
    return grpc::Status::OK;
  }
  grpc::Status ListSlots(grpc::ServerContext*, const v1::ListSlotsRequest* request,
                         v1::ListSlotsResponse* response) override {
    for (int i = 0; i < request->count(); ++i) *response->add_slots() = domain::ToProto(kNow + absl::Hours(2 + i));
    return grpc::Status::OK;
  }
  grpc::Status WatchCallbacks(grpc::ServerContext*, const v1::WatchCallbacksRequest* request,
                              grpc::ServerWriter<v1::WatchCallbacksResponse>* writer) override {
    v1::WatchCallbacksResponse change;
    change.set_revision(request->since_revision());
    writer->Write(change);
    for (int i = 1; i <= 3; ++i) {
      change.set_revision(request->since_revision() + i);
      *change.mutable_event_time() = domain::ToProto(kNow);
      change.mutable_event()->set_what(absl::StrCat("change", change.revision()));
      *change.mutable_callback() = script_.callback;
      writer->Write(change);
      if (i == 2 && script_.unavailable > 0) {
        --script_.unavailable;
        return {grpc::StatusCode::UNAVAILABLE, script_.unavailable_words};
      }
    }
    return {grpc::StatusCode::INTERNAL, "the test should have ended by now"};
  }

 private:
  Script& script_;
};

class FakeRecordings : public v1::RecordingService::Service {
 public:
  explicit FakeRecordings(Script& script) : script_(script) {}
  grpc::Status UploadRecording(grpc::ServerContext*, grpc::ServerReader<v1::UploadRecordingRequest>* reader,
                               v1::UploadRecordingResponse* response) override {
    v1::UploadRecordingRequest part;
    script_.uploaded.clear();
    while (reader->Read(&part)) {
      if (part.has_header()) {
        script_.uploaded_sha256 = part.header().sha256();
      } else {
        script_.uploaded += part.chunk();
        script_.chunks.push_back(part.chunk().size());
      }
    }
    response->mutable_recording()->set_id("rc07");
    response->mutable_recording()->set_state(v1::Recording::STATE_RECEIVED);
    return grpc::Status::OK;
  }
  grpc::Status GetRecording(grpc::ServerContext*, const v1::GetRecordingRequest*,
                            v1::GetRecordingResponse* response) override {
    v1::Recording* const recording = response->mutable_recording();
    recording->set_id("rc07");
    recording->set_state(script_.recording_state);
    auto* const finding = recording->add_findings();
    finding->set_code("TOO_QUIET");
    finding->set_fatal(script_.recording_state == v1::Recording::STATE_FAILED);
    finding->set_text_en("hardly anything can be heard");
    finding->set_text_de("man hört fast nichts");
    return grpc::Status::OK;
  }

 private:
  Script& script_;
};

class FakeTeams : public v1::TeamService::Service {
 public:
  explicit FakeTeams(Script& script) : script_(script) {}
  grpc::Status GetTeam(grpc::ServerContext*, const v1::GetTeamRequest*, v1::GetTeamResponse* response) override {
    v1::Team* const team = response->mutable_team();
    team->set_id("tm07abcdefghjkmn");
    team->set_time_zone("Europe/Berlin");
    (*team->mutable_templates())["de/voice_message"] = "Hallo";
    (*team->mutable_templates())["de/reminder"] = "Gleich";
    (*team->mutable_hook_secrets())["twilio"] = "";
    (*team->mutable_hook_secrets())["3cx"] = "";
    const auto add = [&](const char* id, const char* name, const char* email) {
      v1::Member* const member = team->add_members();
      member->set_id(id);
      member->set_name(name);
      member->set_email(email);
    };
    add("mb07anna", "Anna Schmidt", "anna@example.com");
    *team->mutable_members(0)->mutable_busy_state() = script_.busy;
    add("mb07jorg", "Jörg Groß", "jorg@example.com");
    add("mb07joha", "Johanna Schmidt", "johanna@example.com");
    return grpc::Status::OK;
  }
  grpc::Status CreateTeam(grpc::ServerContext* context, const v1::CreateTeamRequest* request,
                          v1::CreateTeamResponse* response) override {
    script_.tokens.push_back(TokenOf(context));
    if (TokenOf(context) != "Bearer rb_operator") return {grpc::StatusCode::PERMISSION_DENIED, "for operators"};
    *response->mutable_team() = request->team();
    response->set_admin_token("rb_admin");
    return grpc::Status::OK;
  }
  grpc::Status UpdateTeam(grpc::ServerContext*, const v1::UpdateTeamRequest* request,
                          v1::UpdateTeamResponse*) override {
    script_.team_update = *request;
    return grpc::Status::OK;
  }
  grpc::Status UpdateMember(grpc::ServerContext*, const v1::UpdateMemberRequest* request,
                            v1::UpdateMemberResponse*) override {
    script_.member_update = *request;
    return grpc::Status::OK;
  }
  grpc::Status SetAbsence(grpc::ServerContext*, const v1::SetAbsenceRequest* request,
                          v1::SetAbsenceResponse* response) override {
    script_.absence = *request;
    response->mutable_member()->set_id(request->member_id());
    return grpc::Status::OK;
  }
  grpc::Status ReadHolidays(grpc::ServerContext*, const v1::ReadHolidaysRequest* request,
                            v1::ReadHolidaysResponse* response) override {
    script_.ics = request->ics();
    for (const char* day : {"2026-01-01", "2026-12-25", "2027-01-01"}) response->add_holidays()->set_date(day);
    response->mutable_holidays(1)->set_name("Weihnachten");
    return grpc::Status::OK;
  }
  // The first answer says that there is more.
  grpc::Status HandOverMember(grpc::ServerContext*, const v1::HandOverMemberRequest* request,
                              v1::HandOverMemberResponse* response) override {
    script_.hand_overs.push_back(*request);
    response->add_handed_over()->set_member_id("mb07jorg");
    response->set_more(script_.hand_overs.size() == 1);
    return grpc::Status::OK;
  }
  grpc::Status PreviewPolicy(grpc::ServerContext*, const v1::PreviewPolicyRequest* request,
                             v1::PreviewPolicyResponse* response) override {
    script_.preview = *request;
    v1::PreviewLine* line = response->add_lines();
    *line->mutable_fire_time() = domain::ToProto(kNow + absl::Hours(1));
    line->add_member_ids("mb07anna");
    line = response->add_lines();
    *line->mutable_fire_time() = domain::ToProto(kNow + absl::Hours(2));
    line->set_step(3);
    line->set_round(2);
    line->set_daily(true);
    line->add_member_ids("mb07jorg");
    line->add_member_ids("mb07anna");
    return grpc::Status::OK;
  }
  grpc::Status GetReport(grpc::ServerContext*, const v1::GetReportRequest* request, v1::GetReportResponse* response) override {
    script_.report = *request;
    v1::ReportWeek* week = response->add_weeks();
    week->set_week("2026-W48");
    week->set_kept(41);
    week->mutable_lateness_median()->set_seconds(750);
    week = response->add_weeks();
    week->set_week("2026-W48");
    week->set_member_id("mb07anna");
    return grpc::Status::OK;
  }

 private:
  Script& script_;
};

class FakeContacts : public v1::ContactService::Service {
 public:
  explicit FakeContacts(Script& script) : script_(script) {}
  grpc::Status PutContact(grpc::ServerContext*, const v1::PutContactRequest* request,
                          v1::PutContactResponse* response) override {
    if (request->caller().phone() == "bad") {
      return rpc::ToGrpc(domain::InvalidField("caller.phone", "NOT_A_NUMBER", "use +49 30 123456"));
    }
    response->set_created(script_.contacts.empty());
    script_.contacts.push_back(request->caller());
    script_.contact_mask = request->update_mask();
    return grpc::Status::OK;
  }
  grpc::Status EraseSubject(grpc::ServerContext*, const v1::EraseSubjectRequest*, v1::EraseSubjectResponse* response) override {
    ++script_.erased;
    response->set_callbacks(2);
    return grpc::Status::OK;
  }

 private:
  Script& script_;
};

class FakeDeliveries : public v1::DeliveryService::Service {
  grpc::Status ListDeliveries(grpc::ServerContext*, const v1::ListDeliveriesRequest*,
                              v1::ListDeliveriesResponse* response) override {
    v1::Delivery* const delivery = response->add_deliveries();
    delivery->set_id("dl07");
    delivery->set_kind(v1::Delivery::KIND_VOICE_MESSAGE);
    delivery->set_state(v1::Delivery::STATE_ACCEPTED);
    return grpc::Status::OK;
  }
};

class FakeReminders : public v1::ReminderService::Service {
 public:
  explicit FakeReminders(Script& script) : script_(script) {}
  grpc::Status SnoozeCallback(grpc::ServerContext*, const v1::SnoozeCallbackRequest* request,
                              v1::SnoozeCallbackResponse* response) override {
    script_.snoozed = *request;
    *response->mutable_callback() = script_.callback;
    return grpc::Status::OK;
  }

 private:
  Script& script_;
};

class FakeAnswers : public v1::AnswerService::Service {
 public:
  explicit FakeAnswers(Script& script) : script_(script) {}
  grpc::Status TakeMail(grpc::ServerContext*, grpc::ServerReader<v1::TakeMailRequest>* reader, v1::TakeMailResponse* response) override {
    v1::TakeMailRequest request;
    script_.mail.clear();
    while (reader->Read(&request)) {
      if (request.has_header()) script_.mail_header = request.header();
      script_.mail += request.chunk();
    }
    response->mutable_answer()->set_id("an07");
    return script_.mail_status;
  }

 private:
  Script& script_;
};

class CliTest : public ::testing::Test {
 protected:
  CliTest()
      : clock_(kNow), random_(NewSeededRandom(1)), callbacks_(script_), recordings_(script_), teams_(script_),
        contacts_(script_), reminders_(script_), answers_(script_), dir_(::testing::TempDir() + "/cli_test." + std::to_string(getpid())) {
    std::filesystem::remove_all(dir_);
    std::filesystem::create_directories(dir_);
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    for (grpc::Service* service : std::initializer_list<grpc::Service*>{&callbacks_, &recordings_, &teams_, &contacts_,
                                                                        &deliveries_, &reminders_, &answers_}) {
      builder.RegisterService(service);
    }
    server_ = builder.BuildAndStart();
    address_ = absl::StrCat("127.0.0.1:", port);
    std::ofstream(dir_ + "/token") << R"({"target":")" << address_
                                   << R"(","token":"rb_member","operator_token":"rb_operator","member":"mb07anna"})";
    world_.clock = &clock_;
    world_.random = random_.get();
    world_.sleep = [this](absl::Duration span) { clock_.Advance(span); };
    world_.environment["RINGBACK_DATA"] = dir_;
  }
  ~CliTest() override { server_->Shutdown(std::chrono::system_clock::now()); }

  int Do(const std::vector<std::string>& arguments) {
    out_.str("");
    err_.str("");
    world_.out = &out_;
    world_.err = &err_;
    world_.in = &in_;
    return cli::Run(arguments, world_);
  }
  std::string File(const std::string& name, const std::string& text) {
    std::ofstream(dir_ + "/" + name) << text;
    return dir_ + "/" + name;
  }
  google::protobuf::Struct Json() {
    google::protobuf::Struct json;
    EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(out_.str(), &json).ok()) << out_.str();
    return json;
  }

  Script script_;
  FakeClock clock_;
  std::unique_ptr<Random> random_;
  FakeCallbacks callbacks_;
  FakeRecordings recordings_;
  FakeTeams teams_;
  FakeContacts contacts_;
  FakeDeliveries deliveries_;
  FakeReminders reminders_;
  FakeAnswers answers_;
  const std::string dir_;
  std::string address_;
  std::unique_ptr<grpc::Server> server_;
  World world_;
  std::ostringstream out_, err_;
  std::istringstream in_;
};

TEST_F(CliTest, AWishIsShownAndAnsweredInOneCommand) {
  *script_.callback.mutable_proposal()->mutable_promised_time() = domain::ToProto(kNow + absl::Hours(3));
  script_.callback.set_topic(v1::TOPIC_COMPLAINT);
  v1::Promise& promise = *script_.callback.add_promises();
  promise.set_revision(1);
  promise.set_state(v1::Promise::STATE_ARMED);
  *promise.mutable_promised_time() = domain::ToProto(kNow + absl::Hours(1));
  *promise.mutable_agreed_time() = domain::ToProto(kNow - absl::Minutes(1));
  ASSERT_EQ(Do({"show", kId}), kDone) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("to be called 15:00"));
  EXPECT_THAT(out_.str(), HasSubstr("complaint"));
  EXPECT_THAT(out_.str(), HasSubstr("AGREED"));
  ASSERT_EQ(Do({"open"}), kDone);
  EXPECT_THAT(out_.str(), HasSubstr("agreed, WISHES ANOTHER TIME, complaint"));
  ASSERT_EQ(Do({"--json", "show", kId}), kDone);
  EXPECT_THAT(out_.str(), HasSubstr("\"topic\":\"TOPIC_COMPLAINT\""));
  EXPECT_THAT(out_.str(), HasSubstr("\"agreed_time\":\"2026-11-23T10:59:00Z\""));

  ASSERT_EQ(Do({"accept", kId}), kDone) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("accepted"));
  EXPECT_THAT(err_.str(), HasSubstr("warning: Anna is away"));
  ASSERT_EQ(Do({"counter", kId, "16:00"}), kDone) << err_.str();
  ASSERT_EQ(script_.answers.size(), 2u);
  EXPECT_FALSE(script_.answers[0].has_promised_time());
  EXPECT_EQ(domain::FromProto(script_.answers[1].promised_time()), kNow + absl::Hours(4));
  ASSERT_EQ(Do({"decline", kId}), kDone);
  EXPECT_EQ(script_.declined, 1);
  EXPECT_EQ(Do({"counter", kId}), kWrongUsage);
}

TEST_F(CliTest, WhatWasCalledOffIsOpenedAgain) {
  ASSERT_EQ(Do({"reopen", kId}), kDone) << err_.str();
  EXPECT_EQ(script_.reopened, 1);
  EXPECT_THAT(out_.str(), HasSubstr("open again; due 16:00"));
}

TEST_F(CliTest, SlotsAreLinesOrADocument) {
  ASSERT_EQ(Do({"slots", kId, "--count", "2"}), kDone) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("14:00"));
  EXPECT_THAT(out_.str(), HasSubstr("15:00"));
  ASSERT_EQ(Do({"--json", "slots", kId, "--count", "1"}), kDone);
  EXPECT_EQ(Json().fields().at("slots").list_value().values_size(), 1);
  EXPECT_EQ(Do({"slots", kId, "--count", "0"}), kWrongUsage);
}

TEST_F(CliTest, AMemberIsShownWithTheTroubleOfTheCalendar) {
  script_.busy.set_trouble("HTTP 403");
  ASSERT_EQ(Do({"member", "show", "anna@example.com"}), kDone) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("not read yet; TROUBLE: HTTP 403"));
  ASSERT_EQ(Do({"member", "set", "anna@example.com", "--busy-url", "https://calendar.example.com/anna.ics"}), kDone) << err_.str();
  EXPECT_THAT(script_.member_update.update_mask().paths(), ElementsAre("busy_url"));
  EXPECT_EQ(script_.member_update.member().busy_url(), "https://calendar.example.com/anna.ics");
}

TEST_F(CliTest, ATeamsSlotLengthAndListenedReportsAreSet) {
  ASSERT_EQ(Do({"team", "set", "--slot-length", "20m", "--report-listened", "on"}), kDone) << err_.str();
  EXPECT_EQ(script_.team_update.team().slot_length().seconds(), 1200);
  EXPECT_TRUE(script_.team_update.team().report_listened());
  EXPECT_THAT(script_.team_update.update_mask().paths(), testing::UnorderedElementsAre("slot_length", "report_listened"));
}

TEST_F(CliTest, WrongUsageExitsWithTwo) {
  EXPECT_EQ(Do({}), kWrongUsage);
  EXPECT_EQ(Do({"no-such-command"}), kWrongUsage);
  EXPECT_EQ(Do({"attempt", kId}), kWrongUsage);
  EXPECT_EQ(Do({"attempt", kId, "--outcome", "maybe"}), kWrongUsage);
  EXPECT_EQ(Do({"request"}), kWrongUsage);
  EXPECT_THAT(err_.str(), HasSubstr("ringback: request: say at least one of"));
  EXPECT_EQ(Do({"promise", kId, "13:00"}), kWrongUsage);
  EXPECT_EQ(Do({"promise", kId, "13:00", "--spoken", "--link-shared"}), kWrongUsage);
  EXPECT_EQ(Do({"--help"}), kDone);
  EXPECT_THAT(out_.str(), HasSubstr("Exit codes: 0 done, 1 refused, 2 wrong usage, 3 server not reachable."));
}

TEST_F(CliTest, AServerThatIsNotThereExitsWithThree) {
  server_->Shutdown(std::chrono::system_clock::now());
  EXPECT_EQ(Do({"show", kId}), kNotReachable);
  EXPECT_THAT(err_.str(), HasSubstr("cannot be reached"));
  EXPECT_LE(clock_.Now() - kNow, absl::Seconds(2));
  std::filesystem::remove(dir_ + "/token");
  EXPECT_EQ(Do({"show", kId}), kNotReachable);
  EXPECT_THAT(err_.str(), HasSubstr("./scripts/run"));
}

TEST_F(CliTest, OneOfThePipelinesProgramsThatIsNotThereIsNotToldToBeStartedAllInOne) {
  server_->Shutdown(std::chrono::system_clock::now());
  EXPECT_EQ(Do({"show", kId}), kNotReachable);
  EXPECT_THAT(err_.str(), HasSubstr("is it running? ringback serve starts one"));
  world_.environment["RINGBACK_TARGET"] = absl::StrCat("ingest=", address_, ",delivery=", address_, ",reminder=", address_);
  EXPECT_EQ(Do({"show", kId}), kNotReachable);
  EXPECT_THAT(err_.str(), HasSubstr("are all its programs running?"));
  EXPECT_THAT(err_.str(), Not(HasSubstr("ringback serve")));
}

TEST_F(CliTest, AServerWhoseStoreIsAwayIsNotTakenForOneThatSpeaksTls) {
  script_.unavailable = 100;
  script_.unavailable_words = "Redis cannot be reached: Connection reset by peer";
  EXPECT_EQ(Do({"show", kId}), kNotReachable);
  EXPECT_THAT(err_.str(), HasSubstr("has no store now (Redis cannot be reached"));
  EXPECT_THAT(err_.str(), Not(HasSubstr("TLS")));
}

TEST_F(CliTest, AReplicaThatTakesTheConnectionAndSaysNothingIsPassedOverInSeconds) {
  Listener stopped;  // as the kernel answers for a program that is stopped
  const std::string silent = absl::StrCat("127.0.0.1:", stopped.port());
  world_.environment["RINGBACK_TARGET"] = absl::StrCat("ingest=", silent, ",ingest=", address_, ",delivery=", silent,
                                                       ",delivery=", address_, ",reminder=", address_);
  const absl::Time began = absl::Now();
  EXPECT_EQ(Do({"show", kId}), kDone) << err_.str();
  EXPECT_TRUE(Accepts(stopped.port()));
  EXPECT_LT(absl::Now() - began, absl::Seconds(10)) << "the silent one has 5 s";
  EXPECT_GT(absl::Now() - began, absl::Seconds(4)) << "nobody asked the silent one";
}

TEST_F(CliTest, ARefusalNamesFieldAndWhatWouldBeRight) {
  EXPECT_EQ(Do({"show", "cb99"}), kRefused);
  EXPECT_EQ(err_.str(), "ringback: show: id: no callback begins with this\n");
}

TEST_F(CliTest, AServerThatRestartsIsAskedAgainWithTheSameRequest) {
  script_.unavailable = 3;
  EXPECT_EQ(Do({"show", kId}), kDone) << err_.str();
  EXPECT_EQ(script_.unavailable, 0);
}

TEST_F(CliTest, RequestTakesACallerIn) {
  EXPECT_EQ(Do({"request", "--name", "Herr Müller", "--phone", "+4930123456", "--note", "hat dreimal angerufen",
                "--assignee", "groß"}), kDone) << err_.str();
  EXPECT_EQ(script_.created.caller().name(), "Herr Müller");
  EXPECT_EQ(script_.created.note(), "hat dreimal angerufen");
  EXPECT_EQ(script_.created.assignee_id(), "mb07jorg");
  EXPECT_FALSE(script_.created.request_id().empty());
  EXPECT_THAT(out_.str(), HasSubstr("Herr Müller, Müller GmbH: taken in; due 16:00 (in 4 h)"));
}

TEST_F(CliTest, JsonIsOneDocumentWithTheProtosNames) {
  EXPECT_EQ(Do({"request", "--name", "x", "--json"}), kDone);
  const auto json = Json();
  EXPECT_EQ(json.fields().at("callback").struct_value().fields().at("assignee_name").string_value(), "Anna Schmidt");
  EXPECT_EQ(json.fields().at("rang_again").bool_value(), false);
  EXPECT_EQ(Do({"open", "--json"}), kDone);
  EXPECT_EQ(Json().fields().at("callbacks").list_value().values_size(), 2);
  EXPECT_EQ(Json().fields().at("revision").string_value(), "7");  // the first page's: a watch from it misses nothing
  EXPECT_EQ(Do({"show", kId, "--json"}), kDone);
  EXPECT_EQ(Json().fields().at("deliveries").list_value().values_size(), 1);
}

TEST_F(CliTest, TimesAreReadInTheTeamsZone) {
  EXPECT_EQ(Do({"promise", kId, "13:00", "--spoken"}), kDone) << err_.str();
  ASSERT_EQ(script_.promises.size(), 1u);
  EXPECT_EQ(domain::FromProto(script_.promises[0].promised_time()), kNow + absl::Hours(1));
  EXPECT_EQ(script_.promises[0].channel(), v1::PROMISE_CHANNEL_SPOKEN);
  EXPECT_THAT(out_.str(), HasSubstr("promised 13:00 (in 1 h)"));
  EXPECT_THAT(err_.str(), HasSubstr("warning: Anna is away at that time"));
  EXPECT_EQ(Do({"promise", kId, "11:00", "--spoken"}), kRefused);
  EXPECT_THAT(err_.str(), HasSubstr("ringback: promise: promise: 2026-11-23 11:00 has passed"));
}

TEST_F(CliTest, AnAttemptSaysWhatBecameOfThePromise) {
  EXPECT_EQ(Do({"attempt", kId, "--outcome", "no-answer", "--called-at", "11:58"}), kDone) << err_.str();
  EXPECT_EQ(script_.attempt.outcome(), v1::ATTEMPT_OUTCOME_NO_ANSWER);
  EXPECT_EQ(domain::FromProto(script_.attempt.called_time()), kNow - absl::Minutes(2));
  EXPECT_THAT(out_.str(), HasSubstr("the promise of 11:50: late by 8 min"));
}

TEST_F(CliTest, MembersAreFoundByIdNameAndMail) {
  for (const char* who : {"mb07jorg", "Jörg Groß", "jorg@example.com", "JORG@example.com"}) {
    EXPECT_EQ(Do({"assign", kId, who}), kDone) << who << err_.str();
    EXPECT_EQ(script_.assigned.member_id(), "mb07jorg");
  }
  EXPECT_EQ(Do({"assign", kId, "me"}), kDone);
  EXPECT_EQ(script_.assigned.member_id(), "mb07anna");
  EXPECT_EQ(Do({"assign", kId, "schmidt"}), kRefused);
  EXPECT_THAT(err_.str(), HasSubstr("member: several are called \"schmidt\"; the team has: Anna Schmidt"));
}

TEST_F(CliTest, ACallbackIsGivenBackToNobodyOnlyByName) {
  EXPECT_EQ(Do({"assign", kId}), kWrongUsage);
  EXPECT_EQ(Do({"assign", kId, "me", "--nobody"}), kWrongUsage);
  EXPECT_EQ(script_.assigned.request_id(), "");
  ASSERT_EQ(Do({"assign", kId, "--nobody"}), kDone) << err_.str();
  EXPECT_TRUE(script_.assigned.nobody());
  EXPECT_EQ(script_.assigned.member_id(), "");
  EXPECT_THAT(out_.str(), HasSubstr("is with nobody now"));
}

TEST_F(CliTest, OpenShowsRedOnlyOnATerminal) {
  script_.callback.set_overdue(true);
  *script_.callback.mutable_due_time() = domain::ToProto(kNow - absl::Minutes(12));
  script_.callback.set_delivery_alarm("550 no \x1b[2J such user");
  EXPECT_EQ(Do({"open"}), kDone) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("OVERDUE by 12 min"));
  EXPECT_THAT(out_.str(), HasSubstr("! not heard by the customer: 550 no "));
  EXPECT_THAT(out_.str(), Not(HasSubstr("\x1b")));
  world_.out_is_terminal = true;
  EXPECT_EQ(Do({"open"}), kDone);
  EXPECT_THAT(out_.str(), HasSubstr("\x1b[31m11:48 (12 min ago)"));
  EXPECT_THAT(out_.str(), Not(HasSubstr("\x1b[2J")));
  world_.environment["NO_COLOR"] = "1";
  EXPECT_EQ(Do({"open"}), kDone);
  EXPECT_THAT(out_.str(), Not(HasSubstr("\x1b")));
}

TEST_F(CliTest, SendUploadsInChunksAndTellsTheOutcome) {
  const std::string take(600'000, 'x');
  EXPECT_EQ(Do({"send", File("take.wav", take), "--callback", "cb07h3", "--promise", "+2h", "--text",
                File("spoken.txt", "Guten Morgen")}), kDone) << err_.str();
  EXPECT_EQ(script_.uploaded, take);
  EXPECT_EQ(script_.uploaded_sha256, Sha256Hex(take));
  EXPECT_THAT(script_.chunks, ElementsAre(262144u, 262144u, 75712u));
  ASSERT_EQ(script_.promises.size(), 2u);
  EXPECT_TRUE(script_.promises[0].validate_only());
  EXPECT_FALSE(script_.promises[1].validate_only());
  EXPECT_EQ(script_.promises[1].callback_id(), kId);  // the prefix was resolved
  EXPECT_EQ(script_.promises[1].recording_id(), "rc07");
  EXPECT_EQ(script_.promises[1].spoken_text(), "Guten Morgen");
  EXPECT_NE(script_.promises[0].request_id(), script_.promises[1].request_id());
  EXPECT_THAT(out_.str(), HasSubstr("sent to mueller@example.com, accepted; promised 14:00 (in 2 h)"));
  EXPECT_THAT(out_.str(), HasSubstr("note: hardly anything can be heard"));
}

TEST_F(CliTest, SendDrawsItsBarOnlyOnATerminal) {
  const std::string file = File("take.wav", "take");
  EXPECT_EQ(Do({"send", file, "--callback", kId, "--promise", "+2h"}), kDone);
  EXPECT_THAT(err_.str(), Not(HasSubstr("█")));
  world_.err_is_terminal = true;
  EXPECT_EQ(Do({"send", file, "--callback", kId, "--promise", "+2h"}), kDone);
  EXPECT_THAT(err_.str(), HasSubstr("100 %"));
}

TEST_F(CliTest, SendToAnAddressTakesTheCallerInFirst) {
  EXPECT_EQ(Do({"send", File("take.wav", "take"), "--to", "mueller@example.com", "--name", "Herr Müller", "--promise",
                "+2h", "--json"}), kDone) << err_.str();
  EXPECT_EQ(script_.created.caller().email(), "mueller@example.com");
  EXPECT_EQ(Json().fields().at("outcome").string_value(), "accepted");
  EXPECT_EQ(Json().fields().at("recording").struct_value().fields().at("id").string_value(), "rc07");
}

TEST_F(CliTest, ABadTakePromisesNothing) {
  script_.recording_state = v1::Recording::STATE_FAILED;
  world_.environment["LANG"] = "de_DE.UTF-8";
  EXPECT_EQ(Do({"send", File("take.wav", "noise"), "--callback", kId, "--promise", "+2h"}), kRefused);
  ASSERT_EQ(script_.promises.size(), 1u);
  EXPECT_TRUE(script_.promises[0].validate_only());
  EXPECT_THAT(err_.str(), HasSubstr("unusable: man hört fast nichts"));
  EXPECT_THAT(err_.str(), HasSubstr("nothing was promised"));
}

TEST_F(CliTest, AWrongTimeIsRefusedBeforeAnythingIsSent) {
  const std::string file = File("take.wav", "take");
  EXPECT_EQ(Do({"send", file, "--to", "a@b.c", "--promise", "+2400h"}), kRefused);
  EXPECT_THAT(err_.str(), HasSubstr("ringback: send: promise: 2027-03-03 12:00 is too far ahead"));
  EXPECT_EQ(Do({"send", file, "--to", "a@b.c", "--promise", "noonish"}), kRefused);
  EXPECT_THAT(err_.str(), HasSubstr("\"noonish\" is not a time"));
  EXPECT_EQ(script_.created.request_id(), "");
  script_.promise_status = domain::InvalidField("promised_time", "X", "it is closed then");
  EXPECT_EQ(Do({"send", file, "--callback", kId, "--promise", "+2h"}), kRefused);
  EXPECT_EQ(err_.str(), "ringback: send: promised_time: it is closed then\n");
  EXPECT_EQ(script_.uploaded, "");
}

TEST_F(CliTest, SendToNobodyAndFilesThatAreNotThere) {
  EXPECT_EQ(Do({"send", File("take.wav", "take"), "--promise", "+2h"}), kWrongUsage);
  EXPECT_EQ(Do({"send", dir_ + "/none.wav", "--callback", kId, "--promise", "+2h"}), kRefused);
  EXPECT_THAT(err_.str(), HasSubstr("No such file"));
  EXPECT_EQ(Do({"send", dir_, "--callback", kId, "--promise", "+2h"}), kRefused);
  EXPECT_EQ(Do({"send", File("empty.wav", ""), "--callback", kId, "--promise", "+2h"}), kRefused);
  EXPECT_THAT(err_.str(), HasSubstr("is empty"));
}

TEST_F(CliTest, AMailThatIsNotAcceptedInTimeIsNotYet) {
  script_.promise_state = v1::Promise::STATE_PENDING;
  EXPECT_EQ(Do({"send", File("take.wav", "take"), "--callback", kId, "--promise", "+2h"}), kDone) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("not yet accepted"));
  EXPECT_GE(clock_.Now() - kNow, absl::Seconds(30));
  EXPECT_LE(clock_.Now() - kNow, absl::Seconds(31));
}

TEST_F(CliTest, ARefusedMailExitsWithOne) {
  script_.promise_state = v1::Promise::STATE_NOT_DELIVERED;
  EXPECT_EQ(Do({"send", File("take.wav", "take"), "--callback", kId, "--promise", "+2h"}), kRefused);
  EXPECT_THAT(err_.str(), HasSubstr("NOT delivered to mueller@example.com: 550 no such user"));
}

TEST_F(CliTest, SnoozeTakesSpans) {
  EXPECT_EQ(Do({"snooze", kId, "10m"}), kDone) << err_.str();
  EXPECT_EQ(script_.snoozed.duration().seconds(), 600);
  EXPECT_EQ(Do({"snooze", kId, "soon"}), kRefused);
  EXPECT_THAT(err_.str(), HasSubstr("ringback: snooze: duration: \"soon\" is not a span of time"));
}

TEST_F(CliTest, ImportGoesOnBehindABadRow) {
  const std::string file = File("contacts.csv", "Name;Telefon;Mail\nAnn;1;a@b.c\nBob;bad;\nÄnne;2;\n");
  EXPECT_EQ(Do({"contact", "import", file}), kRefused);
  ASSERT_EQ(script_.contacts.size(), 2u);
  EXPECT_EQ(script_.contacts[1].name(), "Änne");
  EXPECT_EQ(out_.str(), "1 added, 1 completed, 1 refused\n");
  EXPECT_EQ(err_.str(), "ringback: contact import: " + file + ":3: caller.phone: use +49 30 123456\n");
}

TEST_F(CliTest, AListOfCallersIsShownBeforeItIsTakenIn) {
  const std::string file = File("missed.csv", "Name;Telefon;Notiz\nAnn;030 1;dringend\nBob;;\n");
  EXPECT_EQ(Do({"import", file, "--dry-run"}), kRefused) << "one line is wrong";
  EXPECT_TRUE(script_.all_created.empty());
  EXPECT_THAT(out_.str(), HasSubstr("dringend"));
  EXPECT_THAT(out_.str(), HasSubstr("1 to take in, 0 ring again, 1 refused; nothing was done\n"));
  EXPECT_EQ(err_.str(), "ringback: import: " + file + ":3: neither phone nor email: nobody can be called back\n");
  EXPECT_EQ(Do({"import", file}), kRefused) << "there is no terminal that could be asked";
  EXPECT_TRUE(script_.all_created.empty());
  EXPECT_THAT(out_.str(), HasSubstr("--yes does it"));
}

TEST_F(CliTest, ADryRunAsksTheServerWhatWouldHappenAndTakesNobodyIn) {
  const std::string file =
      File("missed.csv", "Name;Telefon;Notiz\nAnn;030 1;dringend\nBob;bad;\nÄnne;030 2;\nAnn;030 1;noch einmal\n");
  EXPECT_EQ(Do({"import", file, "--dry-run"}), kRefused);
  EXPECT_TRUE(script_.all_created.empty());
  ASSERT_EQ(script_.validated.size(), 4u);
  for (const auto& request : script_.validated) {
    EXPECT_EQ(request.request_id(), "") << "an older server refuses that, and takes nobody in";
  }
  EXPECT_EQ(err_.str(), "ringback: import: " + file + ":3: caller.phone: use +49 30 123456\n");
  EXPECT_THAT(out_.str(), HasSubstr("2     Ann     030 1  dringend     new\n"));
  EXPECT_THAT(out_.str(), HasSubstr("noch einmal  rings again, as line 2\n"));
  EXPECT_THAT(out_.str(), HasSubstr("2 to take in, 1 ring again, 1 refused; nothing was done\n"));

  script_.of_a_colleague = true;
  EXPECT_EQ(Do({"import", file, "--dry-run"}), kRefused);
  EXPECT_THAT(out_.str(), HasSubstr("rings again on " + std::string(kId)));
  EXPECT_THAT(out_.str(), HasSubstr("0 to take in, 3 ring again, 1 refused"));
  EXPECT_EQ(Do({"import", file, "--dry-run", "--json"}), kRefused);
  EXPECT_EQ(out_.str(), "{\"rows\":3,\"rang_again\":3,\"refused\":1}\n");
  EXPECT_TRUE(script_.all_created.empty());
}

TEST_F(CliTest, TheSameRowIsTheSameRequestInEveryRun) {
  const std::string file = File("missed.csv", "Wann;Rückruf an;Nebenstelle\n9:00;030 1;21\n9:05;030 1;21\n9:00;030 1;21\n9:10;bad;\n");
  EXPECT_EQ(Do({"import", file, "--yes", "--column", "phone=Rückruf an"}), kRefused);
  ASSERT_EQ(script_.all_created.size(), 3u) << "of two rows alike one is taken in";
  EXPECT_EQ(script_.all_created[0].caller().phone(), "030 1");
  EXPECT_EQ(script_.all_created[0].extension(), "21");
  EXPECT_NE(script_.all_created[0].request_id(), script_.all_created[1].request_id()) << "a later call";
  EXPECT_EQ(out_.str(), "2 taken in, 0 rang again, 2 refused\n");
  EXPECT_THAT(err_.str(), HasSubstr(file + ":4: the same as line 2\n"));
  EXPECT_THAT(err_.str(), HasSubstr(file + ":5: caller.phone: use +49 30 123456\n"));
  const std::string first = script_.all_created[0].request_id();
  Do({"import", file, "--yes", "--column", "phone=Rückruf an"});
  EXPECT_EQ(script_.all_created[3].request_id(), first);
}

TEST_F(CliTest, AColumnThatTheFileDoesNotHaveIsRefused) {
  const std::string file = File("missed.csv", "Name;Telefon\nAnn;030 1\n");
  EXPECT_EQ(Do({"import", file, "--column", "phone=Handy"}), kRefused);
  EXPECT_THAT(err_.str(), HasSubstr("no column of the file is called \"Handy\""));
  EXPECT_EQ(Do({"import", file, "--column", "telephone=Telefon"}), kRefused);
  EXPECT_THAT(err_.str(), HasSubstr("\"telephone\" is no field"));
  EXPECT_EQ(Do({"import", file, "--column", "phone"}), kWrongUsage);
}

TEST_F(CliTest, OtherHooksSecretsStayWhenOneIsSetOrForgotten) {
  ASSERT_EQ(Do({"team", "set", "--hook-secret", "twilio=" + File("auth", "0123456789abcdef\n")}), kDone) << err_.str();
  EXPECT_EQ(script_.team_update.team().hook_secrets().at("twilio"), "0123456789abcdef");
  EXPECT_EQ(script_.team_update.team().hook_secrets().at("3cx"), "") << "empty keeps it";
  ASSERT_EQ(Do({"team", "set", "--hook-secret", "twilio="}), kDone) << err_.str();
  EXPECT_EQ(script_.team_update.team().hook_secrets().count("twilio"), 0u);
  EXPECT_EQ(script_.team_update.team().hook_secrets().count("3cx"), 1u);
}

TEST_F(CliTest, WhatIsGivenIsChangedAlsoToNothing) {
  const auto paths = [](const google::protobuf::FieldMask& mask) {
    return std::vector<std::string>(mask.paths().begin(), mask.paths().end());
  };
  using ::testing::ElementsAre;
  ASSERT_EQ(Do({"team", "set", "--legal-hold", "off", "--media", "both"}), kDone) << err_.str();
  EXPECT_THAT(paths(script_.team_update.update_mask()), ElementsAre("media_mode", "legal_hold"));
  EXPECT_FALSE(script_.team_update.team().legal_hold());
  EXPECT_EQ(script_.team_update.team().media_mode(), v1::MEDIA_MODE_UNSPECIFIED);
  ASSERT_EQ(Do({"team", "set", "--legal-hold", "on", "--media", "link"}), kDone) << err_.str();
  EXPECT_TRUE(script_.team_update.team().legal_hold());
  EXPECT_EQ(script_.team_update.team().media_mode(), v1::MEDIA_MODE_LINK);
  EXPECT_EQ(Do({"team", "set", "--legal-hold", "maybe"}), kWrongUsage);
  ASSERT_EQ(Do({"team", "set", "--member-figures", "on"}), kDone) << err_.str();
  EXPECT_THAT(paths(script_.team_update.update_mask()), ElementsAre("member_figures"));
  EXPECT_TRUE(script_.team_update.team().member_figures());
  EXPECT_EQ(Do({"team", "set"}), kWrongUsage);

  ASSERT_EQ(Do({"team", "set", "--hours", "always", "--holiday", "none", "--footer-phone", ""}), kDone) << err_.str();
  EXPECT_THAT(paths(script_.team_update.update_mask()), ElementsAre("calendar.hours", "calendar.holidays", "footer.phone"));
  EXPECT_EQ(script_.team_update.team().calendar().ByteSizeLong(), 0u);
  ASSERT_EQ(Do({"team", "set", "--template", "de/reminder="}), kDone) << err_.str();
  EXPECT_EQ(script_.team_update.team().templates().at("de/voice_message"), "Hallo") << "stays";
  EXPECT_EQ(script_.team_update.team().templates().at("de/reminder"), "");

  ASSERT_EQ(Do({"member", "set", "Jörg", "--phone", "", "--channel", "", "--substitute", ""}), kDone) << err_.str();
  EXPECT_THAT(paths(script_.member_update.update_mask()), ElementsAre("phone", "substitute_id", "channels"));
  EXPECT_EQ(script_.member_update.member().channels_size(), 0);
  ASSERT_EQ(Do({"caller", kId, "--email", ""}), kDone) << err_.str();
  EXPECT_THAT(paths(script_.caller_update.update_mask()), ElementsAre("email"));
  EXPECT_EQ(Do({"caller", kId}), kWrongUsage);
  ASSERT_EQ(Do({"contact", "add", "--phone", "1", "--email", ""}), kDone) << err_.str();
  EXPECT_THAT(paths(script_.contact_mask), ElementsAre("phone", "email"));
}

TEST_F(CliTest, EraseAsksFirst) {
  EXPECT_EQ(Do({"subject", "erase", "a@b.c"}), kWrongUsage);  // nobody to ask
  EXPECT_THAT(err_.str(), HasSubstr("--yes"));
  world_.in_is_terminal = true;
  in_.str("n\n");
  EXPECT_EQ(Do({"subject", "erase", "a@b.c"}), kRefused);
  EXPECT_EQ(script_.erased, 0);
  EXPECT_EQ(Do({"subject", "erase", "a@b.c", "--yes"}), kDone);
  EXPECT_EQ(script_.erased, 1);
}

TEST_F(CliTest, TheOperatorsTokenHelpsOnlyWhereTheMembersIsRefused) {
  EXPECT_EQ(Do({"team", "create", "Vertrieb Süd", "--admin-name", "Ida", "--admin-email", "i@b.c"}), kDone) << err_.str();
  EXPECT_THAT(script_.tokens, ElementsAre("Bearer rb_member", "Bearer rb_operator"));
  EXPECT_THAT(out_.str(), HasSubstr("rb_admin"));
}

TEST_F(CliTest, AbsencesAreWholeDays) {
  EXPECT_EQ(Do({"member", "absent", "me", "--from", "2026-12-24", "--until", "2027-01-06"}), kDone) << err_.str();
  ASSERT_EQ(script_.absence.absences_size(), 1);
  EXPECT_EQ(domain::FromProto(script_.absence.absences(0).start_time()), absl::FromCivil(absl::CivilDay(2026, 12, 24), kBerlin));
  EXPECT_EQ(domain::FromProto(script_.absence.absences(0).end_time()), absl::FromCivil(absl::CivilDay(2027, 1, 7), kBerlin));
  EXPECT_EQ(Do({"member", "absent", "me", "--today"}), kDone);
  EXPECT_EQ(domain::FromProto(script_.absence.absences(0).end_time()), kNow + absl::Hours(12));
}

TEST_F(CliTest, AHandOverAsksAsOftenAsThereIsMore) {
  EXPECT_EQ(Do({"member", "hand-over", "me", "--to", "Jörg", "--to", "Johanna", "--today"}), kWrongUsage) << "it asks first";
  EXPECT_TRUE(script_.hand_overs.empty());
  EXPECT_EQ(Do({"member", "hand-over", "me", "--to", "Jörg", "--to", "Johanna", "--today", "--yes"}), kDone) << err_.str();
  ASSERT_EQ(script_.hand_overs.size(), 2u);
  const v1::HandOverMemberRequest& first = script_.hand_overs[0];
  EXPECT_EQ(first.member_id(), "mb07anna");
  EXPECT_THAT(first.to_member_ids(), ElementsAre("mb07jorg", "mb07joha"));
  EXPECT_EQ(domain::FromProto(first.away_until()), kNow + absl::Hours(12));
  EXPECT_NE(script_.hand_overs[1].request_id(), first.request_id());
  EXPECT_THAT(out_.str(), HasSubstr("Anna Schmidt: 2 to Jörg Groß"));
  EXPECT_EQ(Do({"member", "hand-over", "me", "--callback", "cb07h3", "--away-until", "2027-01-06", "--yes"}), kDone) << err_.str();
  EXPECT_THAT(script_.hand_overs.back().callback_ids(), ElementsAre(kId));
  EXPECT_EQ(domain::FromProto(script_.hand_overs.back().away_until()), absl::FromCivil(absl::CivilDay(2027, 1, 7), kBerlin));
}

TEST_F(CliTest, APolicyFileIsPreviewedBeforeItIsSet) {
  const std::string file = dir_ + "/policy.json";
  std::ofstream(file) << R"({"steps": [{"delay": "60s"}]})";
  EXPECT_EQ(Do({"policy", "preview", file, "--at", "13:00", "--assignee", "me"}), kDone) << err_.str();
  EXPECT_EQ(script_.preview.policy().steps(0).delay().seconds(), 60);
  EXPECT_EQ(domain::FromProto(script_.preview.promised_time()), kNow + absl::Hours(1));
  EXPECT_EQ(script_.preview.assignee_id(), "mb07anna");
  EXPECT_THAT(out_.str(), HasSubstr("reminder"));
  EXPECT_THAT(out_.str(), HasSubstr("step 3, round 2, daily from then on  Jörg Groß, Anna Schmidt"));
  EXPECT_EQ(Do({"policy", "preview"}), kDone) << err_.str();
  EXPECT_FALSE(script_.preview.has_policy()) << "the team's";
}

TEST_F(CliTest, AReportIsATableOfWeeks) {
  EXPECT_EQ(Do({"report", "--from", "2026-W31", "--to", "2026-W48", "--by-member"}), kDone) << err_.str();
  EXPECT_EQ(script_.report.from_week(), "2026-W31");
  EXPECT_EQ(script_.report.to_week(), "2026-W48");
  EXPECT_TRUE(script_.report.by_member());
  for (const char* text : {"2026-W48", "41", "12 min", "Anna Schmidt"}) EXPECT_THAT(out_.str(), HasSubstr(text));
}

TEST_F(CliTest, HolidaysOfAFileJoinTheTeamsWhenAsked) {
  const std::string file = dir_ + "/feiertage.ics";
  std::ofstream(file) << "BEGIN:VCALENDAR";
  EXPECT_EQ(Do({"team", "holidays", file}), kDone) << err_.str();
  EXPECT_EQ(script_.ics, "BEGIN:VCALENDAR");
  EXPECT_THAT(out_.str(), HasSubstr("2026-12-25  Weihnachten"));
  EXPECT_FALSE(script_.team_update.has_team());
  EXPECT_EQ(Do({"team", "holidays", file, "--add"}), kDone) << err_.str();
  EXPECT_THAT(script_.team_update.team().calendar().holidays(), ElementsAre("2026-12-25", "2027-01-01"));
  EXPECT_THAT(script_.team_update.update_mask().paths(), ElementsAre("calendar.holidays"));
}

TEST_F(CliTest, ACallIsAnnouncedWithTheNumber) {
  script_.callback.mutable_caller()->set_phone("+4930123456");
  EXPECT_EQ(Do({"call", "cb07h3"}), kDone) << err_.str();
  EXPECT_EQ(script_.started.callback_id(), kId);
  EXPECT_THAT(out_.str(), HasSubstr("calling +4930123456"));
}

TEST_F(CliTest, ACallerWhoWaitsForAColleagueAlreadyIsSaidToBeTheirs) {
  script_.of_a_colleague = true;
  EXPECT_EQ(Do({"request", "--phone", "030 123456"}), kDone) << err_.str();
  EXPECT_EQ(out_.str(), absl::StrCat(kId, "  asked again; Anna Schmidt owes the call\n"));
}

TEST_F(CliTest, WatchGoesOnWhereItStoppedWhenTheServerWasAway) {
  script_.unavailable = 1;
  EXPECT_EQ(Do({"watch", "--since", "10", "--limit", "4"}), kDone) << err_.str();
  for (const char* what : {"change11", "change12", "change13", "change14"}) EXPECT_THAT(out_.str(), HasSubstr(what));
  EXPECT_THAT(err_.str(), HasSubstr("connected again"));
  EXPECT_EQ(Do({"watch", "--limit", "2", "--json"}), kDone);
  std::istringstream lines(out_.str());
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    google::protobuf::Struct json;
    EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(line, &json).ok()) << line;
  }
  EXPECT_EQ(count, 3);  // the first message tells the revision only
}

TEST_F(CliTest, MailInHandsTheMailOnAndSaysNothing) {
  const std::string mail = "From: a@example.com\r\n\r\n" + std::string(600'000, 'x');
  in_.str(mail);
  ASSERT_EQ(Do({"mail-in", "--recipient", "team+pg07@example.com", "--sender", "a@example.com"}), 0) << err_.str();
  EXPECT_EQ(script_.mail, mail);
  EXPECT_EQ(script_.mail_header.recipient(), "team+pg07@example.com");
  EXPECT_EQ(script_.mail_header.sender(), "a@example.com");
  EXPECT_EQ(out_.str(), "");
}

TEST_F(CliTest, MailInAnswersWithTheExitCodesThatMailServersExpect) {
  const auto code = [&](grpc::StatusCode status) {
    in_.clear();
    in_.str("From: a@example.com\r\n\r\nx\r\n");
    script_.mail_status = grpc::Status(status, "because");
    return Do({"mail-in"});
  };
  EXPECT_EQ(code(grpc::OK), 0);
  EXPECT_EQ(code(grpc::UNAVAILABLE), 75);
  EXPECT_EQ(code(grpc::RESOURCE_EXHAUSTED), 75);
  EXPECT_EQ(code(grpc::DEADLINE_EXCEEDED), 75);
  EXPECT_EQ(code(grpc::INTERNAL), 75);
  EXPECT_EQ(code(grpc::UNIMPLEMENTED), 75);  // an older server, in the middle of an upgrade
  EXPECT_EQ(code(grpc::PERMISSION_DENIED), 77);
  EXPECT_EQ(code(grpc::UNAUTHENTICATED), 78);
  in_.clear();
  in_.str("");
  EXPECT_EQ(Do({"mail-in"}), 65);
  EXPECT_EQ(Do({"mail-in", "--no-such-flag"}), 78);
  world_.environment["RINGBACK_DATA"] = dir_ + "/nowhere";
  in_.clear();
  in_.str("x");
  EXPECT_EQ(Do({"mail-in"}), 75);
}

TEST_F(CliTest, VersionNeedsNoServer) {
  std::filesystem::remove(dir_ + "/token");
  EXPECT_EQ(Do({"version"}), kDone);
  EXPECT_THAT(out_.str(), HasSubstr("ringback "));
}

}  // namespace
}  // namespace ringback::cli
