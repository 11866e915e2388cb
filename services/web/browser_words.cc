#include "web/browser_words.h"


namespace ringback::web {
namespace {

struct Word {
  std::string_view mark, name;
};
// In this order: many claim to be those further down.
constexpr Word kBrowsers[] = {{"Edg", "Edge"},       {"OPR/", "Opera"},     {"SamsungBrowser/", "Samsung Internet"},
                              {"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"}, {"CriOS/", "Chrome"},
                              {"Chrome/", "Chrome"}, {"Safari/", "Safari"}};
constexpr Word kSystems[] = {{"iPhone", "iPhone"}, {"iPad", "iPad"},     {"Android", "Android"}, {"Windows", "Windows"},
                             {"CrOS", "ChromeOS"}, {"Mac OS X", "Mac"}, {"Linux", "Linux"}};

template <size_t kCount>
std::string Found(const Word (&words)[kCount], std::string_view text) {
  for (const Word& word : words) {
    if (text.find(word.mark) != std::string_view::npos) return std::string(word.name);
  }
  return "";
}

}  // namespace

std::string BrowserWords(std::string_view user_agent) {
  std::string browser = Found(kBrowsers, user_agent);
  const std::string system = Found(kSystems, user_agent);
  if (browser.empty()) return system;
  return system.empty() ? browser : browser + " on " + system;
}

}  // namespace ringback::web
