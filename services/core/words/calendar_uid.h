// What a callback's calendar entry is called (RFC 5545, UID): the same in every mail and on the customer's page, so that
// each is the same entry to a calendar.
#pragma once

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace ringback::words {

inline std::string CalendarUid(absl::string_view callback_id, absl::string_view mail_domain) {
  return absl::StrCat(callback_id, "@", mail_domain);
}

}  // namespace ringback::words
