// ringback-calendar-parser: the only program that reads calendars from outside, members' subscriptions and files with
// holidays, as a sandboxed child (core/sandbox/serve.h). A window and a calendar in, busy times (busy_calendar.h) or holidays
// (core/holidays/holidays.h) out.
#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <string>

#include "core/holidays/holidays.h"
#include "core/sandbox/serve.h"
#include "delivery/busy_calendar.h"

int main() {
  using namespace ringback;
  sandbox::ServeSandboxed([](std::string request) -> std::string {
    size_t begins = 0;
    if (const std::optional<holidays::Question> question = holidays::DecodeQuestion(request, &begins)) {
      request.erase(0, begins);
      const auto found = holidays::FindHolidays(request, question->from, question->until);
      if (!found.ok()) return "refused " + std::string(found.status().message());
      return holidays::EncodeHolidays(*found);
    }
    const std::optional<delivery::Window> window = delivery::DecodeWindow(request, &begins);
    if (!window.has_value()) _exit(EXIT_FAILURE);  // our own parent never sends this
    request.erase(0, begins);
    const auto found = delivery::FindBusy(request, window->from, window->until);
    if (!found.ok()) return "refused " + std::string(found.status().message());
    return delivery::EncodeFound(*found);
  });
}
