#include "core/domain/joined.h"

#include <gtest/gtest.h>

namespace ringback::domain {
namespace {

// With one of everything, so that nothing can be forgotten.
Decision Of(const std::string& word, absl::Time time) {
  Decision decision;
  decision.callback.set_id(word);
  decision.next_timer = time;
  decision.new_deliveries.emplace_back().set_id(word);
  decision.withdrawn_delivery_ids.push_back(word);
  decision.events.emplace_back().set_what(word);
  decision.counters.emplace_back();
  decision.purge_time = time;
  decision.warnings.push_back(word);
  return decision;
}

TEST(Joined, TheCallbackIsTheSecondsAndWhatFollowsIsBoths) {
  const absl::Time early = absl::FromUnixSeconds(1), late = absl::FromUnixSeconds(2);
  const Decision both = Joined(Of("one", early), Of("two", late));
  EXPECT_EQ(both.callback.id(), "two");
  EXPECT_EQ(both.next_timer, late);
  EXPECT_EQ(both.purge_time, late);
  ASSERT_EQ(both.new_deliveries.size(), 2u);
  EXPECT_EQ(both.new_deliveries[1].id(), "two");
  EXPECT_EQ(both.withdrawn_delivery_ids, (std::vector<std::string>{"one", "two"}));
  ASSERT_EQ(both.events.size(), 2u);
  EXPECT_EQ(both.events[0].what(), "one");
  EXPECT_EQ(both.counters.size(), 2u);
  EXPECT_EQ(both.warnings, (std::vector<std::string>{"one", "two"}));
}

TEST(Joined, AClosedCallbackHasNoTimerAndKeepsThePurgeTimeThatCameFirst) {
  const absl::Time early = absl::FromUnixSeconds(1);
  Decision second = Of("two", early);
  second.next_timer.reset();
  second.purge_time.reset();
  const Decision both = Joined(Of("one", early), second);
  EXPECT_EQ(both.next_timer, std::nullopt);
  EXPECT_EQ(both.purge_time, early);
}

}  // namespace
}  // namespace ringback::domain
