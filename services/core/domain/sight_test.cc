#include "core/domain/sight.h"

#include "core/domain/story.h"

namespace ringback::domain {
namespace {

const Viewer kAnna{"anna", false};
const Viewer kBen{"ben", false};
const Viewer kMia{"mia", true};

class SightTest : public testing::Test {
 protected:
  record::CallbackRecord Of(const std::string& assignee) {
    record::CallbackRecord callback;
    callback.set_assignee_id(assignee);
    return callback;
  }
  record::RecordingRecord Take(const std::string& author) {
    record::RecordingRecord take;
    take.set_author(author);
    return take;
  }

  record::TeamRecord team_ = SmallTeam();
  const absl::Time now_ = At("2026-11-23 09:00");
};

TEST_F(SightTest, ARepSeesTheOwnAndTheUnassigned) {
  EXPECT_TRUE(Sees(kAnna, Of("anna"), team_, now_));
  EXPECT_TRUE(Sees(kAnna, Of(""), team_, now_));
  EXPECT_FALSE(Sees(kAnna, Of("ben"), team_, now_));
  EXPECT_FALSE(Sees(kAnna, Of("mia"), team_, now_));
}

TEST_F(SightTest, AManagerSeesTheWholeTeam) {
  for (const char* owner : {"anna", "ben", "mia", "adam", ""}) EXPECT_TRUE(Sees(kMia, Of(owner), team_, now_)) << owner;
}

TEST_F(SightTest, NobodysViewerSeesNothingThatSomebodyOwes) {
  EXPECT_FALSE(Sees({"", false}, Of("anna"), team_, now_));
  EXPECT_FALSE(Sees({"", false}, Of("gone"), team_, now_));
}

TEST_F(SightTest, WhoStandsInSeesWhatTheAbsentOweAndOnlySoLong) {
  MemberOf(team_, "anna").set_substitute_id("ben");
  EXPECT_FALSE(Sees(kBen, Of("anna"), team_, now_));
  AddAbsence(MemberOf(team_, "anna"), At("2026-11-23 08:00"), At("2026-11-24 08:00"));
  EXPECT_TRUE(Sees(kBen, Of("anna"), team_, now_));
  EXPECT_EQ(StandsInFor(team_, "ben", now_), std::vector<std::string>{"anna"});
  EXPECT_TRUE(Sees(kAnna, Of("anna"), team_, now_)) << "the absent may look too";
  EXPECT_FALSE(Sees(kBen, Of("anna"), team_, At("2026-11-24 08:00")));
  EXPECT_TRUE(StandsInFor(team_, "ben", At("2026-11-24 08:00")).empty());
}

TEST_F(SightTest, TheNextInTheChainSeesItWhenTheSubstituteIsAwayToo) {
  AddMember(team_, "cara", record::Member::ROLE_REP);
  MemberOf(team_, "anna").set_substitute_id("ben");
  MemberOf(team_, "ben").set_substitute_id("cara");
  for (const char* away : {"anna", "ben"}) AddAbsence(MemberOf(team_, away), At("2026-11-23 08:00"), At("2026-11-24 08:00"));
  EXPECT_EQ(StandsInFor(team_, "cara", now_), (std::vector<std::string>{"anna", "ben"}));
  EXPECT_FALSE(Sees(kBen, Of("anna"), team_, now_));
}

TEST_F(SightTest, ATakeIsSeenByItsAuthorAndByWhoeverSeesItsCallback) {
  const auto take = Take("anna");
  const auto of_ben = Of("ben"), of_nobody = Of("");
  EXPECT_TRUE(SeesTake(kAnna, take, nullptr, team_, now_));
  EXPECT_FALSE(SeesTake(kBen, take, nullptr, team_, now_));
  EXPECT_TRUE(SeesTake(kMia, take, nullptr, team_, now_));
  EXPECT_TRUE(SeesTake(kAnna, take, &of_ben, team_, now_)) << "the own voice, though the call is somebody else's by now";
  EXPECT_TRUE(SeesTake(kBen, take, &of_ben, team_, now_));
  EXPECT_TRUE(SeesTake(kBen, take, &of_nobody, team_, now_));
}

TEST_F(SightTest, OthersVoicesArePlayedOnlyWhereTheTeamSwitchedItOn) {
  const auto take = Take("anna");
  const auto of_anna = Of("anna"), of_ben = Of("ben"), of_nobody = Of("");
  EXPECT_TRUE(MayPlay(kAnna, take, nullptr, team_, now_));
  EXPECT_TRUE(MayPlay(kAnna, take, &of_ben, team_, now_));
  EXPECT_TRUE(MayPlay(kBen, take, &of_ben, team_, now_)) << "who owes the call";
  EXPECT_FALSE(MayPlay(kMia, take, &of_anna, team_, now_));
  EXPECT_FALSE(MayPlay(kBen, take, &of_nobody, team_, now_));
  team_.set_play_others_takes(true);
  EXPECT_TRUE(MayPlay(kMia, take, &of_anna, team_, now_));
  EXPECT_TRUE(MayPlay(kBen, take, &of_nobody, team_, now_));
  EXPECT_FALSE(MayPlay(kBen, take, &of_anna, team_, now_)) << "a rep hears no more than a rep sees";
}

}  // namespace
}  // namespace ringback::domain
