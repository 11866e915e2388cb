#include "web/page_state.h"

#include <gtest/gtest.h>

#include "web/page_fixture.h"

namespace ringback::web {
namespace {

using Kind = PageState::Kind;
using record::CallbackRecord;
using record::PromiseRecord;

PageState At(const PageRecords& records, absl::Time now) { return Describe(records, "", now); }

TEST(PageStateTest, AnArmedPromiseSaysWhoAndWhen) {
  const PageState page = At(SomeRecords(), Berlin(23, 10));
  EXPECT_EQ(page.kind, Kind::kPromised);
  EXPECT_EQ(page.who, "Anna Schmidt");
  EXPECT_EQ(page.in_place_of, "");
  EXPECT_EQ(page.when, "heute um 13:00 Uhr");
  EXPECT_EQ(page.when_full, "Montag, 23. November 2026, 13:00 Uhr");
  EXPECT_EQ(page.zone, "");
  EXPECT_EQ(page.company, "Hansen Pumpen GmbH");
  EXPECT_TRUE(page.playable);
  EXPECT_EQ(page.length, "0:32");
  EXPECT_EQ(page.spoken_at, "heute um 9:12 Uhr");
  EXPECT_EQ(page.take_when, "");
  EXPECT_FALSE(page.other_person);
  EXPECT_TRUE(page.may_answer);
}

TEST(PageStateTest, APendingPromiseIsShownUntilAnotherIsArmed) {
  PageRecords records = SomeRecords();
  records.callback.set_phase(CallbackRecord::PHASE_WAITING);
  records.callback.mutable_promises(0)->set_state(PromiseRecord::STATE_PENDING);
  EXPECT_EQ(At(records, Berlin(23, 10)).when, "heute um 13:00 Uhr");

  PageRecords both = SomeRecords();
  AddPromise(&both.callback, Berlin(23, 16), Berlin(23, 10), PromiseRecord::STATE_PENDING, "rc07bbbbbbbbbbbb");
  EXPECT_EQ(At(both, Berlin(23, 10, 1)).when, "heute um 13:00 Uhr");
  EXPECT_EQ(VoicePromise(both.callback)->revision(), 1);
}

TEST(PageStateTest, ThePromiseIsSpokenOnTheCustomersClock) {
  PageRecords records = SomeRecords();
  records.callback.mutable_caller()->set_time_zone("America/New_York");
  const PageState page = At(records, Berlin(23, 10));
  EXPECT_EQ(page.when, "heute um 7:00 Uhr");
  EXPECT_EQ(page.zone, "Ortszeit New York");
}

TEST(PageStateTest, AfterAMoveTheValidTimeStandsAboveTheOlderTake) {
  PageRecords records = SomeRecords();
  records.callback.mutable_promises(0)->set_state(PromiseRecord::STATE_SETTLED);
  auto* moved = AddPromise(&records.callback, Berlin(24, 9, 30), Berlin(23, 11), PromiseRecord::STATE_ARMED, "");
  moved->set_author("customer");
  const PageState page = At(records, Berlin(23, 12));
  EXPECT_EQ(page.when, "morgen um 9:30 Uhr");
  EXPECT_EQ(page.take_when, "heute um 13:00 Uhr");
  EXPECT_TRUE(page.playable);
  EXPECT_FALSE(page.other_person);
}

TEST(PageStateTest, WhatTheCustomerSaidIsShownAndAskedNoMore) {
  PageRecords records = SomeRecords();
  PageState page = At(records, Berlin(23, 10));
  EXPECT_TRUE(page.may_agree && page.may_move && page.may_write && page.may_call_off && page.may_disown);
  EXPECT_TRUE(page.has_calendar);
  EXPECT_EQ(page.revision, 1);
  EXPECT_EQ(page.promised_utc, "2026-11-23T12:00:00Z");
  EXPECT_EQ(page.zone_name, "Europe/Berlin");

  auto& promise = *records.callback.mutable_promises(0);
  *promise.mutable_agreed_time() = domain::ToProto(Berlin(23, 10));
  records.callback.mutable_brief()->set_text("Es geht um die Pumpe.");
  records.callback.set_topic(record::TOPIC_COMPLAINT);
  *records.callback.mutable_proposal()->mutable_promised_time() = domain::ToProto(Berlin(24, 10));
  page = At(records, Berlin(23, 10));
  EXPECT_TRUE(page.agreed);
  EXPECT_FALSE(page.may_agree);
  EXPECT_EQ(page.brief, "Es geht um die Pumpe.");
  EXPECT_EQ(page.topic, "complaint");
  EXPECT_EQ(page.wished, "morgen um 10:00 Uhr");

  promise.clear_agreed_time();
  promise.set_author("customer");
  page = At(records, Berlin(23, 10));
  EXPECT_TRUE(page.chosen);
  EXPECT_FALSE(page.may_agree) << "who has chosen the time has agreed to it";
}

TEST(PageStateTest, AbsencesEndWhatThePageSays) {
  PageRecords records = SomeRecords();
  EXPECT_EQ(StaysUntil(records, Berlin(23, 10)), Berlin(23, 13, 5) + absl::Microseconds(1));
  EXPECT_EQ(StaysUntil(records, Berlin(23, 14)), Berlin(24, 0));
  auto* absence = records.team.mutable_members(0)->add_absences();
  *absence->mutable_start_time() = domain::ToProto(Berlin(23, 11));
  *absence->mutable_end_time() = domain::ToProto(Berlin(23, 12));
  EXPECT_EQ(StaysUntil(records, Berlin(23, 10)), Berlin(23, 11));
  EXPECT_EQ(StaysUntil(records, Berlin(23, 11)), Berlin(23, 12));
  records.expire_time = Berlin(23, 10, 30);
  EXPECT_EQ(StaysUntil(records, Berlin(23, 10)), Berlin(23, 10, 30));
}

TEST(PageStateTest, WhatIsOverCanBeAnsweredNoMore) {
  PageRecords records = SomeRecords();
  PageState page = At(records, Berlin(23, 14));
  EXPECT_EQ(page.kind, Kind::kPassed);
  EXPECT_FALSE(page.may_agree || page.has_calendar);
  EXPECT_TRUE(page.may_move && page.may_write && page.may_call_off);
  records.callback.set_phase(CallbackRecord::PHASE_TALKED);
  page = At(records, Berlin(23, 14));
  EXPECT_FALSE(page.may_agree || page.may_move || page.may_write || page.may_call_off || page.may_disown);
}

TEST(PageStateTest, ASubstituteCallsOnlyWhileTheAbsenceLasts) {
  PageRecords records = SomeRecords();
  auto* absence = records.team.mutable_members(0)->add_absences();
  *absence->mutable_start_time() = domain::ToProto(Berlin(23, 0));
  *absence->mutable_end_time() = domain::ToProto(Berlin(23, 20));
  const PageState page = At(records, Berlin(23, 10));
  EXPECT_EQ(page.who, "Jonas Weber");
  EXPECT_EQ(page.in_place_of, "Anna Schmidt");
  EXPECT_TRUE(page.other_person);
  // Back before the promised time: she calls herself.
  *absence->mutable_end_time() = domain::ToProto(Berlin(23, 12));
  EXPECT_EQ(At(records, Berlin(23, 10)).who, "Anna Schmidt");
}

TEST(PageStateTest, AnotherAssigneeIsNamedBesideTheTake) {
  PageRecords records = SomeRecords();
  records.callback.set_assignee_id(kJonas);
  const PageState page = At(records, Berlin(23, 10));
  EXPECT_EQ(page.who, "Jonas Weber");
  EXPECT_EQ(page.speaker, "Anna Schmidt");
  EXPECT_TRUE(page.other_person);
}

TEST(PageStateTest, ThePromiseHasPassedOnlyAfterTheTolerance) {
  EXPECT_EQ(At(SomeRecords(), Berlin(23, 13, 5)).kind, Kind::kPromised);
  EXPECT_EQ(At(SomeRecords(), Berlin(23, 13, 6)).kind, Kind::kPassed);
}

TEST(PageStateTest, AnAttemptThatReachedNobodyIsToldWithItsTime) {
  PageRecords records = SomeRecords();
  records.callback.set_phase(CallbackRecord::PHASE_FOLLOW_UP);
  records.callback.mutable_promises(0)->set_state(PromiseRecord::STATE_SETTLED);
  auto* attempt = records.callback.add_attempts();
  attempt->set_outcome(record::AttemptRecord::OUTCOME_NO_ANSWER);
  *attempt->mutable_called_time() = domain::ToProto(Berlin(23, 13, 1));
  const PageState page = At(records, Berlin(23, 13, 10));
  EXPECT_EQ(page.kind, Kind::kFollowUp);
  EXPECT_EQ(page.when, "heute um 13:01 Uhr");
}

TEST(PageStateTest, ClosedCallbacksSayHowTheyEnded) {
  PageRecords records = SomeRecords();
  records.callback.set_phase(CallbackRecord::PHASE_CLOSED);
  records.callback.mutable_promises(0)->set_state(PromiseRecord::STATE_SETTLED);
  records.callback.set_closing(CallbackRecord::CLOSING_CALLED_OFF);
  EXPECT_EQ(At(records, Berlin(23, 12)).kind, Kind::kCalledOff);
  records.callback.set_closing(CallbackRecord::CLOSING_CANCELLED);
  EXPECT_EQ(At(records, Berlin(23, 12)).kind, Kind::kClosed);
  records.callback.set_closing(CallbackRecord::CLOSING_COMPLETED);
  records.callback.add_attempts()->set_outcome(record::AttemptRecord::OUTCOME_REACHED);
  const PageState page = At(records, Berlin(23, 12));
  EXPECT_EQ(page.kind, Kind::kTalked);
  EXPECT_FALSE(page.may_answer);
  EXPECT_TRUE(page.playable);
}

TEST(PageStateTest, ATakeTheCustomerNeverHeardOfIsNotPlayed) {
  PageRecords records = SomeRecords();
  for (const auto state : {PromiseRecord::STATE_NOT_DELIVERED, PromiseRecord::STATE_WITHDRAWN}) {
    records.callback.mutable_promises(0)->set_state(state);
    EXPECT_EQ(VoicePromise(records.callback), nullptr);
  }
}

TEST(PageStateTest, ATakeStillInTranscodingCannotBePlayed) {
  PageRecords records = SomeRecords();
  records.recording->set_state(record::RecordingRecord::STATE_RECEIVED);
  const PageState page = At(records, Berlin(23, 10));
  EXPECT_FALSE(page.playable);
  EXPECT_NE(page.spoken_text, "");
}

TEST(PageStateTest, OnlyWebAddressesBecomeLinks) {
  PageRecords records = SomeRecords();
  records.team.mutable_footer()->set_imprint_url("javascript:alert(1)");
  records.team.mutable_footer()->set_privacy_url("HTTPS://hansen.example/d");
  const PageState page = At(records, Berlin(23, 10));
  EXPECT_EQ(page.imprint_url, "");
  EXPECT_EQ(page.privacy_url, "HTTPS://hansen.example/d");
}

}  // namespace
}  // namespace ringback::web
