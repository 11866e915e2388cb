#include "web/page_words.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace ringback::web {
namespace {

absl::string_view View(std::string_view text) { return absl::string_view(text.data(), text.size()); }
bool IsGerman(Language language) { return language == Language::kGerman; }

// "de", "de-AT", "DE_de" → true.
bool IsTag(absl::string_view tag, absl::string_view language) {
  return absl::StartsWithIgnoreCase(tag, language) &&
         (tag.size() == language.size() || !absl::ascii_isalnum(static_cast<unsigned char>(tag[language.size()])));
}

bool KnownTag(absl::string_view tag, Language* language) {
  if (IsTag(tag, "de")) {
    *language = Language::kGerman;
    return true;
  }
  if (IsTag(tag, "en")) {
    *language = Language::kEnglish;
    return true;
  }
  return false;
}

bool BestOf(std::string_view accept_language, Language* language) {
  double best = 0;
  for (absl::string_view entry : absl::StrSplit(View(accept_language).substr(0, 512), ',')) {
    const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(entry, absl::MaxSplits(';', 1));
    double weight = 1;
    const absl::string_view parameter = absl::StripAsciiWhitespace(parts.second);
    if (absl::StartsWithIgnoreCase(parameter, "q=") && !absl::SimpleAtod(parameter.substr(2), &weight)) weight = 0;
    Language found;
    // A comparison that is false for "q=nan" too.
    if (!(weight > best) || !KnownTag(absl::StripAsciiWhitespace(parts.first), &found)) continue;
    best = weight;
    *language = found;
  }
  return best > 0;
}

// Letters, digits and bytes beyond ASCII stay; everything between becomes one hyphen.
std::string Hyphened(absl::string_view text) {
  std::string name;
  for (const unsigned char c : text) {
    if (absl::ascii_isalnum(c) || c >= 0x80) {
      name += static_cast<char>(c);
    } else if (!name.empty() && name.back() != '-') {
      name += '-';
    }
  }
  while (!name.empty() && name.back() == '-') name.pop_back();
  return name;
}

// Umlauts as German spells them out, other letters beyond ASCII dropped.
std::string AsciiOnly(const std::string& text) {
  std::string name = absl::StrReplaceAll(text, {{"ä", "ae"}, {"ö", "oe"}, {"ü", "ue"}, {"Ä", "Ae"}, {"Ö", "Oe"},
                                                {"Ü", "Ue"}, {"ß", "ss"}});
  std::erase_if(name, [](unsigned char c) { return c >= 0x80; });
  return name;
}

// RFC 8187's attr-char as far as file names here need it.
std::string PercentEncoded(absl::string_view text) {
  std::string out;
  for (const unsigned char c : text) {
    if (absl::ascii_isalnum(c) || c == '-' || c == '.' || c == '_') {
      out += static_cast<char>(c);
    } else {
      absl::StrAppendFormat(&out, "%%%02X", c);
    }
  }
  return out;
}

}  // namespace

Language ChooseLanguage(std::string_view caller, std::string_view accept_language, std::string_view team) {
  Language language = Language::kGerman;
  if (KnownTag(View(caller), &language) || BestOf(accept_language, &language)) return language;
  KnownTag(View(team), &language);
  return language;
}

std::string DayWords(Language language, absl::Time time, absl::Time now, absl::TimeZone zone) {
  const absl::CivilDay day(zone.At(time).cs), today(zone.At(now).cs);
  std::string words = FullTime(language, time, zone);  // "Montag, 23. November 2026, 13:00 Uhr"
  words.resize(std::min(words.size(), words.find(absl::StrCat(" ", day.year(), ", "))));
  if (day == today) return absl::StrCat(IsGerman(language) ? "Heute, " : "Today, ", words);
  if (day == today + 1) return absl::StrCat(IsGerman(language) ? "Morgen, " : "Tomorrow, ", words);
  return words;
}

std::string Length(double seconds) {
  const int whole = static_cast<int>(std::ceil(seconds));
  return absl::StrFormat("%d:%02d", whole / 60, whole % 60);
}

std::string Attachment(Language language, std::string_view name, absl::Time promised_time, absl::TimeZone zone,
                       std::string_view extension) {
  const absl::CivilSecond at = zone.At(promised_time).cs;
  const std::string who = Hyphened(View(name));
  const std::string speaking =
      absl::StrFormat("%s%s%s-%02d-%02d-%02d-%02d.%s", IsGerman(language) ? "Rückruf" : "Callback", who.empty() ? "" : "-",
                      who, at.day(), at.month(), at.hour(), at.minute(), View(extension));
  return absl::StrCat("attachment; filename=\"", AsciiOnly(speaking), "\"; filename*=UTF-8''", PercentEncoded(speaking));
}

}  // namespace ringback::web
