// One callback at a time, told as stories. Times are Berlin's; 23 November 2026 is a Monday.
#include "core/domain/rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/domain/deliveries.h"
#include "core/domain/escalation.h"
#include "core/domain/input.h"
#include "core/domain/story.h"

namespace ringback::domain {
namespace {

using record::AttemptRecord;
using record::CallbackRecord;
using record::Channel;
using record::DeliveryRecord;
using record::PromiseRecord;
using testing::ElementsAre;
using testing::IsEmpty;
using Result = DeliveryOutcome::Result;

constexpr auto kReached = AttemptRecord::OUTCOME_REACHED;
constexpr auto kNoAnswer = AttemptRecord::OUTCOME_NO_ANSWER;

#define EXPECT_REFUSED(status_expression, reason_text)                  \
  do {                                                                  \
    const absl::Status status_ = (status_expression);                   \
    EXPECT_EQ(DetailOf(status_).reason, reason_text) << status_;        \
  } while (false)

// ---- law 1: the clock -----------------------------------------------------------------------------------------------

TEST(Waiting, RunsTheResponseTargetInTeamHours) {
  Story story;
  story.Open();
  EXPECT_EQ(story.next_timer, At("2026-11-23 13:00"));
  Story evening(SmallTeam(), "2026-11-27 17:00");
  evening.Open();
  EXPECT_EQ(evening.next_timer, At("2026-11-30 11:00"));
}

TEST(Waiting, ThatNobodyAnswersEscalatesByTheResponseTarget) {
  Story story;
  story.Open();
  story.Forget();
  story.PassUntil("2026-11-23 13:35");
  EXPECT_THAT(story.Times("overdue"), ElementsAre("11-23 13:00"));
  EXPECT_THAT(story.Times("reminded"), ElementsAre("11-23 13:00"));
  EXPECT_EQ(story.ToldBy(DeliveryRecord::KIND_REMINDER), "anna");
  EXPECT_EQ(story.deliveries[0].alarm_kind(), record::ALARM_KIND_RESPONSE);
  EXPECT_THAT(story.Times("alarm"), ElementsAre("11-23 13:05", "11-23 13:15", "11-23 13:30"));
  EXPECT_EQ(story.ToldBy(DeliveryRecord::KIND_ESCALATION), "anna mia mia mia adam");
  EXPECT_EQ(story.Counted("response_overdue"), 1);
  EXPECT_EQ(story.Counted("overdue"), 0);
}

TEST(Waiting, UnassignedIsTheManagersToHearOfAtTheTarget) {
  Story story;
  story.Open("");
  story.PassUntil("2026-11-23 13:00");
  EXPECT_EQ(story.ToldBy(DeliveryRecord::KIND_REMINDER), "mia");
  EXPECT_EQ(story.ToldBy(DeliveryRecord::KIND_ESCALATION), "");
}

TEST(Waiting, AStepAtTheTargetItselfIsTheOneWordToEach) {
  Story story;
  story.team.mutable_policy()->mutable_steps(0)->mutable_delay()->Clear();
  story.Open();
  story.PassUntil("2026-11-23 13:01");
  EXPECT_EQ(story.ToldBy(DeliveryRecord::KIND_ESCALATION), "anna mia");
  EXPECT_EQ(story.ToldBy(DeliveryRecord::KIND_REMINDER), "");
}

TEST(Waiting, AReminderIsDroppedOnceATimeIsPromised) {
  Story story;
  story.Open();
  story.Forget();
  story.PassUntil("2026-11-23 13:00");
  const DeliveryRecord reminder = story.deliveries[0];
  EXPECT_TRUE(StillNeeded(story.callback, reminder, story.team, story.now));
  story.PromiseSpoken("2026-11-23 15:00");
  EXPECT_FALSE(StillNeeded(story.callback, reminder, story.team, story.now));
}

TEST(Promise, IsKeptByAConversationAtTheTime) {
  Story story;
  story.Open();
  story.PromiseSpoken("2026-11-23 13:00");
  EXPECT_EQ(story.next_timer, At("2026-11-23 12:45"));
  story.PassUntil("2026-11-23 13:02");
  EXPECT_EQ(story.ToldBy(DeliveryRecord::KIND_REMINDER), "anna anna");
  EXPECT_TRUE(IsOverdue(story.callback, story.now));
  story.Attempt(kReached);
  EXPECT_EQ(story.VerdictOf(1), record::VERDICT_KEPT);
  EXPECT_EQ(story.callback.phase(), CallbackRecord::PHASE_TALKED);
  EXPECT_FALSE(IsOverdue(story.callback, story.now));
  EXPECT_EQ(story.next_timer, At("2026-11-24 13:02"));  // wrap-up
  EXPECT_EQ(story.Counted("kept"), 1);
  EXPECT_EQ(story.Counted("kept/anna"), 1);
  story.Do(Complete{"ordered"});
  EXPECT_EQ(story.next_timer, std::nullopt);
  EXPECT_EQ(story.purge_time, story.now + absl::Hours(24 * 30));
}

TEST(Promise, IsKeptByAConversationLongBefore) {
  Story story;
  story.Open();
  story.PromiseSpoken("2026-11-23 13:00");
  story.PassUntil("2026-11-23 10:00");
  story.Attempt(kReached);
  EXPECT_EQ(story.VerdictOf(1), record::VERDICT_KEPT);
}

TEST(Promise, AConversationBeforeItWasMadeSettlesNothing) {
  Story story;
  story.Open();
  story.PassUntil("2026-11-23 10:00");
  story.PromiseSpoken("2026-11-23 13:00");
  story.PassUntil("2026-11-23 10:10");
  story.Attempt(kReached, "2026-11-23 09:50");
  EXPECT_EQ(story.callback.phase(), CallbackRecord::PHASE_PROMISED);
  EXPECT_EQ(story.VerdictOf(1), record::VERDICT_UNSPECIFIED);
  EXPECT_EQ(story.warnings.size(), 1u);
}

struct VerdictCase {
  const char* called_at;
  record::Verdict verdict;
  int late_seconds;
};
class Verdicts : public testing::TestWithParam<VerdictCase> {};
TEST_P(Verdicts, FallByWhenTheCallWasMade) {
  for (const auto outcome : {kReached, kNoAnswer, AttemptRecord::OUTCOME_BUSY, AttemptRecord::OUTCOME_VOICEMAIL,
                             AttemptRecord::OUTCOME_WRONG_NUMBER}) {
    Story story;
    story.Open();
    story.PromiseSpoken("2026-11-23 13:00");
    story.PassUntil("2026-11-23 15:00");  // logged hours later, when alarms have long gone out
    story.Attempt(outcome, GetParam().called_at);
    EXPECT_EQ(story.VerdictOf(1), GetParam().verdict) << GetParam().called_at;
    EXPECT_EQ(FromProto(story.callback.promises(0).late_by()), absl::Seconds(GetParam().late_seconds));
  }
}
INSTANTIATE_TEST_SUITE_P(Table, Verdicts,
                         testing::Values(VerdictCase{"2026-11-23 13:00", record::VERDICT_KEPT, 0},
                                         VerdictCase{"2026-11-23 13:05", record::VERDICT_KEPT, 0},
                                         VerdictCase{"2026-11-23 13:05:01", record::VERDICT_LATE, 301},
                                         VerdictCase{"2026-11-23 14:30", record::VERDICT_LATE, 5400}));

TEST(Attempt, ThatReachedNobodyBeforeTheTimeSettlesNothing) {
  Story story;
  story.Open();
  story.PromiseSpoken("2026-11-23 13:00");
  story.PassUntil("2026-11-23 12:59");
  story.Attempt(kNoAnswer);
  EXPECT_EQ(story.callback.phase(), CallbackRecord::PHASE_PROMISED);
  EXPECT_EQ(story.next_timer, At("2026-11-23 13:00"));
  EXPECT_EQ(story.warnings.size(), 1u);
}

TEST(Attempt, ThatReachedNobodyStartsAFollowUpWithTheSameEscalation) {
  Story story;
  story.Open();
  story.PromiseSpoken("2026-11-23 13:00");
  story.PassUntil("2026-11-23 13:01");
  story.Attempt(kNoAnswer);
  EXPECT_EQ(story.VerdictOf(1), record::VERDICT_KEPT);
  EXPECT_EQ(story.callback.phase(), CallbackRecord::PHASE_FOLLOW_UP);
  EXPECT_EQ(story.next_timer, At("2026-11-23 13:31"));
  story.Forget();
  story.PassUntil("2026-11-23 13:50");
  EXPECT_THAT(story.Times("overdue"), ElementsAre("11-23 13:31"));
  EXPECT_THAT(story.Times("reminded"), ElementsAre("11-23 13:31"));
  EXPECT_EQ(story.ToldBy(DeliveryRecord::KIND_REMINDER), "anna");
  EXPECT_THAT(story.Times("alarm"), ElementsAre("11-23 13:36", "11-23 13:46"));
  EXPECT_EQ(story.deliveries[0].alarm_kind(), record::ALARM_KIND_FOLLOW_UP);
  story.Attempt(kNoAnswer);
  EXPECT_EQ(story.next_timer, At("2026-11-23 14:20"));
}

TEST(Attempt, LoggingOldDialsCannotPushTheFollowUpAway) {
  Story story;
  story.Open();
  story.PromiseSpoken("2026-11-23 13:00");
  story.PassUntil("2026-11-23 13:01");
  story.Attempt(kNoAnswer);
  story.PassUntil("2026-11-23 13:40");
  const std::string before = Bytes(story.callback.escalation());
  story.Attempt(kNoAnswer, "2026-11-23 13:00");
  EXPECT_EQ(Bytes(story.callback.escalation()), before);
  story.Attempt(kNoAnswer, "2026-11-23 13:10");
  EXPECT_EQ(FromProto(story.callback.follow_up_time()), At("2026-11-23 13:40"));
}

TEST(Attempt, WithoutAPromiseSettlesFromTheResponseTargetOn) {
  Story story;
  story.Open();
  story.PassUntil("2026-11-23 12:00");
  story.Attempt(kNoAnswer);
  EXPECT_EQ(story.callback.phase(), CallbackRecord::PHASE_WAITING);
  EXPECT_EQ(story.next_timer, At("2026-11-23 13:00"));
  story.PassUntil("2026-11-23 13:00");
  story.Attempt(kNoAnswer);
  EXPECT_EQ(story.callback.phase(), CallbackRecord::PHASE_FOLLOW_UP);
}

TEST(Attempt, HasATimeThatCanBeTrue) {
  Story story;
  story.Open();
  EXPECT_REFUSED(story.Try(LogAttempt{kReached, story.now + absl::Nanoseconds(1), ""}), "CALLED_TIME_AHEAD");
  EXPECT_REFUSED(story.Try(LogAttempt{kReached, story.now - absl::Seconds(1), ""}), "CALLED_TIME_BEFORE_REQUEST");
  EXPECT_REFUSED(story.Try(LogAttempt{AttemptRecord::OUTCOME_UNSPECIFIED, story.now, ""}), "MISSING");
  EXPECT_EQ(story.callback.attempts_size(), 0);
}

TEST(Attempt, ReachedIsCountedApartFromAttempted) {
  Story story;
  story.Open();
  story.PassUntil("2026-11-23 10:00");
  story.Attempt(kNoAnswer);
  story.Attempt(kReached);
  EXPECT_EQ(story.Counted("attempted"), 2);
  EXPECT_EQ(story.Counted("reached"), 1);
  EXPECT_EQ(story.Counted("attempted/anna"), 2);
}

TEST(WrapUp, AsksDailyInTheTeamsHoursUntilItIsClosed) {
  Story story(SmallTeam(), "2026-11-26 10:00");  // Thursday
  story.Open();
  story.Attempt(kReached);
  story.PassUntil("2026-12-01 12:00");
  EXPECT_THAT(story.Times("wrap_up_due"), ElementsAre("11-27 10:00", "11-30 08:00", "12-01 08:00"));
}

TEST(RangAgain, SettlesNothingAndAfterTheTalkTheCustomerWaitsAgain) {
  Story story;
  story.Open();
  story.PromiseSpoken("2026-11-23 13:00");
  story.Do(RangAgain{"noch einmal"}, "tk07intake");
  story.Do(RangAgain{"zum dritten Mal"}, "tk07intake");
  EXPECT_EQ(story.callback.rings(), 3);
  EXPECT_EQ(story.callback.note(), "noch einmal\n\nzum dritten Mal");
  EXPECT_EQ(story.next_timer, At("2026-11-23 12:45"));
  story.PassUntil("2026-11-23 13:00");
  story.Attempt(kReached);
  story.Do(RangAgain{""}, "tk07intake");
  EXPECT_EQ(story.callback.phase(), CallbackRecord::PHASE_WAITING);
  EXPECT_EQ(story.next_timer, At("2026-11-23 17:00"));
}

TEST(RangAgain, ToldAfterATalkThatCameLaterItChangesNothingButTheCount) {
  Story story;
  story.Open();
  story.PassUntil("2026-11-23 11:00");
  story.Attempt(kReached);
  story.PassUntil("2026-11-23 11:05");
  story.Do(RangAgain{"", At("2026-11-23 10:58")}, "tk07intake");
  EXPECT_EQ(story.callback.phase(), CallbackRecord::PHASE_TALKED);
  EXPECT_EQ(story.callback.rings(), 2);
  story.Do(RangAgain{"", At("2026-11-23 11:03")}, "tk07intake");
  EXPECT_EQ(story.callback.phase(), CallbackRecord::PHASE_WAITING);
  EXPECT_EQ(FromProto(story.callback.last_ring_time()), At("2026-11-23 11:03"));
}

TEST(LogAttempt, OfSomebodyElsesCallIsTheirsAndTheHistorySaysWhoLoggedIt) {
  Story story;
  story.Open();
  LogAttempt command{kReached, story.now, ""};
  command.member_id = "ben";
  story.Do(command, "tk07intake");
  EXPECT_EQ(story.callback.attempts(0).author(), "ben");
  EXPECT_EQ(story.Counted("attempted/ben"), 1);
  EXPECT_EQ(story.Counted("reached/ben"), 1);
  EXPECT_EQ(story.Counted("attempted/anna"), 0);
  const auto& event = *std::find_if(story.callback.history().begin(), story.callback.history().end(),
                                    [](const auto& one) { return one.what() == "attempted"; });
  EXPECT_EQ(event.author(), "tk07intake");
  EXPECT_EQ(event.details().at("member_id"), "ben");
}

TEST(SpokenPromise, IsConfirmedInWritingOnlyWhenAsked) {
  Story story;
  story.Open();
  story.PromiseSpoken("2026-11-23 13:00");
  EXPECT_EQ(story.ToldBy(DeliveryRecord::KIND_VOICE_MESSAGE), "");
  MakePromise command{At("2026-11-23 14:00"), PromiseRecord::CHANNEL_SPOKEN, "", false, ""};
  command.confirm = true;
  story.Do(command);
  EXPECT_EQ(story.callback.phase(), CallbackRecord::PHASE_PROMISED);
  EXPECT_EQ(FromProto(ArmedPromise(story.callback)->promised_time()), At("2026-11-23 14:00")) << "counts at once";
  EXPECT_EQ(story.VerdictOf(1), record::VERDICT_MOVED_BY_TEAM);
  ASSERT_EQ(story.ToldBy(DeliveryRecord::KIND_VOICE_MESSAGE), "customer");
  EXPECT_EQ(story.deliveries.back().channels(0).address(), "mueller@example.com");
  EXPECT_EQ(story.deliveries.back().state(), DeliveryRecord::STATE_QUEUED);
  // The next time is in the calendar entry's next version, and the entry goes out once.
  const int sequence = story.callback.calendar_sequence();
  story.Accept(story.deliveries.back());
  command.promised_time = At("2026-11-23 15:00");
  story.Do(command);
  EXPECT_EQ(story.callback.calendar_sequence(), sequence + 1);
  EXPECT_EQ(story.ToldBy(DeliveryRecord::KIND_PROMISE_UPDATE), "");
}

TEST(SpokenPromise, StandsWhenItsConfirmationFailsAndTheAssigneeIsTold) {
  for (const bool accepted_first : {false, true}) {
    Story story;
    story.Open();
    MakePromise command{At("2026-11-23 13:00"), PromiseRecord::CHANNEL_SPOKEN, "", false, ""};
    command.confirm = true;
    story.Do(command);
    const DeliveryRecord confirmation = story.deliveries.back();
    if (accepted_first) story.Accept(confirmation);
    story.Outcome(confirmation, DeliveryOutcome::Result::kFailed, "550 no such user");
    EXPECT_NE(ArmedPromise(story.callback), nullptr);
    ASSERT_EQ(story.ToldBy(DeliveryRecord::KIND_DELIVERY_ALARM), "anna anna");
    EXPECT_EQ(story.deliveries.back().what(), "confirmation_failed");
  }
}

TEST(SpokenPromise, NeedsAnAddressToConfirmTo) {
  Story story;
  story.Open();
  record::Caller caller = story.callback.caller();
  caller.clear_email();
  story.Do(UpdateCaller{caller});
  MakePromise command{At("2026-11-23 13:00"), PromiseRecord::CHANNEL_SPOKEN, "", false, ""};
  command.confirm = true;
  const absl::Status refused = story.Try(command);
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(DetailOf(refused).field, "caller.email");
  command.channel = PromiseRecord::CHANNEL_LINK_SHARED;
  EXPECT_EQ(DetailOf(story.Try(command)).field, "confirm");
}

// ---- promises by message: pending, armed (laws 1 and 4) -------------------------------------------------------------

TEST(PendingPromise, LeavesWhatWasArmedBeforeInForce) {
  Story story;
  story.Open();
  const auto delivery = story.PromiseByMail("2026-11-23 15:00");
  EXPECT_EQ(story.next_timer, At("2026-11-23 13:00"));  // the response target
  EXPECT_EQ(FromProto(delivery.stake_time()), At("2026-11-23 14:45"));
  EXPECT_EQ(delivery.channels(0).address(), "mueller@example.com");
  EXPECT_EQ(story.Counted("promised"), 0);
  story.now = At("2026-11-23 09:01");
  story.Accept(delivery);
  EXPECT_EQ(story.next_timer, At("2026-11-23 14:45"));
  EXPECT_EQ(ArmedPromise(story.callback)->revision(), 1);
  EXPECT_EQ(story.Counted("promised"), 1);
}

TEST(PendingPromise, ReplacesTheArmedOneOnAcceptance) {
  Story story;
  story.Open();
  story.PromiseSpoken("2026-11-23 13:00");
  const auto delivery = story.PromiseByMail("2026-11-23 15:00");
  EXPECT_EQ(ArmedPromise(story.callback)->revision(), 1);
  story.PassUntil("2026-11-23 12:59");
  story.Accept(delivery);
  EXPECT_EQ(story.VerdictOf(1), record::VERDICT_MOVED_BY_TEAM);
  EXPECT_EQ(ArmedPromise(story.callback)->revision(), 2);
}

TEST(PendingPromise, AcceptedWhenTheOldOneWasDueLeavesItMissed) {
  Story story;
  story.Open();
  story.PromiseSpoken("2026-11-23 13:00");
  const auto delivery = story.PromiseByMail("2026-11-23 15:00");
  story.PassUntil("2026-11-23 13:00");
  story.Accept(delivery);
  EXPECT_EQ(story.VerdictOf(1), record::VERDICT_MISSED);
}

TEST(PendingPromise, IsWithdrawnByANewerOne) {
  Story story;
  story.Open();
  const auto first = story.PromiseByMail("2026-11-23 15:00");
  const auto second = story.PromiseByMail("2026-11-23 16:00");
  EXPECT_THAT(story.withdrawn, ElementsAre(first.id()));
  EXPECT_EQ(story.callback.promises(0).state(), PromiseRecord::STATE_WITHDRAWN);
  EXPECT_FALSE(StillNeeded(story.callback, first, story.team, story.now));
  EXPECT_TRUE(StillNeeded(story.callback, second, story.team, story.now));
  // The first was already on the wire: what the customer holds in hand is what the team owes.
  story.Accept(first);
  EXPECT_EQ(ArmedPromise(story.callback)->revision(), 1);
  story.Accept(second);
  EXPECT_EQ(story.VerdictOf(1), record::VERDICT_MOVED_BY_TEAM);
  EXPECT_EQ(ArmedPromise(story.callback)->revision(), 2);
}

TEST(PendingPromise, AnOlderMessageAfterANewerOneChangesNothing) {
  Story story;
  story.Open();
  const auto first = story.PromiseByMail("2026-11-23 15:00");
  story.PromiseSpoken("2026-11-23 16:00");
  story.Accept(first);
  EXPECT_EQ(ArmedPromise(story.callback)->revision(), 2);
  EXPECT_EQ(story.VerdictOf(1), record::VERDICT_UNSPECIFIED);
}

TEST(PendingPromise, IsWithdrawnByAConversation) {
  Story story;
  story.Open();
  const auto delivery = story.PromiseByMail("2026-11-23 15:00");
  story.PassUntil("2026-11-23 09:30");
  story.Attempt(kReached);
  EXPECT_THAT(story.withdrawn, ElementsAre(delivery.id()));
  story.Accept(delivery);
  EXPECT_EQ(story.callback.phase(), CallbackRecord::PHASE_TALKED);
}

TEST(PendingPromise, WaitsForItsRecording) {
  Story story;
  story.Open();
  EXPECT_EQ(story.PromiseByMail("2026-11-23 15:00", false).state(), DeliveryRecord::STATE_WAITING);
  EXPECT_EQ(story.PromiseByMail("2026-11-23 15:00", true).state(), DeliveryRecord::STATE_QUEUED);
}

TEST(DeliveryGuard, AlarmsTheRepAQuarterOfAnHourBefore) {
  Story story;
  story.Open();
  const auto delivery = story.PromiseByMail("2026-11-23 12:00");
  story.PassUntil("2026-11-23 11:44");
  EXPECT_EQ(story.ToldBy(DeliveryRecord::KIND_DELIVERY_ALARM), "");
  story.PassUntil("2026-11-23 11:45");
  EXPECT_EQ(story.callback.delivery_alarm(), "not_accepted_in_time");
  EXPECT_NE(story.ToldBy(DeliveryRecord::KIND_DELIVERY_ALARM), "");
  EXPECT_NE(PendingPromise(story.callback), nullptr);
  story.now = At("2026-11-23 11:50");
  story.Accept(delivery);
  EXPECT_EQ(story.callback.delivery_alarm(), "");
  EXPECT_THAT(story.Times("delivery_alarm_cleared"), ElementsAre("11-23 11:50"));
  EXPECT_EQ(ArmedPromise(story.callback)->revision(), 1);
  EXPECT_EQ(story.next_timer, At("2026-11-23 12:00"));  // armed too late for the first reminder
}

TEST(DeliveryGuard, TakesHalfTheSpanOfAShortPromise) {
  Story story;
  story.Open();
  EXPECT_EQ(FromProto(story.PromiseByMail("2026-11-23 09:10").stake_time()), At("2026-11-23 09:05"));
}

TEST(DeliveryGuard, AlarmsOnceWhoeverNoticesFirst) {
  Story story;
  story.Open();
  const auto delivery = story.PromiseByMail("2026-11-23 12:00");
  story.PassUntil("2026-11-23 11:45");
  const size_t alarms = story.deliveries.size();
  story.Outcome(delivery, Result::kAtStake, "421 try later");
  EXPECT_EQ(story.deliveries.size(), alarms);
}

TEST(DeliveryGuard, AServerThatWasAwayHasRefusedNothing) {
  Story story;
  story.Open();
  auto delivery = story.PromiseByMail("2026-11-23 12:00");
  delivery.add_tries()->set_reason("could not connect");
  story.Outcome(delivery, Result::kFailed, "could not connect");
  EXPECT_EQ(story.callback.delivery_alarm(), "not_accepted: could not connect");
}

TEST(DeliveryGuard, UnacceptedAtItsTimeIsNotDeliveredThoughALateAcceptanceStillArms) {
  Story story;
  story.Open();
  const auto delivery = story.PromiseByMail("2026-11-23 12:00");
  story.PassUntil("2026-11-23 12:00");
  EXPECT_EQ(story.callback.promises(0).state(), PromiseRecord::STATE_NOT_DELIVERED);
  EXPECT_FALSE(StillNeeded(story.callback, delivery, story.team, story.now));
  EXPECT_EQ(story.callback.phase(), CallbackRecord::PHASE_WAITING);
  story.Forget();
  story.now = At("2026-11-23 12:07");
  story.Accept(delivery);
  EXPECT_TRUE(IsOverdue(story.callback, story.now));
  story.PassUntil("2026-11-23 12:20");
  EXPECT_EQ(story.ToldBy(DeliveryRecord::KIND_REMINDER), "anna");
  // +5 min is past when it is accepted, +15 min is not: counted from the promised time.
  EXPECT_THAT(story.Times("alarm"), ElementsAre("11-23 12:07", "11-23 12:15"));
}

TEST(RefusedMessage, AlarmsAtOnceByTheNextChannel) {
  Story story;
  auto& anna = MemberOf(story.team, "anna");
  for (const auto& [kind, address] : {std::pair(Channel::KIND_MAIL, "anna@example.com"),
                                      std::pair(Channel::KIND_WEBHOOK, "https://example.com/hook"),
                                      std::pair(Channel::KIND_SMS, "+4930654321")}) {
    auto& channel = *anna.add_channels();
    channel.set_kind(kind);
    channel.set_address(address);
  }
  story.Open();
  const auto message = story.PromiseByMail("2026-11-23 15:00");
  story.Forget();
  story.Outcome(message, Result::kFailed, "550 5.1.1 no such user");
  EXPECT_EQ(story.callback.promises(0).state(), PromiseRecord::STATE_NOT_DELIVERED);
  EXPECT_EQ(story.callback.delivery_alarm(), "refused: 550 5.1.1 no such user");
  ASSERT_EQ(story.deliveries.size(), 1u);
  const auto& alarm = story.deliveries[0];
  EXPECT_EQ(alarm.kind(), DeliveryRecord::KIND_DELIVERY_ALARM);
  EXPECT_EQ(alarm.what(), "refused");
  EXPECT_EQ(alarm.reason(), "550 5.1.1 no such user");
  std::vector<int> kinds;
  for (const auto& channel : alarm.channels()) kinds.push_back(channel.kind());
  EXPECT_THAT(kinds, ElementsAre(Channel::KIND_WEBHOOK, Channel::KIND_SMS, Channel::KIND_DESK, Channel::KIND_MAIL));
  EXPECT_EQ(story.next_timer, At("2026-11-23 13:00"));  // the response target still runs
  for (const auto& event : story.events) {
    for (const auto& [key, value] : event.details()) EXPECT_EQ(value.find("no such user"), std::string::npos);
  }
}

TEST(RefusedMessage, ReachesARepWithMailAloneOnTheDeskAndByMail) {
  Story story;
  story.Open();
  const auto message = story.PromiseByMail("2026-11-23 15:00");
  story.Forget();
  story.Outcome(message, Result::kFailed, "550");
  ASSERT_EQ(story.deliveries.size(), 2u);
  EXPECT_EQ(story.deliveries[0].channels(0).kind(), Channel::KIND_DESK);
  EXPECT_EQ(story.deliveries[1].channels(0).kind(), Channel::KIND_MAIL);
}

TEST(RefusedMessage, ThatBouncedAfterAcceptanceAlarmsAndPausesNothing) {
  Story story;
  story.Open();
  const auto message = story.PromiseByMail("2026-11-23 15:00");
  story.Accept(message);
  story.Outcome(message, Result::kFailed, "bounced");
  EXPECT_EQ(story.callback.delivery_alarm(), "bounced: bounced");
  EXPECT_EQ(ArmedPromise(story.callback)->revision(), 1);
  story.PromiseSpoken("2026-11-23 16:00");
  EXPECT_EQ(story.callback.delivery_alarm(), "");
}

TEST(RefusedMessage, RedStateEndsWithAConversation) {
  Story story;
  story.Open();
  story.Outcome(story.PromiseByMail("2026-11-23 15:00"), Result::kFailed, "550");
  story.Attempt(kNoAnswer);
  EXPECT_NE(story.callback.delivery_alarm(), "");
  story.Attempt(kReached);
  EXPECT_EQ(story.callback.delivery_alarm(), "");
}

TEST(Resend, GoesToTheAddressAsItIsNow) {
  Story story;
  story.Open();
  EXPECT_REFUSED(story.Try(Resend{}), "NOTHING_TO_RESEND");
  const auto first = story.PromiseByMail("2026-11-23 12:00");
  story.PassUntil("2026-11-23 09:10");
  story.Outcome(first, Result::kFailed, "550");
  record::Caller caller = story.callback.caller();
  caller.set_email("richtig@example.com");
  story.Do(UpdateCaller{caller});
  story.Do(Resend{});
  const auto second = story.deliveries.back();
  EXPECT_EQ(second.channels(0).address(), "richtig@example.com");
  EXPECT_EQ(PendingPromise(story.callback)->revision(), 1);
  EXPECT_FALSE(StillNeeded(story.callback, first, story.team, story.now));
  story.Outcome(first, Result::kFailed, "550");  // a second bounce of the first says nothing of the second
  EXPECT_NE(PendingPromise(story.callback), nullptr);
  story.Accept(second);
  EXPECT_EQ(ArmedPromise(story.callback)->revision(), 1);
  EXPECT_EQ(story.callback.delivery_alarm(), "");
  story.PassUntil("2026-11-23 12:00");
  EXPECT_REFUSED(story.Try(Resend{}), "PROMISED_TIME_PASSED");
}

TEST(Resend, TheFirstMessageMayStillArrive) {
  Story story;
  story.Open();
  const auto first = story.PromiseByMail("2026-11-23 12:00");
  story.Do(Resend{});
  story.Accept(first);
  EXPECT_EQ(ArmedPromise(story.callback)->revision(), 1);
}

TEST(Note, StandsInTheHistoryAloneAlsoOfAClosedCallback) {
  Story story;
  story.Open();
  story.Do(Cancel{"test"});
  story.Forget();
  story.Take(Note(story.callback, "dead_letter_dropped", "dl07x", story.team, {"mia"}, story.now));
  EXPECT_EQ(story.events.size(), 1u);
  EXPECT_EQ(story.next_timer, std::nullopt);
  EXPECT_THAT(story.deliveries, IsEmpty());
}

TEST(FailedRecording, IsAnAlarmToTheRep) {
  Story story;
  story.Open();
  const auto message = story.PromiseByMail("2026-11-23 15:00", false);
  story.Forget();
  story.Take(OnRecordingFailed(story.callback, "rc07take", "NOT_AUDIO", story.team, story.now));
  EXPECT_THAT(story.withdrawn, ElementsAre(message.id()));
  EXPECT_EQ(story.callback.promises(0).state(), PromiseRecord::STATE_NOT_DELIVERED);
  EXPECT_EQ(story.callback.delivery_alarm(), "recording_failed: NOT_AUDIO");
  ASSERT_EQ(story.deliveries.size(), 1u);
  EXPECT_EQ(story.deliveries[0].channels(0).kind(), Channel::KIND_MAIL);
}

TEST(MakePromise, NamesWhatIsWrong) {
  Story story;
  story.Open();
  const auto refused = [&](const std::string& at, PromiseRecord::Channel channel, const std::string& recording) {
    return DetailOf(story.Try(MakePromise{At(at), channel, recording, true, ""}));
  };
  EXPECT_EQ(refused("2026-11-23 09:00", PromiseRecord::CHANNEL_SPOKEN, "").reason, "PROMISED_TIME_PASSED");
  EXPECT_EQ(refused("2026-11-22 09:00", PromiseRecord::CHANNEL_SPOKEN, "").field, "promised_time");
  EXPECT_EQ(refused("2027-02-21 09:00:01", PromiseRecord::CHANNEL_SPOKEN, "").reason, "PROMISED_TIME_TOO_FAR");
  EXPECT_EQ(refused("2027-02-21 09:00", PromiseRecord::CHANNEL_SPOKEN, "").reason, "");
  EXPECT_EQ(refused("2026-11-23 13:00", PromiseRecord::CHANNEL_UNSPECIFIED, "").field, "channel");
  EXPECT_EQ(refused("2026-11-23 13:00", PromiseRecord::CHANNEL_VOICE_MAIL, "").field, "recording_id");
  story.callback.mutable_caller()->clear_email();
  story.PassUntil("2026-11-23 09:30");
  const auto sms = story.PromiseByMail("2026-11-23 13:00");
  EXPECT_EQ(sms.channels(0).kind(), Channel::KIND_SMS);
  story.callback.mutable_caller()->clear_phone();
  EXPECT_EQ(refused("2026-11-23 13:00", PromiseRecord::CHANNEL_VOICE_MAIL, "rc07take").field, "caller.email");
  EXPECT_EQ(refused("2026-11-23 13:00", PromiseRecord::CHANNEL_SMS, "").field, "caller.phone");
}

TEST(MakePromise, WarnsOfLeaveAndOfTeamHours) {
  Story story;
  AddAbsence(MemberOf(story.team, "anna"), At("2026-11-24 00:00"), At("2026-11-25 00:00"), "ben");
  story.Open();
  story.PromiseSpoken("2026-11-24 13:00");
  ASSERT_EQ(story.warnings.size(), 1u);
  EXPECT_EQ(story.warnings[0], "Member anna is away at 2026-11-24 13:00; Member ben stands in");
  story.PromiseSpoken("2026-11-28 13:00");
  ASSERT_EQ(story.warnings.size(), 1u);
  EXPECT_EQ(story.warnings[0], "2026-11-28 13:00 is outside the team's hours");
}

TEST(MakePromise, OfAnUnassignedCallMakesTheMemberOweIt) {
  Story story;
  story.Open("");
  story.Do(MakePromise{At("2026-11-23 13:00"), PromiseRecord::CHANNEL_SPOKEN, "", false, ""}, "ben");
  EXPECT_EQ(story.callback.assignee_id(), "ben");
  story.PassUntil("2026-11-23 12:45");
  EXPECT_EQ(story.ToldBy(DeliveryRecord::KIND_REMINDER), "ben");
}

TEST(MakePromise, SpokenAfterAMailedOneUpdatesTheCalendarEntry) {
  Story story;
  story.Open();
  story.Accept(story.PromiseByMail("2026-11-23 13:00"));
  story.Forget();
  story.PromiseSpoken("2026-11-23 14:00");
  ASSERT_EQ(story.deliveries.size(), 1u);
  EXPECT_EQ(story.deliveries[0].kind(), DeliveryRecord::KIND_PROMISE_UPDATE);
  EXPECT_EQ(story.deliveries[0].calendar_sequence(), 1);
}

// ---- reminders and snooze -------------------------------------------------------------------------------------------

TEST(Reminder, ThatWasSleptThroughComesOnce) {
  Story story;
  story.Open();
  story.PromiseSpoken("2026-11-23 13:00");
  story.SleepUntil("2026-11-23 13:01");
  EXPECT_EQ(story.ToldBy(DeliveryRecord::KIND_REMINDER), "anna");
  EXPECT_FALSE(story.deliveries[0].lead_reminder());
}

TEST(Reminder, GoesToTheSubstituteOfTheSubstitute) {
  Story story;
  story.Open();
  story.PromiseSpoken("2026-11-23 13:00");
  AddAbsence(MemberOf(story.team, "anna"), At("2026-11-23 10:00"), At("2026-11-24 00:00"), "ben");
  AddAbsence(MemberOf(story.team, "ben"), At("2026-11-23 10:00"), At("2026-11-24 00:00"), "mia");
  story.PassUntil("2026-11-23 12:45");
  EXPECT_EQ(story.ToldBy(DeliveryRecord::KIND_REMINDER), "mia");
  EXPECT_EQ(story.deliveries[0].stands_in_for_id(), "anna");
}

TEST(Reminder, OfAnUnassignedCallGoesToTheManagers) {
  Story story;
  story.Open("");
  story.Do(MakePromise{At("2026-11-23 13:00"), PromiseRecord::CHANNEL_SPOKEN, "", false, ""}, "tk07other");
  story.PassUntil("2026-11-23 13:00");
  EXPECT_EQ(story.ToldBy(DeliveryRecord::KIND_REMINDER), "mia mia");
}

TEST(Reminder, OnADayOfClockChangeComesTheSameTimeBefore) {
  Story story(SmallTeam(), "2027-03-27 20:00");
  *story.team.mutable_policy()->mutable_reminder_lead() = ToProto(absl::Minutes(90));
  story.Open();
  story.PromiseSpoken("2027-03-28 03:30");
  EXPECT_EQ(story.next_timer, At("2027-03-28 01:00"));  // 2:00 to 3:00 does not exist
}

TEST(Snooze, NeverReachesPastThePromisedTime) {
  Story story;
  story.Open();
  EXPECT_REFUSED(story.Try(Snooze{absl::Minutes(10)}), "NO_PROMISE");
  story.PromiseSpoken("2026-11-23 13:00");
  story.PassUntil("2026-11-23 12:46");
  story.Do(Snooze{absl::Minutes(10)});
  EXPECT_EQ(story.next_timer, At("2026-11-23 12:56"));
  story.PassUntil("2026-11-23 12:56");
  story.Do(Snooze{absl::Hours(10)});
  EXPECT_EQ(story.next_timer, At("2026-11-23 13:00"));
  EXPECT_EQ(FromProto(story.callback.snooze_until()), At("2026-11-23 13:00"));  // what the desk shows
  story.PassUntil("2026-11-23 13:00");
  EXPECT_EQ(story.ToldBy(DeliveryRecord::KIND_REMINDER), "anna anna anna");
  EXPECT_REFUSED(story.Try(Snooze{absl::Minutes(1)}), "ALREADY_DUE");
  EXPECT_EQ(DetailOf(story.Try(Snooze{absl::ZeroDuration()})).field, "duration");
}

TEST(Snooze, HoldsTheReminderThatIsStillToCome) {
  Story story;
  story.Open();
  story.PromiseSpoken("2026-11-23 10:00");
  story.PassUntil("2026-11-23 09:40");
  story.Do(Snooze{absl::Minutes(15)});
  EXPECT_EQ(story.next_timer, At("2026-11-23 09:55"));
  story.PassUntil("2026-11-23 09:54");
  EXPECT_THAT(story.Times("reminded"), IsEmpty());
  story.PassUntil("2026-11-23 10:00");
  EXPECT_THAT(story.Times("reminded"), ElementsAre("11-23 09:55", "11-23 10:00"));
}

TEST(Snooze, ThatEndsBeforeTheReminderLeavesItWhereItIs) {
  Story story;
  story.Open();
  story.PromiseSpoken("2026-11-23 13:00");
  story.Do(Snooze{absl::Minutes(10)});
  story.PassUntil("2026-11-23 13:00");
  EXPECT_THAT(story.Times("reminded"), ElementsAre("11-23 09:10", "11-23 12:45", "11-23 13:00"));
}

TEST(Snooze, PastThePromisedTimeIsReplacedByTheReminderThen) {
  Story story;
  story.Open();
  story.PromiseSpoken("2026-11-23 10:00");
  story.PassUntil("2026-11-23 09:30");
  story.Do(Snooze{absl::Hours(3)});
  story.PassUntil("2026-11-23 10:00");
  EXPECT_THAT(story.Times("reminded"), ElementsAre("11-23 10:00"));
  EXPECT_FALSE(story.deliveries.back().lead_reminder());
}

// ---- escalation: laws 5 and 6 ---------------------------------------------------------------------------------------

TEST(Escalation, GoesUpStepByStepThenHourlyThenDaily) {
  Story story;
  story.Open();
  story.PromiseSpoken("2026-11-23 09:30");
  story.PassUntil("2026-11-27 18:30");
  EXPECT_THAT(story.Times("alarm"),
              ElementsAre("11-23 09:35", "11-23 09:45", "11-23 10:00", "11-23 11:00", "11-23 12:00", "11-23 13:00",
                          "11-23 14:00", "11-23 15:00", "11-23 16:00", "11-23 17:00",
                          "11-24 08:00",  // the 18:00 one, held for the morning
                          "11-25 08:00", "11-26 08:00", "11-27 08:00"));
  EXPECT_EQ(story.Counted("overdue"), 1);
  EXPECT_EQ(story.Counted("alarms"), 14);
}

TEST(Escalation, AStepWithoutDelayFiresWithTheOverdue) {
  Story story;
  story.team.mutable_policy()->mutable_steps(0)->mutable_delay()->set_seconds(0);
  story.Open();
  story.PromiseSpoken("2026-11-23 13:00");
  story.PassUntil("2026-11-23 12:50");
  story.Forget();
  story.SleepUntil("2026-11-23 13:00");
  EXPECT_EQ(story.ToldBy(DeliveryRecord::KIND_ESCALATION), "anna mia");
}

TEST(Escalation, AfterALongOutageOneAlarmStandsForAll) {
  Story story;
  story.Open();
  story.PromiseSpoken("2026-11-23 13:00");
  story.SleepUntil("2026-11-25 10:00");
  EXPECT_EQ(story.ToldBy(DeliveryRecord::KIND_ESCALATION), "anna mia adam");
  // Three steps, eight repeats and one daily notice; the next daily one is Wednesday 21:30, held for Thursday.
  EXPECT_EQ(story.deliveries.back().caught_up(), 12);
  story.PassUntil("2026-11-26 07:59");
  EXPECT_EQ(story.Times("alarm").size(), 1u);
}

TEST(Escalation, NightIsForTheFirstAlarmAloneAndTheMorningBringsOneDigest) {
  Story story(SmallTeam(), "2026-11-23 17:00");
  story.Open();
  story.PromiseSpoken("2026-11-23 19:00");
  story.PassUntil("2026-11-24 09:00");
  EXPECT_THAT(story.Times("alarm"), ElementsAre("11-23 19:05", "11-24 08:00"));
  EXPECT_FALSE(story.deliveries[2].digest());
  EXPECT_TRUE(story.deliveries.back().digest());
  EXPECT_EQ(story.deliveries.back().caught_up(), 10);
  EXPECT_THAT(story.Times("overdue"), ElementsAre("11-23 19:00"));  // never waits
}

TEST(Escalation, AStepForAnyTimeFiresAtNightAndTheHeldOnesFollow) {
  Story story(SmallTeam(), "2026-11-23 17:00");
  auto& policy = *story.team.mutable_policy();
  policy.mutable_steps(2)->clear_recipients();
  policy.mutable_steps(2)->add_recipients()->set_kind(record::Recipient::KIND_ADMINS);
  policy.mutable_steps(2)->set_any_time(true);
  policy.set_repeat_count(1);
  story.Open();
  story.PromiseSpoken("2026-11-23 19:00");
  story.Forget();
  story.PassUntil("2026-11-24 09:00");
  EXPECT_THAT(story.Times("alarm"), ElementsAre("11-23 19:05", "11-23 19:30", "11-23 20:30", "11-24 08:00"));
  EXPECT_EQ(story.ToldBy(DeliveryRecord::KIND_ESCALATION), "anna mia adam adam mia");  // the manager sleeps
}

TEST(Escalation, OutageThatEndsAtNightWaitsForTheMorning) {
  Story story;
  story.Open();
  story.PromiseSpoken("2026-11-23 13:00");
  story.PassUntil("2026-11-23 13:06");
  story.Forget();
  story.SleepUntil("2026-11-23 23:00");
  EXPECT_THAT(story.Times("alarm"), IsEmpty());
  EXPECT_EQ(story.next_timer, At("2026-11-24 08:00"));
  story.PassUntil("2026-11-24 08:00");
  EXPECT_THAT(story.Times("alarm"), ElementsAre("11-24 08:00"));
}

TEST(Escalation, GoesOnDailyForEverWhileNobodyActs) {
  Story story;
  story.Open();
  story.PromiseSpoken("2026-11-23 13:00");
  story.PassUntil("2027-11-23 13:00");
  const int days = story.Counted("alarms") - 11;
  EXPECT_GE(days, 250);  // held ones of a weekend come as one on Monday
  EXPECT_LE(*story.next_timer - story.now, absl::Hours(24 * 4));
}

record::Policy PolicyWith(std::vector<absl::Duration> delays, int repeat_from, int repeats, absl::Duration interval) {
  record::Policy policy = DefaultPolicy();
  policy.clear_steps();
  for (const absl::Duration delay : delays) {
    auto& step = *policy.add_steps();
    *step.mutable_delay() = ToProto(delay);
    step.add_recipients()->set_kind(record::Recipient::KIND_MANAGERS);
  }
  policy.set_repeat_from_step(repeat_from);
  policy.set_repeat_count(repeats);
  *policy.mutable_repeat_interval() = ToProto(interval);
  EXPECT_TRUE(CheckPolicy(policy).ok()) << CheckPolicy(policy);
  return policy;
}

// Law 6 under every change from one policy to another, at many moments: where the alarms stand is a moment and no number,
// so the next one is the new policy's first after the last that went off, and what is owed by now goes off at once.
TEST(Escalation, AChangedPolicyGoesOnFromTheSameMoment) {
  const std::vector<record::Policy> policies = {
      DefaultPolicy(),
      PolicyWith({absl::ZeroDuration()}, 0, 0, absl::Hours(1)),
      PolicyWith({absl::Minutes(5), absl::Minutes(10), absl::Minutes(15)}, 1, 20, absl::Minutes(1)),
      PolicyWith({absl::Minutes(1), absl::Hours(2)}, 2, 3, absl::Hours(12)),
      PolicyWith({absl::Minutes(90)}, 1, 20, absl::Minutes(7)),
  };
  for (size_t from = 0; from < policies.size(); ++from) {
    for (size_t to = 0; to < policies.size(); ++to) {
      for (const absl::Duration passed : {absl::Minutes(6), absl::Minutes(45), absl::Hours(9), absl::Hours(80)}) {
        SCOPED_TRACE(absl::StrCat("policy ", from, " to ", to, " after ", absl::FormatDuration(passed)));
        Story story;
        story.team.clear_calendar();  // always open
        *story.team.mutable_policy() = policies[from];
        story.Open();
        story.PromiseSpoken("2026-11-23 10:00");
        story.PassUntil(At("2026-11-23 10:00") + passed);
        const auto& escalation = story.callback.escalation();
        const absl::Time last =
            escalation.has_last_alarm_time() ? FromProto(escalation.last_alarm_time()) : absl::InfinitePast();
        story.Forget();

        *story.team.mutable_policy() = policies[to];
        int n = 0;
        while (At("2026-11-23 10:00") + AlarmAt(policies[to], n).offset <= last) ++n;
        const absl::Time next = std::max(story.now, At("2026-11-23 10:00") + AlarmAt(policies[to], n).offset);
        story.next_timer = NextTimer(story.callback, story.team, story.now);
        EXPECT_LE(*story.next_timer, next);
        story.PassUntil(next);
        EXPECT_EQ(story.Times("alarm").size(), 1u);
        for (int day = 0; day < 10; ++day) {
          story.Forget();
          story.PassUntil(story.now + absl::Hours(24));
          EXPECT_GE(story.Times("alarm").size(), 1u) << "a day of silence";
        }
      }
    }
  }
}

TEST(Acknowledge, HoldsTheAlarmsAndNothingElse) {
  Story story;
  story.Open();
  story.PromiseSpoken("2026-11-23 13:00");
  EXPECT_REFUSED(story.Try(Acknowledge{}), "NOT_OVERDUE");
  story.PassUntil("2026-11-23 13:06");
  story.Do(Acknowledge{});
  EXPECT_EQ(story.next_timer, At("2026-11-23 13:36"));
  EXPECT_TRUE(IsOverdue(story.callback, story.now));
  story.Forget();
  story.PassUntil("2026-11-23 13:36");
  EXPECT_THAT(story.Times("alarm"), ElementsAre("11-23 13:36"));
  EXPECT_EQ(story.deliveries.back().caught_up(), 2);
  story.Attempt(kReached);
  EXPECT_EQ(story.VerdictOf(1), record::VERDICT_LATE);
}

TEST(Acknowledge, HasATimeoutFromAMinuteToAWeek) {
  Story story;
  story.Open();
  story.PassUntil("2026-11-23 13:01");
  EXPECT_EQ(DetailOf(story.Try(Acknowledge{absl::Seconds(59)})).field, "timeout");
  EXPECT_EQ(DetailOf(story.Try(Acknowledge{absl::Hours(168) + absl::Seconds(1)})).field, "timeout");
  story.Do(Acknowledge{absl::Hours(168)});
  EXPECT_EQ(story.next_timer, At("2026-11-30 13:01"));
}

TEST(Acknowledge, EndsWithANewPromise) {
  Story story;
  story.Open();
  story.PromiseSpoken("2026-11-23 13:00");
  story.PassUntil("2026-11-23 13:01");
  story.Do(Acknowledge{absl::Hours(100)});
  story.PromiseSpoken("2026-11-23 14:00");
  EXPECT_EQ(story.VerdictOf(1), record::VERDICT_MISSED);
  story.PassUntil("2026-11-23 14:05");
  EXPECT_THAT(story.Times("alarm"), ElementsAre("11-23 14:05"));
}

TEST(OnTimer, EarlyChangesNothing) {
  Story story;
  story.Open();
  story.PromiseSpoken("2026-11-23 13:00");
  const std::string before = Bytes(story.callback);
  const Decision early = OnTimer(story.callback, story.team, *story.next_timer - absl::Milliseconds(1));
  EXPECT_EQ(Bytes(early.callback), before);
  EXPECT_EQ(early.next_timer, story.next_timer);
  EXPECT_TRUE(early.events.empty() && early.new_deliveries.empty() && early.counters.empty());
}

// ---- assigning ------------------------------------------------------------------------------------------------------

TEST(Assign, ChangesNoTimerAndTellsBothSides) {
  Story story;
  story.Open();
  story.Accept(story.PromiseByMail("2026-11-23 13:00"));
  const auto timer = story.next_timer;
  story.Forget();
  story.Do(Assign{"ben"}, "mia");
  EXPECT_EQ(story.next_timer, timer);
  EXPECT_EQ(story.ToldBy(DeliveryRecord::KIND_HANDOVER), "ben");
  EXPECT_EQ(story.ToldBy(DeliveryRecord::KIND_PROMISE_UPDATE), "customer");
  EXPECT_EQ(story.deliveries.back().calendar_sequence(), 1);
  EXPECT_EQ(story.callback.calendar_sequence(), 1);
  story.PassUntil("2026-11-23 12:45");
  EXPECT_EQ(story.ToldBy(DeliveryRecord::KIND_REMINDER), "ben");
  EXPECT_EQ(DetailOf(story.Try(Assign{"zoe"})).field, "assignee_id");
}

TEST(Assign, PastThePromisedTimeMailsTheCustomerNoPromise) {
  Story story;
  story.Open();
  story.Accept(story.PromiseByMail("2026-11-23 11:00"));
  story.PassUntil("2026-11-23 11:20");
  story.Forget();
  story.Do(Assign{"ben"}, "mia");  // the manager's rescue
  EXPECT_EQ(story.ToldBy(DeliveryRecord::KIND_HANDOVER), "ben");
  EXPECT_EQ(story.ToldBy(DeliveryRecord::KIND_PROMISE_UPDATE), "");
}

TEST(Assign, AnUpdateThatWaitedPastThePromisedTimeIsNotSent) {
  Story story;
  story.Open();
  story.Accept(story.PromiseByMail("2026-11-23 11:00"));
  story.Do(Assign{"ben"}, "mia");
  const DeliveryRecord update = story.deliveries.back();
  ASSERT_EQ(update.kind(), DeliveryRecord::KIND_PROMISE_UPDATE);
  EXPECT_TRUE(StillNeeded(story.callback, update, story.team, At("2026-11-23 10:59")));
  EXPECT_FALSE(StillNeeded(story.callback, update, story.team, At("2026-11-23 11:00")));
}

TEST(Assign, BackToNobodyLeavesTheTimersAndTheManagersToHearOfThem) {
  Story story;
  story.Open();
  const auto timer = story.next_timer;
  story.Forget();
  story.Do(Assign{""});
  EXPECT_EQ(story.callback.assignee_id(), "");
  EXPECT_EQ(story.callback.phase(), CallbackRecord::PHASE_WAITING);
  EXPECT_EQ(story.next_timer, timer);
  ASSERT_EQ(story.events.size(), 1u);
  EXPECT_EQ(story.events[0].what(), "assigned");
  EXPECT_EQ(story.events[0].author(), "anna");
  EXPECT_EQ(story.events[0].details().size(), 1u);
  EXPECT_EQ(story.events[0].details().at("from"), "anna");
  EXPECT_TRUE(story.deliveries.empty());
  story.Do(Assign{""});
  EXPECT_EQ(story.events.size(), 1u) << "nobody's already";
  story.PassUntil("2026-11-23 13:00");
  EXPECT_EQ(story.ToldBy(DeliveryRecord::KIND_REMINDER), "mia");
  EXPECT_EQ(story.Counted("response_overdue"), 1);
  EXPECT_EQ(story.Counted("response_overdue/anna"), 0) << "no longer hers";
}

TEST(Assign, BackToNobodyNeverLeavesAPromiseThatNobodyOwes) {
  Story story;
  story.Open();
  const DeliveryRecord message = story.PromiseByMail("2026-11-23 13:00");
  EXPECT_REFUSED(story.Try(Assign{""}), "PROMISE_RUNNING");
  story.Accept(message);
  EXPECT_REFUSED(story.Try(Assign{""}), "PROMISE_RUNNING");
  story.PassUntil("2026-11-23 13:30");
  EXPECT_REFUSED(story.Try(Assign{""}, "mia"), "PROMISE_RUNNING");
  EXPECT_EQ(story.callback.assignee_id(), "anna");
  // It has its verdict; what runs is the follow-up, and that is the managers' when nobody has it.
  story.Attempt(AttemptRecord::OUTCOME_NO_ANSWER);
  story.Forget();
  story.Do(Assign{""});
  story.PassUntil("2026-11-23 14:00");
  EXPECT_EQ(story.ToldBy(DeliveryRecord::KIND_REMINDER), "mia");
}

TEST(Assign, BackToNobodyEndsTheHoldOfWhoeverHadIt) {
  Story story;
  story.Open();
  story.PassUntil("2026-11-23 13:01");
  story.Do(Acknowledge{absl::Hours(3)});
  story.Do(Assign{""});
  EXPECT_FALSE(story.callback.escalation().has_ack_until());
  EXPECT_EQ(story.callback.escalation().ack_by(), "");
  story.PassUntil("2026-11-23 13:31");
  EXPECT_THAT(story.Times("alarm"), ElementsAre("11-23 13:05", "11-23 13:15", "11-23 13:30"));
  EXPECT_EQ(story.ToldBy(DeliveryRecord::KIND_ESCALATION), "mia mia mia adam") << "as if nobody had had it";
}

TEST(Assign, WhatWasToldToWhoeverHadItIsNotSentWhenNobodyHasIt) {
  Story story;
  story.Open();
  story.Do(Assign{"ben"}, "mia");
  const DeliveryRecord handover = story.deliveries.back();
  ASSERT_EQ(handover.kind(), DeliveryRecord::KIND_HANDOVER);
  EXPECT_TRUE(StillNeeded(story.callback, handover, story.team, story.now));
  story.Do(Assign{""}, "ben");
  EXPECT_FALSE(StillNeeded(story.callback, handover, story.team, story.now));
}

TEST(Update, SaysWhatNoLongerHoldsAndNothingElse) {
  Story story;
  story.Open();
  story.Accept(story.PromiseByMail("2026-11-23 11:00"));
  story.PromiseSpoken("2026-11-23 13:00");
  EXPECT_EQ(FromProto(story.deliveries.back().previous_promised_time()), At("2026-11-23 11:00"));
  EXPECT_EQ(story.deliveries.back().previous_assignee_id(), "");
  story.Do(Assign{"ben"}, "mia");
  EXPECT_EQ(story.deliveries.back().previous_assignee_id(), "anna");
  EXPECT_FALSE(story.deliveries.back().has_previous_promised_time());
  story.Do(CustomerMove{At("2026-11-23 16:00")}, "customer");
  for (const auto& delivery : story.deliveries) {
    if (delivery.what() != "moved_by_customer" || delivery.kind() != DeliveryRecord::KIND_PROMISE_UPDATE) continue;
    EXPECT_EQ(FromProto(delivery.previous_promised_time()), At("2026-11-23 13:00"));
  }
}

// ---- the customer ---------------------------------------------------------------------------------------------------

TEST(CustomerMove, ArmsAtOnceAndInterrupts) {
  Story story;
  story.Open();
  story.Accept(story.PromiseByMail("2026-11-23 13:00"));
  story.Forget();
  story.Do(CustomerMove{At("2026-11-23 16:00")}, "customer");
  EXPECT_EQ(story.VerdictOf(1), record::VERDICT_MOVED_BY_CUSTOMER);
  EXPECT_EQ(story.callback.promises(1).author(), "customer");
  EXPECT_EQ(ArmedPromise(story.callback)->revision(), 2);
  EXPECT_EQ(story.ToldBy(DeliveryRecord::KIND_NOTICE), "anna");
  EXPECT_EQ(story.ToldBy(DeliveryRecord::KIND_PROMISE_UPDATE), "customer");
  EXPECT_EQ(story.next_timer, At("2026-11-23 15:45"));
  EXPECT_EQ(DetailOf(story.Try(CustomerMove{At("2026-11-23 08:00")}, "customer")).field, "promised_time");
}

TEST(CustomerMove, AfterThePromisedTimeLeavesItMissed) {
  Story story;
  story.Open();
  story.PromiseSpoken("2026-11-23 13:00");
  story.PassUntil("2026-11-23 13:20");
  story.Do(CustomerMove{At("2026-11-23 16:00")}, "customer");
  EXPECT_EQ(story.VerdictOf(1), record::VERDICT_MISSED);
}

TEST(CustomerCallOff, ClosesAndTellsRepAndManagers) {
  Story story;
  story.Open();
  story.Accept(story.PromiseByMail("2026-11-23 13:00"));
  story.Forget();
  story.Do(CustomerCallOff{}, "customer");
  EXPECT_EQ(story.VerdictOf(1), record::VERDICT_CANCELLED_BY_CUSTOMER);
  EXPECT_EQ(story.callback.closing(), CallbackRecord::CLOSING_CALLED_OFF);
  EXPECT_EQ(story.ToldBy(DeliveryRecord::KIND_NOTICE), "anna mia");
  EXPECT_EQ(story.ToldBy(DeliveryRecord::KIND_CANCELLATION), "customer");
  EXPECT_EQ(story.next_timer, std::nullopt);
}

TEST(CustomerCallOff, CanBeUndoneByTheTeam) {
  Story story;
  story.Open();
  EXPECT_REFUSED(story.Try(Reopen{}), "NOT_CALLED_OFF");
  story.PromiseSpoken("2026-11-23 13:00");
  story.Do(CustomerCallOff{}, "customer");
  story.Do(Reopen{});
  EXPECT_EQ(story.VerdictOf(1), record::VERDICT_CANCELLED_BY_CUSTOMER);
  EXPECT_EQ(story.next_timer, At("2026-11-23 13:00"));
  EXPECT_EQ(story.purge_time, std::nullopt);
}

TEST(Reopen, TellsTheAssigneeUnlessItIsTheAssignee) {
  for (const auto& [who, told] : {std::pair{"mia", "anna"}, std::pair{"anna", ""}}) {
    Story story;
    story.Open();
    story.PromiseSpoken("2026-11-23 13:00");
    story.Do(CustomerCallOff{}, "customer");
    story.Forget();
    story.Do(Reopen{}, who);
    EXPECT_EQ(story.ToldBy(DeliveryRecord::KIND_NOTICE), told) << who;
    if (story.deliveries.empty()) continue;
    const DeliveryRecord notice = story.deliveries[0];
    EXPECT_EQ(notice.what(), "reopened");
    EXPECT_TRUE(StillNeeded(story.callback, notice, story.team, story.now));
    story.Do(CustomerCallOff{}, "customer");
    EXPECT_FALSE(StillNeeded(story.callback, notice, story.team, story.now));
  }
}

TEST(CustomerBrief, WaitsForTheReminder) {
  Story story;
  story.Open();
  story.PromiseSpoken("2026-11-23 13:00");
  const auto timer = story.next_timer;
  story.Forget();
  story.Do(CustomerBrief{"Es geht um das Angebot."}, "customer");
  story.Do(CustomerBrief{"Und um die Lieferung."}, "customer");
  EXPECT_EQ(story.callback.brief().text(), "Es geht um das Angebot.\n\nUnd um die Lieferung.");
  EXPECT_THAT(story.deliveries, IsEmpty());
  EXPECT_EQ(story.next_timer, timer);
}

// ---- closing: law 2 -------------------------------------------------------------------------------------------------

TEST(Complete, NeedsACall) {
  Story story;
  story.Open();
  EXPECT_REFUSED(story.Try(Complete{"done"}), "NO_ATTEMPT");
  story.Attempt(kReached);
  EXPECT_EQ(DetailOf(story.Try(Complete{""})).field, "disposition");
  // Promised anew on the phone: the old call is no excuse for the next one.
  story.now += absl::Minutes(1);
  story.PromiseSpoken("2026-11-23 13:00");
  EXPECT_REFUSED(story.Try(Complete{"done"}), "NO_ATTEMPT");
}

TEST(Complete, BeforeThePromisedCallLeavesItMissedAndTells) {
  Story story;
  story.Open();
  story.PromiseSpoken("2026-11-23 13:00");
  story.PassUntil("2026-11-23 12:00");
  story.Attempt(kNoAnswer);
  story.Do(Complete{"gave up"});
  EXPECT_EQ(story.VerdictOf(1), record::VERDICT_MISSED);
  EXPECT_EQ(story.ToldBy(DeliveryRecord::KIND_NOTICE), "mia");
  EXPECT_EQ(story.ToldBy(DeliveryRecord::KIND_CANCELLATION), "customer");
}

TEST(Cancel, WithoutACallNeedsAReasonAndTellsTheManager) {
  Story story;
  story.Open();
  story.PromiseSpoken("2026-11-23 13:00");
  EXPECT_EQ(DetailOf(story.Try(Cancel{""})).field, "reason");
  story.Do(Cancel{"duplicate"});
  EXPECT_EQ(story.VerdictOf(1), record::VERDICT_MISSED);
  EXPECT_EQ(story.callback.close_reason(), "duplicate");
  EXPECT_EQ(story.ToldBy(DeliveryRecord::KIND_NOTICE), "mia");
  EXPECT_EQ(story.ToldBy(DeliveryRecord::KIND_CANCELLATION), "customer");
  EXPECT_REFUSED(story.Try(Cancel{"again"}), "CALLBACK_CLOSED");
  EXPECT_REFUSED(story.Try(CustomerBrief{"hello"}), "CALLBACK_CLOSED");
}

TEST(Cancel, AfterACallKeepsTheVerdictAndTellsNobody) {
  Story story;
  story.Open();
  story.PromiseSpoken("2026-11-23 13:00");
  story.PassUntil("2026-11-23 13:01");
  story.Attempt(kNoAnswer);
  story.Forget();
  story.Do(Cancel{"number is wrong"});
  EXPECT_EQ(story.VerdictOf(1), record::VERDICT_KEPT);
  EXPECT_THAT(story.deliveries, IsEmpty());
}

TEST(Cancel, OfAPromiseTheCustomerNeverHeardOfSaysNothingToThem) {
  for (const bool left : {false, true}) {
    for (const bool complete : {false, true}) {
      Story story;
      story.Open();
      if (complete) story.Attempt(kNoAnswer);
      DeliveryRecord message = story.PromiseByMail("2026-11-23 13:00");
      if (left) message.set_state(DeliveryRecord::STATE_SENDING);
      story.Forget();
      const bool may_have = MayHaveLeft(message);
      EXPECT_EQ(may_have, left);
      story.Do(complete ? Command(Complete{"solved", may_have}) : Command(Cancel{"duplicate", may_have}));
      EXPECT_EQ(story.ToldBy(DeliveryRecord::KIND_CANCELLATION), left ? "customer" : "");
    }
  }
}

TEST(Deliveries, MayHaveLeftOnceATryWasBegun) {
  DeliveryRecord message;
  for (const auto state : {DeliveryRecord::STATE_WAITING, DeliveryRecord::STATE_QUEUED}) {
    message.set_state(state);
    EXPECT_FALSE(MayHaveLeft(message));
  }
  message.add_tries();  // the connection broke, who knows where
  EXPECT_TRUE(MayHaveLeft(message));
  message.clear_tries();
  for (const auto state : {DeliveryRecord::STATE_SENDING, DeliveryRecord::STATE_ACCEPTED}) {
    message.set_state(state);
    EXPECT_TRUE(MayHaveLeft(message));
  }
}

// Law 2: the conversation about the first request says nothing about the second.
TEST(RangAgain, AfterTheTalkIsClosedByANewCallOrWithAReasonThatTheManagerHears) {
  Story story;
  story.Open();
  story.now = At("2026-11-23 09:30");
  story.Attempt(kReached);
  story.now = At("2026-11-23 10:00");
  story.Do(RangAgain{"noch eine Frage"}, "tk07intake");
  ASSERT_EQ(story.callback.phase(), CallbackRecord::PHASE_WAITING);
  EXPECT_REFUSED(story.Try(Complete{"ordered"}), "NO_ATTEMPT");

  Story cancelled = story;
  cancelled.Forget();
  cancelled.Do(Cancel{"duplicate"});
  EXPECT_EQ(cancelled.ToldBy(DeliveryRecord::KIND_NOTICE), "mia");

  // A call from before the ring, logged late, changes nothing either.
  story.Attempt(kReached, "2026-11-23 09:50");
  EXPECT_FALSE(story.warnings.empty());
  EXPECT_EQ(story.callback.phase(), CallbackRecord::PHASE_WAITING);
  EXPECT_REFUSED(story.Try(Complete{"ordered"}), "NO_ATTEMPT");
  story.PassUntil("2026-11-23 15:00");
  story.Attempt(kNoAnswer, "2026-11-23 09:55");
  EXPECT_EQ(story.callback.phase(), CallbackRecord::PHASE_WAITING);

  story.Attempt(kReached);
  EXPECT_EQ(story.callback.phase(), CallbackRecord::PHASE_TALKED);
  story.Do(Complete{"ordered"});
}

TEST(Reopen, BeginsAWaitOfItsOwn) {
  Story story;
  story.Open();
  story.PassUntil("2026-11-23 13:10");
  story.Attempt(kNoAnswer);
  story.Do(CustomerCallOff{}, "customer");
  story.now += absl::Minutes(1);
  story.Do(Reopen{});
  EXPECT_REFUSED(story.Try(Complete{"ordered"}), "NO_ATTEMPT");
}

TEST(CustomerBrief, IsKeptWholeOrRefused) {
  Story story;
  story.Open();
  const std::string part(9000, 'x');
  story.Do(CustomerBrief{part}, "customer");
  story.Do(CustomerBrief{part}, "customer");
  const auto before = Bytes(story.callback);
  EXPECT_REFUSED(story.Try(CustomerBrief{part}, "customer"), "BRIEF_FULL");
  EXPECT_EQ(DetailOf(story.Try(CustomerBrief{part}, "customer")).field, "text");
  EXPECT_EQ(Bytes(story.callback), before);
  story.Do(CustomerBrief{"Noch ein Wort."}, "customer");
  EXPECT_EQ(story.callback.brief().text(), part + "\n\n" + part + "\n\nNoch ein Wort.");
}

TEST(RangAgain, CountsAlsoWhenItsNoteNoLongerFitsAndSaysSo) {
  Story story;
  story.Open();
  const std::string part(12000, 'x');
  story.Do(RangAgain{part}, "tk07intake");
  EXPECT_TRUE(story.warnings.empty());
  story.Do(RangAgain{"Wichtig: " + part}, "tk07intake");
  EXPECT_EQ(story.warnings.size(), 1u);
  EXPECT_EQ(story.callback.rings(), 3);
  EXPECT_EQ(story.callback.note().substr(12000, 20), "\n\nWichtig: xxxxxxxxx");
  EXPECT_LE(story.callback.note().size(), 20000u);
  EXPECT_EQ(story.callback.note().substr(story.callback.note().size() - 5), "[…]");
  const std::string full = story.callback.note();
  story.Do(RangAgain{"noch etwas"}, "tk07intake");
  EXPECT_EQ(story.warnings.size(), 1u);
  EXPECT_EQ(story.callback.note(), full);
  EXPECT_EQ(story.callback.rings(), 4);
}

TEST(Verdict, OfAMissedPromiseStaysWhateverIsLoggedLater) {
  Story story;
  story.Open();
  story.PromiseSpoken("2026-11-23 13:00");
  story.PassUntil("2026-11-23 13:30");
  story.PromiseSpoken("2026-11-23 15:00");
  story.Attempt(kReached, "2026-11-23 13:01");
  EXPECT_EQ(story.VerdictOf(1), record::VERDICT_MISSED);
  EXPECT_EQ(story.VerdictOf(2), record::VERDICT_UNSPECIFIED);
}

TEST(Closing, ALegalHoldStopsThePurge) {
  Story story;
  story.Open();
  story.team.set_legal_hold(true);
  story.Do(Cancel{"test"});
  EXPECT_EQ(story.purge_time, std::nullopt);
  story.team.set_legal_hold(false);
  EXPECT_EQ(PurgeTime(story.callback, story.team), story.now + absl::Hours(24 * 30));
  story.callback.set_legal_hold(true);
  EXPECT_EQ(PurgeTime(story.callback, story.team), std::nullopt);
}

// ---- history, erasure, messages that waited -------------------------------------------------------------------------

TEST(History, OlderEventsLeaveInPagesAndNumbersGoOn) {
  Story story;
  story.Open();
  while (story.callback.history_size() < 80) story.Do(RangAgain{""}, "tk07intake");
  const auto page = PageOut(&story.callback);
  ASSERT_TRUE(page.has_value());
  EXPECT_EQ(page->events_size(), 40);
  EXPECT_EQ(page->events(39).number(), 40);
  EXPECT_EQ(story.callback.history(0).number(), 41);
  EXPECT_EQ(story.callback.history_pages(), 1);
  EXPECT_EQ(PageOut(&story.callback), std::nullopt);
  story.Do(RangAgain{""}, "tk07intake");
  EXPECT_EQ(story.callback.history(40).number(), 81);
}

TEST(Erasure, LeavesNoByteOfTheCaller) {
  Story story;
  story.Open();
  const std::string secret = "Geheimnis";
  record::Caller caller;
  caller.set_name(secret);
  caller.set_company(secret);
  caller.set_email(secret + "@example.com");
  caller.set_phone("+4930123456");
  story.Do(UpdateCaller{caller});
  story.Do(RangAgain{secret});
  story.Do(MakePromise{At("2026-11-23 13:00"), PromiseRecord::CHANNEL_SPOKEN, "", false, secret});
  story.Do(CustomerBrief{secret}, "customer");
  story.Outcome(story.PromiseByMail("2026-11-23 14:00"), Result::kFailed, "550 <" + secret + "@example.com>");
  story.Do(LogAttempt{kNoAnswer, story.now, secret});
  Story closed = story;
  closed.Do(Cancel{secret});
  for (const CallbackRecord& erased :
       {Erase(story.callback, story.team, {"mia"}, story.now).callback, Erased(closed.callback)}) {
    EXPECT_EQ(erased.SerializeAsString().find(secret), std::string::npos) << erased.ShortDebugString();
    EXPECT_EQ(erased.SerializeAsString().find("+4930123456"), std::string::npos);
    EXPECT_EQ(erased.SerializeAsString().find("Guten Morgen"), std::string::npos);
    EXPECT_TRUE(erased.erased());
    EXPECT_NE(erased.promises(0).verdict(), record::VERDICT_UNSPECIFIED);
    EXPECT_EQ(erased.phase(), CallbackRecord::PHASE_CLOSED);
  }
}

TEST(StillNeeded, FollowsWhatBecameOfThePromise) {
  Story story;
  story.Open();
  story.PromiseSpoken("2026-11-23 13:00");
  story.PassUntil("2026-11-23 13:05");
  ASSERT_EQ(story.deliveries.size(), 4u);  // two reminders, two alarms
  EXPECT_FALSE(StillNeeded(story.callback, story.deliveries[0], story.team, story.now));  // the earlier reminder
  for (size_t i = 1; i < 4; ++i) EXPECT_TRUE(StillNeeded(story.callback, story.deliveries[i], story.team, story.now));
  story.Attempt(kReached);
  for (const auto& delivery : story.deliveries) {
    EXPECT_FALSE(StillNeeded(story.callback, delivery, story.team, story.now)) << delivery.ShortDebugString();
  }
}

TEST(DeliveryIds, AreIdsOfTheSameShard) {
  EXPECT_EQ(DeliveryId("cb07h3k9x2m4q8w1", 3), "dl07h3k9x2m4q8w10003");
  EXPECT_EQ(DeliveryId("cb07h3k9x2m4q8w1", 12345), "dl07h3k9x2m4q8w112345");
}

TEST(Open, RefusesAStrangerAsAssignee) {
  const auto decision = domain::Open(Request{.callback_id = "cb07x", .assignee_id = "zoe"}, SmallTeam(), {"mia"},
                                     At("2026-11-23 09:00"));
  EXPECT_EQ(DetailOf(decision.status()).field, "assignee_id");
}

}  // namespace
}  // namespace ringback::domain
