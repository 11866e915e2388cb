#include "core/domain/escalation.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/domain/input.h"
#include "core/domain/proto_time.h"
#include "core/domain/team.h"

namespace ringback::domain {
namespace {

using store::v1::Member;
using store::v1::Policy;
using store::v1::Recipient;
using store::v1::TeamRecord;

constexpr absl::Duration kDay = absl::Hours(24);

int RepeatFrom(const Policy& policy) {
  const int steps = policy.steps_size();
  return policy.repeat_from_step() >= 1 && policy.repeat_from_step() <= steps ? policy.repeat_from_step() : steps;
}

absl::Duration DelayOf(const Policy& policy, int step) { return FromProto(policy.steps(step - 1).delay()); }

bool IsPresent(const Member& member, absl::Time now) { return !member.inactive() && !AbsenceAt(member, now); }

std::vector<const Member*> WithRole(const TeamRecord& team, Member::Role role) {
  std::vector<const Member*> found;
  for (const Member& member : team.members()) {
    if (!member.inactive() && member.role() == role) found.push_back(&member);
  }
  return found;
}

std::vector<const Member*> OnlyPresent(std::vector<const Member*> members, absl::Time now) {
  std::erase_if(members, [now](const Member* member) { return !IsPresent(*member, now); });
  return members;
}

// The member, or the first present one in the chain of substitutes; nullptr where the chain ends or closes to a ring.
const Member* FollowSubstitutes(const TeamRecord& team, const Member& member, absl::Time now) {
  std::set<std::string> seen;
  const Member* at = &member;
  while (at != nullptr && seen.insert(at->id()).second) {
    if (IsPresent(*at, now)) return at;
    const auto* absence = AbsenceAt(*at, now);
    const bool own = absence != nullptr && !absence->substitute_id().empty();
    at = FindMember(team, own ? absence->substitute_id() : at->substitute_id());
  }
  return nullptr;
}

// Managers present; without any the admins present.
std::vector<const Member*> LeadersPresent(const TeamRecord& team, absl::Time now) {
  auto leaders = OnlyPresent(WithRole(team, Member::ROLE_MANAGER), now);
  return leaders.empty() ? OnlyPresent(WithRole(team, Member::ROLE_ADMIN), now) : leaders;
}

class ToldList {
 public:
  ToldList(const TeamRecord& team, absl::Time now) : team_(team), now_(now) {}

  // The member in person or whoever stands in.
  void Add(const Member& member) {
    if (const Member* present = FollowSubstitutes(team_, member, now_)) return Put(*present, member);
    const auto leaders = LeadersPresent(team_, now_);
    for (const Member* leader : leaders) Put(*leader, member);
    if (leaders.empty() && !member.inactive()) Put(member, member);
  }

  std::vector<Told> Take() { return std::move(told_); }
  bool empty() const { return told_.empty(); }

 private:
  void Put(const Member& who, const Member& meant) {
    const std::string in_place_of = who.id() == meant.id() ? "" : meant.id();
    for (Told& told : told_) {
      if (told.member_id != who.id()) continue;
      if (in_place_of.empty()) told.stands_in_for_id.clear();  // meant in person as well
      return;
    }
    told_.push_back({who.id(), in_place_of});
  }

