#include "core/domain/preview.h"

#include "absl/strings/str_join.h"
#include "core/domain/escalation.h"
#include "core/domain/input.h"
#include "core/domain/story.h"

namespace ringback::domain {
namespace {

std::string Line(const PreviewLine& line) {
  return absl::StrCat(absl::FormatTime("%m-%d %H:%M", line.fire_time, Berlin()), " step ", line.step, " round ", line.round,
                      line.daily ? " daily" : "", ": ", absl::StrJoin(line.member_ids, " "));
}

std::vector<std::string> Lines(const record::TeamRecord& team, std::optional<absl::Time> promised,
                               const std::string& assignee, const std::string& now = "2026-11-23 09:00") {
  const auto preview = Preview(team, promised, assignee, At(now));
  EXPECT_TRUE(preview.ok()) << preview.status();
  std::vector<std::string> lines;
  if (preview.ok()) {
    for (const PreviewLine& line : *preview) lines.push_back(Line(line));
  }
  return lines;
}

TEST(PreviewTest, RemindersThenTheStepsThenTheRepeatsThenTheDailyNotice) {
  record::TeamRecord team = SmallTeam();
  team.mutable_policy()->set_repeat_count(2);
  EXPECT_EQ(Lines(team, At("2026-11-23 13:00"), "anna"),
            (std::vector<std::string>{"11-23 12:45 step 0 round 0: anna", "11-23 13:00 step 0 round 0: anna",
                                      "11-23 13:05 step 1 round 1: anna mia", "11-23 13:15 step 2 round 1: mia",
                                      "11-23 13:30 step 3 round 1: mia adam", "11-23 14:30 step 3 round 2: mia adam",
                                      "11-23 15:30 step 3 round 3: mia adam",
                                      "11-24 15:30 step 3 round 3 daily: mia adam"}));
}

// Held against a story that lives through the same afternoon: the same members at the same moments.
TEST(PreviewTest, APreviewIsWhatHappens) {
  record::TeamRecord team = SmallTeam();
  MemberOf(team, "anna").set_substitute_id("ben");
  AddAbsence(MemberOf(team, "anna"), At("2026-11-23 13:10"), At("2026-11-30 00:00"));
  team.mutable_policy()->mutable_steps(1)->add_recipients()->set_kind(record::Recipient::KIND_ASSIGNEE);
  const auto preview = Preview(team, At("2026-11-23 16:50"), "anna", At("2026-11-23 09:00"));
  ASSERT_TRUE(preview.ok());
  Story story(team);
  story.Open();
  story.PromiseSpoken("2026-11-23 16:50");
  story.Forget();
  story.PassUntil(preview->back().fire_time);
  std::vector<std::pair<absl::Time, std::string>> happened, previewed;
  for (const auto& delivery : story.deliveries) happened.emplace_back(FromProto(delivery.create_time()), delivery.member_id());
  for (const PreviewLine& line : *preview) {
    for (const std::string& id : line.member_ids) previewed.emplace_back(line.fire_time, id);
  }
  EXPECT_EQ(previewed, happened);
  EXPECT_GT(previewed.size(), 10u);
}

TEST(PreviewTest, AtNightNothingGoesOutButWhatSaysAnyTime) {
  record::TeamRecord team = SmallTeam();
  team.mutable_policy()->set_repeat_count(0);
  const auto lines = Lines(team, At("2026-11-23 17:50"), "anna");
  ASSERT_EQ(lines.size(), 5u);
  EXPECT_EQ(lines[2], "11-23 17:55 step 1 round 1: anna mia") << "the customer waits now";
  EXPECT_EQ(lines[3], "11-24 08:00 step 3 round 1: mia adam") << "steps 2 and 3 at once, in the morning";
}

TEST(PreviewTest, WithoutATimeItIsTheNextFullHourOfWork) {
  const record::TeamRecord team = SmallTeam();
  EXPECT_EQ(Preview(team, std::nullopt, "anna", At("2026-11-23 09:20"))->at(1).fire_time, At("2026-11-23 10:00"));
  EXPECT_EQ(Preview(team, std::nullopt, "anna", At("2026-11-27 17:20"))->at(1).fire_time, At("2026-11-30 08:00"));
  record::TeamRecord late = SmallTeam();
  for (auto& hours : *late.mutable_calendar()->mutable_hours()) hours.set_start_minute(8 * 60 + 30);
  EXPECT_EQ(Preview(late, std::nullopt, "anna", At("2026-11-23 05:00"))->at(1).fire_time, At("2026-11-23 09:00"));
}

TEST(PreviewTest, TheReminderIsShownThoughItsTimeHasPassedForThisVeryPromise) {
  EXPECT_EQ(Lines(SmallTeam(), At("2026-11-23 09:05"), "anna").front(), "11-23 08:50 step 0 round 0: anna");
}

TEST(PreviewTest, OfNobodysCallTheManagersHear) {
  EXPECT_EQ(Lines(SmallTeam(), At("2026-11-23 13:00"), "").front(), "11-23 12:45 step 0 round 0: mia");
}

TEST(PreviewTest, ALongPolicyIsCut) {
  record::TeamRecord team = SmallTeam();
  auto& policy = *team.mutable_policy();
  while (policy.steps_size() < 20) {
    auto& step = *policy.add_steps();
    *step.mutable_delay() = ToProto(absl::Minutes(30 + policy.steps_size()));
    step.set_any_time(true);
    step.add_recipients()->set_kind(record::Recipient::KIND_MANAGERS);
  }
  policy.set_repeat_from_step(1);
  policy.set_repeat_count(20);
  ASSERT_TRUE(CheckPolicy(policy).ok());
  EXPECT_EQ(Lines(team, At("2026-11-23 13:00"), "anna").size(), static_cast<size_t>(kPreviewLinesMax));
}

TEST(PreviewTest, BadQuestionsNameTheirField) {
  const record::TeamRecord team = SmallTeam();
  const absl::Time now = At("2026-11-23 09:00");
  EXPECT_EQ(DetailOf(Preview(team, now, "anna", now).status()).field, "promised_time");
  EXPECT_EQ(DetailOf(Preview(team, now + absl::Hours(91 * 24), "anna", now).status()).field, "promised_time");
  EXPECT_EQ(DetailOf(Preview(team, std::nullopt, "nobody", now).status()).field, "assignee_id");
}

}  // namespace
}  // namespace ringback::domain
