// How durations, greetings and names are said in messages, in German and English; times are said by time_words.h. Pure: the present and the zone are handed in.
// The sentences themselves are in templates/.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/domain/time_words.h"

namespace ringback::delivery {

using domain::Language;
using domain::LanguageTag;
using domain::ClockTime;
using domain::FullTime;
using domain::SpokenTime;
using domain::ZoneWords;

// "de", "de-AT" → German; "en…" and everything unknown or empty → `otherwise`.
Language LanguageOf(absl::string_view tag, Language otherwise);

// "Guten Morgen" before 11, "Guten Tag" before 18, then "Guten Abend"; English "Good morning" before 12,
// "Good afternoon" before 18, "Good evening". By the hour of sending in the reader's zone.
std::string Greeting(Language language, absl::Time now, absl::TimeZone zone);

// Days and hours, or hours and minutes, rounded down: "15 Minuten", "1 Stunde 5 Minuten", "2 Tagen 3 Stunden" (as after
// "in" and "seit"), "weniger als 1 Minute". The sign is dropped: the sentence says before or after.
std::string SpokenDuration(Language language, absl::Duration duration);

// What the customer's call is about.
enum class CallTopic { kNone, kOrder, kComplaint, kQuestion };
// "Bestellung", "Reklamation", "Frage"; "" for none.
std::string TopicWords(Language language, CallTopic topic);

// "Anna Schmidt", "Anna Schmidt und Jonas Weber", "A, B und C".
std::string JoinNames(Language language, const std::vector<std::string>& names);

// "Rueckruf-Anna-Schmidt-23-11-13-00.mp3": prefix, name and the promised day and time, ASCII without spaces
// (umlauts spelled out, other letters without their accents or dropped). `extension` without the dot.
std::string SpeakingFileName(Language language, absl::string_view name, absl::Time promised_time, absl::TimeZone zone,
                             absl::string_view extension);

// "Jörg Müller-Łuk" → "Joerg-Mueller-Luk": letters and digits of ASCII joined by single hyphens, at most 60.
std::string AsciiName(absl::string_view text);

}  // namespace ringback::delivery
