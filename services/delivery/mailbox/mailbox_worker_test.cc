// The mailboxes' worker on a real store, a clock of its own, and a mail server that is played.
#include "delivery/mailbox/mailbox_worker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "absl/strings/str_cat.h"
#include "core/base/temp_dir.h"
#include "core/rpc/translate.h"
#include "core/store/records.h"

namespace ringback::delivery {
namespace {

using ::ringback::store::v1::MailboxRecord;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// What the fake mailboxes show, and what goes wrong with them.
struct FakeServer {
  uint32_t uid_validity = 7;
  std::map<uint32_t, std::string> inbox;
  std::map<uint32_t, absl::Time> came;  // not in it: now
  std::vector<std::string> done;
  absl::Status open, move;
  std::map<uint32_t, absl::Status> fetch;
  int64_t large = 0;  // whole_bytes of every message
  int logins = 0, fetches = 0;
};

class FakeMailbox : public Mailbox {
 public:
  explicit FakeMailbox(FakeServer* server) : server_(*server), uid_validity_(server->uid_validity) {}
  uint32_t uid_validity() const override { return uid_validity_; }
  absl::StatusOr<std::vector<uint32_t>> Uids(const UidRange& range) override {
    std::vector<uint32_t> uids;
    for (const auto& [uid, raw] : server_.inbox) {
      const auto came = server_.came.find(uid);
      const bool old = came != server_.came.end() && came->second < range.since;
      if (uid > range.after && uid <= range.up_to && !old) uids.push_back(uid);
    }
    return uids;
  }
  absl::StatusOr<FetchedMail> Fetch(uint32_t uid, int64_t bytes_max) override {
    ++server_.fetches;
    if (server_.fetch.contains(uid)) return server_.fetch[uid];
    if (!server_.inbox.contains(uid)) return absl::NotFoundError("gone");
    return FetchedMail{server_.inbox[uid], server_.large};
  }
  absl::Status MoveToDone(uint32_t uid) override {
    if (!server_.move.ok()) return server_.move;
    if (const auto found = server_.inbox.find(uid); found != server_.inbox.end()) {
      server_.done.push_back(found->second);
      server_.inbox.erase(found);
    }
    return absl::OkStatus();
  }
  absl::Status CheckDoneFolder() override { return absl::OkStatus(); }

 private:
  FakeServer& server_;
  const uint32_t uid_validity_;
};

class MailboxWorkerTest : public ::testing::Test {
 protected:
  MailboxWorkerTest() {
    config_.data_dir = dir_.File("data");
    config_.clock_offset_file = dir_.File("clock");
    Advance(absl::ZeroDuration());
    host_ = runtime::Host::Create(config_).value();
    settings_.name = "sales";
    settings_.user = "callback@example.com";
    settings_.team = NewId(id_prefix::kTeam, 7, host_->random());
    Configure({settings_});
  }

  void Configure(std::vector<MailboxSettings> settings) {
    handler_.reset();
    mailboxes_ = std::make_unique<Mailboxes>(
        *host_, std::move(settings),
        [this](const MailboxSettings&, std::function<bool()>) -> absl::StatusOr<std::unique_ptr<Mailbox>> {
          ++server_.logins;
          if (!server_.open.ok()) return server_.open;
          return std::make_unique<FakeMailbox>(&server_);
        },
        [this](const std::string& team, const std::string& raw, bool cut) { return Take(team, raw, cut); });
    handler_ = mailboxes_->NewHandler();
    ASSERT_TRUE(mailboxes_->Refresh().ok());
  }
  void ConfigureDone() {
    settings_.done_folder = "Done";
    Configure({settings_});
  }

  absl::Status Take(const std::string& team, const std::string& raw, bool cut) {
    EXPECT_EQ(cut, server_.large > 0);
    EXPECT_EQ(team, settings_.team);
    if (before_take_) before_take_(raw);
    if (refused_.contains(raw)) return refused_[raw];
    ++taken_[raw];
    order_.push_back(raw);
    return absl::OkStatus();
  }

