// How a time is said to people, in German and English: the same in a mail and on a page. Pure: the present and the zone
// are handed in. A room of its own (ringback_time_words), for who says times need know no record.
#pragma once

#include <string>

#include "absl/time/time.h"

namespace ringback::domain {

enum class Language { kGerman, kEnglish };

const char* LanguageTag(Language language);  // "de", "en"

// "13:00 Uhr"; "1:00 pm". In an hour that daylight saving repeats: "2:30 Uhr (Winterzeit)", "2:30 am (standard time)".
std::string ClockTime(Language language, absl::Time time, absl::TimeZone zone);

// "heute um 13:00 Uhr", "morgen um 9:30 Uhr", "gestern um …", "am Dienstag, 24. November um 9:30 Uhr", with the year
// when it is another one than now's; "today at 1:00 pm", "tomorrow at 9:30 am", "on Tuesday, 24 November at 9:30 am".
std::string SpokenTime(Language language, absl::Time time, absl::Time now, absl::TimeZone zone);

// Valid on any day it is read: "Montag, 23. November 2026, 13:00 Uhr"; "Monday, 23 November 2026, 1:00 pm".
std::string FullTime(Language language, absl::Time time, absl::TimeZone zone);

// "Ortszeit New York" / "New York time" from an IANA name; "UTC" stays.
std::string ZoneWords(Language language, const absl::TimeZone& zone);

}  // namespace ringback::domain
