#include "core/rpc/update_mask.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "core/domain/input.h"
#include "ringback/v1/team_service.pb.h"

namespace ringback::rpc {
namespace {

using google::protobuf::FieldMask;
using v1::Team;

FieldMask Paths(std::initializer_list<const char*> paths) {
  FieldMask mask;
  for (const char* path : paths) mask.add_paths(path);
  return mask;
}

Team Parse(const std::string& text) {
  Team team;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &team));
  return team;
}

Team Updated(const FieldMask& mask, const std::string& given, const std::string& known) {
  Team team = Parse(known);
  const auto made = UpdateMask::Of(mask, Parse(given), {"id", "members"});
  EXPECT_TRUE(made.ok()) << made.status();
  if (made.ok()) made->Copy(Parse(given), &team);
  return team;
}

TEST(UpdateMaskTest, WithoutAMaskWhatHasAValueIsMeant) {
  const Team team = Updated({}, "name: 'New' legal_hold: false", "name: 'Old' legal_hold: true language: 'de'");
  EXPECT_EQ(team.ShortDebugString(), Parse("name: 'New' legal_hold: true language: 'de'").ShortDebugString());
}

TEST(UpdateMaskTest, ANamedFieldTakesItsZeroValue) {
  const Team team = Updated(Paths({"legal_hold", "media_mode", "calendar", "templates"}), "name: 'came along'",
                            "name: 'Old' legal_hold: true media_mode: MEDIA_MODE_LINK calendar { holidays: '2026-12-25' } "
                            "templates { key: 'a' value: 'b' }");
  EXPECT_EQ(team.ShortDebugString(), Parse("name: 'Old'").ShortDebugString());
}

TEST(UpdateMaskTest, AFieldInsideAnotherLeavesItsNeighbours) {
  const Team team = Updated(Paths({"footer.phone", "policy.repeat_count"}), "footer { company: 'came along' }",
                            "footer { company: 'GmbH' phone: '1' } policy { repeat_count: 3 repeat_from_step: 2 }");
  EXPECT_EQ(team.ShortDebugString(), Parse("footer { company: 'GmbH' } policy { repeat_from_step: 2 }").ShortDebugString());
}

TEST(UpdateMaskTest, AStarIsEverythingThatCanBeChanged) {
  const Team team = Updated(Paths({"*"}), "id: 'other' name: 'New'", "id: 'tm07' name: 'Old' language: 'de' members {}");
  EXPECT_EQ(team.ShortDebugString(), Parse("id: 'tm07' name: 'New' members {}").ShortDebugString());
}

TEST(UpdateMaskTest, NothingGivenIsNothingMeant) {
  const auto mask = UpdateMask::Of({}, Team());
  ASSERT_TRUE(mask.ok());
  EXPECT_EQ(mask->Only(Parse("name: 'x'")).ByteSizeLong(), 0u);
  EXPECT_EQ(Updated({}, "", "name: 'Old'").name(), "Old");
}

TEST(UpdateMaskTest, APathThatLeadsNowhereIsNamed) {
  for (const char* path : {"legal_hodl", "", "id", "members", "members.name", "templates.key", "footer.", "footer.nobody",
                           "name.length", "legalHold"}) {
    const absl::Status status = UpdateMask::Of(Paths({"name", path}), Team(), {"id", "members"}).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << path;
    EXPECT_EQ(domain::DetailOf(status).field, "update_mask.paths[1]") << path;
    EXPECT_THAT(std::string(status.message()), testing::HasSubstr("\"" + std::string(path) + "\"")) << path;
  }
}

TEST(UpdateMaskTest, HasSeesWhatLiesInside) {
  const auto mask = UpdateMask::Of(Paths({"policy.follow_up", "name"}), Team());
  ASSERT_TRUE(mask.ok());
  EXPECT_TRUE(mask->Has("policy"));
  EXPECT_TRUE(mask->Has("name"));
  EXPECT_FALSE(mask->Has("footer"));
  EXPECT_FALSE(mask->Has("nam"));
}

}  // namespace
}  // namespace ringback::rpc
