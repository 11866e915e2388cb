#include "delivery/mail_in/declines.h"

#include <algorithm>
#include <initializer_list>
#include <string>

#include "delivery/mail_in/mail_text.h"

namespace ringback::delivery {
namespace {

constexpr size_t kLookedAt = 2000;  // bytes: whoever cannot, says so at the beginning

bool HasAny(std::string_view text, std::initializer_list<const char*> parts) {
  return std::any_of(parts.begin(), parts.end(), [&](const char* part) { return text.find(part) != std::string_view::npos; });
}
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// "13 Uhr", "13:00", "1 pm", "the time", "der Termin".
bool NamesATime(std::string_view sentence) {
  for (size_t i = 1; i < sentence.size(); ++i) {
    if (!IsDigit(sentence[i - 1])) continue;
    const std::string_view rest = sentence.substr(i);
    if (rest.size() >= 3 && rest[0] == ':' && IsDigit(rest[1]) && IsDigit(rest[2])) return true;
    const std::string_view word = rest.substr(std::min(rest.find_first_not_of(' '), rest.size()));
    for (const char* unit : {"uhr", "h ", "am", "pm", "a.m", "p.m", "o'clock", "o’clock"}) {
      if (word.substr(0, std::string_view(unit).size()) == unit) return true;
    }
  }
  return HasAny(sentence, {"termin", "uhrzeit", "zu der zeit", "zu dieser zeit", "um diese zeit", "die zeit passt", "zeitpunkt", "that time", "this time", "the time", "appointment",
                           "then i", "time slot"});
}

bool SaysNo(std::string_view sentence) {
  return HasAny(sentence, {"geht nicht", "geht leider nicht", "geht es nicht", "geht es leider nicht", "geht bei mir nicht", "geht bei mir leider nicht", "geht's nicht", "nicht möglich",
                           "passt nicht", "passt leider nicht", "passt mir nicht", "passt mir leider nicht", "passt es nicht", "passt es mir nicht", "passt es leider nicht", "passt es mir leider nicht",
                           "passt bei mir nicht", "passt uns nicht", "passt uns leider nicht", "kann ich nicht", "kann ich leider nicht", "kann ich da nicht", "kann leider nicht", "nicht erreichbar", "ich nicht da",
                           "schaffe ich nicht", "schaffe ich leider nicht", "schaffe es nicht", "schaffe ich es nicht", "nicht wahrnehmen", "nicht einhalten", "muss ich absagen", "muss absagen", "bin ich unterwegs", "bin ich im termin",
                           "habe ich einen termin", "habe ich einen anderen termin", "ist schlecht", "ist ungünstig", "wäre schlecht",
                           "does not work", "doesn't work", "doesn’t work", "won't work", "won’t work", "not work for", "does not suit", "doesn't suit", "doesn’t suit", "can't make", "can’t make", "cannot make", "can not make",
                           "not be available", "not available", "not possible", "isn't good", "is not good", "can't do", "can’t do", "cannot do", "am busy", "i'm busy", "will be in a meeting", "not convenient", "inconvenient"});
}

}  // namespace

bool DeclinesTheTime(std::string_view words) {
  const std::string text = Lower(words.substr(0, kLookedAt));
  size_t begin = 0;
  for (size_t i = 0; i <= text.size(); ++i) {
    // A dot between digits or in "p.m." ends no sentence.
    const bool dot = i < text.size() && text[i] == '.' && (i + 1 == text.size() || text[i + 1] == ' ' || text[i + 1] == '\n') && !(i >= 2 && text[i - 2] == '.');
    if (i < text.size() && !dot && text[i] != '!' && text[i] != '?' && text[i] != ';' && !(text[i] == '\n' && i + 1 < text.size() && text[i + 1] == '\n')) continue;
    std::string sentence = text.substr(begin, i - begin);
    std::replace(sentence.begin(), sentence.end(), '\n', ' ');
    sentence.push_back(' ');
    if (NamesATime(sentence) && SaysNo(sentence)) return true;
    begin = i + 1;
  }
  return false;
}

}  // namespace ringback::delivery
