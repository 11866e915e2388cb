// What reading a foreign calendar takes, whatever is looked for in it, by libical. Runs in the child alone
// (calendar_child.h). One thread.
#pragma once

#include <libical/ical.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace ringback::calendars {

struct ComponentFree {
  void operator()(icalcomponent* component) const { icalcomponent_free(component); }
};
struct IteratorFree {
  void operator()(icalrecur_iterator* iterator) const { icalrecur_iterator_free(iterator); }
};

// The calendars in a text: one as a rule, several where files were joined, none when it is no iCalendar.
struct ParsedText {
  std::unique_ptr<icalcomponent, ComponentFree> root;
  std::vector<icalcomponent*> calendars;  // within root
};
ParsedText ParseCalendars(const std::string& text);

std::vector<icalcomponent*> Components(icalcomponent* within, icalcomponent_kind kind);
std::vector<icalproperty*> Properties(icalcomponent* of, icalproperty_kind kind);

// The dates of a row (RRULE), in order; its exceptions are the caller's business.
class DateRow {
 public:
  // INVALID_ARGUMENT when the rule makes no sense.
  static absl::StatusOr<DateRow> Begin(const icalrecurrencetype& rule, const icaltimetype& start);
  // A null time after the last. RESOURCE_EXHAUSTED when so many came before that it looks endless.
  absl::StatusOr<icaltimetype> Next();

 private:
  explicit DateRow(icalrecur_iterator* dates) : dates_(dates) {}

  std::unique_ptr<icalrecur_iterator, IteratorFree> dates_;
  int steps_ = 0;
};

}  // namespace ringback::calendars
