#include "ringback/data_lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "absl/strings/str_cat.h"

namespace ringback {
namespace {

using ::testing::HasSubstr;

TEST(DataLock, ASecondServerIsRefusedAndToldWhoIsThere) {
  const std::string dir = ::testing::TempDir() + "/data_lock_test/data";
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

}  // namespace
}  // namespace ringback
