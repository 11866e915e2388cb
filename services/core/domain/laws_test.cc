// The laws as invariants: random teams, commands, outcomes and clock steps, and after every single decision everything
// that must always hold. A failure prints its seed; RINGBACK_SEED=<seed> replays that run first.
#include <cstdlib>
#include <iostream>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "core/base/ids.h"
#include "core/domain/deliveries.h"
#include "core/domain/escalation.h"
#include "core/domain/input.h"
#include "core/domain/story.h"

namespace ringback::domain {
namespace {

using record::CallbackRecord;
using record::DeliveryRecord;
using record::PromiseRecord;

uint64_t FirstSeed() {
  const char* given = std::getenv("RINGBACK_SEED");
  const uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : NewSystemRandom()->Next() % 1'000'000'000;
  std::cout << "RINGBACK_SEED=" << seed << "\n";
  return seed;
}

class Dice {
 public:
  explicit Dice(uint64_t seed) : random_(NewSeededRandom(seed)) {}
  int Below(int n) { return static_cast<int>(random_->Next() % static_cast<uint64_t>(n)); }
  bool OneIn(int n) { return Below(n) == 0; }
  absl::Duration Span(absl::Duration most) {
    return absl::Nanoseconds(random_->Next() % static_cast<uint64_t>(absl::ToInt64Nanoseconds(most)));
  }
  template <typename T>
  const T& Of(const std::vector<T>& choices) {
    return choices[Below(static_cast<int>(choices.size()))];
  }

 private:
  std::unique_ptr<Random> random_;
};

record::TeamRecord RandomTeam(Dice& dice) {
  record::TeamRecord team = SmallTeam();
  if (dice.OneIn(3)) team.set_time_zone("America/New_York");
  team.set_report_listened(dice.OneIn(2));
  if (dice.OneIn(4)) team.clear_calendar();  // always open
  if (dice.OneIn(4)) team.mutable_calendar()->add_holidays("2026-11-24");
  if (dice.OneIn(2)) {
    auto& policy = *team.mutable_policy();
    policy.clear_steps();
    absl::Duration delay;
    const int steps = 1 + dice.Below(5);
    for (int i = 0; i < steps; ++i) {
      auto& step = *policy.add_steps();
      if (i > 0 || dice.OneIn(2)) delay += absl::Minutes(dice.Below(50));
      *step.mutable_delay() = ToProto(delay);
      step.set_any_time(dice.OneIn(4));
      step.add_recipients()->set_kind(static_cast<record::Recipient::Kind>(1 + dice.Below(3)));
    }
    policy.set_repeat_from_step(dice.Below(steps + 1));
    policy.set_repeat_count(dice.Below(4));
    *policy.mutable_repeat_interval() = ToProto(absl::Minutes(1 + dice.Below(200)));
  }
  for (const char* id : {"anna", "ben", "mia", "adam"}) {
    if (dice.OneIn(2)) MemberOf(team, id).set_substitute_id(std::string(id) == "anna" ? "ben" : "anna");
    for (int i = dice.Below(3); i > 0; --i) {
      const absl::Time start = At("2026-11-20 00:00") + dice.Span(absl::Hours(24 * 20));
      AddAbsence(MemberOf(team, id), start, start + absl::Minutes(1) + dice.Span(absl::Hours(24 * 10)));
    }
  }
  EXPECT_TRUE(CheckTeam(team).ok()) << CheckTeam(team);
  return team;
}

std::vector<int> Numbers(const std::string& ranges) {
  std::vector<int> numbers;
  for (const auto range : absl::StrSplit(ranges, ',')) {
    const std::vector<std::string> ends = absl::StrSplit(range, '-');
    int first = 0, last = 0;
    EXPECT_TRUE(absl::SimpleAtoi(ends.front(), &first) && absl::SimpleAtoi(ends.back(), &last)) << ranges;
    for (int n = first; n <= last; ++n) numbers.push_back(n - 1);
  }
  return numbers;
}

bool GivesVerdict(const std::string& counter) {
  static const std::set<std::string> kVerdicts = {"kept",          "late",          "missed", "moved_by_customer",
                                                  "moved_by_team", "cancelled_by_customer"};
  return kVerdicts.count(counter) > 0;
}

// One callback that lives at random, held against the laws at every step.
class Life {
 public:
  explicit Life(uint64_t seed) : dice_(seed), team_(RandomTeam(dice_)), zone_(LoadZone(team_.time_zone()).value()) {
    now_ = At("2026-11-20 00:00") + dice_.Span(absl::Hours(24 * 7));
    if (dice_.OneIn(5)) now_ = At("2027-03-26 00:00") + dice_.Span(absl::Hours(72));  // around the clock change
    Request request;
    request.callback_id = "cb07h3k9x2m4q8w1";
    request.caller.set_name("Herr Müller");
    if (!dice_.OneIn(5)) request.caller.set_email("mueller@example.com");
    if (dice_.OneIn(2)) request.caller.set_phone("+4930123456");
    request.assignee_id = dice_.OneIn(4) ? "" : "anna";
    auto opened = Open(request, team_, {"tk07intake"}, now_);
    EXPECT_TRUE(opened.ok());
    Check(CallbackRecord(), *opened);
  }

