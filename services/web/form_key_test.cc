#include "web/form_key.h"

#include <gtest/gtest.h>

namespace ringback::web {
namespace {

constexpr char kToken[] = "pg07abcdefghijklmnopqrstuvwxyz";
constexpr char kCallback[] = "cb07aaaaaaaaaaaa";

TEST(FormKeyTest, AKeyOpensWhatItWasSealedFor) {
  const std::string sealed = SealFormKey(kToken, kCallback, "agree", {3, "abc123"});
  const auto key = OpenFormKey(kToken, kCallback, "agree", sealed);
  ASSERT_TRUE(key.has_value());
  EXPECT_EQ(key->revision, 3);
  EXPECT_EQ(key->once, "abc123");
}

TEST(FormKeyTest, AnotherPageCallbackOrPurposeRefusesIt) {
  const std::string sealed = SealFormKey(kToken, kCallback, "agree", {3, "abc123"});
  EXPECT_FALSE(OpenFormKey("pg07otherotherotherotherother", kCallback, "agree", sealed));
  EXPECT_FALSE(OpenFormKey(kToken, "cb07bbbbbbbbbbbb", "agree", sealed));
  EXPECT_FALSE(OpenFormKey(kToken, kCallback, "off", sealed));
}

TEST(FormKeyTest, WhatWasChangedOrMadeUpIsRefused) {
  const std::string sealed = SealFormKey(kToken, kCallback, "agree", {3, "abc123"});
  for (size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = changed[i] == '1' ? '2' : '1';
    EXPECT_FALSE(OpenFormKey(kToken, kCallback, "agree", changed)) << i;
  }
  for (const std::string& made_up : {std::string(), std::string("3"), std::string(".."), std::string("3.abc."),
                                     sealed + ".x", sealed.substr(0, sealed.size() - 1), std::string(5000, 'a')}) {
    EXPECT_FALSE(OpenFormKey(kToken, kCallback, "agree", made_up)) << made_up;
  }
}

TEST(FormKeyTest, TheSamePressIsOneCommitAndAnyOtherIsAnother) {
  const std::string id = CommitIdOf(kToken, "brief", {3, "abc"}, "text");
  EXPECT_EQ(CommitIdOf(kToken, "brief", {3, "abc"}, "text"), id);
  EXPECT_NE(CommitIdOf(kToken, "brief", {3, "abc"}, "other text"), id);
  EXPECT_NE(CommitIdOf(kToken, "brief", {3, "abd"}, "text"), id);
  EXPECT_NE(CommitIdOf(kToken, "brief", {4, "abc"}, "text"), id);
  EXPECT_NE(CommitIdOf(kToken, "wish", {3, "abc"}, "text"), id);
  EXPECT_LE(id.size(), 64u);
}

}  // namespace
}  // namespace ringback::web
