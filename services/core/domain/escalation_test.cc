#include "core/domain/escalation.h"

#include <gtest/gtest.h>

#include "core/base/ids.h"
#include "core/domain/input.h"
#include "core/domain/story.h"

namespace ringback::domain {
namespace {

using record::Policy;
using record::Recipient;

Policy::Step& AddStep(Policy& policy, absl::Duration delay, Recipient::Kind kind, bool any_time = false) {
  auto& step = *policy.add_steps();
  *step.mutable_delay() = ToProto(delay);
  step.add_recipients()->set_kind(kind);
  step.set_any_time(any_time);
  return step;
}

std::string Shown(const std::vector<Told>& told) {
  std::string text;
  for (const Told& one : told) {
    absl::StrAppend(&text, text.empty() ? "" : " ", one.member_id,
                    one.stands_in_for_id.empty() ? "" : "/" + one.stands_in_for_id);
  }
  return text;
}

TEST(AlarmAt, DefaultPolicyIsStepsThenHourlyThenDaily) {
  const Policy policy = DefaultPolicy();
  EXPECT_EQ(AlarmAt(policy, 0).offset, absl::Minutes(5));
  EXPECT_EQ(AlarmAt(policy, 1).offset, absl::Minutes(15));
  EXPECT_EQ(AlarmAt(policy, 2).offset, absl::Minutes(30));
  for (int repeat = 1; repeat <= 8; ++repeat) {
    const Alarm alarm = AlarmAt(policy, 2 + repeat);
    EXPECT_EQ(alarm.offset, absl::Minutes(30) + absl::Hours(repeat));
    EXPECT_EQ(alarm.step, 3);
    EXPECT_EQ(alarm.repeat, repeat);
    EXPECT_FALSE(alarm.daily);
  }
  for (int day = 1; day <= 1000; ++day) {
    const Alarm alarm = AlarmAt(policy, 10 + day);
    EXPECT_EQ(alarm.offset, absl::Minutes(30) + absl::Hours(8 + 24 * day));
    EXPECT_TRUE(alarm.daily);
    EXPECT_EQ(alarm.step, 3);
  }
  EXPECT_EQ(FirstDaily(policy), 11);
}

TEST(AlarmAt, ARoundKeepsItsDistancesAndBeginsAnIntervalAfterTheLast) {
  Policy policy;
  AddStep(policy, absl::Minutes(0), Recipient::KIND_ASSIGNEE);
  AddStep(policy, absl::Minutes(10), Recipient::KIND_MANAGERS);
  AddStep(policy, absl::Minutes(40), Recipient::KIND_ADMINS, true);
  policy.set_repeat_from_step(2);
  policy.set_repeat_count(2);
  *policy.mutable_repeat_interval() = ToProto(absl::Minutes(60));
  struct {
    int minutes, step, repeat;
  } const expected[] = {{0, 1, 0}, {10, 2, 0}, {40, 3, 0}, {100, 2, 1}, {130, 3, 1}, {190, 2, 2}, {220, 3, 2}};
  int n = 0;
  for (const auto& row : expected) {
    const Alarm alarm = AlarmAt(policy, n++);
    EXPECT_EQ(alarm.offset, absl::Minutes(row.minutes)) << n;
    EXPECT_EQ(alarm.step, row.step) << n;
    EXPECT_EQ(alarm.repeat, row.repeat) << n;
    EXPECT_EQ(alarm.any_time, row.step == 3) << n;
  }
  EXPECT_EQ(AlarmAt(policy, 7).offset, absl::Minutes(220) + absl::Hours(24));
  EXPECT_EQ(AlarmAt(policy, 8).offset, absl::Minutes(220) + absl::Hours(48));
  EXPECT_TRUE(AlarmAt(policy, 7).daily);
}

TEST(AlarmAt, NeverFallsAndNeverEndsForAnyPolicy) {
  auto random = NewSeededRandom(7);
  for (int run = 0; run < 300; ++run) {
    Policy policy;
    absl::Duration delay;
    const int steps = 1 + static_cast<int>(random->Next() % 20);
    for (int i = 0; i < steps; ++i) {
      delay += absl::Minutes(random->Next() % 3 * 7);
      AddStep(policy, delay, Recipient::KIND_MANAGERS);
    }
    policy.set_repeat_from_step(static_cast<int>(random->Next() % (steps + 1)));
    policy.set_repeat_count(static_cast<int>(random->Next() % 21));
    *policy.mutable_repeat_interval() = ToProto(absl::Minutes(1 + random->Next() % 100));
    ASSERT_TRUE(CheckPolicy(policy).ok());
    absl::Duration before;
    for (int n = 0; n < 500; ++n) {
      const Alarm alarm = AlarmAt(policy, n);
      ASSERT_GE(alarm.offset, before);
      ASSERT_EQ(alarm.daily, n >= FirstDaily(policy));
      if (n > FirstDaily(policy)) {
        ASSERT_EQ(alarm.offset - before, absl::Hours(24));
      }
      before = alarm.offset;
    }
  }
}

TEST(AlarmAt, AnUnsetPolicyIsTheDefault) { EXPECT_EQ(AlarmAt(Policy(), 1).offset, absl::Minutes(15)); }

Policy::Step StepFor(std::initializer_list<Recipient::Kind> kinds, const std::string& member = "") {
  Policy::Step step;
  for (const auto kind : kinds) step.add_recipients()->set_kind(kind);
  if (!member.empty()) {
    step.add_recipients()->set_kind(Recipient::KIND_MEMBER);
    step.mutable_recipients(step.recipients_size() - 1)->set_member_id(member);
  }
  return step;
}

class Absences : public testing::Test {
 protected:
  void Away(const std::string& id, const std::string& substitute = "") {
    AddAbsence(MemberOf(team, id), now - absl::Hours(1), now + absl::Hours(1), substitute);
  }
  std::string Assignee() { return Shown(Recipients(team, StepFor({Recipient::KIND_ASSIGNEE}), "anna", now)); }

