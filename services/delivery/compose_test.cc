// What a delivery says, from records to the words that a person reads.
#include "delivery/compose.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/domain/team.h"
#include "core/rpc/translate.h"

namespace ringback::delivery {
namespace {

namespace record = ::ringback::store::v1;
using record::DeliveryRecord;
using ::testing::HasSubstr;
using ::testing::Not;

// Tuesday, 13:00 in Berlin.
const absl::Time kPromised = absl::FromCivil(absl::CivilSecond(2026, 11, 24, 12), absl::UTCTimeZone());

class ComposeTest : public testing::Test {
 protected:
  ComposeTest() : team_(domain::NewTeam("tm07sales", "Vertrieb", "Europe/Berlin", "de", kPromised - absl::Hours(99))) {
    for (const char* name : {"Anna", "Clara"}) {
      record::Member& member = *team_.add_members();
      member.set_id(name);
      member.set_name(name);
      member.set_email(std::string(name) + "@example.com");
    }
    callback_.set_id("cb07abc");
    callback_.set_assignee_id("Anna");
    callback_.mutable_caller()->set_name("Frau Notice");
    callback_.mutable_caller()->set_phone("+4930123456");
    *callback_.mutable_create_time() = rpc::ToProto(kPromised - absl::Hours(5));
    record::PromiseRecord& promise = *callback_.add_promises();
    promise.set_revision(1);
    promise.set_state(record::PromiseRecord::STATE_ARMED);
    *promise.mutable_promised_time() = rpc::ToProto(kPromised);
    *promise.mutable_accept_time() = rpc::ToProto(kPromised - absl::Hours(4));
    delivery_.set_id("dl07abc0001");
    delivery_.set_member_id("Clara");
    delivery_.add_channels()->set_kind(record::Channel::KIND_MAIL);
  }

  // An alarm of the policy's step that stands for `steps` and went off at `fired`.
  void Alarm(record::AlarmKind kind, int step, int steps, absl::Time fired) {
    delivery_.set_kind(DeliveryRecord::KIND_ESCALATION);
    delivery_.set_alarm_kind(kind);
    *delivery_.mutable_anchor_time() = rpc::ToProto(kPromised);
    delivery_.set_step(step);
    delivery_.set_caught_up(steps);
    *delivery_.mutable_create_time() = rpc::ToProto(fired);
    now_ = fired;
  }
  void Acknowledged(absl::Time until) {
    callback_.mutable_escalation()->set_ack_by("Anna");
    *callback_.mutable_escalation()->mutable_ack_until() = rpc::ToProto(until);
  }
  void About(DeliveryRecord::Kind kind, const std::string& what, const std::string& reason) {
    delivery_.set_kind(kind);
    delivery_.set_what(what);
    delivery_.set_reason(reason);
    now_ = kPromised - absl::Minutes(30);
  }
  void Closed(record::CallbackRecord::Closing closing, const std::string& event) {
    callback_.set_phase(record::CallbackRecord::PHASE_CLOSED);
    callback_.set_closing(closing);
    *callback_.mutable_close_time() = rpc::ToProto(kPromised - absl::Minutes(40));
    callback_.mutable_promises(0)->set_state(record::PromiseRecord::STATE_SETTLED);
    *callback_.mutable_promises(0)->mutable_verdict_time() = callback_.close_time();
    record::HistoryEvent& closed = *callback_.add_history();
    closed.set_what(event);
    closed.set_author("Anna");
  }
  RenderedNotice Compose() {
    ComposeInput input;
    input.delivery = &delivery_;
    input.callback = &callback_;
    input.team = &team_;
    input.now = now_;
    input.bundled = bundled_;
    input.failure = failure_;
    return ComposeNotice(input).words;
  }

