// The only file of this room that knows libical. Its components are made and freed within one call.
#include <libical/ical.h>

#include <cstdlib>
#include <memory>

#include "web/promise_ics.h"

namespace ringback::web {
namespace {

struct ComponentFree {
  void operator()(icalcomponent* component) const { icalcomponent_free(component); }
};

icaltimetype Utc(absl::Time time) {
  return icaltime_from_timet_with_zone(absl::ToTimeT(time), /*is_date=*/0, icaltimezone_get_utc_timezone());
}

}  // namespace

absl::StatusOr<std::string> PromiseIcs(const PromiseEntry& entry) {
  const std::unique_ptr<icalcomponent, ComponentFree> calendar(icalcomponent_new(ICAL_VCALENDAR_COMPONENT));
  icalcomponent_add_property(calendar.get(), icalproperty_new_version("2.0"));
  icalcomponent_add_property(calendar.get(), icalproperty_new_prodid("-//ringback//ringback//EN"));
  icalcomponent* event = icalcomponent_new(ICAL_VEVENT_COMPONENT);
  icalcomponent_add_component(calendar.get(), event);
  const auto add = [event](icalproperty* property) { icalcomponent_add_property(event, property); };
  add(icalproperty_new_uid(entry.uid.c_str()));
  add(icalproperty_new_sequence(entry.sequence));
  add(icalproperty_new_dtstamp(Utc(entry.now)));
  add(icalproperty_new_dtstart(Utc(entry.start)));
  add(icalproperty_new_dtend(Utc(entry.start + entry.length)));
  add(icalproperty_new_summary(entry.summary.c_str()));
  if (!entry.description.empty()) add(icalproperty_new_description(entry.description.c_str()));
  add(icalproperty_new_status(ICAL_STATUS_CONFIRMED));
  add(icalproperty_new_transp(ICAL_TRANSP_OPAQUE));
  const std::unique_ptr<char, decltype(&std::free)> text(icalcomponent_as_ical_string_r(calendar.get()), &std::free);
  if (text == nullptr) return absl::InternalError("the calendar entry could not be written");
  return std::string(text.get());
}

}  // namespace ringback::web
