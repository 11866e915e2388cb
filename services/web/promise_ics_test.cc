#include "web/promise_ics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "web/page_fixture.h"

namespace ringback::web {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(PromiseIcsTest, TheEntryNamesTheTimeInUtcAndAsksNobody) {
  PromiseEntry entry;
  entry.uid = "cb07aaaaaaaaaaaa@hansen.example";
  entry.sequence = 2;
  entry.start = Berlin(23, 13);
  entry.now = Berlin(23, 10);
  entry.summary = "Rückruf: Anna Schmidt, Hansen Pumpen GmbH";
  const auto ics = PromiseIcs(entry);
  ASSERT_TRUE(ics.ok()) << ics.status();
  EXPECT_THAT(*ics, AllOf(HasSubstr("UID:cb07aaaaaaaaaaaa@hansen.example\r\n"), HasSubstr("SEQUENCE:2\r\n"),
                          HasSubstr("DTSTART:20261123T120000Z\r\n"), HasSubstr("DTEND:20261123T121500Z\r\n"),
                          HasSubstr("SUMMARY:Rückruf: Anna Schmidt\\, Hansen Pumpen GmbH"), Not(HasSubstr("METHOD")),
                          Not(HasSubstr("ATTENDEE"))));
}

TEST(PromiseIcsTest, ANameCannotAddALine) {
  PromiseEntry entry;
  entry.uid = "cb07aaaaaaaaaaaa@hansen.example";
  entry.start = entry.now = Berlin(23, 13);
  entry.summary = "x\r\nATTACH:file:///etc/passwd";
  EXPECT_THAT(PromiseIcs(entry).value_or(""), Not(HasSubstr("\nATTACH")));
}

}  // namespace
}  // namespace ringback::web
