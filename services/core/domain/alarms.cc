// The escalation of one callback: which alarms are owed, when the next may go, and one alarm however many are due.
// Law 5: each alarm of an anchor fires once, or is stood for by one that does. Law 6: there is always a next one.
//
// An alarm is ripe at anchor + offset; one that waits for the team's hours, at the next opening. When one goes off, it
// stands for everything that is ripe by then, so what has been dealt with is told by time alone: every alarm that was
// ripe when the last one fired. A number would not do: under another policy the same number is another moment, and
// an index into a long policy would be weeks of daily notices into a short one. The others whose time had come were held
// for the team's hours while one that says any time passed them by, and follow.
#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "core/domain/draft.h"
#include "core/domain/proto_time.h"

namespace ringback::domain {

using record::CallbackRecord;
using record::DeliveryRecord;
using record::EscalationRecord;

namespace {

class Alarms {
 public:
  Alarms(const CallbackRecord& callback, const TeamRules& rules)
      : escalation_(callback.escalation()), rules_(rules), anchor_(FromProto(escalation_.anchor_time())) {
    while (Nominal(next_) <= Last()) ++next_;
  }

  Alarm At(int n) const { return AlarmAt(rules_.policy, n); }
  // The first alarm is not for the morning: the customer waits now.
  bool NeverWaits(int n) const { return n == 0 || At(n).any_time; }
  absl::Time Nominal(int n) const { return anchor_ + At(n).offset; }
  absl::Time Ripe(int n) const { return NeverWaits(n) ? Nominal(n) : rules_.NextOpen(Nominal(n)); }
  absl::Time AckUntil() const {
    return escalation_.has_ack_until() ? FromProto(escalation_.ack_until()) : absl::InfinitePast();
  }

  absl::Time Last() const {
    return escalation_.has_last_alarm_time() ? FromProto(escalation_.last_alarm_time()) : absl::InfinitePast();
  }
  // The first alarm whose time comes after the last one fired.
  int Next() const { return next_; }

  // Alarms before Next() that were held for the team's hours when the last one fired.
  std::vector<int> Held() const {
    std::vector<int> held;
    for (int n = next_ - 1; n > 0; --n) {
      if (NeverWaits(n)) continue;
      if (Ripe(n) <= Last()) break;  // and so were all before it
      held.push_back(n);
    }
    std::reverse(held.begin(), held.end());
    return held;
  }

  // Everything that would be stood for by an alarm at `now`, in order.
  std::vector<int> RipeAt(absl::Time now) const {
    std::vector<int> ripe;
    for (const int n : Held()) {
      if (Ripe(n) <= now) ripe.push_back(n);
    }
    for (int n = next_; Nominal(n) <= now; ++n) {
      if (Ripe(n) <= now) ripe.push_back(n);
    }
    return ripe;
  }

 private:
  const EscalationRecord& escalation_;
  const TeamRules& rules_;
  const absl::Time anchor_;
  int next_ = 0;
};

// "2-4,6": numbered from 1, as people count.
std::string Ranges(const std::vector<int>& numbers) {
  std::string text;
  for (size_t i = 0; i < numbers.size();) {
    size_t k = i;
    while (k + 1 < numbers.size() && numbers[k + 1] == numbers[k] + 1) ++k;
    absl::StrAppend(&text, text.empty() ? "" : ",", numbers[i] + 1);
    if (k > i) absl::StrAppend(&text, "-", numbers[k] + 1);
    i = k + 1;
  }
  return text;
}

}  // namespace

absl::Time NextAlarmTime(const CallbackRecord& callback, const TeamRules& rules, absl::Time now) {
  const Alarms alarms(callback, rules);
  absl::Time next = absl::InfiniteFuture();
  const auto consider = [&](int n) {
    absl::Time at = std::max(alarms.Ripe(n), alarms.AckUntil());
    if (!alarms.NeverWaits(n)) {
      at = rules.NextOpen(at);
      // Overdue and not served, and now it is night: not before the next opening.
      if (at <= now && rules.NextOpen(now) > now) at = rules.NextOpen(now);
    }
    next = std::min(next, at);
  };
  for (const int n : alarms.Held()) consider(n);
  // The next one of either kind, for one that never waits may overtake.
  bool waits = false, never_waits = false;
  const int last = std::max(alarms.Next(), FirstDaily(rules.policy));
  for (int n = alarms.Next(); n <= last && !(waits && never_waits); ++n) {
    bool& seen = alarms.NeverWaits(n) ? never_waits : waits;
    if (!seen) consider(n);
    seen = true;
  }
  return next;
}

void FireAlarm(Draft& draft) {
  const TeamRules& rules = draft.rules;
  const Alarms alarms(draft.callback, rules);
  const int before = std::min(draft.callback.escalation().next_alarm(), alarms.Next());  // a policy may have shrunk
  const std::vector<int> ripe = alarms.RipeAt(draft.now);
  if (ripe.empty() || draft.now < alarms.AckUntil()) return;
  const bool may_go = std::any_of(ripe.begin(), ripe.end(), [&](int n) { return alarms.NeverWaits(n); });
  if (!may_go && rules.NextOpen(draft.now) > draft.now) return;

  const int n = ripe.back();
  const Alarm alarm = alarms.At(n);
  const bool digest = std::any_of(ripe.begin(), ripe.end(), [&](int k) { return alarms.Ripe(k) > alarms.Nominal(k); });

  // Everybody of every step that this one stands for: nobody is left out for having slept.
  std::vector<Told> told;
  std::set<int> steps;
  for (const int k : ripe) steps.insert(alarms.At(k).step);
  for (const int step : steps) {
    const auto recipients =
        Recipients(rules.team, rules.policy.steps(step - 1), draft.callback.assignee_id(), draft.now);
    for (const Told& one : recipients) {
      const auto same = std::find_if(told.begin(), told.end(),
                                     [&one](const Told& other) { return other.member_id == one.member_id; });
      if (same == told.end()) {
        told.push_back(one);
      } else if (one.stands_in_for_id.empty()) {
        same->stands_in_for_id.clear();
      }
    }
  }

  EscalationRecord& escalation = *draft.callback.mutable_escalation();
  escalation.set_next_alarm(std::max(before, n + 1));
  *escalation.mutable_last_alarm_time() = ToProto(draft.now);
  escalation.set_last_step(alarm.step);
  escalation.clear_told_ids();
  for (const Told& one : told) escalation.add_told_ids(one.member_id);

  const auto* armed = ArmedPromise(draft.callback);
  draft.Event("alarm", {{"alarm", Ranges(ripe)},
                        {"step", absl::StrCat(alarm.step)},
                        {"repeat", absl::StrCat(alarm.repeat)},
                        {"daily", alarm.daily ? "true" : ""},
                        {"revision", armed == nullptr ? "" : absl::StrCat(armed->revision())},
                        {"told", Join(told)}});
  draft.Count("alarms");
  for (const Told& one : told) {
    DeliveryRecord& delivery = draft.ToMember(DeliveryRecord::KIND_ESCALATION, one);
    delivery.set_promise_revision(armed == nullptr ? 0 : armed->revision());
    delivery.set_alarm_kind(escalation.kind());
    *delivery.mutable_anchor_time() = escalation.anchor_time();
    delivery.set_step(alarm.step);
    delivery.set_repeat(alarm.repeat);
    delivery.set_daily(alarm.daily);
    delivery.set_caught_up(static_cast<int>(ripe.size()));
    delivery.set_digest(digest);
    *delivery.mutable_told_ids() = escalation.told_ids();
  }
}

}  // namespace ringback::domain
