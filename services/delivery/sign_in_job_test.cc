// Mails with which members sign in, through the delivery worker on a fake clock: they leave once, and nothing stays.
#include "delivery/sign_in_job.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "core/base/test_peers.h"
#include "core/rpc/sign_in.h"
#include "core/store/every_record.h"
#include "delivery/app.h"
#include "delivery/worker.h"
#include "ingest/ingest_fixture.h"

namespace ringback::delivery {
namespace {

namespace record = ::ringback::store::v1;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class SignInJobTest : public ingest::IngestTest {
 protected:
  SignInJobTest()
      : IngestTest([](runtime::Host& host) { EXPECT_TRUE(RunDelivery(host).ok()); }),
        outbox_((folder_ / "mails").string()) {
    EXPECT_TRUE(rpc::MailSignIn(host_->store(), host_->random(), team_.id, team_.anna).ok());
  }

  std::unique_ptr<Wires> WiresTo(const std::string& mail_transport) {
    runtime::Config config = host_->config();
    config.mail_transport = mail_transport;
    config.mail_rate_per_second = 0;
    return Wires::Create(config, &host_->fake_clock()).value();
  }
  // One claim of whatever is due, as the worker loop makes it.
  absl::Status Deliver(Wires& wires) {
    const auto leases = host_->store().ClaimDue(store::Stage::kDelivery, store::ClaimOptions{}).value();
    if (leases.empty()) return absl::NotFoundError("nothing is due");
    return NewDeliveryHandler(*host_, &wires)->Handle(runtime::Job{leases[0], nullptr});
  }
  std::vector<store::Record> Records() {
    return store::AllRecords(host_->store(), team_.shard, store::Kind::kDelivery).value();
  }
  record::DeliveryRecord Record() {
    record::DeliveryRecord delivery;
    EXPECT_TRUE(delivery.ParseFromString(Records().at(0).value));
    return delivery;
  }
  std::string OnlyMail() {
    std::vector<std::string> mails;
    for (const auto& entry : std::filesystem::directory_iterator(outbox_ + "/new")) mails.push_back(FileText(entry.path()));
    EXPECT_EQ(mails.size(), 1u);
    return mails.empty() ? "" : mails[0];
  }

  const std::string outbox_;
};

TEST_F(SignInJobTest, TheMailCarriesLinkAndCodeAndTheRecordIsGoneWithIt) {
  const record::DeliveryRecord delivery = Record();
  const auto folder = WiresTo("maildir:" + outbox_);
  ASSERT_TRUE(Deliver(*folder).ok());
  const std::string code = delivery.sign_in().code();
  const std::string mail = OnlyMail();
  EXPECT_THAT(mail, AllOf(HasSubstr(code.substr(0, 3) + " " + code.substr(3)), HasSubstr("https://calls.example.com/sign-in/"),
                          HasSubstr("Auto-Submitted: auto-generated"), HasSubstr("bis 9:10 Uhr")));
  EXPECT_THAT(mail, Not(HasSubstr("{{")));
  const size_t subject = mail.find("\nSubject: ");
  ASSERT_NE(subject, std::string::npos);
  EXPECT_THAT(mail.substr(subject, mail.find('\n', subject + 1) - subject), Not(HasSubstr(code))) << "mail servers log it";
  EXPECT_TRUE(Records().empty());
  EXPECT_FALSE(host_->store().NextDue(store::Stage::kDelivery)->has_value());
  EXPECT_TRUE(rpc::WhoseLink(host_->store(), delivery.sign_in().link(), host_->fake_clock().Now()).ok());
}

TEST_F(SignInJobTest, AServerThatIsAwayIsTriedAgainAndTheEndOfTheSignInEndsThat) {
  const int port = Listener().port();  // nobody listens there
  const auto nowhere = WiresTo("smtp://127.0.0.1:" + std::to_string(port));
  const absl::Status away = Deliver(*nowhere);
  EXPECT_TRUE(absl::IsUnavailable(away)) << away;
  EXPECT_THAT(std::string(away.message()), Not(HasSubstr("@")));
  EXPECT_EQ(Record().state(), record::DeliveryRecord::STATE_QUEUED);
  host_->fake_clock().Advance(rpc::kSignInLifetime);
  EXPECT_TRUE(Records().empty());
  EXPECT_TRUE(Deliver(*nowhere).ok());
  EXPECT_FALSE(host_->store().NextDue(store::Stage::kDelivery)->has_value());
}

TEST_F(SignInJobTest, WhenTheTriesAreUsedUpNothingStaysEither) {
  const auto leases = host_->store().ClaimDue(store::Stage::kDelivery, store::ClaimOptions{}).value();
  ASSERT_EQ(leases.size(), 1u);
  EXPECT_TRUE(host_->worker("delivery").DeadLetter(leases[0], "tried ten times").ok());
  EXPECT_TRUE(Records().empty());
  EXPECT_FALSE(host_->store().NextDue(store::Stage::kDelivery)->has_value());
}

TEST_F(SignInJobTest, WithoutAnAddressOfThePagesTheMailHasTheCodeAlone) {
  host_->mutable_config().web_public_listen = "127.0.0.1:0";
  host_->mutable_config().http_listen = ":7421";
  const auto folder = WiresTo("maildir:" + outbox_);
  ASSERT_TRUE(Deliver(*folder).ok());
  EXPECT_THAT(OnlyMail(), Not(HasSubstr("/sign-in/")));
}

}  // namespace
}  // namespace ringback::delivery
