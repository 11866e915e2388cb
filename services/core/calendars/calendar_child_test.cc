#include "core/calendars/calendar_child.h"

#include <gtest/gtest.h>

namespace ringback::calendars {
namespace {

TEST(CalendarChild, AQuestionStandsBeforeTheCalendar) {
  const std::string question = EncodeQuestion({Question::For::kHolidays, 20000, 20365});
  size_t begins = 0;
  const auto read = DecodeQuestion(question + "BEGIN:VCALENDAR", &begins);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->what, Question::For::kHolidays);
  EXPECT_EQ(read->from, 20000);
  EXPECT_EQ(read->until, 20365);
  EXPECT_EQ(begins, question.size());
  for (size_t size = 0; size < question.size(); ++size) {
    EXPECT_FALSE(DecodeQuestion(question.substr(0, size), &begins).has_value()) << size;
  }
  EXPECT_FALSE(DecodeQuestion("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n", &begins).has_value());
}

TEST(CalendarChild, WithoutItsProgramNothingIsRead) {
  EXPECT_EQ(CalendarChild("/nowhere/ringback-calendar-parser").Ask({}, "").status().code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace ringback::calendars