  void Step() {
    switch (dice_.Below(8)) {
      case 0: return FireEarly();
      case 1:
      case 2: return FireExactly();
      case 3: return Sleep();
      case 4: return DeliverySpeaks();
      case 5: return dice_.OneIn(8) ? ChangePolicy() : Command();
      default: return Command();
    }
  }

  bool open() const { return callback_.phase() != CallbackRecord::PHASE_CLOSED; }

  // Nobody does anything any more: the alarms must go on, day after day (law 6).
  void NobodyActs() {
    if (!open() || callback_.phase() == CallbackRecord::PHASE_TALKED) return;
    const absl::Time due = std::max(*DueTime(callback_), now_);
    absl::Time quiet_since = std::max(due, callback_.escalation().has_ack_until()
                                               ? FromProto(callback_.escalation().ack_until())
                                               : absl::InfinitePast());
    // A weekend and a holiday; then up to 24 hours to the next notice.
    const absl::Duration longest = absl::Hours(24 + 24 * 4);
    const int before = alarms_;
    while (now_ < due + absl::Hours(24 * 20)) {
      now_ = std::max(now_, *next_timer_);
      const int had = alarms_;
      const int armed = ArmedPromise(callback_) == nullptr ? 0 : ArmedPromise(callback_)->revision();
      Check(callback_, OnTimer(callback_, team_, now_));
      ASSERT_EQ(armed, ArmedPromise(callback_) == nullptr ? 0 : ArmedPromise(callback_)->revision());
      if (alarms_ == had) continue;
      ASSERT_LE(now_ - quiet_since, longest) << "silence since " << quiet_since;
      quiet_since = now_;
    }
    EXPECT_GT(alarms_, before);
    EXPECT_LE(now_ - quiet_since, longest);
  }

  void CloseAndCount() {
    if (open()) {
      auto closed = Apply(callback_, Cancel{"end of the test"}, team_, {"mia"}, now_);
      ASSERT_TRUE(closed.ok()) << closed.status();
      Check(callback_, *closed);
    }
    int armed = 0, verdicts = 0;
    for (const auto& promise : callback_.promises()) {
      armed += promise.has_accept_time();
      verdicts += promise.verdict() != record::VERDICT_UNSPECIFIED;
      ASSERT_NE(promise.state(), PromiseRecord::STATE_ARMED);
      ASSERT_NE(promise.state(), PromiseRecord::STATE_PENDING);
    }
    EXPECT_EQ(verdicts, armed);
    EXPECT_EQ(counted_verdicts_, verdicts);
    EXPECT_EQ(counted_promises_, armed);
    EXPECT_EQ(history_.size(), static_cast<size_t>(callback_.history_count()));
  }

  size_t steps() const { return steps_; }

 private:
  void FireEarly() {
    if (!open() || *next_timer_ <= now_) return;
    const absl::Time early = now_ + dice_.Span(*next_timer_ - now_);
    const Decision decision = OnTimer(callback_, team_, early);
    ASSERT_EQ(Bytes(decision.callback), Bytes(callback_));
    ASSERT_EQ(decision.next_timer, next_timer_);
    ASSERT_TRUE(decision.events.empty() && decision.new_deliveries.empty() && decision.counters.empty());
  }

