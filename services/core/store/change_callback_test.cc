// A change of a callback: once per commit_id, with fresh records when somebody else came first. On both stores.
#include "core/store/change_callback.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/base/temp_dir.h"
#include "core/domain/story.h"
#include "core/store/forwarding_store.h"
#include "core/store/records.h"
#include "core/store/redis_server.h"
#include "core/store/redis_store.h"
#include "core/store/sqlite_store.h"

namespace ringback::store {
namespace {

using domain::Actor;
using domain::At;

constexpr char kId[] = "cb07h3k9x2m4q8w1";

// Does something before a commit, or says that its outcome is unknown after it.
class Meddler : public ForwardingStore {
 public:
  explicit Meddler(Store* inner) : ForwardingStore(inner) {}
  absl::StatusOr<CommitResult> CommitOnce(const Commit& commit) override {
    ++commits;
    if (const auto before = std::exchange(before_commit, {})) before();
    const auto result = ForwardingStore::CommitOnce(commit);
    if (std::exchange(answer_gets_lost, false)) return absl::UnavailableError("the connection broke");
    return result;
  }
  std::function<void()> before_commit;
  bool answer_gets_lost = false;
  int commits = 0;
};

class ChangeCallbackTest : public testing::TestWithParam<bool> {
 protected:
  ChangeCallbackTest() : clock_(NewSystemClock()), random_(NewSystemRandom()) {
    if (GetParam()) {
      redis_ = std::make_unique<RedisServer>();
      inner_ = OpenRedisStore({.port = redis_->port(), .clock = clock_.get(), .random = random_.get()}).value();
    } else {
      SqliteOptions options;
      options.path = folder_.File("test.db");
      options.clock = clock_.get();
      options.random = random_.get();
      inner_ = OpenSqliteStore(options).value();
    }
    store_ = std::make_unique<Meddler>(inner_.get());
    const record::TeamRecord team = domain::SmallTeam();
    const absl::Time now = store_->Now().value();
    domain::Request request;
    request.callback_id = kId;
    request.caller.set_email("mueller@example.com");
    request.assignee_id = "anna";
    request.page_token = NewSecret(id_prefix::kPage, 7, *random_);
    const auto opened = domain::Open(request, team, {"tk07intake"}, now);
    Commit commit;
    commit.shard = 7;
    commit.commit_id = "open";
    AddDecision(nullptr, 0, *opened, now, &commit);
    AddPut(*TeamKey(team.id()), 0, team, &commit);
    record::TokenRecord token;
    token.set_role(record::TokenRecord::ROLE_PAGE);
    AddPut(*PageTokenKey(request.page_token), 0, token, &commit);
    const auto made = store_->CommitOnce(commit);
    EXPECT_TRUE(made.ok()) << made.status();
    store_->commits = 0;
  }

  absl::StatusOr<record::CallbackRecord> Do(const std::string& commit_id, const domain::Command& command,
                                            const AddToChange& also = {}) {
    return ChangeCallback(
        *store_, key_, commit_id,
        [&](const record::CallbackRecord& callback, const record::TeamRecord& team, absl::Time now) {
          return domain::Apply(callback, command, team, Actor{"", true}, now);
        },
        also);
  }
  absl::StatusOr<record::CallbackRecord> Write(const std::string& commit_id, const std::string& text) {
    return Do(commit_id, domain::CustomerBrief{text});
  }

  const Key key_ = *CallbackKey(kId);
  const std::unique_ptr<Clock> clock_;
  const std::unique_ptr<Random> random_;
  std::unique_ptr<RedisServer> redis_;
  const TempDir folder_;
  std::unique_ptr<Store> inner_;
  std::unique_ptr<Meddler> store_;
};

TEST_P(ChangeCallbackTest, TheSameCommitIdChangesNothingTheSecondTime) {
  EXPECT_EQ(Write("one", "Es geht um das Angebot.")->brief().text(), "Es geht um das Angebot.");
  EXPECT_EQ(Write("two", "Und um den Preis.")->brief().text(), "Es geht um das Angebot.\n\nUnd um den Preis.");
  const auto again = Write("one", "Es geht um das Angebot.");
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->brief().text(), "Es geht um das Angebot.\n\nUnd um den Preis.");
  EXPECT_EQ(again->history_count(), 3);
}

TEST_P(ChangeCallbackTest, ARepetitionThatWouldBeRefusedByNowIsAnsweredAllTheSame) {
  EXPECT_EQ(Do("off", domain::CustomerCallOff{})->phase(), record::CallbackRecord::PHASE_CLOSED);
  const auto again = Do("off", domain::CustomerCallOff{});
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->closing(), record::CallbackRecord::CLOSING_CALLED_OFF);
  EXPECT_TRUE(absl::IsFailedPrecondition(Do("another", domain::CustomerCallOff{}).status()));
}

