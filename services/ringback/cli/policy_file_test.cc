#include "ringback/cli/policy_file.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

namespace ringback::cli {
namespace {

using ::testing::HasSubstr;

absl::StatusOr<std::string> Id(const std::string& who) {
  if (who == "anna@example.com" || who == "mb07anna") return std::string("mb07anna");
  return absl::InvalidArgumentError("nobody is called " + who);
}
std::string Name(const std::string&) { return "Anna \"Änne\" Schmidt"; }

std::string ErrorOf(const std::string& text) { return std::string(ParsePolicy(text, Id).status().message()); }

TEST(PolicyFile, WhatIsShownCanBeSetAgain) {
  v1::Policy policy;
  auto* step = policy.add_steps();
  step->mutable_delay();
  step->add_recipients()->set_kind(v1::Recipient::KIND_ASSIGNEE);
  step = policy.add_steps();
  step->mutable_delay()->set_seconds(5400);
  step->set_any_time(true);
  step->add_recipients()->set_kind(v1::Recipient::KIND_MANAGERS);
  step->add_recipients()->set_kind(v1::Recipient::KIND_ADMINS);
  auto* member = step->add_recipients();
  member->set_kind(v1::Recipient::KIND_MEMBER);
  member->set_member_id("mb07anna");
  policy.set_repeat_from_step(2);
  policy.set_repeat_count(5);
  int seconds = 60;
  for (auto* span : {policy.mutable_repeat_interval(), policy.mutable_ack_timeout(), policy.mutable_response_target(),
                     policy.mutable_follow_up(), policy.mutable_tolerance(), policy.mutable_reminder_lead(),
                     policy.mutable_delivery_guard(), policy.mutable_wrap_up()}) {
    span->set_seconds(seconds += 61);
  }
  const std::string toml = PolicyToml(policy, Name);
  const auto read = ParsePolicy(toml, Id);
  ASSERT_TRUE(read.ok()) << read.status() << "\n" << toml;
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(policy, *read))
      << toml << read->DebugString();
}

TEST(PolicyFile, JsonIsReadToo) {
  const auto read = ParsePolicy(R"({"repeat_count": 3, "steps": [{"delay": "300s"}]})", Id);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->repeat_count(), 3);
  EXPECT_EQ(read->steps(0).delay().seconds(), 300);
  EXPECT_EQ(ParsePolicy(R"({"policy": {"repeatCount": 4}})", Id).value().repeat_count(), 4);
  EXPECT_THAT(ErrorOf(R"({"stepz": 1})"), HasSubstr("not a policy in JSON"));
}

TEST(PolicyFile, MembersAreFoundByAddress) {
  const auto read = ParsePolicy("[[steps]]\ndelay = \"5m\"\nrecipients = [\"anna@example.com\"]\n", Id);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->steps(0).recipients(0).member_id(), "mb07anna");
}

TEST(PolicyFile, ErrorsNameLineAndKey) {
  EXPECT_THAT(ErrorOf("follow_up = \"soon\"\n"), HasSubstr("line 1: follow_up: \"soon\" is not a span"));
  EXPECT_THAT(ErrorOf("\nrepeat = 3\n"), HasSubstr("line 2: repeat: is not known"));
  EXPECT_THAT(ErrorOf("[[steps]]\ndelay = \"5m\"\n[[steps]]\nwait = 1\n"), HasSubstr("line 4: steps[1].wait"));
  EXPECT_THAT(ErrorOf("[[steps]]\nrecipients = [\"bob\"]\n"), HasSubstr("line 2: steps[0].recipients: nobody"));
  EXPECT_THAT(ErrorOf("repeat_count = \n"), HasSubstr("line 1"));
  EXPECT_THAT(ErrorOf(" \n"), HasSubstr("policy show"));
}

}  // namespace
}  // namespace ringback::cli
