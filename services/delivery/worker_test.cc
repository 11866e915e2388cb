// The worker on a real store, on the fake clock: what leaves, what is retried, what becomes of the records.
#include "delivery/worker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/test_peers.h"
#include "core/domain/deliveries.h"
#include "core/domain/rules.h"
#include "core/rpc/translate.h"
#include "core/store/erase.h"
#include "core/store/forwarding_store.h"
#include "delivery/app.h"
#include "delivery/wires.h"
#include "ingest/ingest_fixture.h"
#include "ringback/v1/delivery_service.grpc.pb.h"

namespace ringback::delivery {
namespace {

namespace api = ::ringback::v1;
namespace record = ::ringback::store::v1;
using record::DeliveryRecord;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

// The worker by hand on the fake clock, beside the ingest room; real transports on loopback or into a folder.
class DeliveryTest : public ingest::IngestTest {
 protected:
  DeliveryTest()
      : IngestTest([](runtime::Host& host) { EXPECT_TRUE(RunDelivery(host).ok()); }),
        outbox_((folder_ / "mails").string()) {}

  std::unique_ptr<Wires> WiresTo(const std::string& mail_transport) {
    runtime::Config config = host_->config();
    config.mail_transport = mail_transport;
    config.mail_rate_per_second = 0;
    return Wires::Create(config, &host_->fake_clock()).value();
  }
  std::unique_ptr<Wires> Folder() { return WiresTo("maildir:" + outbox_); }
  // Nobody listens there.
  std::unique_ptr<Wires> Nowhere() {
    const int port = Listener().port();
    return WiresTo("smtp://127.0.0.1:" + std::to_string(port));
  }

  record::TeamRecord Team() { return ingest::LoadTeam(*host_, team_.id).value().message; }
  record::CallbackRecord Callback(const std::string& id) {
    return store::Load<record::CallbackRecord>(host_->store(), store::CallbackKey(id).value()).value().message;
  }
  record::DeliveryRecord Delivery(const std::string& id) {
    return store::Load<record::DeliveryRecord>(host_->store(), store::DeliveryKey(id).value()).value().message;
  }

  template <typename Decide>
  void Change(const std::string& id, const Decide& decide) {
    const store::Key key = store::CallbackKey(id).value();
    const auto before = store::Load<record::CallbackRecord>(host_->store(), key).value();
    const absl::Time now = host_->store().Now().value();
    const absl::StatusOr<domain::Decision> decision = decide(before.message, Team(), now);
    ASSERT_TRUE(decision.ok()) << decision.status();
    store::Commit commit;
    commit.shard = key.shard;
    commit.commit_id = NewSecret("cm", 0, host_->random());
    store::AddDecision(&before.message, before.version, *decision, now, &commit);
    ASSERT_TRUE(host_->store().CommitOnce(commit).ok());
  }
  void Apply(const std::string& id, const domain::Command& command) {
    Change(id, [&](const auto& callback, const auto& team, absl::Time now) {
      return domain::Apply(callback, command, team, domain::Actor{team_.anna}, now);
    });
  }
  void FireTimer(const std::string& id) {
    Change(id, [](const auto& callback, const auto& team, absl::Time now) -> absl::StatusOr<domain::Decision> {
      return domain::OnTimer(callback, team, now);
    });
  }
  // Anna told `name` on the phone when she calls.
  std::string Promised(const std::string& name, absl::Time when) {
    api::CreateCallbackRequest request = Mueller();
    request.mutable_caller()->set_name(name);
    request.mutable_caller()->set_email(name + "@example.com");
    request.mutable_caller()->set_phone("030 " + std::to_string(123450 + callers_++));
    const std::string id = Create(request, team_.anna_token).id();
    domain::MakePromise promise;
    promise.promised_time = when;
    promise.channel = record::PromiseRecord::CHANNEL_SPOKEN;
    Apply(id, promise);
    return id;
  }