  void FireExactly() {
    if (!open()) return;
    now_ = std::max(now_, *next_timer_);
    Check(callback_, OnTimer(callback_, team_, now_));
    ASSERT_GT(*next_timer_, now_) << "a timer that fired must not be due again";
  }

  void Sleep() {
    const absl::Duration spans[] = {absl::Minutes(20), absl::Hours(5), absl::Hours(24 * 5)};
    now_ += dice_.Span(spans[dice_.Below(3)]);
    const bool was_due = open() && *next_timer_ <= now_;
    Check(callback_, OnTimer(callback_, team_, now_));
    if (was_due) {
      ASSERT_GT(*next_timer_, now_);
    }
  }

  // What a changed team does to its open callbacks. The numbers of the alarms are other moments from now on.
  void ChangePolicy() {
    *team_.mutable_policy() = RandomTeam(dice_).policy();
    fired_.clear();
    next_timer_ = NextTimer(callback_, team_, now_);
    if (next_timer_) *callback_.mutable_next_timer_time() = ToProto(*next_timer_);
  }

  void DeliverySpeaks() {
    if (messages_.empty()) return;
    const DeliveryRecord message = dice_.Of(messages_);
    if (dice_.OneIn(4)) return Bounce(message);
    const auto result = static_cast<DeliveryOutcome::Result>(dice_.Below(3));
    Check(callback_, OnDeliveryOutcome(callback_, message, {result, "said so"}, team_, now_));
  }

  // Whatever came back of whatever message: no verdict, no other time, and no pause of the clock (law 1).
  void Bounce(const DeliveryRecord& message) {
    const CallbackRecord before = callback_;
    Check(before, OnBounce(before, message, dice_.OneIn(2), "550 no such user", team_, now_));
    ASSERT_EQ(DueTime(before), DueTime(callback_));
    ASSERT_EQ(before.phase(), callback_.phase());
    for (int i = 0; i < before.promises_size(); ++i) {
      ASSERT_EQ(before.promises(i).verdict(), callback_.promises(i).verdict());
    }
  }

  // What the customer and the page note of a promise beside its course.
  static std::string Course(PromiseRecord promise) {
    promise.clear_agreed_time();
    promise.clear_decline_time();
    promise.clear_heard_time();
    return Bytes(promise);
  }

  // The quiet answers (agreed, topic, brief, heard) wait for the reminder: nobody is told, and no timer moves.
  void Quiet(const domain::Command& command) {
    const CallbackRecord before = callback_;
    const auto timer = next_timer_;
    const size_t sent = delivery_ids_.size();
    Harmless(command);
    ASSERT_EQ(sent, delivery_ids_.size());
    ASSERT_EQ(timer, next_timer_);
    ASSERT_EQ(before.delivery_alarm(), callback_.delivery_alarm());
  }

  // What endangers the promise tells somebody at once, if it was taken in and says anything new.
  void Interrupts(const domain::Command& command) {
    const int told = callback_.delivery_count(), known = callback_.history_count();
    Harmless(command);
    if (callback_.history_count() == known) return;
    ASSERT_TRUE(callback_.delivery_count() > told || callback_.history(callback_.history_size() - 1).what() == "agreed");
  }

  // A command that settles nothing: neither promise nor due time nor phase may move (law 1).
  void Harmless(const domain::Command& command) {
    const CallbackRecord before = callback_;
    Try(command);
    ASSERT_EQ(DueTime(before), DueTime(callback_));
    ASSERT_EQ(before.phase(), callback_.phase());
    ASSERT_EQ(before.promises_size(), callback_.promises_size());
    for (int i = 0; i < before.promises_size(); ++i) {
      ASSERT_EQ(Course(before.promises(i)), Course(callback_.promises(i)));
    }
    if (const auto* armed = ArmedPromise(callback_); armed != nullptr && !armed->has_due_reminder_time()) {
      ASSERT_LT(*next_timer_, std::max(now_, FromProto(armed->promised_time())) + absl::Milliseconds(1));
      if (callback_.has_snooze_until()) {
        ASSERT_LE(FromProto(callback_.snooze_until()), FromProto(armed->promised_time()));
      }
    }
  }

