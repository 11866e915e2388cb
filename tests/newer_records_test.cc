// Two versions side by side on one store, as the older one: records as a newer version would have left them, with fields
// and words that are unknown here, go through every way in which this version changes a record. What it does not know it
// carries along; where an unknown word decides, it leaves the record to the newer version.
#include <google/protobuf/unknown_field_set.h>

#include <map>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/domain/deliveries.h"
#include "core/store/every_record.h"
#include "core/store/newer.h"
#include "delivery/app.h"
#include "ingest/ingest_fixture.h"
#include "reminder/app.h"
#include "ringback/v1/delivery_service.grpc.pb.h"
#include "ringback/v1/reminder_service.grpc.pb.h"
#include "transcode/app.h"

namespace ringback::ingest {
namespace {

using google::protobuf::Message;
using record::CallbackRecord;
using record::DeliveryRecord;
using record::RecordingRecord;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr int kNewField = 5000;  // used by no version
constexpr int kNewWord = 77;     // in no enum

// Visits a message and every message in it, each with where it is: "CallbackRecord.promises".
void ForEach(Message* message, const std::string& path, const std::function<void(Message*, const std::string&)>& visit) {
  visit(message, path);
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  const google::protobuf::Reflection& reflection = *message->GetReflection();
  reflection.ListFields(*message, &fields);
  for (const auto* field : fields) {
    if (field->message_type() == nullptr || field->is_map() ||
        absl::StartsWith(field->message_type()->full_name(), "google.")) {
      continue;
    }
    const std::string inner = absl::StrCat(path, ".", field->name());
    if (!field->is_repeated()) {
      ForEach(reflection.MutableMessage(message, field), inner, visit);
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(*message, field); ++i) {
      ForEach(reflection.MutableRepeatedMessage(message, field, i), inner, visit);
    }
  }
}

std::unique_ptr<Message> EmptyOf(store::Kind kind) {
  switch (kind) {
    case store::Kind::kTeam: return std::make_unique<record::TeamRecord>();
    case store::Kind::kContact: return std::make_unique<record::ContactRecord>();
    case store::Kind::kCallback: return std::make_unique<CallbackRecord>();
    case store::Kind::kHistoryPage: return std::make_unique<record::HistoryPageRecord>();
    case store::Kind::kRecording: return std::make_unique<RecordingRecord>();
    case store::Kind::kDelivery: return std::make_unique<DeliveryRecord>();
    case store::Kind::kToken: return std::make_unique<record::TokenRecord>();
    default: return nullptr;
  }
}

class NewerRecordsTest : public IngestTest {
 protected:
  NewerRecordsTest()
      : IngestTest([](runtime::Host& host) {
          static_cast<TestHost&>(host).mutable_config().codec_path = "/bin/true";  // never run here
          EXPECT_TRUE(transcode::RunTranscode(host).ok());
          EXPECT_TRUE(reminder::RunReminder(host).ok());
          EXPECT_TRUE(delivery::RunDelivery(host).ok());
        }),
        deliveries_(api::DeliveryService::NewStub(channel_)),
        reminders_(api::ReminderService::NewStub(channel_)) {
    id_ = Create(Mueller(), team_.anna_token).id();
    take_ = UploadTake("voice", id_).id();
  }

  // --- fields ---

  template <typename Visit>
  void ForEachRecord(const Visit& visit) {
    for (const store::Kind kind : {store::Kind::kTeam, store::Kind::kContact, store::Kind::kCallback, store::Kind::kHistoryPage,
                                   store::Kind::kRecording, store::Kind::kDelivery, store::Kind::kToken}) {
      const std::vector<store::Record> records = store::AllRecords(host_->store(), team_.shard, kind).value();
      for (const store::Record& found : records) {
        const std::unique_ptr<Message> message = EmptyOf(kind);
        ASSERT_TRUE(message->ParseFromString(found.value));
        visit(found, message.get());
      }
    }
  }

