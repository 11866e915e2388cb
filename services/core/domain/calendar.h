// The team's hours, holidays and time zones, and times as people type them. Pure; zones from the system's tz database.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "ringback/store/v1/records.pb.h"

namespace ringback::domain {

// INVALID_ARGUMENT for a name the tz database does not know.
absl::StatusOr<absl::TimeZone> LoadZone(const std::string& iana_name);

absl::Status CheckCalendar(const store::v1::Calendar& calendar);
store::v1::Calendar DefaultCalendar();  // Monday to Friday, 8:00 to 18:00, no holidays

// The open spans of one local day, in order, joined where they touch; a team without hours is open all day.
struct OpenSpan {
  absl::Time start;
  absl::Time end;  // exclusive
};
std::vector<OpenSpan> OpenSpansOf(const store::v1::Calendar& calendar, absl::TimeZone zone, absl::CivilDay day);

bool IsOpen(const store::v1::Calendar& calendar, absl::TimeZone zone, absl::Time at);
// `at` itself when open then, else the next opening. A calendar that never opens within 400 days opens at `at`.
absl::Time NextOpen(const store::v1::Calendar& calendar, absl::TimeZone zone, absl::Time at);
// The moment by which `hours` of open time have passed since `from`. Elapsed time, so a daylight-saving day counts the
// hours it really has.
absl::Time AddTeamHours(const store::v1::Calendar& calendar, absl::TimeZone zone, absl::Time from,
                        absl::Duration hours);

// A time as typed: "13:00" (today; the past is refused with a hint, not silently tomorrow), "tomorrow 9:30",
// "morgen 9:30", "+2h", "+90m", "+3d", "2026-11-24 09:30", "24.11.2026 9:30", RFC 3339 with an offset. Local forms are in `zone`.
// INVALID_ARGUMENT naming what would be right; a local time that a daylight-saving change skips is refused with the
// next valid one, one that happens twice means the first.
absl::StatusOr<absl::Time> ParseTime(std::string_view text, absl::TimeZone zone, absl::Time now);

// The same for when a call was made: "13:00" is today and must not lie ahead, "yesterday 17:30", "gestern 17:30",
// "-10m", and the absolute forms.
absl::StatusOr<absl::Time> ParsePastTime(std::string_view text, absl::TimeZone zone, absl::Time now);

// "2026-W48": the ISO 8601 week of `at` in `zone`.
std::string IsoWeek(absl::Time at, absl::TimeZone zone);

}  // namespace ringback::domain
