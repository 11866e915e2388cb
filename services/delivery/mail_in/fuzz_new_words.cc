// Any text, as plain text and as HTML: new words come out that are text, no longer than what went in, and that hold still:
// what is new is new a second time, but for what is taken for a signature only when nothing stands below it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "delivery/mail_in/html_text.h"
#include "delivery/mail_in/mail_text.h"
#include "delivery/mail_in/new_words.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ringback::delivery;
  const std::string text = CleanText({reinterpret_cast<const char*>(data), size}, 1 << 20);
  const std::string words = NewWords(text);
  if (!IsCleanText(words) || words.size() > text.size() + 1 || words.find(kOriginalBegins) != std::string::npos) abort();
  if (NewWords(words).size() > words.size()) abort();
  const std::string html = HtmlToText(text);
  if (!IsCleanText(NewWords(html))) abort();
  return 0;
}
