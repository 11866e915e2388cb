#include "ringback/data_lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"

namespace ringback {
namespace {

using ::testing::HasSubstr;

TEST(DataLock, ASecondServerIsRefusedAndToldWhoIsThere) {
  const std::string dir = ::testing::TempDir() + "/data_lock_test." + std::to_string(getpid()) + "/data";
  std::filesystem::remove_all(dir);
  EXPECT_FALSE(DataLock::Held(dir));
  auto first = DataLock::Take(dir);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(std::filesystem::status(dir).permissions(), std::filesystem::perms::owner_all);
  EXPECT_TRUE(DataLock::Held(dir));
  const auto second = DataLock::Take(dir);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(second.status().message()), HasSubstr(absl::StrCat("(process ", getpid(), ")")));
  first->reset();
  EXPECT_FALSE(DataLock::Held(dir));
  EXPECT_TRUE(DataLock::Take(dir).ok());
}

TEST(DataLock, AFolderThatCannotBeMadeIsSaid) {
  EXPECT_EQ(DataLock::Take("/proc/none/data").status().code(), absl::StatusCode::kUnavailable);
}

TEST(DatabaseThere, AMissingOrEmptyOneIsNoFirstStartOnceThereWasAToken) {
  runtime::Config config;
  config.data_dir = ::testing::TempDir() + "/database_there_test." + std::to_string(getpid());
  std::filesystem::remove_all(config.data_dir);
  std::filesystem::create_directories(config.data_dir);
  EXPECT_TRUE(CheckDatabaseThere(config).ok());
  std::ofstream(config.SqlitePath());
  EXPECT_TRUE(CheckDatabaseThere(config).ok()) << "a first start that was interrupted";
  std::ofstream(config.TokenPath()) << "{}";
  EXPECT_THAT(std::string(CheckDatabaseThere(config).message()), HasSubstr("empty"));
  std::ofstream(config.SqlitePath()) << "SQLite format 3";
  EXPECT_TRUE(CheckDatabaseThere(config).ok()) << "whether it is whole is the store's to say";
  std::filesystem::remove(config.SqlitePath());
  EXPECT_THAT(std::string(CheckDatabaseThere(config).message()), HasSubstr("ringback restore"));
  config.store = "redis://127.0.0.1";
  EXPECT_TRUE(CheckDatabaseThere(config).ok());
}

}  // namespace
}  // namespace ringback
