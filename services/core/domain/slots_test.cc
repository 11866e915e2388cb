// Which times a customer is offered.
#include "core/domain/slots.h"

#include <gtest/gtest.h>

#include "absl/strings/str_join.h"
#include "core/domain/story.h"

namespace ringback::domain {
namespace {

constexpr int kAll = 10000;

struct Asked {
  record::TeamRecord team = SmallTeam();
  record::CallbackRecord callback;
  std::string member = "anna";
  std::vector<absl::Time> own;
  std::vector<BusySpan> busy;

  std::vector<absl::Time> At(const std::string& now, int count = kAll) const {
    return FreeSlots(callback, team, member, own, busy, domain::At(now), count);
  }
  std::vector<absl::Time> From(const std::string& from, const std::string& now, int count) const {
    return FreeSlots(callback, team, member, own, busy, domain::At(now), count, domain::At(from));
  }
  // Those of one day as "09:30 09:45 …".
  std::string OfDay(const std::string& day, const std::string& now, int count = kAll) const {
    std::vector<std::string> times;
    for (const absl::Time slot : At(now, count)) {
      if (absl::FormatTime("%Y-%m-%d", slot, Berlin()) == day) times.push_back(absl::FormatTime("%H:%M", slot, Berlin()));
    }
    return absl::StrJoin(times, " ");
  }
};

TEST(FreeSlots, AreOnTheRasterHalfAnHourAheadAndInsideTheTeamsHours) {
  const Asked asked;
  EXPECT_EQ(asked.OfDay("2026-11-23", "2026-11-23 16:31"), "17:15 17:30 17:45");
  EXPECT_EQ(asked.OfDay("2026-11-23", "2026-11-23 16:30"), "17:00 17:15 17:30 17:45");
  EXPECT_EQ(asked.OfDay("2026-11-23", "2026-11-23 17:30"), "") << "a call must end within the hours";
}

TEST(FreeSlots, GoOnOnTheNextOpenDays) {
  Asked asked;
  asked.team.mutable_calendar()->add_holidays("2026-11-30");
  const auto slots = asked.At("2026-11-27 17:00");  // a Friday before a Monday off
  ASSERT_FALSE(slots.empty());
  EXPECT_EQ(slots[0], At("2026-11-27 17:30"));
  EXPECT_EQ(slots[2], At("2026-12-01 08:00"));
}

TEST(FreeSlots, AreSpreadOverTheDaysFromTheFirstFreeOneOn) {
  const Asked asked;
  EXPECT_EQ(asked.At("2026-11-23 10:00", 1), std::vector<absl::Time>{At("2026-11-23 10:30")});
  EXPECT_EQ(asked.At("2026-11-23 10:00", 6),
            (std::vector<absl::Time>{At("2026-11-23 10:30"), At("2026-11-23 14:15"), At("2026-11-24 08:00"),
                                     At("2026-11-25 08:00"), At("2026-11-26 08:00"), At("2026-11-27 08:00")}));
  EXPECT_TRUE(asked.At("2026-11-23 10:00", 0).empty());
}

TEST(FreeSlots, FollowOneAnotherForWhoPromisesSeveralInARow) {
  Asked asked;
  asked.own = {At("2026-11-23 13:30")};
  EXPECT_EQ(asked.From("2026-11-23 13:15", "2026-11-23 10:00", 3),
            (std::vector<absl::Time>{At("2026-11-23 13:15"), At("2026-11-23 13:45"), At("2026-11-23 14:00")}));
  EXPECT_EQ(asked.From("2026-11-23 17:40", "2026-11-23 10:00", 2),
            (std::vector<absl::Time>{At("2026-11-23 17:45"), At("2026-11-24 08:00")}));
  EXPECT_EQ(asked.From("2026-11-20 09:00", "2026-11-23 10:00", 1), std::vector<absl::Time>{At("2026-11-23 10:30")})
      << "half an hour ahead all the same";
  EXPECT_TRUE(asked.From("2027-03-30 09:00", "2026-11-23 10:00", 1).empty()) << "no promise reaches further than 90 days";
}

TEST(FreeSlots, WhatAShortDayCannotFillGoesToTheOthers) {
  const Asked asked;
  const auto slots = asked.At("2026-11-23 17:10", 20);
  EXPECT_EQ(slots.size(), 20u);
  EXPECT_EQ(slots[0], At("2026-11-23 17:45"));
  EXPECT_EQ(slots[1], At("2026-11-24 08:00"));
}

TEST(FreeSlots, LeaveOutAbsenceBusyTimesAndOtherPromises) {
  Asked asked;
  AddAbsence(MemberOf(asked.team, "anna"), At("2026-11-23 00:00"), At("2026-11-23 15:05"));
  asked.busy = {{At("2026-11-23 16:00"), At("2026-11-23 16:20")}};
  asked.own = {At("2026-11-23 17:10")};
  EXPECT_EQ(asked.OfDay("2026-11-23", "2026-11-23 09:00"), "15:15 15:30 15:45 16:30 16:45 17:30 17:45");
  asked.member = "";
  EXPECT_EQ(asked.OfDay("2026-11-23", "2026-11-23 15:00"), "15:30 15:45 16:30 16:45 17:30 17:45");
}

TEST(FreeSlots, BeginAgainAfterALongAbsenceWithinNinetyDays) {
  Asked asked;
  AddAbsence(MemberOf(asked.team, "anna"), At("2026-11-20 00:00"), At("2026-12-14 00:00"));
  EXPECT_EQ(asked.At("2026-11-23 09:00", 1), std::vector<absl::Time>{At("2026-12-14 08:00")});
  AddAbsence(MemberOf(asked.team, "anna"), At("2026-12-14 00:00"), At("2027-12-14 00:00"));
  EXPECT_TRUE(asked.At("2026-11-23 09:00", 1).empty());
}

TEST(FreeSlots, OfferNotWhatIsPromisedAnyway) {
  Story story;
  story.Open();
  story.PromiseSpoken("2026-11-23 17:15");
  Asked asked;
  asked.callback = story.callback;
  EXPECT_EQ(asked.OfDay("2026-11-23", "2026-11-23 16:30"), "17:00 17:30 17:45");
}

TEST(FreeSlots, FollowTheTeamsSlotLength) {
  Asked asked;
  *asked.team.mutable_slot_length() = ToProto(absl::Minutes(45));
  EXPECT_EQ(asked.OfDay("2026-11-23", "2026-11-23 15:30"), "16:30 17:15");
  asked.own = {At("2026-11-23 17:50")};
  EXPECT_EQ(asked.OfDay("2026-11-23", "2026-11-23 15:30"), "16:30");
}

TEST(FreeSlots, OfATeamWithoutHoursAreNotAtNight) {
  Asked asked;
  asked.team.clear_calendar();
  asked.callback.mutable_caller()->set_time_zone("America/New_York");
  const auto slots = asked.At("2026-11-23 09:00");
  ASSERT_FALSE(slots.empty());
  const absl::TimeZone new_york = LoadZone("America/New_York").value();
  for (const absl::Time slot : slots) {
    const auto hour = absl::ToCivilHour(slot, new_york).hour();
    EXPECT_TRUE(hour >= 7 && hour < 20) << slot;
  }
  EXPECT_EQ(slots[0], At("2026-11-23 07:00", new_york));
  asked.callback.mutable_caller()->clear_time_zone();
  EXPECT_EQ(asked.At("2026-11-23 19:00", 1), std::vector<absl::Time>{At("2026-11-23 19:30")});
  EXPECT_EQ(asked.At("2026-11-23 19:20", 1), std::vector<absl::Time>{At("2026-11-24 07:00")});
}

TEST(FreeSlots, WakeNobodyInAnotherTimeZone) {
  Asked asked;
  asked.callback.mutable_caller()->set_time_zone("America/New_York");
  EXPECT_EQ(asked.OfDay("2026-11-23", "2026-11-23 09:00").substr(0, 11), "13:00 13:15");
}

TEST(FreeSlots, OnDaysOfClockChangeAreTimesThatThereAre) {
  Asked asked;
  auto& hours = *asked.team.mutable_calendar()->add_hours();
  hours.set_weekday(7);
  hours.set_start_minute(0);
  hours.set_end_minute(5 * 60);
  *asked.team.mutable_slot_length() = ToProto(absl::Minutes(30));
  // 2:00 to 3:00 does not exist on 28 March 2027, and is there twice on 31 October.
  EXPECT_EQ(asked.OfDay("2027-03-28", "2027-03-27 20:00"), "00:00 00:30 01:00 01:30 03:00 03:30 04:00 04:30");
  EXPECT_EQ(asked.OfDay("2027-10-31", "2027-10-30 20:00"), "00:00 00:30 01:00 01:30 02:00 02:30 03:00 03:30 04:00 04:30");
}

TEST(FreeSlots, CallSpansThatTouchOne) {
  Asked asked;
  asked.team.mutable_calendar()->clear_hours();
  for (const int start : {8 * 60, 8 * 60 + 20}) {
    auto& hours = *asked.team.mutable_calendar()->add_hours();
    hours.set_weekday(1);
    hours.set_start_minute(start);
    hours.set_end_minute(start + 20);
  }
  EXPECT_EQ(asked.OfDay("2026-11-23", "2026-11-23 07:00"), "08:00 08:15");
}

}  // namespace
}  // namespace ringback::domain