  // A newer version has written every record, and each message in it has a field of its own.
  void Mark() {
    ForEachRecord([this](const store::Record& found, Message* message) {
      ForEach(message, message->GetDescriptor()->name(), [this](Message* inner, const std::string& path) {
        inner->GetReflection()->MutableUnknownFields(inner)->DeleteByNumber(kNewField);
        inner->GetReflection()->MutableUnknownFields(inner)->AddVarint(kNewField, ++marks_);
        places_[marks_] = path;
      });
      Put(found.key, found.version, *message);
    });
  }
  void Put(const store::Key& key, uint64_t version, const Message& message) {
    store::Commit commit;
    commit.shard = key.shard;
    commit.commit_id = absl::StrCat("newer/", ++commits_);
    store::Put put;
    put.key = key;
    put.expected_version = version;
    put.value = message.SerializeAsString();
    commit.puts.push_back(std::move(put));
    ASSERT_TRUE(host_->store().CommitOnce(commit).ok());
  }
  // Where fields of a newer version have been lost since Mark.
  std::multiset<std::string> Lost() {
    std::map<uint64_t, std::string> lost = places_;
    ForEachRecord([&](const store::Record&, Message* message) {
      ForEach(message, "", [&](Message* inner, const std::string&) {
        const auto& unknown = inner->GetReflection()->GetUnknownFields(*inner);
        for (int i = 0; i < unknown.field_count(); ++i) {
          if (unknown.field(i).number() == kNewField) lost.erase(unknown.field(i).varint());
        }
      });
    });
    places_.clear();
    std::multiset<std::string> paths;
    for (const auto& [mark, path] : lost) paths.insert(path);
    return paths;
  }

  // What gets lost when `change` is carried out on what a newer version has written.
  template <typename Change>
  std::multiset<std::string> LostBy(const Change& change) {
    Mark();
    const absl::Status status = change();
    EXPECT_TRUE(status.ok()) << status;
    return Lost();
  }

  // --- changes ---

  template <typename Request, typename Response, typename Stub>
  absl::Status Call(Stub& stub, grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                    Request request, const std::string& token) {
    request.set_request_id(NextRequestId());
    Response response;
    return Do(stub, method, request, &response, token);
  }
  absl::Status Promise(api::PromiseChannel channel, absl::Duration ahead) {
    api::MakePromiseRequest request;
    request.set_callback_id(id_);
    request.set_channel(channel);
    if (channel == api::PROMISE_CHANNEL_VOICE_MAIL) request.set_recording_id(take_);
    *request.mutable_promised_time() = rpc::ToProto(host_->fake_clock().Now() + ahead);
    return Call(*callbacks_, &api::CallbackService::Stub::MakePromise, request, team_.anna_token);
  }
  absl::Status Attempt(api::AttemptOutcome outcome) {
    api::LogAttemptRequest request;
    request.set_callback_id(id_);
    request.set_outcome(outcome);
    return Call(*callbacks_, &api::CallbackService::Stub::LogAttempt, request, team_.anna_token);
  }
  // The worker of the stage on the entry, whenever that is due.
  absl::Status Work(const std::string& worker, store::Stage stage, const std::string& id) {
    if (stage == store::Stage::kPromise) {
      host_->fake_clock().Set(std::max(host_->fake_clock().Now(), rpc::FromProto(Callback().next_timer_time())));
    }
    auto lease = host_->store().Claim(store::DueKey{stage, team_.shard, team_.id, id}, absl::Minutes(1));
    RB_RETURN_IF_ERROR(lease.status());
    return host_->worker(worker).Handle({*lease, nullptr});
  }
  absl::Status SendAll() {
    for (;;) {
      RB_ASSIGN_OR_RETURN(const auto leases, host_->store().ClaimDue(store::Stage::kDelivery, store::ClaimOptions{}));
      if (leases.empty()) return absl::OkStatus();
      RB_RETURN_IF_ERROR(host_->worker("delivery").Handle({leases[0], nullptr}));
    }
  }