  // All deliveries of a callback.
  std::vector<record::DeliveryRecord> DeliveriesOf(const std::string& id) {
    std::vector<record::DeliveryRecord> found;
    for (int n = 1; n <= Callback(id).delivery_count(); ++n) found.push_back(Delivery(domain::DeliveryId(id, n)));
    return found;
  }
  record::DeliveryRecord Newest(const std::string& id, record::DeliveryRecord::Kind kind, const std::string& member = "") {
    record::DeliveryRecord newest;
    for (const auto& one : DeliveriesOf(id)) {
      if (one.kind() == kind && one.member_id() == member) newest = one;
    }
    return newest;
  }

  // Everything that is due leaves, as the worker loop would do it.
  void Deliver(Wires& wires) { Deliver(*host_, wires); }
  void Deliver(runtime::Host& host, Wires& wires) {
    const auto handler = NewDeliveryHandler(host, &wires);
    for (;;) {
      const auto leases = host_->store().ClaimDue(store::Stage::kDelivery, store::ClaimOptions{}).value();
      if (leases.empty()) return;
      const absl::Status status = handler->Handle(runtime::Job{leases[0], nullptr});
      ASSERT_TRUE(status.ok()) << status;
    }
  }
  std::vector<std::string> Mails() {
    std::vector<std::string> mails;
    for (const auto& entry : std::filesystem::directory_iterator(outbox_ + "/new")) mails.push_back(FileText(entry.path()));
    std::sort(mails.begin(), mails.end());
    return mails;
  }
  std::vector<std::string> MailsTo(const std::string& address) {
    std::vector<std::string> mails = Mails();
    std::erase_if(mails, [&](const std::string& mail) { return mail.find("<" + address + ">") == std::string::npos; });
    return mails;
  }

  const std::string outbox_;
  int callers_ = 0;
};

class BundleTest : public DeliveryTest {
 protected:
  // Four promises are overdue, the mail server is away: Clara's four alarms wait as one message.
  BundleTest() {
    const absl::Time promised = Morning() + absl::Hours(4);
    for (const char* name : {"Eins", "Zwei", "Drei", "Vier"}) callbacks_.push_back(Promised(name, promised));
    host_->fake_clock().Set(promised + absl::Minutes(5));
    for (const std::string& id : callbacks_) FireTimer(id);
    const auto nowhere = Nowhere();
    Deliver(*nowhere);
    for (const std::string& id : callbacks_) {
      const DeliveryRecord alarm = Alarm(id);
      if (alarm.bundle_ids_size() == 3) leader_ = id;
    }
    EXPECT_FALSE(leader_.empty());
    for (const std::string& id : callbacks_) {
      if (id != leader_) followers_.push_back(id);
    }
    host_->fake_clock().Advance(absl::Seconds(10));
  }
  static absl::Time Morning() { return ingest::Morning(); }
  DeliveryRecord Alarm(const std::string& callback) {
    return Newest(callback, DeliveryRecord::KIND_ESCALATION, team_.clara);
  }
  void Reach(const std::string& callback) {
    Apply(callback, domain::LogAttempt{record::AttemptRecord::OUTCOME_REACHED, host_->fake_clock().Now(), ""});
  }
  std::string Name(const std::string& callback) { return Callback(callback).caller().name(); }

