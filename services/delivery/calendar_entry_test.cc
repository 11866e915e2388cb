// Calendar entries as libical reads them back.
#include "delivery/calendar_entry.h"

#include <gtest/gtest.h>
#include <libical/ical.h>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"

namespace ringback::delivery {
namespace {

CalendarEntry Sample() {
  CalendarEntry entry;
  entry.uid = "cb07abc@muster.example";
  entry.sequence = 1;
  entry.start = absl::FromUnixSeconds(1795435200);  // 2026-11-23 12:00 UTC
  entry.now = absl::FromUnixSeconds(1795422600);
  entry.summary = "Rückruf: Anna Schmidt ruft an; Zeile, mit Zeichen";
  entry.description = "Erste Zeile\nZweite Zeile\nATTENDEE:mailto:evil@example.org";
  entry.phone = "+4930123456";
  entry.organizer = {"Anna \"AS\" Schmidt; Vertrieb: Nord", "vertrieb@muster.example"};
  entry.attendee = {"Herr Müller", "mueller@example.com"};
  return entry;
}

class ReadCalendar {
 public:
  explicit ReadCalendar(const std::string& ics) : root_(icalparser_parse_string(ics.c_str())) {
    EXPECT_NE(root_, nullptr);
    event_ = icalcomponent_get_first_component(root_, ICAL_VEVENT_COMPONENT);
    EXPECT_EQ(icalcomponent_count_errors(root_), 0);
  }
  ~ReadCalendar() { icalcomponent_free(root_); }
  icalcomponent* root() const { return root_; }
  icalcomponent* event() const { return event_; }

 private:
  icalcomponent* root_;
  icalcomponent* event_;
};

TEST(CalendarEntry, AnEntryIsReadBackWithTheSameMeaning) {
  const absl::StatusOr<MailCalendar> calendar = ComposeCalendar(Sample(), "Rueckruf.ics");
  ASSERT_TRUE(calendar.ok()) << calendar.status();
  EXPECT_EQ(calendar->method, "REQUEST");
  const ReadCalendar read(calendar->ics);
  EXPECT_EQ(icalcomponent_get_method(read.root()), ICAL_METHOD_REQUEST);
  EXPECT_STREQ(icalcomponent_get_uid(read.event()), "cb07abc@muster.example");
  EXPECT_EQ(icalcomponent_get_sequence(read.event()), 1);
  EXPECT_STREQ(icalcomponent_get_summary(read.event()), "Rückruf: Anna Schmidt ruft an; Zeile, mit Zeichen");
  EXPECT_STREQ(icalcomponent_get_description(read.event()), Sample().description.c_str());
  EXPECT_EQ(icaltime_as_timet(icalcomponent_get_dtstart(read.event())), 1795435200);
  EXPECT_EQ(icaldurationtype_as_int(icalcomponent_get_duration(read.event())), 900);
  EXPECT_EQ(icalcomponent_get_status(read.event()), ICAL_STATUS_CONFIRMED);
  EXPECT_EQ(icalcomponent_count_properties(read.event(), ICAL_ATTENDEE_PROPERTY), 1);
  icalproperty* organizer = icalcomponent_get_first_property(read.event(), ICAL_ORGANIZER_PROPERTY);
  EXPECT_STREQ(icalproperty_get_organizer(organizer), "mailto:vertrieb@muster.example");
  EXPECT_STREQ(icalparameter_get_cn(icalproperty_get_first_parameter(organizer, ICAL_CN_PARAMETER)),
               "Anna 'AS' Schmidt; Vertrieb: Nord");
}

TEST(CalendarEntry, TheTimeIsInUtcAndLinesAreFoldedWithCrlf) {
  const std::string ics = ComposeCalendar(Sample(), "Rueckruf.ics")->ics;
  EXPECT_TRUE(absl::StrContains(ics, "DTSTART:20261123T120000Z\r\n")) << ics;
  EXPECT_TRUE(absl::StrContains(ics, "DTEND:20261123T121500Z\r\n")) << ics;
  for (absl::string_view line : absl::StrSplit(ics, "\r\n")) {
    EXPECT_LE(line.size(), 75u) << line;
    EXPECT_EQ(line.find('\n'), absl::string_view::npos);
  }
}

TEST(CalendarEntry, ACancellationKeepsTheUidAndRaisesTheSequence) {
  CalendarEntry entry = Sample();
  entry.sequence = 3;
  entry.cancelled = true;
  const absl::StatusOr<MailCalendar> calendar = ComposeCalendar(entry, "Rueckruf.ics");
  ASSERT_TRUE(calendar.ok());
  EXPECT_EQ(calendar->method, "CANCEL");
  const ReadCalendar read(calendar->ics);
  EXPECT_EQ(icalcomponent_get_method(read.root()), ICAL_METHOD_CANCEL);
  EXPECT_EQ(icalcomponent_get_status(read.event()), ICAL_STATUS_CANCELLED);
  EXPECT_STREQ(icalcomponent_get_uid(read.event()), "cb07abc@muster.example");
  EXPECT_EQ(icalcomponent_get_sequence(read.event()), 3);
}

TEST(CalendarEntry, ForeignTextCannotAddALine) {
  for (void (*spoil)(CalendarEntry&) : {
           +[](CalendarEntry& e) { e.uid = "a\r\nATTACH:x"; }, +[](CalendarEntry& e) { e.summary = "a\r\nATTACH:x"; },
           +[](CalendarEntry& e) { e.description = std::string("a\0b", 3); },
           +[](CalendarEntry& e) { e.organizer.name = "a\nATTACH:x"; },
           +[](CalendarEntry& e) { e.attendee.address = "a@b.c\r\nATTACH:x"; },
           +[](CalendarEntry& e) { e.phone = "1\n2"; }, +[](CalendarEntry& e) { e.summary = "\xff"; }}) {
    CalendarEntry entry = Sample();
    spoil(entry);
    EXPECT_EQ(ComposeCalendar(entry, "a.ics").status().code(), absl::StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(ReadCalendar(ComposeCalendar(Sample(), "a.ics")->ics).event() == nullptr, false);
}

}  // namespace
}  // namespace ringback::delivery