  template <typename Record>
  Record Read(const store::Key& key) {
    return store::Load<Record>(host_->store(), key).value().message;
  }
  CallbackRecord Callback() { return Read<CallbackRecord>(*store::CallbackKey(id_)); }
  std::string DeliveryId(int n) { return domain::DeliveryId(id_, n); }

  // A newer version's word in a record.
  template <typename Record>
  void Rewrite(const absl::StatusOr<store::Key>& key, const std::function<void(Record*)>& change) {
    const auto found = host_->store().Get(*key).value();
    Record message;
    ASSERT_TRUE(message.ParseFromString(found.value));
    change(&message);
    Put(*key, found.version, message);
    written_ = host_->store().Get(*key).value().value;
    written_key_ = *key;
  }
  // The record is as the newer version left it, and due as it was.
  void ExpectLeft(const absl::Status& status, store::Stage stage, const std::string& id) {
    EXPECT_TRUE(store::IsLeftToNewer(status)) << status;
    EXPECT_EQ(host_->store().Get(written_key_).value().value, written_);
    host_->fake_clock().Advance(absl::Minutes(2));  // the lease of who left it runs out
    EXPECT_TRUE(host_->store().Claim(store::DueKey{stage, team_.shard, team_.id, id}, absl::Seconds(1)).ok());
  }