  void Command() {
    using Channel = PromiseRecord::Channel;
    const absl::Time promised = now_ + absl::Seconds(1) + dice_.Span(dice_.OneIn(3) ? absl::Hours(70) : absl::Hours(3));
    switch (dice_.Below(26)) {
      case 0:
        if (callback_.phase() == CallbackRecord::PHASE_TALKED) return Try(RangAgain{"noch einmal"});
        return Harmless(RangAgain{"noch einmal"});
      case 1: return Quiet(CustomerBrief{"Es geht um das Angebot."});
      case 2: return Harmless(Acknowledge{dice_.OneIn(2) ? std::optional<absl::Duration>()
                                                         : absl::Seconds(30) + dice_.Span(absl::Hours(8 * 24))});
      case 3:
        return Harmless(dice_.OneIn(3) ? domain::Command(StartCall{}) : domain::Command(Snooze{dice_.Span(absl::Hours(4))}));
      case 4: return Harmless(Assign{dice_.Of<std::string>({"anna", "ben", "mia", "zoe", ""})});
      case 5: {
        record::Caller caller = callback_.caller();
        caller.set_email(dice_.OneIn(3) ? "" : "neu@example.com");
        return Harmless(UpdateCaller{caller});
      }
      case 6:
      case 7:
      case 8:
      case 9:
        return Try(MakePromise{dice_.OneIn(10) ? now_ : promised, static_cast<Channel>(dice_.Below(5)),
                               dice_.OneIn(6) ? "" : "rc07take", dice_.OneIn(2), "Guten Morgen!", dice_.OneIn(4)});
      case 10: return Try(CustomerMove{promised});
      case 11: return dice_.OneIn(6) ? Try(CustomerCallOff{}) : Try(Reopen{});
      case 12: return Try(dice_.OneIn(4) ? domain::Command(Complete{"ordered"}) : domain::Command(Complete{""}));
      case 14: return Try(Resend{!dice_.OneIn(5)});
      case 15: return Quiet(CustomerAgree{dice_.Below(callback_.promises_size() + 2)});
      case 16: return Quiet(CustomerTopic{static_cast<record::Topic>(dice_.Below(5))});
      case 17: return Quiet(Heard{dice_.Below(callback_.promises_size() + 2)});
      case 18:
      case 19: return Interrupts(CustomerPropose{promised});
      case 20: return Interrupts(CustomerDecline{});
      case 21: return dice_.OneIn(3) ? Interrupts(WrongPerson{}) : Quiet(CustomerBrief{"Bitte das Angebot mitbringen."});
      case 22: return Answer(AnswerProposal{});
      case 23: return Answer(AnswerProposal{promised});
      case 24: return Answer(DeclineProposal{});
      case 13: return dice_.OneIn(8) ? Try(Cancel{"duplicate"}) : Try(Cancel{""});
      default: {
        const absl::Time called = dice_.OneIn(2) ? now_ : now_ + absl::Minutes(1) - dice_.Span(absl::Hours(30));
        return Try(LogAttempt{static_cast<record::AttemptRecord::Outcome>(dice_.Below(6)), called, ""});
      }
    }
  }

  // Whatever the team answers, the wish is answered then; refused, it stays open.
  void Answer(const domain::Command& command) {
    const auto* armed = ArmedPromise(callback_);
    const bool wished = callback_.has_proposal();
    const bool asked = wished || (armed != nullptr && armed->has_decline_time());
    const int known = callback_.history_count();
    Try(command);
    const bool answered = callback_.history_count() > known;
    ASSERT_TRUE(asked || !answered) << "a wish that nobody had was answered";
    ASSERT_EQ(callback_.has_proposal(), wished && !answered);
  }

