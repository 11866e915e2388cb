// Calendar entries by libical: the only file of this room that knows it. Its components are made and freed within one
// call; its string functions use a per-thread ring, so results are copied at once.
#include <libical/ical.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/base/utf8.h"
#include "delivery/calendar_entry.h"

namespace ringback::delivery {
namespace {

struct ComponentFree {
  void operator()(icalcomponent* component) const { icalcomponent_free(component); }
};
using Component = std::unique_ptr<icalcomponent, ComponentFree>;

icaltimetype Utc(absl::Time time) {
  return icaltime_from_timet_with_zone(absl::ToTimeT(time), /*is_date=*/0, icaltimezone_get_utc_timezone());
}

// A quote cannot stand in a parameter value (RFC 5545, 3.2).
std::string ParameterText(std::string text) {
  for (char& c : text) {
    if (c == '"') c = '\'';
  }
  return text;
}

absl::StatusOr<std::string> MailTo(absl::string_view field, const MailAddress& who) {
  RB_RETURN_IF_ERROR(CheckHeaderText(absl::StrCat(field, ".name"), who.name, 500));
  RB_ASSIGN_OR_RETURN(const std::string address, CheckedAddress(absl::StrCat(field, ".address"), who.address));
  return absl::StrCat("mailto:", address);
}

icalproperty* Organizer(const std::string& mailto, const std::string& name) {
  icalproperty* property = icalproperty_new_organizer(mailto.c_str());
  if (!name.empty()) icalproperty_add_parameter(property, icalparameter_new_cn(ParameterText(name).c_str()));
  return property;
}

icalproperty* Attendee(const std::string& mailto, const std::string& name) {
  icalproperty* property = icalproperty_new_attendee(mailto.c_str());
  if (!name.empty()) icalproperty_add_parameter(property, icalparameter_new_cn(ParameterText(name).c_str()));
  icalproperty_add_parameter(property, icalparameter_new_role(ICAL_ROLE_REQPARTICIPANT));
  icalproperty_add_parameter(property, icalparameter_new_partstat(ICAL_PARTSTAT_NEEDSACTION));
  icalproperty_add_parameter(property, icalparameter_new_rsvp(ICAL_RSVP_FALSE));
  return property;
}

absl::Status CheckText(absl::string_view field, const std::string& text) {
  if (!IsUtf8(text)) return absl::InvalidArgumentError(absl::StrCat(field, ": must be UTF-8"));
  for (unsigned char c : text) {
    if (c != '\n' && c != '\t' && (c < 0x20 || c == 0x7F)) {
      return absl::InvalidArgumentError(absl::StrCat(field, ": must not contain control characters"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<MailCalendar> ComposeCalendar(const CalendarEntry& entry, std::string filename) {
  RB_RETURN_IF_ERROR(CheckHeaderText("calendar.uid", entry.uid, 250));
  if (entry.uid.empty()) return absl::InvalidArgumentError("calendar.uid: must not be empty");
  RB_RETURN_IF_ERROR(CheckText("calendar.summary", entry.summary));
  RB_RETURN_IF_ERROR(CheckText("calendar.description", entry.description));
  RB_RETURN_IF_ERROR(CheckHeaderText("calendar.phone", entry.phone, 40));
  if (entry.length <= absl::ZeroDuration()) return absl::InvalidArgumentError("calendar.length: must be positive");
  RB_ASSIGN_OR_RETURN(const std::string organizer, MailTo("calendar.organizer", entry.organizer));
  RB_ASSIGN_OR_RETURN(const std::string attendee, MailTo("calendar.attendee", entry.attendee));

  Component calendar(icalcomponent_new(ICAL_VCALENDAR_COMPONENT));
  icalcomponent_add_property(calendar.get(), icalproperty_new_version("2.0"));
  icalcomponent_add_property(calendar.get(), icalproperty_new_prodid("-//ringback//ringback//EN"));
  icalcomponent_add_property(calendar.get(),
                             icalproperty_new_method(entry.cancelled ? ICAL_METHOD_CANCEL : ICAL_METHOD_REQUEST));
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
  if (!entry.phone.empty()) add(icalproperty_new_location(absl::StrCat("tel:", entry.phone).c_str()));
  add(Organizer(organizer, entry.organizer.name));
  add(Attendee(attendee, entry.attendee.name));
  add(icalproperty_new_status(entry.cancelled ? ICAL_STATUS_CANCELLED : ICAL_STATUS_CONFIRMED));
  add(icalproperty_new_transp(ICAL_TRANSP_OPAQUE));

  const std::unique_ptr<char, decltype(&std::free)> text(icalcomponent_as_ical_string_r(calendar.get()), &std::free);
  if (text == nullptr) return absl::InternalError("the calendar entry could not be written");
  return MailCalendar{.ics = text.get(), .method = entry.cancelled ? "CANCEL" : "REQUEST",
                      .filename = std::move(filename)};
}

}  // namespace ringback::delivery