  record::TeamRecord team_;
  record::CallbackRecord callback_;
  DeliveryRecord delivery_;
  std::vector<ComposeInput::Bundled> bundled_;
  std::string failure_;
  absl::Time now_;
};

TEST(Compose, AnswersGoToTheAddressThatTheMailComesFrom) {
  record::CallbackRecord callback;
  EXPECT_EQ(ReplyAddress("sales@example.com", callback), "sales@example.com");
  callback.set_page_token("pg07abc");
  EXPECT_EQ(ReplyAddress("sales@example.com", callback), "sales+pg07abc@example.com");
}

// The default policy: 5, 15 and 30 minutes, acknowledged at 13:06 for half an hour.
TEST_F(ComposeTest, AnAlarmThatAnAcknowledgeHeldIsNoOutage) {
  Alarm(record::ALARM_KIND_PROMISE, 3, 2, kPromised + absl::Minutes(36));
  Acknowledged(kPromised + absl::Minutes(36));
  const RenderedNotice notice = Compose();
  EXPECT_THAT(notice.text, HasSubstr("ein Versprechen ist überfällig"));
  EXPECT_THAT(notice.text, Not(HasSubstr("nicht in Betrieb")));
  // It is over, so nobody holds it any more.
  EXPECT_THAT(notice.text, Not(HasSubstr("Quittiert")));
  Acknowledged(kPromised + absl::Minutes(50));
  EXPECT_THAT(Compose().text, HasSubstr("Quittiert von: Anna"));
}

TEST_F(ComposeTest, StepsOfTheSameDelayAreNoOutage) {
  *team_.mutable_policy()->mutable_steps(1)->mutable_delay() = team_.policy().steps(0).delay();
  Alarm(record::ALARM_KIND_PROMISE, 2, 2, kPromised + absl::Minutes(5) + absl::Milliseconds(20));
  EXPECT_THAT(Compose().text, Not(HasSubstr("nicht in Betrieb")));
}

TEST_F(ComposeTest, AnOutageIsSaidAlsoAfterAnAcknowledge) {
  Alarm(record::ALARM_KIND_PROMISE, 2, 2, kPromised + absl::Minutes(20));
  EXPECT_THAT(Compose().text, HasSubstr("nicht in Betrieb"));
  Acknowledged(kPromised + absl::Minutes(12));
  EXPECT_THAT(Compose().text, HasSubstr("nicht in Betrieb"));
}

TEST_F(ComposeTest, CompletingBeforeThePromisedCallIsSaidToBeThat) {
  Closed(record::CallbackRecord::CLOSING_COMPLETED, "completed");
  About(DeliveryRecord::KIND_NOTICE, "completed_before_the_promised_call", "bestellt");
  const RenderedNotice notice = Compose();
  EXPECT_EQ(notice.subject, "Vor dem versprochenen Anruf abgeschlossen: Frau Notice");
  EXPECT_THAT(notice.text, HasSubstr("(von Anna)"));
  EXPECT_THAT(notice.text, HasSubstr("Ergebnis: bestellt"));
  EXPECT_THAT(notice.text, HasSubstr("Versprochen war: heute um 13:00 Uhr"));
  EXPECT_THAT(notice.text, Not(HasSubstr("möchte")));
}

TEST_F(ComposeTest, CancellingIsSaidWithWhoDidIt) {
  Closed(record::CallbackRecord::CLOSING_CANCELLED, "cancelled");
  About(DeliveryRecord::KIND_NOTICE, "cancelled_without_attempt", "doppelt");
  const RenderedNotice notice = Compose();
  EXPECT_EQ(notice.line, "Ohne Anruf geschlossen von Anna: Frau Notice. doppelt");
}

TEST_F(ComposeTest, TheCustomersOwnMoveIsStillThat) {
  About(DeliveryRecord::KIND_NOTICE, "moved_by_customer", "");
  EXPECT_EQ(Compose().subject, "Frau Notice hat den Anruf verlegt: heute um 13:00 Uhr");
}

TEST_F(ComposeTest, AWishComesWithTheCommandThatSettlesIt) {
  *callback_.mutable_proposal()->mutable_promised_time() = rpc::ToProto(kPromised + absl::Hours(2));
  About(DeliveryRecord::KIND_NOTICE, "time_proposed", "");
  const RenderedNotice german = Compose();
  EXPECT_EQ(german.subject, "Frau Notice möchte eine andere Zeit: heute um 15:00 Uhr");
  EXPECT_THAT(german.text, HasSubstr("Bis du antwortest, gilt heute um 13:00 Uhr weiter."));
  EXPECT_THAT(german.text, HasSubstr("  ringback accept " + callback_.id() + "    (ja, gern)\n"));
  team_.set_language("en");
  const RenderedNotice english = Compose();
  EXPECT_EQ(english.subject, "Frau Notice would like another time: today at 3:00 pm");
  EXPECT_THAT(english.text, HasSubstr("  ringback decline " + callback_.id() + "    (it stays as promised)\n"));
}

TEST_F(ComposeTest, ADeclinedTimeStillHoldsUntilAnotherIsPromised) {
  delivery_.set_promise_revision(1);
  About(DeliveryRecord::KIND_NOTICE, "time_declined", "");
  const RenderedNotice notice = Compose();
  EXPECT_EQ(notice.line, "Frau Notice kann zur versprochenen Zeit nicht: heute um 13:00 Uhr.");
  EXPECT_THAT(notice.text, HasSubstr("gilt die bisherige weiter"));
  EXPECT_THAT(notice.text, HasSubstr("ringback promise " + callback_.id()));
}

TEST_F(ComposeTest, ADeclineThatWasTakenBackIsSaidWithTheTimeThatStandsAndWhoSaysSo) {
  record::HistoryEvent& moved = *callback_.add_history();
  moved.set_what("answer_moved");
  moved.set_author("Clara");
  delivery_.set_member_id("Anna");
  delivery_.set_promise_revision(1);
  About(DeliveryRecord::KIND_NOTICE, "time_stands", "");
  const RenderedNotice german = Compose();
  EXPECT_EQ(german.subject, "Es bleibt dabei, heute um 13:00 Uhr: Frau Notice");
  EXPECT_EQ(german.line, "Es bleibt dabei, heute um 13:00 Uhr: Frau Notice. Die Absage gehörte nicht hierher, sagt Clara.");
  EXPECT_THAT(german.text, HasSubstr("gehörte nicht zu diesem Rückruf, sagt Clara. Es bleibt dabei: heute um 13:00 Uhr."));
  EXPECT_THAT(german.text, Not(HasSubstr("versprochen.")));
  team_.set_language("en");
  const RenderedNotice english = Compose();
  EXPECT_EQ(english.subject, "It stands, today at 1:00 pm: Frau Notice");
  EXPECT_THAT(english.text, HasSubstr("did not belong to this callback, says Clara. The promise stands: today at 1:00 pm."));
}

TEST_F(ComposeTest, AnUndoneCallOffSaysThatNothingIsPromised) {
  callback_.mutable_promises(0)->set_state(record::PromiseRecord::STATE_SETTLED);
  record::HistoryEvent& reopened = *callback_.add_history();
  reopened.set_what("reopened");
  reopened.set_author("Clara");
  delivery_.set_member_id("Anna");
  About(DeliveryRecord::KIND_NOTICE, "reopened", "");
  const RenderedNotice german = Compose();
  EXPECT_EQ(german.subject, "Doch ein Rückruf: Frau Notice");
  EXPECT_EQ(german.line, "Doch ein Rückruf, wieder geöffnet von Clara: Frau Notice. Noch ist nichts versprochen.");
  EXPECT_THAT(german.text, HasSubstr("Frau Notice hatte abgesagt, und der Rückruf ist wieder offen: Clara weiß es anders. Noch ist nichts versprochen."));
  EXPECT_THAT(german.text, Not(HasSubstr("13:00")));
  team_.set_language("en");
  EXPECT_EQ(Compose().subject, "A call after all: Frau Notice");
}

TEST_F(ComposeTest, TheReminderCarriesWhatTheCustomerAnsweredQuietly) {
  callback_.mutable_promises(0)->set_state(record::PromiseRecord::STATE_ARMED);
  *callback_.mutable_promises(0)->mutable_agreed_time() = rpc::ToProto(kPromised - absl::Hours(1));
  callback_.set_topic(record::TOPIC_COMPLAINT);
  callback_.mutable_brief()->set_text("Die Lieferung fehlt.");
  delivery_.set_promise_revision(1);
  About(DeliveryRecord::KIND_REMINDER, "", "");
  const RenderedNotice notice = Compose();
  EXPECT_THAT(notice.line, HasSubstr("Versprochen heute um 13:00 Uhr (einverstanden). Reklamation. Anliegen: Die Lieferung fehlt."));
  EXPECT_THAT(notice.text, HasSubstr("Thema: Reklamation\nMit der Zeit einverstanden: ja\n"));
}

TEST_F(ComposeTest, TheCustomerHearsWhatBecameOfTheWish) {
  delivery_.clear_member_id();
  delivery_.set_promise_revision(1);
  About(DeliveryRecord::KIND_PROMISE_UPDATE, "proposal_accepted", "");
  EXPECT_THAT(Compose().subject, HasSubstr("heute um 13:00 Uhr zurück (wie gewünscht)"));
  EXPECT_THAT(Compose().text, HasSubstr("sehr gern zu Ihrer Wunschzeit"));
  About(DeliveryRecord::KIND_PROMISE_UPDATE, "proposal_countered", "");
  EXPECT_THAT(Compose().subject, HasSubstr("(geändert)"));
  EXPECT_THAT(Compose().text, HasSubstr("zu Ihrer Wunschzeit geht es leider nicht. Stattdessen ruft"));
  EXPECT_THAT(Compose().text, Not(HasSubstr("gilt jetzt")));
  About(DeliveryRecord::KIND_PROMISE_UPDATE, "proposal_declined", "");
  EXPECT_THAT(Compose().subject, HasSubstr("(wie versprochen)"));
  EXPECT_THAT(Compose().text, HasSubstr("Es bleibt dabei"));
}

TEST_F(ComposeTest, AWrongPersonIsNoFailureOfAServer) {
  delivery_.set_promise_revision(1);
  About(DeliveryRecord::KIND_DELIVERY_ALARM, "wrong_person", "");
  const RenderedNotice notice = Compose();
  EXPECT_EQ(notice.subject, "Falsche Person: die Nachricht an Frau Notice ist bei jemand anderem");
  EXPECT_THAT(notice.text, HasSubstr("Der Link ist gesperrt."));
  EXPECT_THAT(notice.text, Not(HasSubstr("ist nicht angekommen")));
}

TEST_F(ComposeTest, AFailedCancellationSaysThatTheCustomerStillWaits) {
  Closed(record::CallbackRecord::CLOSING_CANCELLED, "cancelled");
  delivery_.set_promise_revision(1);
  About(DeliveryRecord::KIND_DELIVERY_ALARM, "cancellation_failed", "550 unknown");
  const RenderedNotice notice = Compose();
  EXPECT_EQ(notice.subject, "Frau Notice weiß nicht, dass der Anruf heute um 13:00 Uhr entfällt");
  EXPECT_EQ(notice.line, "Frau Notice weiß nicht, dass der Anruf heute um 13:00 Uhr entfällt: 550 unknown. "
                         "Bitte selbst anrufen: +4930123456");
  EXPECT_THAT(notice.text, HasSubstr("wartet heute um 13:00 Uhr noch auf einen Anruf, den niemand mehr macht"));
  EXPECT_THAT(notice.text, HasSubstr("Entfällt: heute um 13:00 Uhr"));
  EXPECT_THAT(notice.text, Not(HasSubstr("nie gehört")));
  EXPECT_THAT(notice.text, Not(HasSubstr("ringback promise"))) << "it is closed";
  // Who called off knows: only the confirmation is missing.
  callback_.set_closing(record::CallbackRecord::CLOSING_CALLED_OFF);
  EXPECT_THAT(Compose().text, HasSubstr("selbst abgesagt"));
}

TEST_F(ComposeTest, AFailedUpdateSaysWhatTheCustomerStillBelieves) {
  record::PromiseRecord& moved = *callback_.add_promises();
  moved = callback_.promises(0);
  moved.set_revision(2);
  *moved.mutable_promised_time() = rpc::ToProto(kPromised + absl::Hours(2));
  delivery_.set_promise_revision(2);
  About(DeliveryRecord::KIND_DELIVERY_ALARM, "update_failed", "550 unknown");
  const RenderedNotice notice = Compose();
  EXPECT_EQ(notice.subject, "Frau Notice weiß nichts von der Änderung: heute um 15:00 Uhr");
  EXPECT_THAT(notice.text, HasSubstr("was vorher galt (heute um 13:00 Uhr). Jetzt gilt heute um 15:00 Uhr mit Anna."));
}

TEST_F(ComposeTest, APromiseNotAcceptedInTimeNamesTheLastTrysReason) {
  delivery_.set_promise_revision(1);
  About(DeliveryRecord::KIND_DELIVERY_ALARM, "not_accepted_in_time", "");
  EXPECT_EQ(Compose().line, "Frau Notice hat „heute um 13:00 Uhr“ noch nicht gehört. Bitte selbst anrufen: +4930123456");
  EXPECT_THAT(Compose().text, Not(HasSubstr("Grund")));
  failure_ = "451 try again later";
  EXPECT_EQ(Compose().line, "Frau Notice hat „heute um 13:00 Uhr“ noch nicht gehört: 451 try again later. "
                            "Bitte selbst anrufen: +4930123456");
  EXPECT_THAT(Compose().text, HasSubstr("Grund: 451 try again later"));
}

TEST_F(ComposeTest, OnlyWhatWasPromisedIsCalledSo) {
  struct Case { record::AlarmKind kind; const char* says; };
  for (const Case& c : {Case{record::ALARM_KIND_RESPONSE, "noch kein Versprechen"},
                        Case{record::ALARM_KIND_FOLLOW_UP, "Noch nicht erreicht"}}) {
    Alarm(c.kind, 1, 1, kPromised + absl::Minutes(5));
    EXPECT_THAT(Compose().text, HasSubstr("Fällig: heute um 13:00 Uhr (seit 5 Minuten überfällig)"));
    EXPECT_THAT(Compose().text, Not(HasSubstr("Versprochen:")));
    DeliveryRecord promised = delivery_;
    promised.set_alarm_kind(record::ALARM_KIND_PROMISE);
    *promised.mutable_anchor_time() = rpc::ToProto(kPromised - absl::Minutes(1));
    bundled_ = {{promised, callback_}};
    const std::string bundle = Compose().text;
    EXPECT_THAT(bundle, HasSubstr(c.says));
    EXPECT_THAT(bundle, HasSubstr("  Fällig: heute um 13:00 Uhr (seit 5 Minuten überfällig)\n"));
    EXPECT_LT(bundle.find("Versprochen: heute um 12:59 Uhr"), bundle.find("Fällig:")) << "the most urgent first";
    bundled_.clear();
    // After an outage, after the last repeat, and in the morning.
    Alarm(c.kind, 2, 2, kPromised + absl::Hours(3));
    EXPECT_THAT(Compose().text, HasSubstr("nicht in Betrieb"));
    EXPECT_THAT(Compose().text, HasSubstr("Fällig: heute um 13:00 Uhr"));
    delivery_.set_daily(true);
    EXPECT_EQ(Compose().subject, "Immer noch offen: Frau Notice");
    EXPECT_THAT(Compose().text, HasSubstr("Fällig: heute um 13:00 Uhr"));
    delivery_.set_daily(false);
    delivery_.set_digest(true);
    EXPECT_EQ(Compose().subject, "Heute Morgen: ein offener Rückruf braucht jemanden");
    EXPECT_THAT(Compose().text, HasSubstr("  Fällig: heute um 13:00 Uhr"));
    EXPECT_THAT(Compose().text, Not(HasSubstr("Versprochen:")));
    delivery_.set_digest(false);
  }
}

}  // namespace
}  // namespace ringback::delivery
