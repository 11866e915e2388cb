// How the customer's page says lengths and names, and in which language; times are said by time_words.h. Pure. The
// sentences themselves are in templates/.
#pragma once

#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "core/domain/time_words.h"

namespace ringback::web {

using domain::FullTime;
using domain::Language;
using domain::LanguageTag;
using domain::SpokenTime;
using domain::ZoneWords;

// The caller's own language ("de", "en-GB"), else the best of an Accept-Language header (RFC 9110, 12.5.4), else the
// team's, else German.
Language ChooseLanguage(std::string_view caller, std::string_view accept_language, std::string_view team);

// "Heute, Montag, 23. November"; "Tomorrow, Tuesday, 24 November"; later days without the first word.
std::string DayWords(Language language, absl::Time time, absl::Time now, absl::TimeZone zone);

// "0:32", "1:05": minutes and seconds, rounded up to a whole second.
std::string Length(double seconds);

// A Content-Disposition that saves as "Rueckruf-Jörg-Müller-23-11-13-00.mp3" (RFC 6266: an ASCII name, and the exact one
// beside it). `extension` without the dot.
std::string Attachment(Language language, std::string_view name, absl::Time promised_time, absl::TimeZone zone,
                       std::string_view extension);

}  // namespace ringback::web