  std::vector<std::string> callbacks_, followers_;
  std::string leader_;
};

TEST_F(BundleTest, TheRestIsToldWhenTheLeadersCustomerWasReached) {
  Reach(leader_);
  const auto folder = Folder();
  Deliver(*folder);
  EXPECT_EQ(Alarm(leader_).state(), DeliveryRecord::STATE_WITHDRAWN);
  for (const std::string& id : followers_) EXPECT_EQ(Alarm(id).state(), DeliveryRecord::STATE_ACCEPTED);
  const auto mails = MailsTo("Clara@example.com");
  ASSERT_THAT(mails, SizeIs(1));
  EXPECT_THAT(mails[0], HasSubstr(rpc::MessageId(Alarm(leader_).id(), host_->config().mail_domain)));
  for (const std::string& id : followers_) EXPECT_THAT(mails[0], HasSubstr("* " + Name(id)));
  EXPECT_THAT(mails[0], Not(HasSubstr(Name(leader_))));
}

TEST_F(BundleTest, TheOnlyOneLeftIsToldAsAnAlarmOfItsOwn) {
  Reach(leader_);
  Reach(followers_[0]);
  Reach(followers_[1]);
  const auto folder = Folder();
  Deliver(*folder);
  EXPECT_EQ(Alarm(followers_[0]).state(), DeliveryRecord::STATE_WITHDRAWN);
  EXPECT_EQ(Alarm(followers_[2]).state(), DeliveryRecord::STATE_ACCEPTED);
  const auto mails = MailsTo("Clara@example.com");
  ASSERT_THAT(mails, SizeIs(1));
  EXPECT_THAT(mails[0], HasSubstr(Name(followers_[2]) + " wartet"));
}

TEST_F(BundleTest, NoLineTellsOfWhatSomebodySettled) {
  Reach(followers_[1]);
  const auto folder = Folder();
  Deliver(*folder);
  EXPECT_EQ(Alarm(leader_).state(), DeliveryRecord::STATE_ACCEPTED);
  EXPECT_EQ(Alarm(followers_[0]).state(), DeliveryRecord::STATE_ACCEPTED);
  EXPECT_EQ(Alarm(followers_[1]).state(), DeliveryRecord::STATE_WITHDRAWN);
  const auto mails = MailsTo("Clara@example.com");
  ASSERT_THAT(mails, SizeIs(1));
  EXPECT_THAT(mails[0], Not(HasSubstr(Name(followers_[1]))));
}

TEST_F(BundleTest, WhenNothingIsLeftToTellItIsWithdrawn) {
  for (const std::string& id : callbacks_) Reach(id);
  const auto folder = Folder();
  Deliver(*folder);
  for (const std::string& id : callbacks_) EXPECT_EQ(Alarm(id).state(), DeliveryRecord::STATE_WITHDRAWN);
  EXPECT_THAT(MailsTo("Clara@example.com"), SizeIs(0));
}

TEST_F(BundleTest, ErasingTheLeaderLetsTheOthersGoByThemselves) {
  const store::Key key = store::CallbackKey(leader_).value();
  store::Commit commit;
  commit.shard = key.shard;
  commit.commit_id = "erase";
  ASSERT_TRUE(store::AddErasure(host_->store(), store::Load<record::CallbackRecord>(host_->store(), key).value(),
                                host_->fake_clock().Now(), &commit).ok());
  ASSERT_TRUE(host_->store().CommitOnce(commit).ok());
  for (const std::string& id : followers_) {
    EXPECT_EQ(Alarm(id).state(), DeliveryRecord::STATE_QUEUED);
    EXPECT_EQ(Alarm(id).bundled_into_id(), "");
  }
  host_->fake_clock().Advance(absl::Minutes(2));
  const auto folder = Folder();
  Deliver(*folder);
  for (const std::string& id : followers_) EXPECT_EQ(Alarm(id).state(), DeliveryRecord::STATE_ACCEPTED);
  EXPECT_THAT(MailsTo("Clara@example.com"), SizeIs(1));
}

class WorkerTest : public DeliveryTest {
 protected:
  // Customers get links, so that no test needs audio.
  WorkerTest() {
    ChangeTeam([](record::TeamRecord& team) { team.set_media_mode(record::TeamRecord::MEDIA_MODE_LINK); });
  }
  void ChangeTeam(const std::function<void(record::TeamRecord&)>& change) {
    auto team = ingest::LoadTeam(*host_, team_.id).value();
    change(team.message);
    store::Commit commit;
    commit.shard = team_.shard;
    commit.commit_id = NewSecret("cm", 0, host_->random());
    ingest::AddTeam(team.message, team.version, &commit);
    ASSERT_TRUE(host_->store().CommitOnce(commit).ok());
  }
  static absl::Time Noon() { return ingest::Morning() + absl::Hours(3); }
};

TEST_F(WorkerTest, ATemplateThatDoesNotWorkSilencesNobody) {
  ChangeTeam([](record::TeamRecord& team) {
    (*team.mutable_templates())["voice_message.de.text"] = "Hallo";
    (*team.mutable_templates())["de/reminder"] = "--- text\n{{#when}}nie zu Ende\n";
  });
  const std::string id = Promised("Eins", Noon());
  host_->fake_clock().Set(Noon());
  FireTimer(id);
  const auto folder = Folder();
  Deliver(*folder);
  EXPECT_EQ(Newest(id, DeliveryRecord::KIND_REMINDER, team_.anna).state(), DeliveryRecord::STATE_ACCEPTED);
  ASSERT_THAT(MailsTo("Anna@example.com"), SizeIs(1));
  EXPECT_THAT(MailsTo("Anna@example.com")[0], HasSubstr("ringback show " + id));
}

TEST_F(WorkerTest, ANewCallerAtTheOldTimeIsToldAsSuch) {
  const std::string id = Promised("Eins", Noon());
  Apply(id, domain::Assign{team_.ben});
  const auto folder = Folder();
  Deliver(*folder);
  const auto mails = MailsTo("Eins@example.com");
  ASSERT_THAT(mails, SizeIs(1));
  EXPECT_THAT(mails[0], HasSubstr("Statt Anna"));
  EXPECT_THAT(mails[0], ::testing::Not(HasSubstr("Bisher war")));
}

TEST_F(WorkerTest, ATeamWithoutAnAddressSendsAndGetsAnswers) {
  const std::string id = Promised("Eins", Noon());
  Apply(id, domain::MakePromise{.promised_time = Noon() + absl::Hours(1),
                                .channel = record::PromiseRecord::CHANNEL_SPOKEN,
                                .confirm = true});
  const auto folder = Folder();
  Deliver(*folder);
  const auto mails = MailsTo("Eins@example.com");
  ASSERT_THAT(mails, SizeIs(1)) << Newest(id, DeliveryRecord::KIND_VOICE_MESSAGE).DebugString();
  EXPECT_THAT(mails[0], HasSubstr("ringback+" + Callback(id).page_token() + "@" + host_->config().mail_domain));
}

// A server that says no to every recipient, and a gateway that takes what it gets.
class SmsTest : public WorkerTest {
 protected:
  std::string ToCustomer(const std::string& phone) {
    api::CreateCallbackRequest request = Mueller();
    request.mutable_caller()->set_phone(phone);
    const std::string id = Create(request, team_.anna_token).id();
    Apply(id, domain::MakePromise{.promised_time = Noon(),
                                  .channel = record::PromiseRecord::CHANNEL_SPOKEN,
                                  .confirm = true});
    return id;
  }
  std::unique_ptr<Wires> RefusingMail(bool gateway) {
    runtime::Config config = host_->config();
    config.mail_transport = "smtp://127.0.0.1:" + std::to_string(smtp_.port());
    config.webhook_allow_private = true;
    if (gateway) config.sms_url = "http://127.0.0.1:" + std::to_string(http_.port()) + "/sms";
    if (gateway) config.sms_body = "{{to}} {{text}}";
    return Wires::Create(config, &host_->fake_clock()).value();
  }

