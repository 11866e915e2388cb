#include "core/domain/hand_over.h"

#include "core/domain/story.h"

namespace ringback::domain {
namespace {

const absl::Time kNow = At("2026-11-23 09:00");

TEST(HandOverTest, TheSubstituteInherits) {
  record::TeamRecord team = SmallTeam();
  EXPECT_EQ(Heir(team, "anna", kNow), "mia") << "without a substitute the manager";
  MemberOf(team, "anna").set_substitute_id("ben");
  EXPECT_EQ(Heir(team, "anna", kNow), "ben");
}

TEST(HandOverTest, TheSubstituteIsAwayTooThenTheNextInTheChain) {
  record::TeamRecord team = SmallTeam();
  AddMember(team, "cara", record::Member::ROLE_REP);
  MemberOf(team, "anna").set_substitute_id("ben");
  MemberOf(team, "ben").set_substitute_id("cara");
  AddAbsence(MemberOf(team, "ben"), At("2026-11-23 00:00"), At("2026-11-24 00:00"));
  EXPECT_EQ(Heir(team, "anna", kNow), "cara");
}

TEST(HandOverTest, WhoIsAwayAlreadyHasNamedWhoStandsIn) {
  record::TeamRecord team = SmallTeam();
  AddMember(team, "cara", record::Member::ROLE_REP);
  MemberOf(team, "anna").set_substitute_id("ben");
  AddAbsence(MemberOf(team, "anna"), At("2026-11-23 00:00"), At("2026-11-24 00:00"), "cara");
  EXPECT_EQ(Heir(team, "anna", kNow), "cara");
}

TEST(HandOverTest, WhoIsAloneHasNoHeir) {
  record::TeamRecord team = SmallTeam();
  for (auto& member : *team.mutable_members()) member.set_inactive(member.id() != "adam");
  EXPECT_EQ(Heir(team, "adam", kNow), "");
}

TEST(HandOverTest, CallsGoToWhoeverHasTheLeastPlannedAroundTheirTime) {
  const record::TeamRecord team = SmallTeam();
  const auto at = [](const char* time) { return At(std::string("2026-11-23 ") + time); };
  // Ben is busy at noon, Mia in the evening; Ben has more in all.
  const std::vector<Successor> both = {{"ben", {at("12:00"), at("12:30"), at("16:59")}}, {"mia", {at("17:30")}}};
  EXPECT_EQ(Spread({at("12:15"), at("18:00"), at("15:00")}, both, team),
            (std::vector<std::string>{"mia", "ben", "mia"}));
}

TEST(HandOverTest, WhatWasHandedOutCounts) {
  const record::TeamRecord team = SmallTeam();
  const absl::Time noon = At("2026-11-23 12:00");
  EXPECT_EQ(Spread({noon, noon, noon, noon, std::nullopt}, {{"ben", {}}, {"mia", {}}}, team),
            (std::vector<std::string>{"ben", "mia", "ben", "mia", "ben"}));
}

TEST(HandOverTest, NobodyGetsACallForATimeAtWhichTheyAreAwayIfAnotherIsThere) {
  record::TeamRecord team = SmallTeam();
  AddAbsence(MemberOf(team, "ben"), At("2026-11-23 12:00"), At("2026-11-24 00:00"));
  const std::vector<Successor> both = {{"ben", {}}, {"mia", {At("2026-11-23 13:00")}}};
  EXPECT_EQ(Spread({At("2026-11-23 11:00"), At("2026-11-23 13:00"), At("2026-11-23 13:30")}, both, team),
            (std::vector<std::string>{"ben", "mia", "mia"}));
}

}  // namespace
}  // namespace ringback::domain
