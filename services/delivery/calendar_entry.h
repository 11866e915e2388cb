// The promise as a calendar entry: an iTIP object (RFC 5546) in iCalendar form (RFC 5545).
//
// METHOD:REQUEST with the rep's team as ORGANIZER and the customer as ATTENDEE, because a client applies a later
// REQUEST with the same UID and a higher SEQUENCE, and a CANCEL, to the entry it already has. (PUBLISH forbids ATTENDEE, RFC
// 5546 3.2.1, and several clients import it as a copy each time.) RSVP is FALSE: the customer owes no answer. The
// organizer's address must stay the same over the entry's life (RFC 5546 2.1.4): give the team's address and put the
// rep in its name.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "delivery/mail_message.h"

namespace ringback::delivery {

struct CalendarEntry {
  std::string uid;             // the same for the callback's whole life: "cb07…@example.com"
  int sequence = 0;            // grows with every change: the promise's revision
  bool cancelled = false;      // METHOD:CANCEL and STATUS:CANCELLED
  absl::Time start;            // the promised time; written in UTC, so no VTIMEZONE can be missing or wrong
  absl::Duration length = absl::Minutes(15);
  absl::Time now;              // DTSTAMP
  std::string summary;
  std::string description;
  std::string phone;           // E.164 of who rings or is rung, as LOCATION; may be empty
  MailAddress organizer;
  MailAddress attendee;
};

// text/calendar bytes with CRLF, for MailCalendar.ics, with `method` to match. INVALID_ARGUMENT names the field:
// control characters in a name or the uid, an address that is none. Thread-safe.
absl::StatusOr<MailCalendar> ComposeCalendar(const CalendarEntry& entry, std::string filename);

}  // namespace ringback::delivery