  record::TeamRecord team = SmallTeam();
  absl::Time now = At("2026-11-23 10:00");
};

TEST_F(Absences, ThePresentAreToldInPersonAndOnce) {
  const auto step = StepFor({Recipient::KIND_ASSIGNEE, Recipient::KIND_MANAGERS, Recipient::KIND_ADMINS}, "anna");
  EXPECT_EQ(Shown(Recipients(team, step, "anna", now)), "anna mia adam");
  EXPECT_EQ(Shown(Recipients(team, step, "mia", now)), "mia adam anna");
}

TEST_F(Absences, TheSubstituteStandsIn) {
  MemberOf(team, "anna").set_substitute_id("ben");
  EXPECT_EQ(Assignee(), "anna");
  Away("anna");
  EXPECT_EQ(Assignee(), "ben/anna");
  EXPECT_EQ(Present(team, "anna", now).member_id, "ben");
  EXPECT_EQ(Present(team, "anna", now).stands_in_for_id, "anna");
}

TEST_F(Absences, AnAbsenceMayNameItsOwnSubstitute) {
  MemberOf(team, "anna").set_substitute_id("ben");
  Away("anna", "mia");
  EXPECT_EQ(Assignee(), "mia/anna");
}

TEST_F(Absences, TheSubstitutesSubstituteStandsIn) {
  Away("anna", "ben");
  Away("ben", "mia");
  EXPECT_EQ(Assignee(), "mia/anna");
}

TEST_F(Absences, ARingOfSubstitutesGoesToTheManagers) {
  Away("anna", "ben");
  Away("ben", "anna");
  EXPECT_EQ(Assignee(), "mia/anna");
  EXPECT_EQ(Present(team, "anna", now).member_id, "mia");
}

TEST_F(Absences, WithoutManagersThePresentAdminsAreTold) {
  Away("anna");
  Away("mia");
  EXPECT_EQ(Assignee(), "adam/anna");
}

TEST_F(Absences, WhenEverybodyIsAwayTheAbsentMemberIsToldAnyway) {
  for (const char* id : {"anna", "ben", "mia", "adam"}) Away(id);
  EXPECT_EQ(Assignee(), "anna");
  EXPECT_EQ(Present(team, "anna", now).member_id, "anna");
  EXPECT_EQ(Shown(Recipients(team, StepFor({Recipient::KIND_MANAGERS}), "anna", now)), "mia");
}

TEST_F(Absences, EndAtTheFirstMomentBack) {
  MemberOf(team, "anna").set_substitute_id("ben");
  Away("anna");
  now += absl::Hours(1) - absl::Nanoseconds(1);
  EXPECT_EQ(Assignee(), "ben/anna");
  now += absl::Nanoseconds(1);
  EXPECT_EQ(Assignee(), "anna");
}

TEST_F(Absences, SomebodyMeantInPersonDoesNotStandIn) {
  Away("anna", "mia");
  const auto step = StepFor({Recipient::KIND_ASSIGNEE, Recipient::KIND_MANAGERS});
  EXPECT_EQ(Shown(Recipients(team, step, "anna", now)), "mia");
}

TEST_F(Absences, WhoLeftIsSkippedAndNobodyIsSilence) {
  MemberOf(team, "anna").set_inactive(true);
  EXPECT_EQ(Assignee(), "mia/anna");
  MemberOf(team, "mia").set_inactive(true);
  EXPECT_EQ(Shown(Recipients(team, StepFor({}, "mia"), "", now)), "adam");
  EXPECT_EQ(Shown(Recipients(team, StepFor({Recipient::KIND_MANAGERS}), "", now)), "adam");
  EXPECT_EQ(Shown(Recipients(team, StepFor({Recipient::KIND_ASSIGNEE}), "", now)), "adam");
}

TEST_F(Absences, UnassignedGoesToTheManagers) {
  EXPECT_EQ(Shown(Recipients(team, StepFor({Recipient::KIND_ASSIGNEE}), "", now)), "mia");
}

TEST(CheckPolicy, NamesTheField) {
  const auto field_of = [](auto change) {
    Policy policy = DefaultPolicy();
    change(policy);
    return DetailOf(CheckPolicy(policy)).field;
  };
  EXPECT_EQ(field_of([](auto&) {}), "");
  EXPECT_EQ(field_of([](auto& p) { p.clear_steps(); }), "steps");
  EXPECT_EQ(field_of([](auto& p) { while (p.steps_size() < 21) *p.add_steps() = p.steps(2); }), "steps");
  EXPECT_EQ(field_of([](auto& p) { while (p.steps_size() < 20) *p.add_steps() = p.steps(2); }), "");
  EXPECT_EQ(field_of([](auto& p) { p.mutable_steps(2)->mutable_delay()->set_seconds(60); }), "steps[2].delay");
  EXPECT_EQ(field_of([](auto& p) { p.mutable_steps(0)->mutable_delay()->set_seconds(-1); }), "steps[0].delay");
  EXPECT_EQ(field_of([](auto& p) { p.mutable_steps(0)->mutable_delay()->set_nanos(-1); }), "steps[0].delay");
  EXPECT_EQ(field_of([](auto& p) { p.mutable_steps(0)->mutable_delay()->set_seconds(0); }), "");
  EXPECT_EQ(field_of([](auto& p) { p.mutable_steps(1)->clear_recipients(); }), "steps[1].recipients");
  EXPECT_EQ(field_of([](auto& p) { p.mutable_steps(1)->add_recipients(); }), "steps[1].recipients[1].kind");
  EXPECT_EQ(field_of([](auto& p) { p.mutable_steps(1)->add_recipients()->set_kind(Recipient::KIND_MEMBER); }),
            "steps[1].recipients[1].member_id");
  EXPECT_EQ(field_of([](auto& p) { p.set_repeat_from_step(4); }), "repeat_from_step");
  EXPECT_EQ(field_of([](auto& p) { p.set_repeat_count(21); }), "repeat_count");
  EXPECT_EQ(field_of([](auto& p) { p.mutable_repeat_interval()->set_seconds(0); }), "repeat_interval");
  EXPECT_EQ(field_of([](auto& p) { p.mutable_ack_timeout()->set_seconds(59); }), "ack_timeout");
  EXPECT_EQ(field_of([](auto& p) { p.mutable_ack_timeout()->set_seconds(7 * 86400 + 1); }), "ack_timeout");
  EXPECT_EQ(field_of([](auto& p) { p.mutable_tolerance()->set_seconds(0); }), "");
  EXPECT_EQ(field_of([](auto& p) { p.mutable_follow_up()->set_seconds(INT64_MAX); }), "follow_up");
}

TEST(CheckTeam, NamesTheField) {
  const auto field_of = [](auto change) {
    record::TeamRecord team = SmallTeam();
    change(team);
    return DetailOf(CheckTeam(team)).field;
  };
  EXPECT_EQ(field_of([](auto&) {}), "");
  EXPECT_EQ(field_of([](auto& t) { t.set_time_zone("Mars/Base"); }), "time_zone");
  EXPECT_EQ(field_of([](auto& t) { t.set_language("fr"); }), "language");
  EXPECT_EQ(field_of([](auto& t) { t.set_name("a\r\nb"); }), "name");
  EXPECT_EQ(field_of([](auto& t) { t.set_mail_address("Sales@EXAMPLE.com"); }), "mail_address");
  EXPECT_EQ(field_of([](auto& t) { t.set_retention_days(4000); }), "retention_days");
  EXPECT_EQ(field_of([](auto& t) { t.set_recording_max_seconds(601); }), "recording_max_seconds");
  EXPECT_EQ(field_of([](auto& t) { MemberOf(t, "adam").set_inactive(true); }), "members");
  EXPECT_EQ(field_of([](auto& t) { MemberOf(t, "adam").set_role(record::Member::ROLE_REP); }), "members");
  EXPECT_EQ(field_of([](auto& t) { MemberOf(t, "ben").set_id("anna"); }), "members[1].id");
  EXPECT_EQ(field_of([](auto& t) { MemberOf(t, "ben").set_email("nothing"); }), "members[1].email");
  EXPECT_EQ(field_of([](auto& t) { MemberOf(t, "ben").set_substitute_id("zoe"); }), "members[1].substitute_id");
  EXPECT_EQ(field_of([](auto& t) { MemberOf(t, "ben").set_substitute_id("ben"); }), "members[1].substitute_id");
  EXPECT_EQ(field_of([](auto& t) { MemberOf(t, "ben").set_substitute_id("anna"); }), "");
  EXPECT_EQ(field_of([](auto& t) { AddAbsence(MemberOf(t, "ben"), At("2026-11-24 08:00"), At("2026-11-24 08:00")); }),
            "members[1].absences[0]");
  EXPECT_EQ(field_of([](auto& t) {
              AddAbsence(MemberOf(t, "ben"), At("2026-11-24 08:00"), At("2026-11-25 08:00"), "zoe");
            }),
            "members[1].absences[0].substitute_id");
  EXPECT_EQ(field_of([](auto& t) {
              auto& channel = *MemberOf(t, "ben").add_channels();
              channel.set_kind(record::Channel::KIND_WEBHOOK);
              channel.set_address("ftp://example.com");
            }),
            "members[1].channels[0].address");
  EXPECT_EQ(field_of([](auto& t) {
              auto& recipient = *t.mutable_policy()->mutable_steps(0)->add_recipients();
              recipient.set_kind(Recipient::KIND_MEMBER);
              recipient.set_member_id("zoe");
            }),
            "policy.steps[0].recipients[2].member_id");
  EXPECT_EQ(field_of([](auto& t) { t.mutable_policy()->set_repeat_count(99); }), "policy.repeat_count");
  EXPECT_EQ(field_of([](auto& t) { MemberOf(t, "ben").add_extensions(" 21"); }), "members[1].extensions[0]");
  EXPECT_EQ(field_of([](auto& t) {
              MemberOf(t, "anna").add_extensions("21");
              MemberOf(t, "ben").add_extensions("22");
            }),
            "");
  EXPECT_EQ(field_of([](auto& t) {
              MemberOf(t, "anna").add_extensions("21");
              MemberOf(t, "ben").add_extensions("21");
            }),
            "members[1].extensions[0]");
  EXPECT_EQ(field_of([](auto& t) { (*t.mutable_hook_secrets())["twilio"] = "0123456789abcdef"; }), "");
  EXPECT_EQ(field_of([](auto& t) { (*t.mutable_hook_secrets())["twilio"] = "short"; }), "hook_secrets[twilio]");
  EXPECT_EQ(field_of([](auto& t) { (*t.mutable_hook_secrets())["asterisk"] = "0123456789abcdef"; }),
            "hook_secrets[asterisk]");
  EXPECT_EQ(field_of([](auto& t) { t.mutable_calendar()->mutable_hours(0)->set_weekday(9); }),
            "calendar.hours[0].weekday");
}

TEST(FindByExtension, FindsWhoIsThereNow) {
  record::TeamRecord team = SmallTeam();
  MemberOf(team, "anna").add_extensions("21");
  MemberOf(team, "ben").add_extensions("w0");
  ASSERT_NE(FindByExtension(team, "w0"), nullptr);
  EXPECT_EQ(FindByExtension(team, "w0")->id(), "ben");
  EXPECT_EQ(FindByExtension(team, ""), nullptr);
  EXPECT_EQ(FindByExtension(team, "2"), nullptr);
  MemberOf(team, "ben").set_inactive(true);
  EXPECT_EQ(FindByExtension(team, "w0"), nullptr);
}

TEST(MemberChannels, EndAtTheDesk) {
  record::TeamRecord team = SmallTeam();
  auto kinds = [&] {
    std::string text;
    for (const auto& channel : MemberChannels(MemberOf(team, "anna"), team)) {
      absl::StrAppend(&text, channel.kind(), ":", channel.address(), " ");
    }
    return text;
  };
  EXPECT_EQ(kinds(), "1:anna@example.com 4: ");
  auto& webhook = *MemberOf(team, "anna").add_channels();
  webhook.set_kind(record::Channel::KIND_WEBHOOK);
  webhook.set_address("https://example.com/hook");
  MemberOf(team, "anna").add_channels()->set_kind(record::Channel::KIND_MAIL);
  EXPECT_EQ(kinds(), "2:https://example.com/hook 1:anna@example.com 4: ");
  MemberOf(team, "ben").clear_email();
  EXPECT_EQ(MemberChannels(MemberOf(team, "ben"), team).size(), 1u);
}

}  // namespace
}  // namespace ringback::domain