  void Advance(absl::Duration by) {
    offset_ += by;
    std::ofstream(config_.clock_offset_file) << absl::ToInt64Seconds(offset_) << "\n";
  }
  std::vector<store::Lease> Claim() {
    store::ClaimOptions options;
    options.max = 10;
    options.lease = absl::Minutes(1);
    return host_->store().ClaimDue(store::Stage::kMailbox, options).value();
  }
  // One turn of everything that is due; how many that was.
  int Turn() {
    const auto leases = Claim();
    for (const store::Lease& lease : leases) {
      last_ = handler_->Handle({lease, nullptr});
      EXPECT_TRUE(last_.ok()) << last_;
    }
    return static_cast<int>(leases.size());
  }
  int TurnAfter(absl::Duration by) {
    Advance(by);
    return Turn();
  }
  MailboxRecord Record() {
    const auto found = store::Load<MailboxRecord>(host_->store(), {7, store::Kind::kMailbox, MailboxId(settings_)});
    return found.ok() ? found->message : MailboxRecord();
  }
  bool Waits() { return host_->store().NextDue(store::Stage::kMailbox).value().has_value(); }
  // From now until it is due again, in seconds.
  int DueIn() {
    return static_cast<int>(absl::ToInt64Seconds(
        *host_->store().NextDue(store::Stage::kMailbox).value() - host_->store().Now().value() + absl::Milliseconds(500)));
  }
  std::string Trouble() {
    const std::string text = host_->metrics().Text();
    const std::string name = "ringback_mailbox_trouble{mailbox=\"sales\"} ";
    const size_t at = text.find(name);
    return at == std::string::npos ? "none" : text.substr(at + name.size(), 1);
  }