  void Try(const domain::Command& command) {
    const bool by_customer =
        std::holds_alternative<CustomerMove>(command) || std::holds_alternative<CustomerCallOff>(command) ||
        std::holds_alternative<CustomerBrief>(command) || std::holds_alternative<CustomerAgree>(command) ||
        std::holds_alternative<CustomerPropose>(command) || std::holds_alternative<CustomerDecline>(command) ||
        std::holds_alternative<CustomerTopic>(command) || std::holds_alternative<WrongPerson>(command) ||
        std::holds_alternative<Heard>(command);
    const Actor actor{dice_.Of<std::string>({"anna", "ben", "mia", "tk07intake"}), by_customer};
    auto decision = Apply(callback_, command, team_, actor, now_);
    if (decision.ok()) return Check(callback_, *decision);
    ASSERT_FALSE(DetailOf(decision.status()).field.empty()) << decision.status();
    ASSERT_FALSE(DetailOf(decision.status()).reason.empty());
    ASSERT_TRUE(absl::IsInvalidArgument(decision.status()) || absl::IsFailedPrecondition(decision.status()));
  }

  void CheckPromises(const CallbackRecord& before, const CallbackRecord& after) {
    int armed = 0, pending = 0;
    ASSERT_GE(after.promises_size(), before.promises_size());
    for (int i = 0; i < after.promises_size(); ++i) {
      const auto& promise = after.promises(i);
      ASSERT_EQ(promise.revision(), i + 1);
      armed += promise.state() == PromiseRecord::STATE_ARMED;
      pending += promise.state() == PromiseRecord::STATE_PENDING;
      const bool settled = promise.state() == PromiseRecord::STATE_SETTLED;
      ASSERT_EQ(settled, promise.verdict() != record::VERDICT_UNSPECIFIED);
      ASSERT_EQ(settled || promise.state() == PromiseRecord::STATE_ARMED, promise.has_accept_time());
      const bool judged = promise.verdict() == record::VERDICT_KEPT || promise.verdict() == record::VERDICT_LATE;
      const bool was_open = i >= before.promises_size() || before.promises(i).verdict() == record::VERDICT_UNSPECIFIED;
      if (i < before.promises_size()) {
        ASSERT_EQ(FromProto(before.promises(i).promised_time()), FromProto(promise.promised_time()));
        if (!was_open) {
          ASSERT_EQ(Bytes(before.promises(i)), Bytes(promise)) << "a verdict changed";
        }
      }
      if (judged && was_open) {  // law 2: by when the call was made
        const auto& attempt = after.attempts(after.attempts_size() - 1);
        const absl::Duration late = FromProto(attempt.called_time()) - FromProto(promise.promised_time());
        ASSERT_EQ(promise.verdict() == record::VERDICT_KEPT, late <= absl::Minutes(5));
        if (attempt.outcome() != record::AttemptRecord::OUTCOME_REACHED) {
          ASSERT_GE(late, absl::ZeroDuration());
        }
        if (promise.verdict() == record::VERDICT_LATE) {
          ASSERT_EQ(FromProto(promise.late_by()), late);
        }
      }
      if (settled && was_open && promise.verdict() == record::VERDICT_MOVED_BY_TEAM) {
        ASSERT_LT(now_, FromProto(promise.promised_time()));  // an overdue promise is never moved, it is missed
      }
    }
    ASSERT_LE(armed, 1);
    ASSERT_LE(pending, 1);
    if (after.has_proposal()) {  // a wish is open only while nothing has answered it
      ASSERT_NE(after.phase(), CallbackRecord::PHASE_CLOSED);
      ASSERT_EQ(after.promises_size(), before.promises_size());
    }
    ASSERT_EQ(armed == 1, after.phase() == CallbackRecord::PHASE_PROMISED);
  }

  void CheckAlarm(const CallbackRecord& before, const CallbackRecord& after, const record::HistoryEvent& event) {
    ++alarms_;
    const auto policy = PolicyOf(team_);
    const absl::Time anchor = FromProto(after.escalation().anchor_time());
    const bool closed_hours = NextOpen(team_.calendar(), zone_, now_) > now_;
    bool never_waits = false;
    for (const int n : Numbers(event.details().at("alarm"))) {
      ASSERT_TRUE(fired_.insert({overdue_number_, n}).second) << "alarm " << n << " fired twice";
      const Alarm alarm = AlarmAt(policy, n);
      ASSERT_GE(now_, anchor + alarm.offset) << "alarm " << n << " came early";
      never_waits = never_waits || n == 0 || alarm.any_time;
    }
    ASSERT_TRUE(!closed_hours || never_waits) << "an alarm at night that should have waited";
    if (before.escalation().has_ack_until() && before.escalation().anchor_time().seconds() ==
                                                   after.escalation().anchor_time().seconds()) {
      ASSERT_GE(now_, FromProto(before.escalation().ack_until()));
    }
    ASSERT_GT(after.escalation().told_ids_size(), 0) << "an alarm that tells nobody";
  }

