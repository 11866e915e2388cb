// Live changes on a real store, without a socket: what each viewer is told.
#include "web/event_hub.h"

#include <gmock/gmock.h>

#include "core/domain/proto_time.h"
#include "core/rpc/sessions.h"
#include "web/routes_fixture.h"

namespace ringback::web {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class EventHubTest : public RoutesTest {
 protected:
  void SetUp() override {
    RoutesTest::SetUp();
    store::Commit commit = NewCommit();
    for (const char* member : {kAnna, kJonas}) {
      auto session = rpc::AddSession(*sqlite_, *random_, kTeamId, member, "Firefox", clock_.Now(), clock_.Now() + absl::Hours(1), &commit);
      ASSERT_TRUE(session.ok());
      sessions_[member] = session->secret;
    }
    ASSERT_TRUE(sqlite_->CommitOnce(commit).ok());
    EventHubParts parts;
    parts.store = sqlite_.get();
    parts.known = &known_;
    parts.signals = signals_.get();
    parts.clock = &clock_;
    parts.submit = [this](std::function<void()> work) {
      if (busy_) return false;
      work();
      return true;
    };
    hub_ = std::make_unique<EventHub>(std::move(parts));
  }
  void TearDown() override {
    hub_.reset();
    RoutesTest::TearDown();
  }

  store::Commit NewCommit() {
    store::Commit commit;
    commit.shard = 7;
    commit.commit_id = NewSecret(id_prefix::kLease, 7, *random_);
    return commit;
  }
  // The callback as records_ has it now, and what happened to it.
  void Happens(const std::string& what, const std::map<std::string, std::string>& details = {}) {
    store::Commit commit = NewCommit();
    Put(*store::CallbackKey(kCallbackId), records_.callback, &commit);
    record::HistoryEvent event;
    event.set_what(what);
    for (const auto& [name, value] : details) (*event.mutable_details())[name] = value;
    commit.events.push_back({kTeamId, kCallbackId, event.SerializeAsString()});
    ASSERT_TRUE(sqlite_->CommitOnce(commit).ok());
    signals_->Notify(std::string("changes/") + kTeamId);
  }
  std::shared_ptr<http::LiveBody> Attach(const char* member, std::optional<int64_t> since = std::nullopt) {
    auto body = hub_->Attach(sessions_[member], since);
    EXPECT_TRUE(body.ok()) << body.status();
    return *body;
  }
  static std::string Heard(http::LiveBody& body) {
    std::string text;
    for (const auto& block : body.Take().blocks) text += *block;
    return text;
  }