  const TempDir dir_;
  runtime::Config config_;
  absl::Duration offset_;
  std::unique_ptr<runtime::Host> host_;
  MailboxSettings settings_;
  FakeServer server_;
  std::unique_ptr<Mailboxes> mailboxes_;
  std::unique_ptr<runtime::JobHandler> handler_;
  std::map<std::string, absl::Status> refused_;
  std::map<std::string, int> taken_;
  std::vector<std::string> order_;
  std::function<void(const std::string&)> before_take_;
  absl::Status last_;
};

TEST_F(MailboxWorkerTest, EachMessageIsTakenOnceInOrderAndLeftInPlace) {
  server_.inbox = {{3, "a"}, {9, "b"}};
  EXPECT_EQ(Turn(), 1);
  EXPECT_THAT(order_, ElementsAre("a", "b"));
  EXPECT_EQ(Record().uid_taken(), 9u);
  EXPECT_EQ(Turn(), 0) << "not due before the poll's time";
  EXPECT_EQ(DueIn(), 30);
  server_.inbox[10] = "c";
  EXPECT_EQ(TurnAfter(absl::Seconds(31)), 1);
  EXPECT_THAT(order_, ElementsAre("a", "b", "c"));
  EXPECT_EQ(server_.inbox.size(), 3u);
  EXPECT_EQ(server_.fetches, 3) << "what was taken is not fetched again";
}

TEST_F(MailboxWorkerTest, SeveralReplicasMakeOneEntry) {
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(mailboxes_->Refresh().ok());
  const auto stats = host_->store().Stats(store::Stage::kMailbox).value();
  EXPECT_EQ(stats.waiting + stats.future + stats.leased, 1);
  EXPECT_EQ(Turn(), 1);
  ASSERT_TRUE(mailboxes_->Refresh().ok());
  EXPECT_EQ(Turn(), 0) << "a start does not make it due";
}

// As when the process dies between the taking and the commit: the next one begins with the same message.
TEST_F(MailboxWorkerTest, WhoLosesTheLeaseCommitsNothingAndTheNextTakesTheMessageAgain) {
  server_.inbox = {{1, "a"}, {2, "b"}};
  std::vector<store::Lease> others;
  before_take_ = [&](const std::string& raw) {
    if (raw != "b" || !others.empty()) return;
    Advance(absl::Minutes(2));
    others = Claim();
  };
  const auto leases = Claim();
  ASSERT_EQ(leases.size(), 1u);
  EXPECT_TRUE(absl::IsAborted(handler_->Handle({leases[0], nullptr})));
  EXPECT_EQ(Record().uid_taken(), 0u);
  ASSERT_EQ(others.size(), 1u);
  EXPECT_TRUE(handler_->Handle({others[0], nullptr}).ok());
  EXPECT_THAT(order_, ElementsAre("a", "b", "a", "b")) << "once each for whoever knows them";
  EXPECT_EQ(Record().uid_taken(), 2u);
}

TEST_F(MailboxWorkerTest, ALostLeaseIsNoticedInTheMiddleOfManyMessages) {
  for (uint32_t uid = 1; uid <= 100; ++uid) server_.inbox[uid] = absl::StrCat("m", uid);
  before_take_ = [&](const std::string& raw) {
    if (raw != "m30") return;
    Advance(absl::Minutes(2));
    EXPECT_EQ(Claim().size(), 1u);
  };
  const auto leases = Claim();
  EXPECT_TRUE(absl::IsAborted(handler_->Handle({leases[0], nullptr})));
  EXPECT_EQ(order_.size(), 40u) << "up to the next commit, no further";
  EXPECT_EQ(Record().uid_taken(), 20u);
}

TEST_F(MailboxWorkerTest, ALongFolderIsReadInTurns) {
  for (uint32_t uid = 1; uid <= 1100; ++uid) server_.inbox[uid] = absl::StrCat(uid);
  EXPECT_EQ(Turn(), 1);
  EXPECT_EQ(order_.size(), 500u);
  EXPECT_EQ(Turn(), 1) << "due at once";
  EXPECT_EQ(Turn(), 1);
  EXPECT_EQ(order_.size(), 1100u);
  EXPECT_EQ(Turn(), 0);
}

TEST_F(MailboxWorkerTest, NewNumbersMeanFromTheBeginning) {
  server_.inbox = {{5, "a"}, {6, "b"}};
  Turn();
  server_.uid_validity = 8;
  server_.inbox = {{1, "a"}, {2, "b"}, {3, "c"}};
  TurnAfter(absl::Minutes(1));
  EXPECT_EQ(taken_["c"], 1);
  EXPECT_EQ(taken_["a"], 2) << "whoever takes it in knows it";
  EXPECT_EQ(Record().uid_validity(), 8u);
  EXPECT_EQ(Record().uid_taken(), 3u);
}

TEST_F(MailboxWorkerTest, FromTheBeginningOldMailIsPassedOver) {
  server_.inbox = {{1, "last year's"}, {2, "today's"}};
  server_.came[1] = absl::Now() - absl::Hours(24 * 365);
  Turn();
  EXPECT_THAT(order_, ElementsAre("today's"));
  // Moved here by a person: it is old, and new in this folder.
  server_.inbox[3] = "moved here";
  server_.came[3] = absl::Now() - absl::Hours(24 * 365);
  TurnAfter(absl::Minutes(1));
  EXPECT_THAT(order_, ElementsAre("today's", "moved here"));

  settings_.first_days = 0;
  Configure({settings_});
  server_.uid_validity = 9;
  TurnAfter(absl::Minutes(1));
  EXPECT_EQ(taken_["last year's"], 1);
}

TEST_F(MailboxWorkerTest, WhatIsTakenMovesToTheDoneFolder) {
  ConfigureDone();
  server_.inbox = {{1, "a"}, {2, "b"}};
  Turn();
  EXPECT_THAT(server_.inbox, IsEmpty());
  EXPECT_THAT(server_.done, ElementsAre("a", "b"));
}

TEST_F(MailboxWorkerTest, WhatCouldNotBeMovedIsTakenAllTheSameAndMovesLater) {
  ConfigureDone();
  server_.inbox = {{1, "a"}, {2, "b"}};
  server_.move = absl::FailedPreconditionError("a message cannot be moved to Done: no such folder");
  Turn();
  EXPECT_THAT(order_, ElementsAre("a", "b"));
  EXPECT_THAT(Record().trouble(), HasSubstr("cannot be moved to Done"));
  EXPECT_EQ(Trouble(), "1");
  EXPECT_EQ(DueIn(), 30) << "the next answers must not wait for it";
  server_.inbox[3] = "c";
  TurnAfter(absl::Minutes(1));
  EXPECT_THAT(order_, ElementsAre("a", "b", "c"));

  server_.move = absl::OkStatus();
  TurnAfter(absl::Minutes(1));
  EXPECT_THAT(server_.done, ElementsAre("a", "b", "c"));
  EXPECT_EQ(Record().trouble(), "");
  EXPECT_EQ(Trouble(), "0");
  EXPECT_EQ(order_.size(), 3u);
}

TEST_F(MailboxWorkerTest, WhatWasPassedOverIsNotMoved) {
  ConfigureDone();
  server_.inbox = {{1, "last year's"}, {2, "a"}};
  server_.came[1] = absl::Now() - absl::Hours(24 * 365);
  Turn();
  TurnAfter(absl::Minutes(1));
  EXPECT_THAT(server_.done, ElementsAre("a"));
  EXPECT_TRUE(server_.inbox.contains(1));
}

TEST_F(MailboxWorkerTest, AMessageThatCannotBeTakenInWaitsAndNothingBehindItIsCountedAsTaken) {
  server_.inbox = {{1, "a"}, {2, "b"}, {3, "c"}};
  refused_["b"] = absl::UnavailableError("the store is away");
  Turn();
  EXPECT_THAT(order_, ElementsAre("a"));
  EXPECT_EQ(Record().uid_taken(), 1u);
  EXPECT_THAT(Record().trouble(), HasSubstr("an answer cannot be taken in"));
  EXPECT_EQ(Trouble(), "1");
  refused_.clear();
  TurnAfter(absl::Minutes(2));
  EXPECT_THAT(order_, ElementsAre("a", "b", "c"));
  EXPECT_EQ(Trouble(), "0");
}

TEST_F(MailboxWorkerTest, WhatIsNoMailIsPassedOver) {
  server_.inbox = {{1, "junk"}, {2, "b"}};
  refused_["junk"] = absl::InvalidArgumentError("no mail");
  Turn();
  EXPECT_THAT(order_, ElementsAre("b"));
  EXPECT_EQ(Record().uid_taken(), 2u);
  EXPECT_EQ(Record().trouble(), "");
  EXPECT_THAT(host_->metrics().Text(), HasSubstr("ringback_mailbox_messages_total{mailbox=\"sales\",outcome=\"skipped\"} 1"));
}

TEST_F(MailboxWorkerTest, AMessageThatSomebodyRemovedMeanwhileHoldsNothingUp) {
  server_.inbox = {{1, "a"}, {2, "b"}};
  server_.fetch[1] = absl::NotFoundError("gone");
  Turn();
  EXPECT_THAT(order_, ElementsAre("b"));
  EXPECT_EQ(Record().uid_taken(), 2u);
}

TEST_F(MailboxWorkerTest, TheBeginningOfATooLargeMessageIsTakenIn) {
  server_.inbox = {{1, "Subject: large"}};
  server_.large = int64_t{60} << 20;
  Turn();
  EXPECT_THAT(order_, ElementsAre("Subject: large"));
  EXPECT_THAT(host_->metrics().Text(), HasSubstr("outcome=\"cut\"} 1"));
}

TEST_F(MailboxWorkerTest, TroubleIsOnRecordAndAskedLessOftenTheLongerItLasts) {
  Turn();
  EXPECT_EQ(Trouble(), "0");
  server_.open = absl::UnauthenticatedError("login refused: callback@example.com is unknown");
  EXPECT_EQ(TurnAfter(absl::Seconds(31)), 1);
  EXPECT_EQ(Record().trouble(), "login refused: the user is unknown");
  EXPECT_EQ(Trouble(), "1");
  EXPECT_EQ(DueIn(), 30);
  EXPECT_EQ(TurnAfter(absl::Minutes(4)), 1);
  EXPECT_NEAR(DueIn(), 135, 3);
  EXPECT_EQ(TurnAfter(absl::Hours(5)), 1);
  EXPECT_EQ(DueIn(), 600) << "and never less often than that";

  server_.open = absl::OkStatus();
  server_.inbox = {{1, "a"}};
  EXPECT_EQ(TurnAfter(absl::Minutes(10)), 1);
  EXPECT_THAT(order_, ElementsAre("a"));
  EXPECT_EQ(Record().trouble(), "");
  EXPECT_EQ(Trouble(), "0");
  EXPECT_EQ(DueIn(), 30);
}

TEST(SameTroubleTest, IsTheSameWhateverTimesTheServerPutsBesideIt) {
  EXPECT_TRUE(SameTrouble("cannot be opened: Mailbox doesn't exist (0.002 + 0.000 + 0.001 secs).",
                          "cannot be opened: Mailbox doesn't exist (0.001 + 0.000 secs)."));
  EXPECT_TRUE(SameTrouble("try again after 10:31", "try again after 10:32"));
  EXPECT_TRUE(SameTrouble("", ""));
  EXPECT_FALSE(SameTrouble("login refused", ""));
  EXPECT_FALSE(SameTrouble("the folder Erledigt cannot be opened", "the folder Gelöscht cannot be opened"));
  EXPECT_FALSE(SameTrouble("Ä", "Ö"));
}

TEST_F(MailboxWorkerTest, AnotherReplicaShowsTheTroubleToo) {
  server_.open = absl::UnavailableError("away");
  Turn();
  host_->metrics().Gauge("ringback_mailbox_trouble", {{"mailbox", "sales"}}, 0);  // as a replica that did not see it
  ASSERT_TRUE(mailboxes_->Refresh().ok());
  EXPECT_EQ(Trouble(), "1");
}

TEST_F(MailboxWorkerTest, WhatWasTakenBeforeTheServerWentAwayIsCounted) {
  server_.inbox = {{1, "a"}, {2, "b"}};
  server_.fetch[2] = absl::UnavailableError("it ended the connection");
  Turn();
  EXPECT_EQ(Record().uid_taken(), 1u);
  server_.fetch.clear();
  TurnAfter(absl::Minutes(2));
  EXPECT_THAT(order_, ElementsAre("a", "b"));
}

TEST_F(MailboxWorkerTest, AReaderThatDiesOverAndOverIsTrouble) {
  server_.inbox = {{1, "a"}};
  const auto leases = Claim();
  EXPECT_TRUE(handler_->DeadLetter(leases[0], "no sign of life after 5 attempts").ok());
  EXPECT_THAT(Record().trouble(), HasSubstr("no sign of life"));
  EXPECT_EQ(DueIn(), 600);
  TurnAfter(absl::Minutes(10));
  EXPECT_THAT(order_, ElementsAre("a")) << "it is never given up";
}

TEST_F(MailboxWorkerTest, AMailboxThatIsNoLongerConfiguredEnds) {
  Turn();
  Configure({});
  EXPECT_EQ(TurnAfter(absl::Seconds(31)), 1);
  EXPECT_TRUE(Waits()) << "another replica may still have the file that names it";
  EXPECT_EQ(TurnAfter(absl::Hours(1)), 1);
  EXPECT_FALSE(Waits());
  EXPECT_EQ(Record().name(), "");
  EXPECT_EQ(server_.logins, 1);

  server_.inbox = {{1, "a"}};
  Configure({settings_});
  EXPECT_EQ(Turn(), 1);
  EXPECT_THAT(order_, ElementsAre("a"));
}

TEST_F(MailboxWorkerTest, AnEntryWithoutARecordEnds) {
  store::Commit commit;
  commit.shard = 7;
  commit.commit_id = "stray";
  commit.due.push_back({{store::Stage::kMailbox, 7, settings_.team, "stray"}, host_->store().Now().value()});
  ASSERT_TRUE(host_->store().CommitOnce(commit).ok());
  EXPECT_EQ(Turn(), 2);
  const auto stats = host_->store().Stats(store::Stage::kMailbox).value();
  EXPECT_EQ(stats.waiting + stats.future + stats.leased, 1);
}

}  // namespace
}  // namespace ringback::delivery
