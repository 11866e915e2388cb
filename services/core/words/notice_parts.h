// The form of a notice's template: its name and its parts. The built-in texts and the facts that fill them are
// delivery's; a team's own are checked here when they are set, and read here when they are used.
#pragma once

#include <array>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace ringback::words {

// Of every notice, in the order of delivery's NoticeKind.
inline constexpr std::array<absl::string_view, 22> kNoticeNames = {
    "voice_message",   "promise_moved", "promise_cancelled", "spoken_promise",  "reminder",           "escalation",
    "response_target", "follow_up",     "catch_up",          "bundle",          "digest",             "daily_notice",
    "delivery_failed", "handover",      "brief_arrived",     "customer_answer", "closed_unattempted", "wrap_up",
    "response_due",    "follow_up_due", "closed_early",      "taken_back"};

// No notice, but a team's own words like one: what a rep reads while speaking, "de/teleprompter". It has a text and nothing
// else; the pages have the built-in one and fill it in.
inline constexpr absl::string_view kTeleprompter = "teleprompter";

struct NoticeParts {
  std::string subject, line, text, html;
};

// In NoticeParts::text, stands for an empty line that the author meant. Sections that are absent leave others behind.
inline constexpr char kEmptyLine = '\x01';

// Takes a template apart: below "--- subject", "--- line", "--- text" and "--- html"; what is not there is empty.
// INVALID_ARGUMENT for text outside of a part or a part of another name; messages begin with `name`.
absl::StatusOr<NoticeParts> SplitNotice(absl::string_view name, absl::string_view text);

// Whether `text` can take the place of the built-in template `name` ("de/voice_message"; there is no other way to name
// one): the name is known, there is a part, and each is well-formed. INVALID_ARGUMENT says what is wrong and where.
absl::Status CheckNotice(absl::string_view name, absl::string_view text);

}  // namespace ringback::words
