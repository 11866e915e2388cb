// The promise for the customer's calendar, to be opened by a press on the page. The same entry as the mail's (by its UID), but
// as a plain calendar object (RFC 5545, no METHOD): what a person opens asks nobody for an answer.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace ringback::web {

struct PromiseEntry {
  std::string uid;          // as the mail's: words::CalendarUid
  int sequence = 0;         // of the newest entry that has left
  absl::Time start;
  absl::Duration length = absl::Minutes(15);
  absl::Time now;           // DTSTAMP
  std::string summary;
  std::string description;  // may be empty
};

// text/calendar bytes with CRLF. INTERNAL when the library cannot.
absl::StatusOr<std::string> PromiseIcs(const PromiseEntry& entry);

}  // namespace ringback::web
