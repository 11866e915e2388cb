// Words for durations and names. No clock, no templates.
#include "delivery/message_words.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"

namespace ringback::delivery {
namespace {

std::string Count(Language language, int64_t n, absl::string_view one, absl::string_view many) {
  return absl::StrCat(n, " ", n == 1 ? one : many);
}

// Letters with marks that occur in European names, by their usual spelling without them.
constexpr std::pair<absl::string_view, absl::string_view> kSpelling[] = {
    {"ä", "ae"}, {"ö", "oe"}, {"ü", "ue"}, {"Ä", "Ae"}, {"Ö", "Oe"}, {"Ü", "Ue"}, {"ß", "ss"}, {"à", "a"}, {"á", "a"},
    {"â", "a"},  {"ã", "a"},  {"å", "a"},  {"æ", "ae"}, {"ç", "c"},  {"è", "e"},  {"é", "e"},  {"ê", "e"}, {"ë", "e"},
    {"ì", "i"},  {"í", "i"},  {"î", "i"},  {"ï", "i"},  {"ñ", "n"},  {"ò", "o"},  {"ó", "o"},  {"ô", "o"}, {"õ", "o"},
    {"ø", "o"},  {"ù", "u"},  {"ú", "u"},  {"û", "u"},  {"ý", "y"},  {"ÿ", "y"},  {"ą", "a"},  {"ć", "c"}, {"č", "c"},
    {"ď", "d"},  {"đ", "d"},  {"ę", "e"},  {"ě", "e"},  {"ğ", "g"},  {"ı", "i"},  {"İ", "I"},  {"ł", "l"}, {"Ł", "L"},
    {"ń", "n"},  {"ň", "n"},  {"ő", "o"},  {"œ", "oe"}, {"ř", "r"},  {"ś", "s"},  {"ş", "s"},  {"š", "s"}, {"Š", "S"},
    {"Ş", "S"},  {"ť", "t"},  {"ů", "u"},  {"ű", "u"},  {"ź", "z"},  {"ż", "z"},  {"ž", "z"},  {"Ž", "Z"}, {"Ż", "Z"},
    {"É", "E"},  {"È", "E"},  {"Á", "A"},  {"À", "A"},  {"Å", "A"},  {"Ç", "C"},  {"Č", "C"},  {"Ñ", "N"}, {"Ø", "O"},
    {"Ó", "O"},  {"Ú", "U"}};

}  // namespace

Language LanguageOf(absl::string_view tag, Language otherwise) {
  if (absl::StartsWithIgnoreCase(tag, "de")) return Language::kGerman;
  if (absl::StartsWithIgnoreCase(tag, "en")) return Language::kEnglish;
  return otherwise;
}

std::string Greeting(Language language, absl::Time now, absl::TimeZone zone) {
  const int hour = zone.At(now).cs.hour();
  if (language == Language::kGerman) return hour < 11 ? "Guten Morgen" : hour < 18 ? "Guten Tag" : "Guten Abend";
  return hour < 12 ? "Good morning" : hour < 18 ? "Good afternoon" : "Good evening";
}

std::string SpokenDuration(Language language, absl::Duration duration) {
  const bool german = language == Language::kGerman;
  const int64_t minutes = absl::ToInt64Minutes(absl::AbsDuration(duration));
  if (minutes == 0) return german ? "weniger als 1 Minute" : "less than 1 minute";
  const int64_t days = minutes / 1440;
  const int64_t hours = minutes / 60 % 24;
  std::string words;
  const auto append = [&](int64_t n, absl::string_view one, absl::string_view many) {
    if (n > 0) absl::StrAppend(&words, words.empty() ? "" : " ", Count(language, n, one, many));
  };
  append(days, german ? "Tag" : "day", german ? "Tagen" : "days");
  append(hours, german ? "Stunde" : "hour", german ? "Stunden" : "hours");
  if (days == 0) append(minutes % 60, german ? "Minute" : "minute", german ? "Minuten" : "minutes");
  return words;
}

std::string TopicWords(Language language, CallTopic topic) {
  const bool german = language == Language::kGerman;
  switch (topic) {
    case CallTopic::kOrder: return german ? "Bestellung" : "Order";
    case CallTopic::kComplaint: return german ? "Reklamation" : "Complaint";
    case CallTopic::kQuestion: return german ? "Frage" : "Question";
    case CallTopic::kNone: break;
  }
  return "";
}

std::string JoinNames(Language language, const std::vector<std::string>& names) {
  std::string joined;
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0) joined += i + 1 < names.size() ? ", " : language == Language::kGerman ? " und " : " and ";
    joined += names[i];
  }
  return joined;
}

std::string AsciiName(absl::string_view text) {
  std::string spelled;
  for (size_t i = 0; i < text.size();) {
    bool found = false;
    for (const auto& [letter, spelling] : kSpelling) {
      if (absl::StartsWith(text.substr(i), letter)) {
        absl::StrAppend(&spelled, spelling);
        i += letter.size();
        found = true;
        break;
      }
    }
    if (!found) spelled += text[i++];
  }
  std::string name;
  for (unsigned char c : spelled) {
    if (name.size() >= 60) break;
    if (absl::ascii_isalnum(c)) {
      name += static_cast<char>(c);
    } else if (c < 0x80 && !name.empty() && name.back() != '-') {
      name += '-';
    }
  }
  while (!name.empty() && name.back() == '-') name.pop_back();
  return name;
}

std::string SpeakingFileName(Language language, absl::string_view name, absl::Time promised_time, absl::TimeZone zone,
                             absl::string_view extension) {
  const absl::CivilSecond at = zone.At(promised_time).cs;
  const std::string who = AsciiName(name);
  return absl::StrFormat("%s%s%s-%02d-%02d-%02d-%02d.%s", language == Language::kGerman ? "Rueckruf" : "Callback",
                         who.empty() ? "" : "-", who, at.day(), at.month(), at.hour(), at.minute(), extension);
}

}  // namespace ringback::delivery
