// With libical: the only file of this room that knows it.
#include <libical/ical.h>

#include <memory>

#include "delivery/mail_in/mail_text.h"
#include "delivery/mail_in/read_calendar.h"

namespace ringback::delivery {
namespace {

struct FreeComponent {
  void operator()(icalcomponent* component) const { icalcomponent_free(component); }
};

std::string Participation(icalcomponent* event) {
  for (icalproperty* attendee = icalcomponent_get_first_property(event, ICAL_ATTENDEE_PROPERTY); attendee != nullptr;
       attendee = icalcomponent_get_next_property(event, ICAL_ATTENDEE_PROPERTY)) {
    icalparameter* const state = icalproperty_get_first_parameter(attendee, ICAL_PARTSTAT_PARAMETER);
    if (state == nullptr) continue;
    switch (icalparameter_get_partstat(state)) {
      case ICAL_PARTSTAT_ACCEPTED: return "ACCEPTED";
      case ICAL_PARTSTAT_DECLINED: return "DECLINED";
      case ICAL_PARTSTAT_TENTATIVE: return "TENTATIVE";
      default: break;
    }
  }
  return "";
}

}  // namespace

std::optional<MailCalendarAnswer> ReadCalendarAnswer(const std::string& ics) {
  const std::unique_ptr<icalcomponent, FreeComponent> calendar(icalparser_parse_string(ics.c_str()));
  if (calendar == nullptr || icalcomponent_isa(calendar.get()) != ICAL_VCALENDAR_COMPONENT) return std::nullopt;
  if (icalcomponent_get_method(calendar.get()) != ICAL_METHOD_REPLY) return std::nullopt;
  icalcomponent* const event = icalcomponent_get_first_component(calendar.get(), ICAL_VEVENT_COMPONENT);
  if (event == nullptr) return std::nullopt;
  MailCalendarAnswer answer;
  answer.participation = Participation(event);
  if (const char* uid = icalcomponent_get_uid(event); uid != nullptr) answer.uid = CleanLine(uid, 250);
  if (icalcomponent_get_first_property(event, ICAL_SEQUENCE_PROPERTY) != nullptr) {
    answer.sequence = icalcomponent_get_sequence(event);
  }
  if (answer.participation.empty() || answer.uid.empty()) return std::nullopt;
  return answer;
}

}  // namespace ringback::delivery
