#include "core/domain/spoken_time.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"

namespace ringback::domain {
namespace {

constexpr std::pair<std::string_view, int> kNumberWords[] = {
    {"ein", 1},       {"eins", 1},      {"zwei", 2},       {"drei", 3},        {"vier", 4},           {"fünf", 5},
    {"sechs", 6},     {"sieben", 7},    {"acht", 8},       {"neun", 9},        {"zehn", 10},          {"elf", 11},
    {"zwölf", 12},    {"dreizehn", 13}, {"vierzehn", 14},  {"fünfzehn", 15},   {"sechzehn", 16},      {"siebzehn", 17},
    {"achtzehn", 18}, {"neunzehn", 19}, {"zwanzig", 20},   {"einundzwanzig", 21}, {"zweiundzwanzig", 22},
    {"dreiundzwanzig", 23}, {"vierundzwanzig", 24}, {"dreißig", 30}, {"vierzig", 40}, {"fünfundvierzig", 45}, {"fünfzig", 50},
    {"one", 1},       {"two", 2},       {"three", 3},      {"four", 4},        {"five", 5},           {"six", 6},
    {"seven", 7},     {"eight", 8},     {"nine", 9},       {"ten", 10},        {"eleven", 11},        {"twelve", 12}};

// Words whose place in a text says that "am" in it is no "a.m.".
constexpr std::array<std::string_view, 7> kGermanWords = {"uhr", "um", "und", "ich", "wir", "sie", "ihnen"};

bool IsLetter(unsigned char c) { return absl::ascii_isalpha(c) || c >= 0x80 || c == '\''; }

// Words in lower case, numbers, and each other sign for itself; white space goes.
std::vector<std::string> Tokens(std::string_view text) {
  const std::string plain = absl::AsciiStrToLower(absl::StrReplaceAll(absl::string_view(text.data(), text.size()),
                                                                      {{"’", "'"}, {"Ü", "ü"}, {"Ö", "ö"},
                                                                       // Spaces that do not break, as typography wants.
                                                                       {"\u00a0", " "}, {"\u202f", " "}}));
  std::vector<std::string> tokens;
  for (size_t i = 0; i < plain.size();) {
    const unsigned char c = plain[i];
    size_t end = i + 1;
    if (absl::ascii_isdigit(c)) {
      while (end < plain.size() && absl::ascii_isdigit(plain[end])) ++end;
    } else if (IsLetter(c)) {
      while (end < plain.size() && IsLetter(plain[end])) ++end;
    }
    if (!absl::ascii_isspace(c)) tokens.push_back(plain.substr(i, end - i));
    i = end;
  }
  return tokens;
}

class Reader {
 public:
  explicit Reader(std::string_view text) : tokens_(Tokens(text)) {
    german_ = std::any_of(tokens_.begin(), tokens_.end(), [](const std::string& token) {
      return std::find(kGermanWords.begin(), kGermanWords.end(), token) != kGermanWords.end();
    });
  }

  std::vector<ClockTime24> Read() {
    while (at_ < tokens_.size()) {
      const size_t used = InWords() ? used_ : InDigits() ? used_ : 1;
      at_ += used;
    }
    return std::move(found_);
  }

 private:
  std::string_view Token(size_t ahead) const {
    if (at_ + ahead >= tokens_.size()) return {};
    return tokens_[at_ + ahead];
  }
  bool Is(size_t ahead, std::string_view word) const { return Token(ahead) == word; }

  std::optional<int> Digits(size_t ahead) const {
    const std::string_view token = Token(ahead);
    int number = 0;
    if (token.empty() || token.size() > 2 || !absl::SimpleAtoi(absl::string_view(token.data(), token.size()), &number)) {
      return std::nullopt;
    }
    return number;
  }
  std::optional<int> Number(size_t ahead) const {
    if (const auto digits = Digits(ahead)) return digits;
    for (const auto& [word, number] : kNumberWords) {
      if (Is(ahead, word)) return number;
    }
    return std::nullopt;
  }
  // Of a clock's face.
  std::optional<int> Face(size_t ahead) const {
    const auto number = Number(ahead);
    return number && *number >= 1 && *number <= 12 ? number : std::nullopt;
  }