  std::unique_ptr<api::DeliveryService::Stub> deliveries_;
  std::unique_ptr<api::ReminderService::Stub> reminders_;
  std::string id_, take_;
  std::string written_;
  store::Key written_key_;
  std::map<uint64_t, std::string> places_;
  uint64_t marks_ = 0;
  int commits_ = 0;
};

TEST_F(NewerRecordsTest, ACallbacksLifeKeepsEveryFieldOfANewerVersion) {
  const auto stub = &api::CallbackService::Stub::AssignCallback;
  EXPECT_THAT(LostBy([&] { return Do(*callbacks_, &api::CallbackService::Stub::CreateCallback, Mueller(),
                                     std::make_unique<api::CreateCallbackResponse>().get(), team_.anna_token); }),
              IsEmpty())
      << "the caller rings again";
  EXPECT_THAT(LostBy([&] {
                api::AssignCallbackRequest request;
                request.set_callback_id(id_);
                request.set_member_id(team_.anna);
                return Call(*callbacks_, stub, request, team_.clara_token);
              }),
              IsEmpty());
  EXPECT_THAT(LostBy([&] {
                api::UpdateCallerRequest request;
                request.set_callback_id(id_);
                request.mutable_caller()->set_name("Frau Müller");
                return Call(*callbacks_, &api::CallbackService::Stub::UpdateCaller, request, team_.anna_token);
              }),
              IsEmpty());
  EXPECT_THAT(LostBy([&] { return Promise(api::PROMISE_CHANNEL_VOICE_MAIL, absl::Hours(3)); }), IsEmpty());
  EXPECT_THAT(LostBy([&] { return Promise(api::PROMISE_CHANNEL_SPOKEN, absl::Hours(2)); }), IsEmpty());
  EXPECT_THAT(LostBy([&] {
                api::SnoozeCallbackRequest request;
                request.set_callback_id(id_);
                request.mutable_duration()->set_seconds(60);
                return Call(*reminders_, &api::ReminderService::Stub::SnoozeCallback, request, team_.anna_token);
              }),
              IsEmpty());
  for (int timers = 0; timers < 5; ++timers) {  // reminders, the promised time, steps
    EXPECT_THAT(LostBy([&] { return Work("promise", store::Stage::kPromise, id_); }), IsEmpty());
    EXPECT_THAT(LostBy([&] { return SendAll(); }), IsEmpty());
  }
  ASSERT_GT(Callback().escalation().next_alarm(), 0);
  EXPECT_THAT(LostBy([&] {
                api::AcknowledgeCallbackRequest request;
                request.set_callback_id(id_);
                return Call(*reminders_, &api::ReminderService::Stub::AcknowledgeCallback, request, team_.anna_token);
              }),
              IsEmpty());
  EXPECT_THAT(LostBy([&] { return Attempt(api::ATTEMPT_OUTCOME_NO_ANSWER); }),
              UnorderedElementsAre("CallbackRecord.escalation"))
      << "the escalation has ended";
  EXPECT_THAT(LostBy([&] { return Attempt(api::ATTEMPT_OUTCOME_REACHED); }), IsEmpty());
  EXPECT_THAT(LostBy([&] {
                api::CompleteCallbackRequest request;
                request.set_callback_id(id_);
                request.set_disposition("offer");
                return Call(*callbacks_, &api::CallbackService::Stub::CompleteCallback, request, team_.anna_token);
              }),
              IsEmpty());
}

TEST_F(NewerRecordsTest, EventsThatArePagedOutKeepTheirFields) {
  for (int n = 0; Callback().history_pages() == 0; ++n) {
    ASSERT_LT(n, 200);
    EXPECT_THAT(LostBy([&] {
                  api::AssignCallbackRequest request;
                  request.set_callback_id(id_);
                  request.set_member_id(n % 2 == 0 ? team_.anna : team_.ben);
                  return Call(*callbacks_, &api::CallbackService::Stub::AssignCallback, request, team_.clara_token);
                }),
                IsEmpty());
  }
}

TEST_F(NewerRecordsTest, ARecordingThatFailsOrLeavesItsDeliveriesKeepsItsFields) {
  ASSERT_TRUE(Promise(api::PROMISE_CHANNEL_VOICE_MAIL, absl::Hours(3)).ok());
  EXPECT_THAT(LostBy([&] {
                const auto lease = host_->store().Claim(
                    store::DueKey{store::Stage::kTranscode, team_.shard, team_.id, take_}, absl::Seconds(30));
                return host_->worker("transcode").DeadLetter(lease.value(), "the take is no audio");
              }),
              IsEmpty());
}

TEST_F(NewerRecordsTest, ADeliveryThatIsTriedFailedRetriedAndDroppedKeepsItsFields) {
  ASSERT_TRUE(Promise(api::PROMISE_CHANNEL_SPOKEN, absl::Hours(1)).ok());
  ASSERT_TRUE(Work("promise", store::Stage::kPromise, id_).ok());
  const std::string reminder = DeliveryId(Callback().delivery_count());
  EXPECT_THAT(LostBy([&] {
                const auto lease = host_->store().Claim(
                    store::DueKey{store::Stage::kDelivery, team_.shard, team_.id, reminder}, absl::Minutes(1));
                return host_->worker("delivery").DeadLetter(lease.value(), "no sign of life");
              }),
              IsEmpty());
  EXPECT_THAT(LostBy([&] {
                api::RetryDeadLetterRequest request;
                request.set_id(reminder);
                return Call(*deliveries_, &api::DeliveryService::Stub::RetryDeadLetter, request, team_.clara_token);
              }),
              IsEmpty());
  EXPECT_THAT(LostBy([&] { return SendAll(); }), IsEmpty());
}

TEST_F(NewerRecordsTest, TeamsContactsAndTokensKeepTheirFields) {
  EXPECT_THAT(LostBy([&] {
                api::UpdateTeamRequest request;
                request.mutable_team()->set_id(team_.id);
                request.mutable_team()->set_name("Sales and more");
                return Call(*teams_, &api::TeamService::Stub::UpdateTeam, request, team_.admin_token);
              }),
              IsEmpty());
  EXPECT_THAT(LostBy([&] {
                api::SetPolicyRequest request;
                request.set_team_id(team_.id);
                request.mutable_policy()->mutable_ack_timeout()->set_seconds(120);
                request.mutable_update_mask()->add_paths("ack_timeout");
                return Call(*teams_, &api::TeamService::Stub::SetPolicy, request, team_.admin_token);
              }),
              IsEmpty());
  EXPECT_THAT(LostBy([&] {
                api::UpdateMemberRequest request;
                request.mutable_member()->set_id(team_.anna);
                request.mutable_member()->set_phone("+49301234567");
                return Call(*teams_, &api::TeamService::Stub::UpdateMember, request, team_.admin_token);
              }),
              IsEmpty());
  EXPECT_THAT(LostBy([&] {
                api::SetAbsenceRequest request;
                request.set_member_id(team_.anna);
                api::Absence& absence = *request.add_absences();
                *absence.mutable_start_time() = rpc::ToProto(Morning());
                *absence.mutable_end_time() = rpc::ToProto(Morning() + absl::Hours(30));
                return Call(*teams_, &api::TeamService::Stub::SetAbsence, request, team_.clara_token);
              }),
              IsEmpty());
  EXPECT_THAT(LostBy([&] {
                api::PutContactRequest request;
                request.mutable_caller()->set_phone("030 123456");
                request.mutable_caller()->set_company("Müller GmbH");
                return Call(*contacts_, &api::ContactService::Stub::PutContact, request, team_.anna_token);
              }),
              IsEmpty());
  EXPECT_THAT(LostBy([&] {
                api::RevokeTokenRequest request;
                request.set_id(team_.intake_token_id);
                return Call(*teams_, &api::TeamService::Stub::RevokeToken, request, team_.admin_token);
              }),
              IsEmpty());
  EXPECT_THAT(LostBy([&] {
                api::RemoveMemberRequest request;
                request.set_member_id(team_.ben);
                return Call(*teams_, &api::TeamService::Stub::RemoveMember, request, team_.admin_token);
              }),
              IsEmpty());
}

// --- words ---

TEST_F(NewerRecordsTest, ACallbackInAPhaseOfANewerVersionIsLeftToIt) {
  const auto phase = [](CallbackRecord* callback) { callback->set_phase(static_cast<CallbackRecord::Phase>(kNewWord)); };
  const absl::Time due = rpc::FromProto(Callback().next_timer_time());
  Rewrite<CallbackRecord>(store::CallbackKey(id_), phase);
  EXPECT_TRUE(absl::IsUnavailable(Attempt(api::ATTEMPT_OUTCOME_REACHED))) << "another replica may know what to do";
  host_->fake_clock().Set(due);
  const auto lease = host_->store().Claim(store::DueKey{store::Stage::kPromise, team_.shard, team_.id, id_}, absl::Minutes(1));
  ExpectLeft(host_->worker("promise").Handle({lease.value(), nullptr}), store::Stage::kPromise, id_);
}

TEST_F(NewerRecordsTest, APromiseInAStateOrChannelOfANewerVersionIsLeftToIt) {
  ASSERT_TRUE(Promise(api::PROMISE_CHANNEL_SPOKEN, absl::Hours(1)).ok());
  for (const auto& rewrite : std::vector<std::function<void(CallbackRecord*)>>{
           [](CallbackRecord* callback) {
             callback->mutable_promises(0)->set_state(static_cast<record::PromiseRecord::State>(kNewWord));
           },
           [](CallbackRecord* callback) {
             callback->mutable_promises(0)->set_state(record::PromiseRecord::STATE_ARMED);
             callback->mutable_promises(0)->set_channel(static_cast<record::PromiseRecord::Channel>(kNewWord));
           }}) {
    Rewrite<CallbackRecord>(store::CallbackKey(id_), rewrite);
    host_->fake_clock().Advance(absl::Hours(2));
    const auto lease = host_->store().Claim(store::DueKey{store::Stage::kPromise, team_.shard, team_.id, id_}, absl::Minutes(1));
    ExpectLeft(host_->worker("promise").Handle({lease.value(), nullptr}), store::Stage::kPromise, id_);
  }
}

TEST_F(NewerRecordsTest, AMessageOfAKindStateOrChannelOfANewerVersionIsNeitherSentNorForgotten) {
  ASSERT_TRUE(Promise(api::PROMISE_CHANNEL_SPOKEN, absl::Hours(1)).ok());
  ASSERT_TRUE(Work("promise", store::Stage::kPromise, id_).ok());
  const std::string reminder = DeliveryId(Callback().delivery_count());
  const DeliveryRecord good = Read<DeliveryRecord>(*store::DeliveryKey(reminder));
  for (const auto& rewrite : std::vector<std::function<void(DeliveryRecord*)>>{
           [](DeliveryRecord* delivery) { delivery->set_kind(static_cast<DeliveryRecord::Kind>(kNewWord)); },
           [](DeliveryRecord* delivery) { delivery->set_state(static_cast<DeliveryRecord::State>(kNewWord)); },
           [](DeliveryRecord* delivery) {
             delivery->mutable_channels(0)->set_kind(static_cast<record::Channel::Kind>(kNewWord));
           }}) {
    Rewrite<DeliveryRecord>(store::DeliveryKey(reminder), [&](DeliveryRecord* delivery) {
      *delivery = good;
      rewrite(delivery);
    });
    ExpectLeft(Work("delivery", store::Stage::kDelivery, reminder), store::Stage::kDelivery, reminder);
    host_->fake_clock().Advance(absl::Minutes(1));
  }
}

TEST_F(NewerRecordsTest, ARecordingInAStateOfANewerVersionIsNotForgotten) {
  Rewrite<RecordingRecord>(store::RecordingKey(take_), [](RecordingRecord* recording) {
    recording->set_state(static_cast<RecordingRecord::State>(kNewWord));
  });
  ExpectLeft(Work("transcode", store::Stage::kTranscode, take_), store::Stage::kTranscode, take_);
}

TEST_F(NewerRecordsTest, ARecipientOfANewerVersionLeavesNoStepSilent) {
  Rewrite<record::TeamRecord>(store::TeamKey(team_.id), [](record::TeamRecord* team) {
    for (auto& step : *team->mutable_policy()->mutable_steps()) {
      for (auto& recipient : *step.mutable_recipients()) {
        recipient.set_kind(static_cast<record::Recipient::Kind>(kNewWord));
      }
    }
  });
  ASSERT_TRUE(Promise(api::PROMISE_CHANNEL_SPOKEN, absl::Hours(1)).ok());
  while (Callback().escalation().next_alarm() == 0) ASSERT_TRUE(Work("promise", store::Stage::kPromise, id_).ok());
  EXPECT_THAT(Callback().escalation().told_ids(), testing::ElementsAre(team_.clara)) << "the leaders, as when nobody is left";
}

TEST_F(NewerRecordsTest, AnOlderVersionsRecordHasUsableValuesWhereItsFieldsAreMissing) {
  ASSERT_TRUE(Promise(api::PROMISE_CHANNEL_SPOKEN, absl::Hours(1)).ok());
  // As the first release would have written them: only what a callback cannot do without.
  Rewrite<CallbackRecord>(store::CallbackKey(id_), [](CallbackRecord* callback) {
    callback->clear_wait_begin_time();
    callback->clear_calendar_entries();
    callback->clear_page_token();
    callback->clear_rings();
    callback->clear_history();
    callback->clear_history_count();
  });
  Rewrite<record::TeamRecord>(store::TeamKey(team_.id), [](record::TeamRecord* team) {
    team->clear_policy();
    team->clear_calendar();
    team->clear_language();
    team->clear_time_zone();
    team->clear_footer();
    team->clear_retention_days();
  });
  while (Callback().escalation().next_alarm() == 0) ASSERT_TRUE(Work("promise", store::Stage::kPromise, id_).ok());
  EXPECT_TRUE(SendAll().ok());
  EXPECT_TRUE(Attempt(api::ATTEMPT_OUTCOME_REACHED).ok());
  EXPECT_EQ(Callback().phase(), CallbackRecord::PHASE_TALKED);
}

}  // namespace
}  // namespace ringback::ingest
