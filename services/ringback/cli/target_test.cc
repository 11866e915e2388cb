#include "ringback/cli/target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace ringback::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class TargetTest : public ::testing::Test {
 protected:
  TargetTest() : dir_(::testing::TempDir() + "/target_test." + std::to_string(getpid())) {
    std::filesystem::remove_all(dir_);
    std::filesystem::create_directories(dir_);
  }
  void Write(const std::string& text) { std::ofstream(dir_ + "/token") << text; }

  const std::string dir_;
  World world_;
};

TEST_F(TargetTest, ATokenFileNamesServerAndSecrets) {
  Write(R"({"target":"127.0.0.1:7420","token":"rb_tk1","operator_token":"rb_tk2","member":"mb07x"})");
  const auto target = FindTarget(dir_, world_);
  ASSERT_TRUE(target.ok()) << target.status();
  EXPECT_EQ(target->address, "127.0.0.1:7420");
  EXPECT_EQ(target->token, "rb_tk1");
  EXPECT_EQ(target->operator_token, "rb_tk2");
  EXPECT_EQ(target->member_id, "mb07x");
}

TEST_F(TargetTest, VariablesOverrideTheFile) {
  Write(R"({"target":"127.0.0.1:7420","token":"rb_tk1","operator_token":"rb_tk2"})");
  world_.environment["RINGBACK_DATA"] = dir_;
  world_.environment["RINGBACK_TOKEN"] = "rb_mine";
  auto target = FindTarget("", world_).value();
  EXPECT_EQ(target.address, "127.0.0.1:7420");
  EXPECT_EQ(target.token, "rb_mine");
  EXPECT_EQ(target.operator_token, "");
  world_.environment["RINGBACK_TARGET"] = "calls.example.com:443";
  target = FindTarget("", world_).value();
  EXPECT_EQ(target.address, "calls.example.com:443");
  EXPECT_EQ(target.token, "rb_mine");
}

TEST_F(TargetTest, ALocalTokenNeverGoesToAnotherServer) {
  Write(R"({"target":"127.0.0.1:7420","token":"rb_tk1","operator_token":"rb_tk2"})");
  world_.environment["RINGBACK_TARGET"] = "calls.example.com:443";
  const auto target = FindTarget(dir_, world_).value();
  EXPECT_EQ(target.token, "");
  EXPECT_EQ(target.operator_token, "");
}

TEST_F(TargetTest, WithoutAServerTheErrorSaysHowToStartOne) {
  const auto target = FindTarget(dir_, world_);
  EXPECT_TRUE(absl::IsUnavailable(target.status()));
  EXPECT_THAT(std::string(target.status().message()), HasSubstr("./scripts/run"));
}

TEST_F(TargetTest, ABrokenTokenFileIsAnError) {
  Write("{");
  EXPECT_TRUE(absl::IsFailedPrecondition(FindTarget(dir_, world_).status()));
  Write(R"({"token":"x"})");
  EXPECT_TRUE(absl::IsFailedPrecondition(FindTarget(dir_, world_).status()));
}

TEST_F(TargetTest, TheFlagComesBeforeTheVariableBeforeTheUsualPlaces) {
  world_.environment["HOME"] = "/home/anna";
  EXPECT_THAT(DataDirs("", world_), ElementsAre("data", "/home/anna/.local/share/ringback"));
  world_.environment["RINGBACK_DATA"] = "/var/lib/ringback";
  EXPECT_THAT(DataDirs("", world_), ElementsAre("/var/lib/ringback"));
  EXPECT_THAT(DataDirs("x", world_), ElementsAre("x"));
}

}  // namespace
}  // namespace ringback::cli
