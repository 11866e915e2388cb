// ringback-calendar-parser: the only program that reads calendars from outside, members' subscriptions and files with
// holidays, as a sandboxed child (core/sandbox/serve.h). A question and a calendar in, busy times or holidays out.
#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <string>

#include "core/calendars/busy_calendar.h"
#include "core/calendars/holidays.h"
#include "core/sandbox/serve.h"

namespace ringback::calendars {
namespace {

std::string Answer(std::string request) {
  size_t begins = 0;
  const std::optional<Question> question = DecodeQuestion(request, &begins);
  if (!question.has_value()) _exit(EXIT_FAILURE);  // our own parent never sends this
  request.erase(0, begins);
  if (question->what == Question::For::kHolidays) {
    const auto found = FindHolidays(request, absl::CivilDay() + question->from, absl::CivilDay() + question->until);
    return EncodeAnswer(found.status(), found.ok() ? EncodeHolidays(*found) : "");
  }
  const auto found = FindBusy(request, absl::FromUnixSeconds(question->from), absl::FromUnixSeconds(question->until));
  return EncodeAnswer(found.status(), found.ok() ? EncodeFound(*found) : "");
}

}  // namespace
}  // namespace ringback::calendars

int main() { ringback::sandbox::ServeSandboxed(ringback::calendars::Answer); }
