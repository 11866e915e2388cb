#include <sys/stat.h>

#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "ingest/bootstrap.h"
#include "ingest/ingest_fixture.h"

namespace ringback::ingest {
namespace {

class BootstrapTest : public testing::Test {
 protected:
  BootstrapTest() {
    folder_ = std::filesystem::temp_directory_path() / ("ringback-bootstrap-" + NewSecret("tk", 0, *NewSystemRandom()));
    std::filesystem::create_directories(folder_);
    host_ = std::make_unique<TestHost>(folder_.string());
  }
  ~BootstrapTest() override {
    host_.reset();
    std::filesystem::remove_all(folder_);
  }
  std::string Field(const std::string& name) {
    std::ifstream in(host_->config().TokenPath());
    std::stringstream text;
    text << in.rdbuf();
    google::protobuf::Struct file;
    EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(text.str(), &file).ok());
    return file.fields().count(name) ? file.fields().at(name).string_value() : "";
  }
  // Who may do what the token in this field may.
  absl::StatusOr<rpc::Authenticated> Who(const char* field) {
    return rpc::Authenticate(host_->store(), *host_->rpc().known, Field(field));
  }
  std::filesystem::path folder_;
  std::unique_ptr<TestHost> host_;
};

TEST_F(BootstrapTest, TheFirstStartMakesADemoTeamAndLaterOnesFindIt) {
  const auto first = EnsureDemoTeam(*host_);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_TRUE(first->created);
  const auto second = EnsureDemoTeam(*host_);
  ASSERT_TRUE(second.ok());
  EXPECT_FALSE(second->created);
  EXPECT_EQ(second->team_id, first->team_id);
  const auto team = LoadTeam(*host_, first->team_id);
  ASSERT_TRUE(team.ok());
  ASSERT_EQ(team->message.members_size(), 4);
  EXPECT_EQ(team->message.members(0).substitute_id(), team->message.members(1).id());
}

TEST_F(BootstrapTest, TheLocalTokenOpensEverythingAndOnlyItsOwnerReadsIt) {
  const auto demo = EnsureDemoTeam(*host_);
  ASSERT_TRUE(EnsureLocalToken(*host_, demo->team_id, "127.0.0.1:1").ok());
  struct stat info {};
  ASSERT_EQ(::stat(host_->config().TokenPath().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_EQ(Who("token")->principal.role, rpc::Role::kAdmin);
  EXPECT_EQ(Who("operator_token")->principal.role, rpc::Role::kOperator);
  EXPECT_EQ(Field("team"), demo->team_id);
}

TEST_F(BootstrapTest, ARestartKeepsTheTokensAndTellsTheNewTarget) {
  const auto demo = EnsureDemoTeam(*host_);
  ASSERT_TRUE(EnsureLocalToken(*host_, demo->team_id, "127.0.0.1:1").ok());
  const std::string token = Field("token"), operator_token = Field("operator_token"), member = Field("member");
  ASSERT_TRUE(EnsureLocalToken(*host_, demo->team_id, "127.0.0.1:2").ok());
  EXPECT_EQ(Field("target"), "127.0.0.1:2");
  EXPECT_EQ(Field("token"), token);
  EXPECT_EQ(Field("operator_token"), operator_token);
  EXPECT_EQ(Field("member"), member);
}

TEST_F(BootstrapTest, ALostOrSpoiledFileIsMadeAnew) {
  const auto demo = EnsureDemoTeam(*host_);
  std::ofstream(host_->config().TokenPath()) << "{\"token\": \"rb_tk07nonsense\", ";
  ASSERT_TRUE(EnsureLocalToken(*host_, demo->team_id, "127.0.0.1:1").ok());
  EXPECT_TRUE(Who("token").ok());
}

TEST_F(BootstrapTest, ATokenThatTheStoreCannotJudgeIsNotThrownAway) {
  const auto demo = EnsureDemoTeam(*host_);
  ASSERT_TRUE(EnsureLocalToken(*host_, demo->team_id, "127.0.0.1:1").ok());
  const std::string token = Field("token");
  store::Put damaged;
  damaged.key = rpc::TokenKey(token).value();
  damaged.value = "\xff";
  damaged.any_version = true;
  store::Commit commit;
  commit.shard = damaged.key.shard;
  commit.commit_id = "damage";
  commit.puts.push_back(damaged);
  ASSERT_TRUE(host_->store().CommitOnce(commit).ok());
  EXPECT_TRUE(absl::IsDataLoss(EnsureLocalToken(*host_, demo->team_id, "127.0.0.1:2")));
  EXPECT_EQ(Field("token"), token);
}

}  // namespace
}  // namespace ringback::ingest