  const TeamRecord& team_;
  const absl::Time now_;
  std::vector<Told> told_;
};

// A duration that may be unset (then the default counts), else within [least, most].
absl::Status CheckSpan(bool is_set, const google::protobuf::Duration& duration, absl::Duration least,
                       absl::Duration most, std::string_view field) {
  if (!is_set) return absl::OkStatus();
  const bool valid = duration.nanos() > -1'000'000'000 && duration.nanos() < 1'000'000'000 &&
                     duration.seconds() >= 0 && duration.nanos() >= 0 && duration.seconds() < 1'000'000'000;
  if (!valid || FromProto(duration) < least || FromProto(duration) > most) {
    return InvalidField(field, "OUT_OF_RANGE",
                        absl::StrCat("from ", absl::FormatDuration(least), " to ", absl::FormatDuration(most)));
  }
  return absl::OkStatus();
}

}  // namespace

int FirstDaily(const Policy& policy) {
  const int steps = policy.steps_size();
  return steps + std::max(0, policy.repeat_count()) * (steps - RepeatFrom(policy) + 1);
}

Alarm AlarmAt(const Policy& given, int n) {
  if (given.steps().empty()) return AlarmAt(DefaultPolicy(), n);
  const int steps = given.steps_size();
  const int from = RepeatFrom(given);
  const int per_round = steps - from + 1;
  const absl::Duration last = DelayOf(given, steps);
  // A round lasts from its first alarm to its last; the next begins an interval later.
  const absl::Duration round_length = last - DelayOf(given, from);
  const absl::Duration interval =
      given.has_repeat_interval() ? FromProto(given.repeat_interval()) : absl::Hours(1);

  Alarm alarm;
  if (n < steps) {
    alarm.step = n + 1;
    alarm.offset = DelayOf(given, alarm.step);
  } else if (n < FirstDaily(given)) {
    alarm.repeat = (n - steps) / per_round + 1;
    alarm.step = from + (n - steps) % per_round;
    alarm.offset = last + alarm.repeat * interval + (alarm.repeat - 1) * round_length +
                   (DelayOf(given, alarm.step) - DelayOf(given, from));
  } else {
    alarm.repeat = std::max(0, given.repeat_count());
    alarm.step = steps;
    alarm.daily = true;
    alarm.offset = last + alarm.repeat * (interval + round_length) + (n - FirstDaily(given) + 1) * kDay;
  }
  alarm.any_time = given.steps(alarm.step - 1).any_time();
  return alarm;
}

std::vector<Told> Recipients(const TeamRecord& team, const Policy::Step& step, const std::string& assignee_id,
                             absl::Time now) {
  ToldList told(team, now);
  for (const Recipient& recipient : step.recipients()) {
    switch (recipient.kind()) {
      case Recipient::KIND_ASSIGNEE:
        if (const Member* member = FindMember(team, assignee_id)) told.Add(*member);
        break;
      case Recipient::KIND_MEMBER:
        if (const Member* member = FindMember(team, recipient.member_id()); member != nullptr && !member->inactive()) {
          told.Add(*member);
        }
        break;
      case Recipient::KIND_MANAGERS: {
        auto managers = WithRole(team, Member::ROLE_MANAGER);
        if (managers.empty()) managers = WithRole(team, Member::ROLE_ADMIN);
        for (const Member* manager : managers) told.Add(*manager);
        break;
      }
      case Recipient::KIND_ADMINS:
        for (const Member* admin : WithRole(team, Member::ROLE_ADMIN)) told.Add(*admin);
        break;
      default: break;
    }
  }
  // Nobody is left of the step (unassigned, gone): the leaders, present or not, for silence is never the outcome.
  if (told.empty()) {
    for (const auto role : {Member::ROLE_MANAGER, Member::ROLE_ADMIN, Member::ROLE_REP}) {
      for (const Member* member : WithRole(team, role)) told.Add(*member);
      if (!told.empty()) break;
    }
  }
  return told.Take();
}

Told Present(const TeamRecord& team, const std::string& member_id, absl::Time now) {
  const Member* member = FindMember(team, member_id);
  if (member == nullptr) return {member_id, ""};
  if (const Member* present = FollowSubstitutes(team, *member, now)) {
    return {present->id(), present == member ? "" : member_id};
  }
  const auto leaders = LeadersPresent(team, now);
  return leaders.empty() ? Told{member_id, ""} : Told{leaders.front()->id(), member_id};
}

Policy DefaultPolicy() {
  Policy policy;
  const auto add_step = [&policy](absl::Duration delay, std::initializer_list<Recipient::Kind> kinds) {
    auto* step = policy.add_steps();
    *step->mutable_delay() = ToProto(delay);
    for (const auto kind : kinds) step->add_recipients()->set_kind(kind);
  };
  add_step(absl::Minutes(5), {Recipient::KIND_ASSIGNEE, Recipient::KIND_MANAGERS});
  add_step(absl::Minutes(15), {Recipient::KIND_MANAGERS});
  add_step(absl::Minutes(30), {Recipient::KIND_MANAGERS, Recipient::KIND_ADMINS});
  policy.set_repeat_from_step(0);
  policy.set_repeat_count(8);
  *policy.mutable_repeat_interval() = ToProto(absl::Hours(1));
  *policy.mutable_ack_timeout() = ToProto(absl::Minutes(30));
  *policy.mutable_response_target() = ToProto(absl::Hours(4));
  *policy.mutable_follow_up() = ToProto(absl::Minutes(30));
  *policy.mutable_tolerance() = ToProto(absl::Minutes(5));
  *policy.mutable_reminder_lead() = ToProto(absl::Minutes(15));
  *policy.mutable_delivery_guard() = ToProto(absl::Minutes(15));
  *policy.mutable_wrap_up() = ToProto(absl::Hours(24));
  return policy;
}

Policy PolicyOf(const TeamRecord& team) {
  static const Policy* const kDefault = new Policy(DefaultPolicy());
  Policy policy = team.policy();
  if (policy.steps().empty()) {
    *policy.mutable_steps() = kDefault->steps();
    policy.set_repeat_from_step(kDefault->repeat_from_step());
    policy.set_repeat_count(kDefault->repeat_count());
  }
  if (!policy.has_repeat_interval()) *policy.mutable_repeat_interval() = kDefault->repeat_interval();
  if (!policy.has_ack_timeout()) *policy.mutable_ack_timeout() = kDefault->ack_timeout();
  if (!policy.has_response_target()) *policy.mutable_response_target() = kDefault->response_target();
  if (!policy.has_follow_up()) *policy.mutable_follow_up() = kDefault->follow_up();
  if (!policy.has_tolerance()) *policy.mutable_tolerance() = kDefault->tolerance();
  if (!policy.has_reminder_lead()) *policy.mutable_reminder_lead() = kDefault->reminder_lead();
  if (!policy.has_delivery_guard()) *policy.mutable_delivery_guard() = kDefault->delivery_guard();
  if (!policy.has_wrap_up()) *policy.mutable_wrap_up() = kDefault->wrap_up();
  return policy;
}

absl::Status CheckPolicy(const Policy& policy) {
  if (policy.steps_size() < 1 || policy.steps_size() > 20) {
    return InvalidField("steps", "OUT_OF_RANGE", "1 to 20 steps");
  }
  absl::Duration before = absl::ZeroDuration();
  for (int i = 0; i < policy.steps_size(); ++i) {
    const auto& step = policy.steps(i);
    const std::string at = absl::StrCat("steps[", i, "]");
    RB_RETURN_IF_ERROR(CheckSpan(true, step.delay(), absl::ZeroDuration(), absl::Hours(30 * 24), at + ".delay"));
    if (FromProto(step.delay()) < before) {
      return InvalidField(at + ".delay", "NOT_IN_ORDER",
                          absl::StrCat("not before the step above, which comes after ", absl::FormatDuration(before)));
    }
    before = FromProto(step.delay());
    if (step.recipients_size() < 1 || step.recipients_size() > 50) {
      return InvalidField(at + ".recipients", "OUT_OF_RANGE", "1 to 50: assignee, managers, admins, a member");
    }
    for (int k = 0; k < step.recipients_size(); ++k) {
      const auto& recipient = step.recipients(k);
      const std::string field = absl::StrCat(at, ".recipients[", k, "]");
      if (recipient.kind() < Recipient::KIND_ASSIGNEE || recipient.kind() > Recipient::KIND_MEMBER) {
        return InvalidField(field + ".kind", "MISSING", "assignee, managers, admins or a member");
      }
      if ((recipient.kind() == Recipient::KIND_MEMBER) == recipient.member_id().empty()) {
        return InvalidField(field + ".member_id", "MISPLACED", "a member's id where the kind is a member, else empty");
      }
    }
  }
  if (policy.repeat_from_step() < 0 || policy.repeat_from_step() > policy.steps_size()) {
    return InvalidField("repeat_from_step", "OUT_OF_RANGE",
                        absl::StrCat("0 (the last step alone) to ", policy.steps_size()));
  }
  if (policy.repeat_count() < 0 || policy.repeat_count() > 20) {
    return InvalidField("repeat_count", "OUT_OF_RANGE", "0 to 20; after the last repeat a daily notice goes on");
  }
  struct Span {
    const char* field;
    bool is_set;
    const google::protobuf::Duration& value;
    absl::Duration least, most;
  };
  const Span spans[] = {
      {"repeat_interval", policy.has_repeat_interval(), policy.repeat_interval(), absl::Minutes(1),
       absl::Hours(7 * 24)},
      {"ack_timeout", policy.has_ack_timeout(), policy.ack_timeout(), absl::Minutes(1), absl::Hours(7 * 24)},
      {"response_target", policy.has_response_target(), policy.response_target(), absl::Minutes(1), absl::Hours(500)},
      {"follow_up", policy.has_follow_up(), policy.follow_up(), absl::Minutes(1), absl::Hours(7 * 24)},
      {"tolerance", policy.has_tolerance(), policy.tolerance(), absl::ZeroDuration(), absl::Hours(1)},
      {"reminder_lead", policy.has_reminder_lead(), policy.reminder_lead(), absl::ZeroDuration(), absl::Hours(24)},
      {"delivery_guard", policy.has_delivery_guard(), policy.delivery_guard(), absl::ZeroDuration(), absl::Hours(24)},
      {"wrap_up", policy.has_wrap_up(), policy.wrap_up(), absl::Hours(1), absl::Hours(30 * 24)},
  };
  for (const Span& span : spans) {
    RB_RETURN_IF_ERROR(CheckSpan(span.is_set, span.value, span.least, span.most, span.field));
  }
  return absl::OkStatus();
}

}  // namespace ringback::domain