  rpc::KnownTokens known_;
  std::unique_ptr<handoff::Signals> signals_ = handoff::NewLocalSignals();
  std::map<std::string, std::string> sessions_;
  bool busy_ = false;
  std::unique_ptr<EventHub> hub_;
};

TEST_F(EventHubTest, AChangeIsToldAsItHappens) {
  const auto body = Attach(kJonas);
  EXPECT_THAT(Heard(*body), StartsWith("event: ready\ndata: {\"revision\":"));
  Happens("agreed");
  EXPECT_THAT(Heard(*body), AllOf(StartsWith("event: change\nid: 1\ndata: {"), HasSubstr("\"what\":\"agreed\""),
                                  HasSubstr("Herr Müller")));
  EXPECT_EQ(Heard(*body), "");
}

TEST_F(EventHubTest, WhoComesBackHearsWhatWasMissedAndNothingTwice) {
  const auto first = Attach(kJonas);
  Happens("one");
  Happens("two");
  Happens("three");
  EXPECT_THAT(Heard(*Attach(kJonas, 0)), HasSubstr("\"one\"")) << "a list that was empty, and older than anything";
  const auto second = Attach(kJonas, 1);
  EXPECT_THAT(Heard(*second), AllOf(Not(HasSubstr("\"one\"")), HasSubstr("\"two\""), HasSubstr("\"three\"")));
  Happens("four");
  EXPECT_THAT(Heard(*second), AllOf(HasSubstr("\"four\""), Not(HasSubstr("\"three\""))));
  EXPECT_THAT(Heard(*first), AllOf(HasSubstr("\"one\""), HasSubstr("\"four\"")));
}

TEST_F(EventHubTest, WhoWasAwayForTooLongReadsEverythingAnew) {
  for (int i = 0; i < 1001; ++i) Happens("noted");
  const auto body = Attach(kJonas, 1);
  const std::string within = Heard(*body);
  EXPECT_THAT(within, Not(HasSubstr("resync")));
  Happens("noted");
  EXPECT_THAT(Heard(*Attach(kJonas, 1)), HasSubstr("event: resync\ndata: {\"revision\":\"1002\"}"));
  EXPECT_THAT(Heard(*Attach(kJonas, 5000)), HasSubstr("resync")) << "a revision that a restored store has not reached";
}

TEST_F(EventHubTest, ARepHearsOfTheOwnAndOfNobodysCallbacks) {
  const auto anna = Attach(kAnna), jonas = Attach(kJonas);
  Heard(*anna), Heard(*jonas);
  Happens("agreed");
  EXPECT_THAT(Heard(*anna), HasSubstr("\"agreed\""));

  records_.callback.set_assignee_id(kJonas);
  Happens("assigned", {{"from", kAnna}, {"to", kJonas}});
  EXPECT_THAT(Heard(*anna), AllOf(HasSubstr("\"gone\":\"cb07aaaaaaaaaaaa\""), Not(HasSubstr("Müller"))));
  Happens("brief");
  EXPECT_EQ(Heard(*anna), "") << "somebody else's";
  EXPECT_THAT(Heard(*jonas), AllOf(HasSubstr("\"agreed\""), HasSubstr("\"assigned\""), HasSubstr("\"brief\""), Not(HasSubstr("\"gone\""))));

  records_.callback.clear_assignee_id();
  Happens("assigned", {{"from", kJonas}});
  EXPECT_THAT(Heard(*anna), HasSubstr("Müller")) << "nobody's: hers to take";
}

TEST_F(EventHubTest, WhoeverStandsInForAnotherSeesThatOnesAndIsToldToReadAnew) {
  // Jonas is a rep here, and Anna's substitute.
  records_.team.mutable_members(1)->set_role(record::Member::ROLE_REP);
  Write();
  const auto jonas = Attach(kJonas);
  Happens("agreed");
  EXPECT_THAT(Heard(*jonas), Not(HasSubstr("agreed")));
  record::Absence& away = *records_.team.mutable_members(0)->add_absences();
  *away.mutable_start_time() = domain::ToProto(clock_.Now() + absl::Minutes(1));
  *away.mutable_end_time() = domain::ToProto(clock_.Now() + absl::Hours(8));
  Write();
  hub_->LookAround();
  EXPECT_EQ(Heard(*jonas), "");
  clock_.Advance(absl::Minutes(2));
  hub_->LookAround();
  EXPECT_THAT(Heard(*jonas), HasSubstr("event: resync"));
  Happens("brief");
  EXPECT_THAT(Heard(*jonas), HasSubstr("brief"));
  EXPECT_THAT(Heard(*Attach(kJonas, 1)), HasSubstr("event: resync")) << "who was away when it began";
  EXPECT_THAT(Heard(*Attach(kJonas, 2)), Not(HasSubstr("event: resync")));
}

TEST_F(EventHubTest, NothingIsToldToWhoHasLeftTheTeam) {
  const auto anna = Attach(kAnna);
  Heard(*anna);
  records_.team.mutable_members(0)->set_inactive(true);
  Write();
  Happens("agreed");
  EXPECT_EQ(Heard(*anna), "");
  hub_->LookAround();
  EXPECT_THAT(Heard(*anna), HasSubstr("event: bye"));
  EXPECT_EQ(hub_->viewers(), 0);
}

TEST_F(EventHubTest, ASessionThatEndsEndsItsStreamWithinSeconds) {
  const auto anna = Attach(kAnna), jonas = Attach(kJonas);
  ASSERT_TRUE(rpc::EndSession(*sqlite_, *random_, sessions_[kAnna]).ok());
  clock_.Advance(EventHub::kAdmittedFor);
  hub_->LookAround();
  EXPECT_THAT(Heard(*anna), HasSubstr("event: bye"));
  EXPECT_TRUE(anna->closed());
  EXPECT_FALSE(jonas->closed());
  EXPECT_TRUE(absl::IsUnauthenticated(hub_->Attach(sessions_[kAnna], std::nullopt).status()));
}

TEST_F(EventHubTest, ALostNudgeIsMadeGoodByTheNextLook) {
  const auto body = Attach(kJonas);
  Heard(*body);
  busy_ = true;
  Happens("agreed");
  EXPECT_EQ(Heard(*body), "");
  busy_ = false;
  hub_->LookAround();
  EXPECT_THAT(Heard(*body), HasSubstr("\"agreed\""));
  Happens("brief");
  EXPECT_THAT(Heard(*body), HasSubstr("\"brief\"")) << "and the next nudge counts again";
}

TEST_F(EventHubTest, AClosedHubEndsEveryStreamAndTakesNone) {
  const auto body = Attach(kJonas);
  hub_->Close();
  EXPECT_TRUE(body->closed());
  EXPECT_TRUE(absl::IsUnavailable(hub_->Attach(sessions_[kJonas], std::nullopt).status()));
}

TEST_F(EventHubTest, ARevisionIsANumberFromZero) {
  EXPECT_TRUE(absl::IsInvalidArgument(hub_->Attach(sessions_[kJonas], -1).status()));
}

}  // namespace
}  // namespace ringback::web