  void Check(const CallbackRecord before, const Decision& decision) {
    ++steps_;
    const CallbackRecord& after = decision.callback;
    // Law 1: an open callback always has a next timer, in a future that comes.
    const bool is_open = after.phase() != CallbackRecord::PHASE_CLOSED;
    ASSERT_EQ(is_open, decision.next_timer.has_value());
    ASSERT_EQ(decision.next_timer, NextTimer(after, team_, now_));
    if (is_open) {
      ASSERT_EQ(FromProto(after.next_timer_time()), *decision.next_timer);
      const absl::Time due = DueTime(after).value_or(now_);
      ASSERT_LE(*decision.next_timer, std::max(now_, due) + absl::Hours(24 * 12));
      ASSERT_EQ(decision.purge_time, std::nullopt);
    } else if (before.phase() != CallbackRecord::PHASE_CLOSED) {
      ASSERT_EQ(decision.purge_time, now_ + absl::Hours(24 * 30));
    }
    CheckPromises(before, after);

    // Law 8: append-only, numbered, and the decision hands out exactly what was appended.
    ASSERT_EQ(after.history_count(), before.history_count() + static_cast<int>(decision.events.size()));
    ASSERT_EQ(after.history_size(), before.history_size() + static_cast<int>(decision.events.size()));
    for (int i = 0; i < before.history_size(); ++i) {
      if (i > 0 && i + 5 < before.history_size()) continue;  // the ends tell
      ASSERT_EQ(Bytes(after.history(i)), Bytes(before.history(i)));
    }
    int alarms = 0, overdue = 0;
    std::set<std::string> alarmed, reminded;
    for (const auto& delivery : decision.new_deliveries) {
      if (delivery.kind() == DeliveryRecord::KIND_ESCALATION) alarmed.insert(delivery.member_id());
      if (delivery.kind() != DeliveryRecord::KIND_REMINDER || delivery.alarm_kind() == record::ALARM_KIND_UNSPECIFIED) continue;
      ASSERT_EQ(FromProto(delivery.anchor_time()), DueTime(after));
      ASSERT_GE(now_, *DueTime(after)) << "reminded of a time that is still to come";
      reminded.insert(delivery.member_id());
    }
    for (const auto& event : decision.events) {
      history_.push_back(event.number());
      ASSERT_EQ(event.number(), static_cast<int>(history_.size()));
      ASSERT_EQ(FromProto(event.time()), now_);
      ASSERT_FALSE(event.author().empty());
      alarms += event.what() == "alarm";
      if (event.what() == "overdue") {
        ++overdue;
        overdue_number_ = event.number();
      }
      if (event.what() == "alarm") CheckAlarm(before, after, event);
      if (event.what() == "reminded" && event.details().count("of") > 0) {  // law 5: once per due time
        ASSERT_TRUE(reminded_.insert(overdue_number_).second) << "reminded twice of one due time";
      }
      if (testing::Test::HasFatalFailure()) return;
    }
    // Law 6: when a response target or a follow-up time comes, somebody hears of it then, and nobody twice.
    if (overdue == 1 && decision.events.back().author() == "system" && is_open &&
        after.phase() != CallbackRecord::PHASE_PROMISED) {
      ASSERT_FALSE(alarmed.empty() && reminded.empty()) << "a due time that passes in silence";
    }
    for (const std::string& id : reminded) ASSERT_EQ(alarmed.count(id), 0u) << id << " is told twice at once";
    ASSERT_LE(alarms, 1);  // law 5: one alarm, however many steps were slept through
    ASSERT_LE(overdue, 1);

    std::map<std::pair<int, std::string>, int> per_member;
    for (const auto& delivery : decision.new_deliveries) {
      ASSERT_TRUE(delivery_ids_.insert(delivery.id()).second) << delivery.id();
      ASSERT_TRUE(ShardOf(delivery.id(), id_prefix::kDelivery).ok());
      ASSERT_GT(delivery.channels_size(), 0);
      ASSERT_TRUE(StillNeeded(after, delivery, team_, now_)) << delivery.ShortDebugString();
      if (delivery.kind() == DeliveryRecord::KIND_REMINDER || delivery.kind() == DeliveryRecord::KIND_ESCALATION) {
        ASSERT_EQ((++per_member[{delivery.kind(), delivery.member_id()}]), 1);
      }
      if (delivery.member_id().empty()) messages_.push_back(delivery);
    }
    for (const auto& counter : decision.counters) {
      counted_verdicts_ += GivesVerdict(counter.name) ? counter.delta : 0;
      counted_promises_ += counter.name == "promised" ? counter.delta : 0;
    }
    callback_ = after;
    next_timer_ = decision.next_timer;
    PageOut(&callback_);
  }

