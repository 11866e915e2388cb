// What the customer answers, what the team answers to that, and what came back of a message: who hears of it, and when.
#include <gtest/gtest.h>

#include "core/domain/deliveries.h"
#include "core/domain/input.h"
#include "core/domain/story.h"

namespace ringback::domain {
namespace {

using record::CallbackRecord;
using record::Channel;
using record::DeliveryRecord;
using record::PromiseRecord;
using Result = DeliveryOutcome::Result;

constexpr auto kReached = record::AttemptRecord::OUTCOME_REACHED;

// Anna promised 13:00 by a mail that arrived.
Story Promised() {
  Story story;
  story.Open();
  story.Accept(story.PromiseByMail("2026-11-23 13:00"));
  story.Forget();
  return story;
}

// And Mr Müller would rather be called at 15:00.
Story Wished() {
  Story story = Promised();
  story.Do(CustomerPropose{At("2026-11-23 15:00")}, "customer");
  return story;
}

std::string ReasonOf(const absl::Status& status) { return DetailOf(status).reason; }

absl::Time ArmedTime(const Story& story) { return FromProto(ArmedPromise(story.callback)->promised_time()); }

TEST(Agree, WaitsForTheReminder) {
  Story story = Promised();
  const auto timer = story.next_timer;
  story.Do(CustomerAgree{1}, "customer");
  EXPECT_TRUE(story.deliveries.empty());
  EXPECT_EQ(story.next_timer, timer);
  EXPECT_TRUE(story.callback.promises(0).has_agreed_time());
  ASSERT_EQ(story.Times("agreed").size(), 1u);
  EXPECT_EQ(story.events.back().author(), "customer");
}

TEST(Agree, AgainChangesNothing) {
  Story story = Promised();
  story.Do(CustomerAgree{1}, "customer");
  const std::string before = Bytes(story.callback);
  story.now += absl::Minutes(1);
  story.Do(CustomerAgree{1}, "customer");
  EXPECT_EQ(Bytes(story.callback), before);
}

TEST(Agree, ToATimeThatWasMovedIsRefusedInWords) {
  Story story = Promised();
  story.PromiseSpoken("2026-11-23 14:00");
  EXPECT_EQ(ReasonOf(story.Try(CustomerAgree{1}, "customer")), "PROMISE_CHANGED");
  EXPECT_EQ(ReasonOf(story.Try(CustomerAgree{0}, "customer")), "PROMISE_CHANGED");
  EXPECT_FALSE(story.callback.promises(0).has_agreed_time());
  story.Do(CustomerAgree{2}, "customer");
}

TEST(Agree, ToThePromiseOnItsWayIsKnownBeforeItsAcceptanceIs) {
  Story story = Promised();
  const auto second = story.PromiseByMail("2026-11-23 14:00");
  story.Do(CustomerAgree{2}, "customer");
  EXPECT_EQ(ArmedPromise(story.callback)->revision(), 1) << "agreeing arms nothing";
  story.Accept(second);
  EXPECT_TRUE(ArmedPromise(story.callback)->has_agreed_time());
}

TEST(Agree, AfterAWishTakesTheWishBack) {
  Story story = Wished();
  story.Do(CustomerAgree{1}, "customer");
  EXPECT_FALSE(story.callback.has_proposal());
  EXPECT_FALSE(StillNeeded(story.callback, story.deliveries[0], story.team, story.now));
}

TEST(Move, ToTheTimeThatIsPromisedMeansYes) {
  Story story = Promised();
  story.Do(CustomerMove{At("2026-11-23 13:00")}, "customer");
  EXPECT_EQ(story.callback.promises_size(), 1);
  EXPECT_TRUE(story.callback.promises(0).has_agreed_time());
  EXPECT_TRUE(story.deliveries.empty());
}

TEST(Move, ClearsTheWish) {
  Story story = Wished();
  story.Do(CustomerMove{At("2026-11-23 16:00")}, "customer");
  EXPECT_FALSE(story.callback.has_proposal());
  EXPECT_EQ(story.VerdictOf(1), record::VERDICT_MOVED_BY_CUSTOMER);
  EXPECT_TRUE(ArmedPromise(story.callback)->has_agreed_time());
}

TEST(Propose, InterruptsAndLeavesThePromiseInForce) {
  Story story = Wished();
  EXPECT_EQ(story.ToldBy(DeliveryRecord::KIND_NOTICE), "anna");
  EXPECT_EQ(story.deliveries[0].what(), "time_proposed");
  EXPECT_EQ(ArmedTime(story), At("2026-11-23 13:00"));
  EXPECT_EQ(FromProto(story.callback.proposal().promised_time()), At("2026-11-23 15:00"));
  story.PassUntil("2026-11-23 13:05");
  EXPECT_FALSE(story.Times("alarm").empty()) << "a wish holds no alarm";
}

TEST(Propose, ALaterWishReplacesTheEarlierAndItsNotice) {
  Story story = Wished();
  story.now += absl::Minutes(2);
  story.Do(CustomerPropose{At("2026-11-23 16:00")}, "customer");
  ASSERT_EQ(story.deliveries.size(), 2u);
  EXPECT_FALSE(StillNeeded(story.callback, story.deliveries[0], story.team, story.now));
  EXPECT_TRUE(StillNeeded(story.callback, story.deliveries[1], story.team, story.now));
  story.now += absl::Minutes(2);
  story.Do(CustomerPropose{At("2026-11-23 16:00")}, "customer");
  EXPECT_EQ(story.deliveries.size(), 2u) << "the same wish is told once";
}

TEST(Propose, EndsAnEarlierYesAndNeedsATimeAhead) {
  Story story = Promised();
  story.Do(CustomerAgree{1}, "customer");
  EXPECT_EQ(ReasonOf(story.Try(CustomerPropose{story.now}, "customer")), "PROMISED_TIME_PASSED");
  EXPECT_TRUE(story.callback.promises(0).has_agreed_time());
  story.Do(CustomerPropose{At("2026-11-23 15:00")}, "customer");
  EXPECT_FALSE(story.callback.promises(0).has_agreed_time());
}

TEST(AnswerProposal, YesBindsAtOnceAsTheCustomersOwnMove) {
  Story story = Wished();
  story.Forget();
  story.Do(AnswerProposal{});
  EXPECT_EQ(story.VerdictOf(1), record::VERDICT_MOVED_BY_CUSTOMER);
  EXPECT_EQ(ArmedTime(story), At("2026-11-23 15:00"));
  EXPECT_TRUE(ArmedPromise(story.callback)->has_agreed_time());
  EXPECT_FALSE(story.callback.has_proposal());
  ASSERT_EQ(story.deliveries.size(), 1u);
  EXPECT_EQ(story.deliveries[0].kind(), DeliveryRecord::KIND_PROMISE_UPDATE);
  EXPECT_EQ(story.deliveries[0].what(), "proposal_accepted");
  EXPECT_EQ(FromProto(story.deliveries[0].previous_promised_time()), At("2026-11-23 13:00"));
}

TEST(AnswerProposal, YesAfterThePromisedTimeLeavesItMissed) {
  Story story = Wished();
  story.PassUntil("2026-11-23 13:10");
  story.Do(AnswerProposal{});
  EXPECT_EQ(story.VerdictOf(1), record::VERDICT_MISSED);
}

TEST(AnswerProposal, YesToATimeThatPassedIsRefused) {
  Story story = Wished();
  story.PassUntil("2026-11-23 15:00");
  EXPECT_EQ(ReasonOf(story.Try(AnswerProposal{})), "PROMISED_TIME_PASSED");
  EXPECT_TRUE(story.callback.has_proposal()) << "it still waits for an answer";
}

TEST(AnswerProposal, AnotherTimeCountsOnceTheCustomersChannelAcceptedIt) {
  Story story = Wished();
  story.Forget();
  story.Do(AnswerProposal{At("2026-11-23 16:00")});
  EXPECT_EQ(ArmedTime(story), At("2026-11-23 13:00"));
  EXPECT_FALSE(story.callback.has_proposal());
  ASSERT_EQ(story.deliveries.size(), 1u);
  const DeliveryRecord offer = story.deliveries[0];
  EXPECT_EQ(offer.what(), "proposal_countered");
  EXPECT_TRUE(StillNeeded(story.callback, offer, story.team, story.now));
  story.Accept(offer);
  EXPECT_EQ(story.VerdictOf(1), record::VERDICT_MOVED_BY_TEAM);
  EXPECT_EQ(ArmedTime(story), At("2026-11-23 16:00"));
}

TEST(AnswerProposal, AnOfferThatIsRefusedIsAnAlarmAndCanBeSentAgain) {
  Story story = Wished();
  story.Do(AnswerProposal{At("2026-11-23 16:00")});
  const DeliveryRecord offer = story.deliveries.back();
  story.Forget();
  story.Outcome(offer, Result::kFailed, "550");
  EXPECT_EQ(story.ToldBy(DeliveryRecord::KIND_DELIVERY_ALARM), "anna anna");
  EXPECT_EQ(ArmedTime(story), At("2026-11-23 13:00"));
  story.Forget();
  story.Do(Resend{});
  ASSERT_EQ(story.deliveries.size(), 1u);
  EXPECT_EQ(story.deliveries[0].kind(), DeliveryRecord::KIND_PROMISE_UPDATE);
  story.Accept(story.deliveries[0]);
  EXPECT_EQ(ArmedTime(story), At("2026-11-23 16:00"));
}

TEST(AnswerProposal, AnOfferThatNobodyAcceptsInTimeIsAnAlarm) {
  Story story = Wished();
  story.Do(AnswerProposal{At("2026-11-23 12:00")});
  story.Forget();
  story.PassUntil("2026-11-23 11:45");
  EXPECT_EQ(story.ToldBy(DeliveryRecord::KIND_DELIVERY_ALARM), "anna anna");
}

TEST(AnswerProposal, NeedsAWishAndSomethingNew) {
  Story story = Promised();
  EXPECT_EQ(ReasonOf(story.Try(AnswerProposal{})), "NO_PROPOSAL");
  EXPECT_EQ(ReasonOf(story.Try(DeclineProposal{})), "NO_PROPOSAL");
  story.Do(CustomerPropose{At("2026-11-23 15:00")}, "customer");
  EXPECT_EQ(ReasonOf(story.Try(AnswerProposal{At("2026-11-23 13:00")})), "PROMISED_ALREADY");
}

// What an answer put into the brief, and only that, leaves it again.
TEST(OnAnswerMoved, TakesItsWordsOutOfTheBriefAndNoOthers) {
  const auto left = [](const std::string& brief, const std::string& words) {
    Story story;
    story.Open();
    story.callback.mutable_brief()->set_text(brief);
    story.Take(OnAnswerMoved(story.callback, words, story.now, "an07x", "", story.team, {"anna", false}, story.now));
    return story.callback.has_brief() ? story.callback.brief().text() : "none";
  };
  EXPECT_EQ(left("Kran", "Kran"), "none");
  EXPECT_EQ(left("Kran\n\nBagger", "Kran"), "Bagger");
  EXPECT_EQ(left("Bagger\n\nKran", "Kran"), "Bagger");
  EXPECT_EQ(left("Bagger\n\nKran\n\nEgge", "Kran"), "Bagger\n\nEgge");
  EXPECT_EQ(left("Bagger\n\nKran\n\nheute\n\nEgge", "Kran\n\nheute"), "Bagger\n\nEgge");
  EXPECT_EQ(left("Der Kran\n\nKran fahren", "Kran"), "Der Kran\n\nKran fahren") << "other words that hold the same";
  EXPECT_EQ(left("Kran\n\nEgge\n\nKran", "Kran"), "Kran\n\nEgge") << "the last of two alike";
  EXPECT_EQ(left("Bagger", "Kran"), "Bagger") << "it never fitted in";
  EXPECT_EQ(left("Bagger", ""), "Bagger");
  EXPECT_EQ(left("Bagger\n\nDer Kr\n[…]", "Der Kran"), "Bagger") << "its end was cut off";
  EXPECT_EQ(left("Der Kr\n[…]", "Der Kran"), "none");
  EXPECT_EQ(left("Bagger\n\nEgg\n[…]", "Der Kran"), "Bagger\n\nEgg\n[…]");
}

TEST(OnAnswerMoved, WhatItDeclinedCountsAgainAndNobodyIsToldOfTheOtherAnyMore) {
  Story story;
  story.Open();
  story.PromiseSpoken("2026-11-23 13:00");
  const auto timer = story.next_timer;
  story.Do(CustomerBrief{"Passt nicht"}, "anna");
  story.Do(CustomerDecline{}, "anna");
  const absl::Time tied = story.now;
  const DeliveryRecord notice = story.deliveries.back();
  EXPECT_TRUE(StillNeeded(story.callback, notice, story.team, story.now));
  story.now += absl::Minutes(1);
  story.Take(OnAnswerMoved(story.callback, "Passt nicht", tied + absl::Seconds(1), "an07x", "", story.team, {"mia", false}, story.now));
  EXPECT_TRUE(story.callback.promises(0).has_decline_time()) << "declined by somebody else";
  story.Take(OnAnswerMoved(story.callback, "", tied, "an07x", "cb07right", story.team, {"mia", false}, story.now));
  EXPECT_FALSE(story.callback.promises(0).has_decline_time());
  EXPECT_FALSE(StillNeeded(story.callback, notice, story.team, story.now));
  EXPECT_EQ(story.next_timer, timer);
  EXPECT_EQ(story.callback.phase(), CallbackRecord::PHASE_PROMISED);
  EXPECT_EQ(story.events.back().what(), "answer_moved");
  EXPECT_EQ(story.events.back().details().at("to"), "cb07right");
}

// Anna heard "called off"; she need not look at her desk to learn that the call is owed all the same.
TEST(OnAnswerMoved, TellsTheAssigneeThatThePromiseStandsUnlessItWasTheAssignee) {
  const auto told = [](const std::string& who) {
    Story story;
    story.Open();
    story.PromiseSpoken("2026-11-23 13:00");
    story.Do(CustomerDecline{}, "mia");
    story.Forget();
    story.Take(OnAnswerMoved(story.callback, "", story.now, "an07x", "", story.team, {who, false}, story.now));
    return story;
  };
  Story story = told("mia");
  ASSERT_EQ(story.ToldBy(DeliveryRecord::KIND_NOTICE), "anna");
  const DeliveryRecord stands = story.deliveries.back();
  EXPECT_EQ(stands.what(), "time_stands");
  EXPECT_EQ(stands.promise_revision(), 1);
  EXPECT_TRUE(StillNeeded(story.callback, stands, story.team, story.now));
  story.Do(CustomerDecline{}, "customer");
  EXPECT_FALSE(StillNeeded(story.callback, stands, story.team, story.now)) << "now the customer says so";
  EXPECT_EQ(told("anna").ToldBy(DeliveryRecord::KIND_NOTICE), "");
}

TEST(OnAnswerMoved, TellsNobodyOfAMailThatDeclinedNothingOrOfAPromiseThatCountsNoMore) {
  Story story;
  story.Open();
  story.PromiseSpoken("2026-11-23 13:00");
  story.Do(CustomerBrief{"Der Kran"}, "mia");
  story.Take(OnAnswerMoved(story.callback, "Der Kran", story.now, "an07x", "", story.team, {"mia", false}, story.now));
  EXPECT_EQ(story.ToldBy(DeliveryRecord::KIND_NOTICE), "");
  story.Do(CustomerDecline{}, "mia");
  const absl::Time tied = story.now;
  story.now += absl::Minutes(1);
  story.PromiseSpoken("2026-11-23 15:00");
  story.Forget();
  story.Take(OnAnswerMoved(story.callback, "", tied, "an07x", "", story.team, {"mia", false}, story.now));
  EXPECT_FALSE(story.callback.promises(0).has_decline_time());
  EXPECT_EQ(story.ToldBy(DeliveryRecord::KIND_NOTICE), "");
}

TEST(OnAnswerMoved, TellsWhoeverStandsInForTheAssignee) {
  Story story;
  AddAbsence(MemberOf(story.team, "anna"), At("2026-11-23 08:00"), At("2026-11-24 08:00"), "ben");
  story.Open();
  story.PromiseSpoken("2026-11-23 13:00");
  story.Do(CustomerDecline{}, "mia");
  story.Forget();
  story.Take(OnAnswerMoved(story.callback, "", story.now, "an07x", "", story.team, {"mia", false}, story.now));
  EXPECT_EQ(story.ToldBy(DeliveryRecord::KIND_NOTICE), "ben");
}

TEST(AnswerProposal, OfAnUnassignedCallMakesTheMemberOweIt) {
  Story story;
  story.Open("");
  story.Do(CustomerPropose{At("2026-11-23 15:00")}, "customer");
  EXPECT_EQ(story.ToldBy(DeliveryRecord::KIND_NOTICE), "mia");
  story.Do(AnswerProposal{}, "ben");
  EXPECT_EQ(story.callback.assignee_id(), "ben");
}

TEST(DeclineProposal, LeavesThePromiseAndTellsTheCustomer) {
  Story story = Wished();
  story.Forget();
  story.Do(DeclineProposal{});
  EXPECT_FALSE(story.callback.has_proposal());
  EXPECT_EQ(ArmedTime(story), At("2026-11-23 13:00"));
  EXPECT_EQ(story.callback.promises_size(), 1);
  ASSERT_EQ(story.deliveries.size(), 1u);
  EXPECT_EQ(story.deliveries[0].what(), "proposal_declined");
}

TEST(DeclineProposal, NeedsAPromiseAheadThatStays) {
  Story story = Wished();
  story.PassUntil("2026-11-23 13:01");
  EXPECT_EQ(ReasonOf(story.Try(DeclineProposal{})), "NOTHING_STAYS");
  Story waiting;
  waiting.Open();
  waiting.Do(CustomerPropose{At("2026-11-23 15:00")}, "customer");
  EXPECT_EQ(ReasonOf(waiting.Try(DeclineProposal{})), "NOTHING_STAYS");
}

TEST(Proposal, IsAnsweredByAnyNewPromiseByATalkAndByTheEnd) {
  for (int way = 0; way < 4; ++way) {
    Story story = Wished();
    if (way == 0) story.PromiseSpoken("2026-11-23 14:00");
    if (way == 1) story.PromiseByMail("2026-11-23 14:00");
    if (way == 2) story.Attempt(kReached);
    if (way == 3) story.Do(CustomerCallOff{}, "customer");
    EXPECT_FALSE(story.callback.has_proposal()) << way;
    EXPECT_FALSE(StillNeeded(story.callback, story.deliveries[0], story.team, story.now)) << way;
  }
}

TEST(Decline, InterruptsOnceAndSettlesNothing) {
  Story story = Promised();
  story.Do(CustomerAgree{1}, "customer");
  story.Do(CustomerDecline{}, "customer");
  EXPECT_EQ(story.ToldBy(DeliveryRecord::KIND_NOTICE), "anna");
  EXPECT_EQ(story.deliveries[0].what(), "time_declined");
  EXPECT_EQ(ArmedTime(story), At("2026-11-23 13:00"));
  EXPECT_FALSE(story.callback.promises(0).has_agreed_time());
  story.Do(CustomerDecline{}, "customer");
  EXPECT_EQ(story.deliveries.size(), 1u);
  story.PromiseSpoken("2026-11-23 14:00");
  EXPECT_FALSE(StillNeeded(story.callback, story.deliveries[0], story.team, story.now)) << "it was answered";
}

TEST(Decline, IsAnsweredWithAnotherTimeThatCountsOnceAccepted) {
  Story story = Promised();
  EXPECT_EQ(ReasonOf(story.Try(AnswerProposal{At("2026-11-23 15:00")})), "NO_PROPOSAL");
  story.Do(CustomerDecline{}, "customer");
  EXPECT_EQ(ReasonOf(story.Try(AnswerProposal{})), "NO_PROPOSAL") << "no time was wished that could be accepted";
  story.Forget();
  story.Do(AnswerProposal{At("2026-11-23 15:00")});
  ASSERT_EQ(story.deliveries.size(), 1u);
  EXPECT_EQ(story.deliveries[0].what(), "time_offered");
  EXPECT_EQ(ArmedTime(story), At("2026-11-23 13:00"));
  story.Accept(story.deliveries[0]);
  EXPECT_EQ(ArmedTime(story), At("2026-11-23 15:00"));
}

TEST(Topic, WaitsForTheReminderAndIsNotInTheHistory) {
  Story story = Promised();
  story.Do(CustomerTopic{record::TOPIC_COMPLAINT}, "customer");
  EXPECT_EQ(story.callback.topic(), record::TOPIC_COMPLAINT);
  EXPECT_TRUE(story.deliveries.empty());
  EXPECT_TRUE(story.events.back().details().empty());
  story.Do(CustomerTopic{}, "customer");
  EXPECT_EQ(story.callback.topic(), record::TOPIC_UNSPECIFIED);
  EXPECT_EQ(ReasonOf(story.Try(CustomerTopic{static_cast<record::Topic>(9)}, "customer")), "UNKNOWN_TOPIC");
}

TEST(WrongPerson, AlarmsAssigneeAndManagersAndClosesThePage) {
  Story story = Promised();
  story.callback.set_page_token("pg07secret");
  story.Do(WrongPerson{}, "customer");
  EXPECT_EQ(story.callback.page_token(), "");
  EXPECT_EQ(story.callback.delivery_alarm(), "wrong_person");
  EXPECT_EQ(story.ToldBy(DeliveryRecord::KIND_DELIVERY_ALARM), "anna mia");
  EXPECT_EQ(ArmedTime(story), At("2026-11-23 13:00")) << "the clock never pauses";
  EXPECT_EQ(story.Times("wrong_person").size(), 1u);
  story.PromiseSpoken("2026-11-23 14:00");
  EXPECT_EQ(story.callback.delivery_alarm(), "");
}

TEST(WrongPerson, IsHeardAlsoWhenTheCallbackIsClosed) {
  Story story = Promised();
  story.callback.set_page_token("pg07secret");
  story.Do(Cancel{"duplicate"});
  story.Forget();
  story.Do(WrongPerson{}, "customer");
  EXPECT_EQ(story.callback.page_token(), "");
  EXPECT_EQ(story.ToldBy(DeliveryRecord::KIND_DELIVERY_ALARM), "anna mia");
  EXPECT_EQ(story.callback.phase(), CallbackRecord::PHASE_CLOSED);
}

TEST(Heard, IsReportedOnlyWhereTheTeamSwitchedItOn) {
  Story story = Promised();
  EXPECT_EQ(ReasonOf(story.Try(Heard{1}, "customer")), "NOT_REPORTED");
  story.team.set_report_listened(true);
  story.Do(Heard{1}, "customer");
  const auto first = story.callback.promises(0).heard_time();
  story.now += absl::Minutes(1);
  story.Do(Heard{1}, "customer");
  EXPECT_EQ(FromProto(story.callback.promises(0).heard_time()), FromProto(first)) << "the first time is the one";
  EXPECT_TRUE(story.deliveries.empty());
  EXPECT_EQ(ReasonOf(story.Try(Heard{7}, "customer")), "UNKNOWN_REVISION");
}

// bounces ---------------------------------------------------------------------------------------------------------

struct Sent {
  Story story;
  DeliveryRecord message;
};
// The message was accepted; the customer has a mail address and a mobile number, or no number.
Sent SentTo(const std::string& phone) {
  Sent sent;
  sent.story.Open();
  record::Caller caller = sent.story.callback.caller();
  caller.set_phone(phone);
  sent.story.Do(UpdateCaller{caller});
  sent.message = sent.story.PromiseByMail("2026-11-23 13:00");
  sent.story.Accept(sent.message);
  sent.message.set_state(DeliveryRecord::STATE_ACCEPTED);
  sent.story.Forget();
  return sent;
}
void Bounce(Sent& sent, bool permanent) {
  sent.story.Take(OnBounce(sent.story.callback, sent.message, permanent, "550 no such user", sent.story.team,
                           sent.story.now));
}

TEST(Bounce, ForGoodAlarmsAtOnceAndPausesNothing) {
  Sent sent = SentTo("");
  Bounce(sent, true);
  EXPECT_EQ(sent.story.callback.delivery_alarm(), "bounced: 550 no such user");
  EXPECT_EQ(sent.story.ToldBy(DeliveryRecord::KIND_DELIVERY_ALARM), "anna anna");
  EXPECT_EQ(ArmedTime(sent.story), At("2026-11-23 13:00"));
  EXPECT_EQ(sent.story.ToldBy(DeliveryRecord::KIND_VOICE_MESSAGE), "") << "there is no other way to the customer";
}

TEST(Bounce, ForGoodFiresTheNextChannelWhichEndsTheRedState) {
  Sent sent = SentTo("+4915112345678");
  Bounce(sent, true);
  ASSERT_EQ(sent.story.ToldBy(DeliveryRecord::KIND_VOICE_MESSAGE), "customer");
  const DeliveryRecord next = sent.story.deliveries[0];
  ASSERT_EQ(next.channels_size(), 1);
  EXPECT_EQ(next.channels(0).kind(), Channel::KIND_SMS);
  EXPECT_EQ(next.state(), DeliveryRecord::STATE_QUEUED);
  EXPECT_TRUE(StillNeeded(sent.story.callback, next, sent.story.team, sent.story.now));
  EXPECT_NE(sent.story.callback.delivery_alarm(), "");
  sent.story.Accept(next);
  EXPECT_EQ(sent.story.callback.delivery_alarm(), "");
}

TEST(Bounce, IsOneHoweverOftenItComes) {
  Sent sent = SentTo("");
  *sent.message.mutable_bounce_time() = ToProto(sent.story.now);
  Bounce(sent, true);
  EXPECT_TRUE(sent.story.deliveries.empty());
  EXPECT_TRUE(sent.story.events.empty());
}

TEST(Bounce, OfAMessageThatWasReplacedOrKeptAlarmsNobody) {
  Sent kept = SentTo("");
  kept.story.Attempt(kReached);
  kept.story.Forget();
  Bounce(kept, true);
  Sent replaced = SentTo("");
  replaced.story.PromiseSpoken("2026-11-23 15:00");
  replaced.story.Forget();
  Bounce(replaced, true);
  for (const Story* story : {&kept.story, &replaced.story}) {
    EXPECT_TRUE(story->deliveries.empty());
    EXPECT_EQ(story->Times("bounced").size(), 1u) << "it is in the history all the same";
  }
}

TEST(Bounce, BeforeTheAcceptanceIsOnRecordLeavesThePromiseUndelivered) {
  Story story;
  story.Open();
  DeliveryRecord message = story.PromiseByMail("2026-11-23 13:00");
  record::Caller caller = story.callback.caller();
  message.mutable_channels()->DeleteSubrange(1, message.channels_size() - 1);
  story.Take(OnBounce(story.callback, message, true, "550", story.team, story.now));
  EXPECT_EQ(story.callback.promises(0).state(), PromiseRecord::STATE_NOT_DELIVERED);
  *message.mutable_bounce_time() = ToProto(story.now);
  story.Accept(message);
  EXPECT_EQ(story.callback.promises(0).state(), PromiseRecord::STATE_NOT_DELIVERED);
  EXPECT_NE(story.callback.delivery_alarm(), "");
}

TEST(Bounce, OfAnUpdateTellsThatTheCustomerKnowsOnlyTheOldTime) {
  Story story = Wished();
  story.Do(AnswerProposal{});
  DeliveryRecord update = story.deliveries.back();
  update.mutable_channels()->DeleteSubrange(1, update.channels_size() - 1);
  story.Forget();
  story.Take(OnBounce(story.callback, update, true, "550", story.team, story.now));
  EXPECT_EQ(story.deliveries.at(0).what(), "update_failed");
}

TEST(Bounce, OfAMembersMailGoesToTheDesk) {
  Story story = Wished();
  DeliveryRecord notice = story.deliveries[0];
  notice.set_state(DeliveryRecord::STATE_ACCEPTED);
  story.Forget();
  story.Take(OnBounce(story.callback, notice, true, "550", story.team, story.now));
  EXPECT_EQ(story.callback.delivery_alarm(), "");
  // A wish is told as long as it is open.
  ASSERT_EQ(story.ToldBy(DeliveryRecord::KIND_NOTICE), "anna");
  EXPECT_EQ(story.deliveries[0].channels(0).kind(), Channel::KIND_DESK);
}

TEST(Bounce, ThatIsOnlyLateAlarmsWhenThePromiseIsAtStake) {
  Sent sent = SentTo("");
  Bounce(sent, false);
  EXPECT_TRUE(sent.story.deliveries.empty());
  EXPECT_EQ(sent.story.callback.delivery_alarm(), "");
  sent.story.PassUntil("2026-11-23 12:44");
  EXPECT_EQ(sent.story.ToldBy(DeliveryRecord::KIND_DELIVERY_ALARM), "");
  sent.story.PassUntil("2026-11-23 12:45");
  EXPECT_EQ(sent.story.ToldBy(DeliveryRecord::KIND_DELIVERY_ALARM), "anna anna");
  EXPECT_EQ(sent.story.callback.delivery_alarm(), "delayed");
  sent.story.PassUntil("2026-11-23 12:59");
  EXPECT_EQ(sent.story.Times("delivery_alarm").size(), 1u);
}

TEST(Bounce, ThatIsLateWithThePromiseAtStakeAlarmsAtOnce) {
  Sent sent = SentTo("");
  sent.story.PassUntil("2026-11-23 12:50");
  sent.story.Forget();
  Bounce(sent, false);
  EXPECT_EQ(sent.story.ToldBy(DeliveryRecord::KIND_DELIVERY_ALARM), "anna anna");
}

TEST(Bounce, ThatWasLateIsForgottenOnceItWasSentAgain) {
  Sent sent = SentTo("");
  Bounce(sent, false);
  sent.story.Do(Resend{});
  sent.story.Accept(sent.story.deliveries.back());
  sent.story.PassUntil("2026-11-23 12:59");
  EXPECT_EQ(sent.story.ToldBy(DeliveryRecord::KIND_DELIVERY_ALARM), "");
}

TEST(Erasure, TakesWhatTheCustomerWishedAndTapped) {
  Story story = Wished();
  story.Do(CustomerTopic{record::TOPIC_ORDER}, "customer");
  for (const CallbackRecord& erased :
       {Erase(story.callback, story.team, {"mia"}, story.now).callback, Erased(story.callback)}) {
    EXPECT_FALSE(erased.has_proposal());
    EXPECT_EQ(erased.topic(), record::TOPIC_UNSPECIFIED);
  }
}

}  // namespace
}  // namespace ringback::domain