  std::string sms_;
  ScriptedServer smtp_{[](Peer& peer) {
    peer.Say("220 hi\r\n");
    for (std::string line = peer.Line(); !peer.ended(); line = peer.Line()) {
      peer.Say(line.substr(0, 4) == "RCPT" ? "550 5.1.1 unknown\r\n" : "250 ok\r\n");
    }
  }};
  ScriptedServer http_{[this](Peer& peer) {
    size_t length = 0;
    for (std::string line = peer.Line(); !line.empty(); line = peer.Line()) {
      if (line.starts_with("Content-Length:")) length = std::stoul(line.substr(15));
    }
    sms_ = peer.Bytes(length);
    peer.Say("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  }};
};

TEST_F(SmsTest, ACustomerWhoseMailFailsIsToldByTextMessage) {
  const std::string id = ToCustomer("0170 1234567");
  {
    const auto wires = RefusingMail(/*gateway=*/true);
    Deliver(*wires);
  }
  const DeliveryRecord delivery = Newest(id, DeliveryRecord::KIND_VOICE_MESSAGE);
  EXPECT_EQ(delivery.state(), DeliveryRecord::STATE_ACCEPTED) << delivery.DebugString();
  EXPECT_THAT(sms_, HasSubstr("+491701234567"));
  EXPECT_THAT(sms_, HasSubstr("heute um 12:00 Uhr"));
  EXPECT_EQ(Callback(id).delivery_alarm(), "");
}

TEST_F(SmsTest, WithoutAGatewayTheAlarmNamesWhatTheMailServerSaid) {
  const std::string id = ToCustomer("0170 1234567");
  {
    const auto wires = RefusingMail(/*gateway=*/false);
    Deliver(*wires);
  }
  EXPECT_EQ(Newest(id, DeliveryRecord::KIND_VOICE_MESSAGE).state(), DeliveryRecord::STATE_FAILED);
  EXPECT_THAT(Callback(id).delivery_alarm(), HasSubstr("550 5.1.1 unknown"));
}

TEST_F(SmsTest, AFixedLineGetsNoTextMessage) {
  const std::string id = ToCustomer("030 123456");
  EXPECT_EQ(Newest(id, DeliveryRecord::KIND_VOICE_MESSAGE).channels_size(), 1);
}

TEST_F(WorkerTest, AnEntryThatLeavesLaterIsNeverTheOlderOne) {
  const std::string id = Promised("Eins", Noon());
  Apply(id, domain::MakePromise{.promised_time = Noon(),
                                .channel = record::PromiseRecord::CHANNEL_SPOKEN,
                                .confirm = true});
  const auto folder = Folder();
  const auto nowhere = Nowhere();
  Deliver(*folder);
  EXPECT_EQ(Newest(id, DeliveryRecord::KIND_VOICE_MESSAGE).calendar_entry(), 1);
  // The new promise's message is stuck when the old one, still the promise that counts, gets another caller.
  Apply(id, domain::MakePromise{.promised_time = Noon() + absl::Hours(1),
                                .channel = record::PromiseRecord::CHANNEL_VOICE_MAIL,
                                .recording_id = "rc07abcdefghjkmn",
                                .recording_ready = true});
  Deliver(*nowhere);
  Apply(id, domain::Assign{team_.ben});
  Deliver(*folder);
  const DeliveryRecord update = Newest(id, DeliveryRecord::KIND_PROMISE_UPDATE);
  ASSERT_EQ(update.state(), DeliveryRecord::STATE_ACCEPTED) << update.DebugString();
  host_->fake_clock().Advance(absl::Seconds(10));
  Deliver(*folder);
  const DeliveryRecord later = Newest(id, DeliveryRecord::KIND_VOICE_MESSAGE);
  ASSERT_EQ(later.state(), DeliveryRecord::STATE_ACCEPTED);
  EXPECT_LT(later.calendar_sequence(), update.calendar_sequence()) << "it was made before";
  EXPECT_GT(later.calendar_entry(), update.calendar_entry());
  EXPECT_EQ(Callback(id).calendar_entries(), later.calendar_entry());
}

TEST_F(WorkerTest, ARetriedDeadLetterStartsAfresh) {
  const std::string id = Promised("Eins", Noon());
  host_->fake_clock().Set(Noon());
  FireTimer(id);
  const auto nowhere = Nowhere();
  const std::string reminder = Newest(id, DeliveryRecord::KIND_REMINDER, team_.anna).id();
  // Mail alone: the desk would take it in the end.
  const store::Key key = store::DeliveryKey(reminder).value();
  auto dead = store::Load<DeliveryRecord>(host_->store(), key).value();
  dead.message.mutable_channels()->DeleteSubrange(1, dead.message.channels_size() - 1);
  store::Commit commit;
  commit.shard = key.shard;
  commit.commit_id = "mail alone";
  store::AddDelivery(dead.message, dead.version, &commit);
  ASSERT_TRUE(host_->store().CommitOnce(commit).ok());
  for (int i = 0; i < 20 && Delivery(reminder).state() != DeliveryRecord::STATE_FAILED; ++i) {
    Deliver(*nowhere);
    host_->fake_clock().Advance(absl::Minutes(7));
  }
  ASSERT_EQ(Delivery(reminder).state(), DeliveryRecord::STATE_FAILED);

  api::RetryDeadLetterRequest request;
  request.set_request_id("again");
  request.set_id(reminder);
  api::RetryDeadLetterResponse response;
  const auto letters = api::DeliveryService::NewStub(channel_);
  ASSERT_TRUE(Do(*letters, &api::DeliveryService::Stub::RetryDeadLetter, request, &response, team_.admin_token).ok());
  Deliver(*nowhere);
  EXPECT_EQ(Delivery(reminder).state(), DeliveryRecord::STATE_QUEUED);
  EXPECT_EQ(Delivery(reminder).tries_size(), host_->config().delivery_attempts_max + 1) << "all stay on record";
}

TEST_F(WorkerTest, AnAlarmForAPromiseNotAcceptedInTimeSaysWhy) {
  api::CreateCallbackRequest request = Mueller();
  request.mutable_caller()->set_phone("030 1234567");
  const std::string id = Create(request, team_.anna_token).id();
  Apply(id, domain::MakePromise{.promised_time = Noon(),
                                .channel = record::PromiseRecord::CHANNEL_VOICE_MAIL,
                                .recording_id = "rc07abcdefghjkmn",
                                .recording_ready = true});
  const auto nowhere = Nowhere();
  Deliver(*nowhere);
  host_->fake_clock().Set(Noon() - absl::Minutes(10));
  FireTimer(id);
  const auto folder = Folder();
  const DeliveryRecord alarm = Newest(id, DeliveryRecord::KIND_DELIVERY_ALARM, team_.anna);
  ASSERT_EQ(alarm.what(), "not_accepted_in_time");
  const std::string reason = Newest(id, DeliveryRecord::KIND_VOICE_MESSAGE).tries(0).reason();
  ASSERT_NE(reason, "");
  // It alone: the message itself would arrive by this way out, and nobody would have to be told.
  const auto lease = host_->store().Claim(store::DeliveryDue(alarm), absl::Minutes(1));
  ASSERT_TRUE(lease.ok());
  ASSERT_TRUE(NewDeliveryHandler(*host_, folder.get())->Handle(runtime::Job{*lease, nullptr}).ok());
  ASSERT_THAT(MailsTo("Anna@example.com"), SizeIs(1));
  EXPECT_THAT(MailsTo("Anna@example.com")[0], HasSubstr("Grund: " + reason.substr(0, 20)));
}

// The store answers UNAVAILABLE to the outcome of the first mail, once before and once after carrying it out.
class AwayStore : public store::ForwardingStore {
 public:
  explicit AwayStore(store::Store* inner) : ForwardingStore(inner) {}
  absl::StatusOr<store::CommitResult> CommitOnce(const store::Commit& commit) override {
    if (!commit.commit_id.starts_with("outcome/") || ++asked_ > 2) return ForwardingStore::CommitOnce(commit);
    if (asked_ == 2) {
      EXPECT_TRUE(ForwardingStore::CommitOnce(commit).ok());
    }
    return absl::UnavailableError("failing over");
  }
  int asked() const { return asked_; }

 private:
  int asked_ = 0;
};

class AwayHost : public ingest::TestHost {
 public:
  using TestHost::TestHost;
  store::Store& store() override { return store_ == nullptr ? TestHost::store() : *store_; }
  void Use(store::Store* store) { store_ = store; }

 private:
  store::Store* store_ = nullptr;
};

TEST_F(WorkerTest, AnAcceptedMailIsNotSentAgainBecauseTheStoreWasAwayForAMoment) {
  const std::string id = Promised("Eins", Noon());
  host_->fake_clock().Set(Noon());
  FireTimer(id);
  AwayStore away(&host_->store());
  TempDir folder_of_its_own;
  AwayHost host(folder_of_its_own.path());
  host.Use(&away);
  const auto folder = Folder();
  Deliver(host, *folder);
  EXPECT_EQ(Newest(id, DeliveryRecord::KIND_REMINDER, team_.anna).state(), DeliveryRecord::STATE_ACCEPTED);
  EXPECT_THAT(MailsTo("Anna@example.com"), SizeIs(1));
  EXPECT_GE(away.asked(), 3);
}

}  // namespace
}  // namespace ringback::delivery
