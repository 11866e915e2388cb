// How the customer's page says times and names, in German and English. Pure: the present and the zone are handed in. The
// sentences themselves are in templates/.
#pragma once

#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace ringback::web {

enum class Language { kGerman, kEnglish };

std::string_view LanguageTag(Language language);  // "de", "en"

// The caller's own language ("de", "en-GB"), else the best of an Accept-Language header (RFC 9110, 12.5.4), else the
// team's, else German.
Language ChooseLanguage(std::string_view caller, std::string_view accept_language, std::string_view team);

// "heute um 13:00 Uhr", "morgen um 9:30 Uhr", "gestern um …", "am Dienstag, 24. November um 9:30 Uhr" (with the year when
// it is not now's); "today at 1:00 pm", … In an hour that daylight saving repeats the half is named.
std::string SpokenTime(Language language, absl::Time time, absl::Time now, absl::TimeZone zone);
// True on any day it is read: "Montag, 23. November 2026, 13:00 Uhr".
std::string FullTime(Language language, absl::Time time, absl::TimeZone zone);
// "Ortszeit New York" / "New York time" from an IANA name; "UTC" stays.
std::string ZoneWords(Language language, const absl::TimeZone& zone);
// "0:32", "1:05": minutes and seconds, rounded up to a whole second.
std::string Length(double seconds);

// A Content-Disposition that saves as "Rueckruf-Jörg-Müller-23-11-13-00.mp3" (RFC 6266: an ASCII name, and the exact one
// beside it). `extension` without the dot.
std::string Attachment(Language language, std::string_view name, absl::Time promised_time, absl::TimeZone zone,
                       std::string_view extension);

}  // namespace ringback::web