  bool Found(int hour, int minute, bool either_half, size_t used) {
    if (hour < 0 || hour > 24 || minute < 0 || minute > 59) return false;
    found_.push_back({hour % 24, minute, either_half});
    used_ = used;
    return true;
  }
  // Minutes after (before, when negative) a full hour that is said as on a clock's face.
  bool FoundAround(int hour, int minutes, size_t used) {
    const int all = (hour * 60 + minutes + 12 * 60) % (12 * 60);
    return Found(all / 60, all % 60, true, used);
  }

  // "halb zwei", "viertel nach drei", "viertel drei", "dreiviertel drei", "half past one", "quarter to three", "noon".
  bool InWords() {
    if (Is(0, "noon") || Is(0, "midday")) return Found(12, 0, false, 1);
    if (Is(0, "halb") && Face(1)) return FoundAround(*Face(1), -30, 2);
    if (Is(0, "half") && Is(1, "past") && Face(2)) return FoundAround(*Face(2), 30, 3);
    const bool after = Is(1, "nach") || Is(1, "past");
    const bool before = Is(1, "vor") || Is(1, "to");
    if ((Is(0, "viertel") || Is(0, "quarter")) && (after || before) && Face(2)) {
      return FoundAround(*Face(2), after ? 15 : -15, 3);
    }
    if (Is(0, "viertel") && Face(1)) return FoundAround(*Face(1), -45, 2);
    if (Is(0, "dreiviertel") && Face(1)) return FoundAround(*Face(1), -15, 2);
    return false;
  }

  // "13 Uhr", "13:30 Uhr", "13.30 Uhr", "13 Uhr 30", "zwei Uhr", "1 pm", "1:30 p.m.", "13:30", "one o'clock".
  bool InDigits() {
    const auto hour = Number(0);
    if (!hour) return false;
    int minute = 0;
    size_t next = 1;
    const bool colon = Is(1, ":");
    const bool with_minutes = Digits(0) && (colon || Is(1, ".")) && Token(2).size() == 2 && Digits(2);
    if (with_minutes) {
      minute = *Digits(2);
      next = 3;
    }
    if (Is(next, "uhr")) {
      // "13 Uhr 05", "13 Uhr dreißig"; but "um 13 Uhr zwei Kollegen".
      const auto more = Number(next + 1);
      const bool minutes = more && (Digits(next + 1) ? Token(next + 1).size() == 2 : *more >= 10);
      if (!with_minutes && minutes) return Found(*hour, *more, *hour <= 12, next + 2);
      return Found(*hour, minute, *hour <= 12, next + 1);
    }
    if (Is(next, "o'clock")) return Found(*hour, minute, true, next + 1);
    const bool dotted = (Is(next, "a") || Is(next, "p")) && Is(next + 1, ".") && Is(next + 2, "m");
    if ((dotted || Is(next, "pm") || (Is(next, "am") && !german_)) && *hour >= 1 && *hour <= 12) {
      const bool pm = Token(next)[0] == 'p';
      return Found(*hour % 12 + (pm ? 12 : 0), minute, false, next + (dotted ? 3 : 1));
    }
    return with_minutes && colon && Found(*hour, minute, *hour <= 12, next);
  }

  const std::vector<std::string> tokens_;
  bool german_ = false;
  size_t at_ = 0;
  size_t used_ = 0;
  std::vector<ClockTime24> found_;
};

}  // namespace

std::vector<ClockTime24> ClockTimesIn(std::string_view text) { return Reader(text).Read(); }

std::optional<std::string> OtherTimeNamed(std::string_view text, absl::Time at, absl::TimeZone zone) {
  const std::vector<ClockTime24> named = ClockTimesIn(text);
  if (named.empty()) return std::nullopt;
  const absl::CivilMinute local = absl::ToCivilMinute(at, zone);
  for (const ClockTime24& one : named) {
    const bool hour_fits = one.hour == local.hour() || (one.either_half && one.hour % 12 == local.hour() % 12);
    if (hour_fits && one.minute == local.minute()) return std::nullopt;
  }
  return absl::StrFormat("%d:%02d", named[0].hour, named[0].minute);
}

}  // namespace ringback::domain