  Dice dice_;
  record::TeamRecord team_;
  absl::TimeZone zone_;
  absl::Time now_;
  CallbackRecord callback_;
  std::optional<absl::Time> next_timer_;
  std::vector<int> history_;
  std::set<std::string> delivery_ids_;
  std::set<std::pair<int, int>> fired_;  // number of the overdue event, alarm
  std::set<int> reminded_;               // number of the overdue event
  std::vector<DeliveryRecord> messages_;
  int overdue_number_ = 0;
  int alarms_ = 0;
  int counted_verdicts_ = 0;
  int counted_promises_ = 0;
  size_t steps_ = 0;
};

TEST(Laws, HoldForEveryLifeOfACallback) {
  const uint64_t first = FirstSeed();
  size_t steps = 0;
  for (uint64_t seed = first; seed < first + 2000; ++seed) {
    SCOPED_TRACE("RINGBACK_SEED=" + std::to_string(seed) + " replays this run");
    Life life(seed);
    for (int i = 0; i < 50 && !testing::Test::HasFailure(); ++i) life.Step();
    if (!testing::Test::HasFailure() && seed % 4 == 0) life.NobodyActs();
    if (!testing::Test::HasFailure()) life.CloseAndCount();
    steps += life.steps();
    if (testing::Test::HasFailure()) return;
  }
  std::cout << "2000 lives, " << steps << " decisions\n";
  EXPECT_GT(steps, 50'000u);
}

// Two ways through the same time, one exact and one that sleeps: both must come to the same verdict, and the sleeper
// alarms at most once per wake-up.
TEST(Laws, SleepingChangesNoVerdictAndNoDueTime) {
  const uint64_t first = FirstSeed();
  for (uint64_t seed = first; seed < first + 1000; ++seed) {
    SCOPED_TRACE("RINGBACK_SEED=" + std::to_string(seed) + " replays this run");
    Dice dice(seed);
    Story exact(RandomTeam(dice));
    exact.Open();
    exact.Do(MakePromise{exact.now + absl::Minutes(1) + dice.Span(absl::Hours(48)), PromiseRecord::CHANNEL_SPOKEN, "",
                         false, ""});
    Story sleeper = exact;
    const absl::Time until = exact.now + dice.Span(absl::Hours(24 * 10));
    exact.PassUntil(until);
    sleeper.Forget();
    sleeper.now = until;
    sleeper.Take(OnTimer(sleeper.callback, sleeper.team, until));
    ASSERT_LE(sleeper.Times("alarm").size(), 1u);
    ASSERT_EQ(DueTime(exact.callback), DueTime(sleeper.callback));
    ASSERT_EQ(exact.Counted("overdue"), sleeper.Counted("overdue"));
    // What the sleeper's one alarm stands for is what went off one by one.
    if (!sleeper.Times("alarm").empty()) {
      ASSERT_EQ(exact.callback.escalation().next_alarm(), sleeper.callback.escalation().next_alarm());
    }
    ASSERT_EQ(exact.next_timer > until, true);
    ASSERT_EQ(sleeper.next_timer > until, true);
    for (Story* story : {&exact, &sleeper}) story->Attempt(record::AttemptRecord::OUTCOME_REACHED);
    ASSERT_EQ(exact.VerdictOf(1), sleeper.VerdictOf(1));
  }
}

}  // namespace
}  // namespace ringback::domain
