#include "core/calendars/read_libical.h"

namespace ringback::calendars {
namespace {

constexpr int kStepsMost = 200000;  // of one row, from its beginning on

}  // namespace

ParsedText ParseCalendars(const std::string& text) {
  ParsedText parsed;
  parsed.root.reset(icalparser_parse_string(text.c_str()));
  if (parsed.root == nullptr) return parsed;
  if (icalcomponent_isa(parsed.root.get()) == ICAL_VCALENDAR_COMPONENT) {
    parsed.calendars.push_back(parsed.root.get());
  } else {
    parsed.calendars = Components(parsed.root.get(), ICAL_VCALENDAR_COMPONENT);
  }
  return parsed;
}

std::vector<icalcomponent*> Components(icalcomponent* within, icalcomponent_kind kind) {
  std::vector<icalcomponent*> found;
  for (icalcomponent* one = icalcomponent_get_first_component(within, kind); one != nullptr;
       one = icalcomponent_get_next_component(within, kind)) {
    found.push_back(one);
  }
  return found;
}

std::vector<icalproperty*> Properties(icalcomponent* of, icalproperty_kind kind) {
  std::vector<icalproperty*> found;
  for (icalproperty* one = icalcomponent_get_first_property(of, kind); one != nullptr;
       one = icalcomponent_get_next_property(of, kind)) {
    found.push_back(one);
  }
  return found;
}

absl::StatusOr<DateRow> DateRow::Begin(const icalrecurrencetype& rule, const icaltimetype& start) {
  DateRow row(icalrecur_iterator_new(rule, start));
  if (row.dates_ == nullptr) return absl::InvalidArgumentError("the calendar has a row of dates that cannot be read");
  return row;
}

absl::StatusOr<icaltimetype> DateRow::Next() {
  if (steps_++ == kStepsMost) return absl::ResourceExhaustedError("the calendar has a row of dates without an end in sight");
  return icalrecur_iterator_next(dates_.get());
}

}  // namespace ringback::calendars