TEST_P(ChangeCallbackTest, IsRememberedAlsoWhenItMovedTheHistoryOut) {
  int n = 0;
  while (true) {
    const auto after = Write(absl::StrCat("brief", ++n), "Satz.");
    ASSERT_TRUE(after.ok()) << after.status();
    if (after->history_pages() > 0) break;
  }
  EXPECT_EQ(Write(absl::StrCat("brief", n), "Satz.")->history_count(), n + 1);
}

TEST_P(ChangeCallbackTest, DecidesAnewWhenSomebodyElseCameFirst) {
  store_->before_commit = [this] { EXPECT_TRUE(Write("other", "Zuerst.").ok()); };
  EXPECT_EQ(Write("mine", "Danach.")->brief().text(), "Zuerst.\n\nDanach.");
}

TEST_P(ChangeCallbackTest, GivesUpWhenOthersNeverStop) {
  int others = 0;
  std::function<void()> meddle = [&] {
    // What it writes itself goes past the meddling, which then waits for the next try.
    EXPECT_TRUE(Write(absl::StrCat("other", ++others), "Zuerst.").ok());
    store_->before_commit = meddle;
  };
  store_->before_commit = meddle;
  EXPECT_TRUE(absl::IsAborted(Write("mine", "Danach.").status()));
  store_->before_commit = {};
  EXPECT_EQ(others, 10);
}

TEST_P(ChangeCallbackTest, IsMadeOnceWhenTheAnswerGetsLost) {
  store_->answer_gets_lost = true;
  EXPECT_EQ(Write("one", "Einmal.")->brief().text(), "Einmal.");
  EXPECT_EQ(store_->commits, 2);
}

TEST_P(ChangeCallbackTest, WhatIsRefusedWritesNothing) {
  const uint64_t version = store_->Get(key_)->version;
  EXPECT_TRUE(absl::IsInvalidArgument(Write("empty", "").status()));
  const auto failing = [](const record::CallbackRecord&, const domain::Decision&, Commit*) {
    return absl::ResourceExhaustedError("no room beside it");
  };
  EXPECT_TRUE(absl::IsResourceExhausted(Do("beside", domain::CustomerBrief{"Satz."}, failing).status()));
  EXPECT_EQ(store_->Get(key_)->version, version);
  EXPECT_TRUE(Write("empty", "Nun doch.").ok()) << "a refused change leaves its commit_id free";
}

TEST_P(ChangeCallbackTest, WrongPersonRevokesThePageInTheSameCommit) {
  const auto callback = Load<record::CallbackRecord>(*store_, key_);
  const Key token = *PageTokenKey(callback->message.page_token());
  const auto revoke = [this](const record::CallbackRecord& before, const domain::Decision&, Commit* commit) {
    return RevokePage(*store_, before, commit);
  };
  EXPECT_EQ(Do("wrong", domain::WrongPerson{}, revoke)->page_token(), "");
  EXPECT_TRUE(Load<record::TokenRecord>(*store_, token)->message.revoked());
  EXPECT_EQ(store_->commits, 1);
}

TEST_P(ChangeCallbackTest, OfWhatIsNotThereIsNotFound) {
  const auto nothing = ChangeCallback(*store_, *CallbackKey("cb07000000000000"), "one",
                                      [](const auto&, const auto&, absl::Time) -> absl::StatusOr<domain::Decision> {
                                        return absl::InternalError("never asked");
                                      });
  EXPECT_TRUE(absl::IsNotFound(nothing.status()));
}

INSTANTIATE_TEST_SUITE_P(, ChangeCallbackTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "Redis" : "Sqlite"; });

}  // namespace
}  // namespace ringback::store
