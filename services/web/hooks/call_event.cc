#include "web/hooks/call_event.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/string_view.h"

namespace ringback::web {
namespace {

constexpr size_t kInternalDigitsMax = 6;

std::string Plain(std::string_view text) {
  return absl::AsciiStrToLower(absl::StripAsciiWhitespace(absl::string_view(text.data(), text.size())));
}

}  // namespace

CallEvent Nothing(std::string why) {
  CallEvent event;
  event.why = std::move(why);
  return event;
}

bool IsWithheld(std::string_view phone) {
  // The digits are ANONYMOUS, RESTRICTED, BLOCKED, UNKNOWN and UNAVAILABLE on a telephone's keys (Twilio, "What do calls
  // from unusual numbers mean").
  static constexpr std::string_view kWords[] = {
      "",          "anonymous",   "anonym",     "unknown",     "unbekannt",  "restricted", "private", "privat", "withheld",
      "blocked",   "unavailable", "unterdrückt", "+266696687", "+7378742833", "+2562533",   "+8656696", "+86282452253"};
  const std::string plain = Plain(phone);
  for (const std::string_view word : kWords) {
    if (plain == word) return true;
  }
  return false;
}

bool IsInternal(std::string_view phone) {
  const std::string plain = Plain(phone);
  if (IsWithheld(phone) || plain[0] == '+') return false;
  size_t digits = 0;
  for (const char c : plain) {
    if (absl::ascii_isalpha(static_cast<unsigned char>(c))) return true;
    digits += absl::ascii_isdigit(static_cast<unsigned char>(c)) ? 1 : 0;
  }
  return digits <= kInternalDigitsMax;
}

}  // namespace ringback::web
