#include "core/calendars/calendar_child.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/sandbox/fields.h"

namespace ringback::calendars {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(15);

sandbox::PoolOptions Options(std::string program) {
  sandbox::PoolOptions options;
  options.program = std::move(program);
  options.limits.memory_bytes = 200ull << 20;
  options.limits.cpu_per_job = absl::Seconds(2);
  options.limits.response_bytes_max = 4ull << 20;
  return options;
}

}  // namespace

std::string EncodeQuestion(const Question& question) {
  sandbox::FieldWriter w;
  w.Number(question.what);
  w.Number(question.from);
  w.Number(question.until);
  return w.Take();
}

std::optional<Question> DecodeQuestion(std::string_view request, size_t* calendar_begins) {
  sandbox::FieldReader r(request);
  Question question;
  question.what = r.Number<Question::For>();
  r.Expect(question.what == Question::For::kBusyTimes || question.what == Question::For::kHolidays);
  question.from = r.Number<int64_t>();
  question.until = r.Number<int64_t>();
  if (!r.good()) return std::nullopt;
  *calendar_begins = request.size() - r.rest().size();
  return question;
}

std::string EncodeAnswer(const absl::Status& status, std::string_view found) {
  sandbox::FieldWriter w;
  w.Flag(status.ok());
  w.Bytes(status.ok() ? found : std::string_view(status.message().data(), status.message().size()));
  return w.Take();
}

CalendarChild::CalendarChild(std::string program) : pool_(Options(std::move(program))) {}

absl::StatusOr<std::string> CalendarChild::Ask(const Question& question, const std::string& calendar) {
  const absl::StatusOr<std::string> answer = pool_.Run({EncodeQuestion(question), calendar}, kPatience);
  if (absl::IsUnavailable(answer.status())) return answer.status();
  if (!answer.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("the calendar cannot be read: ", answer.status().message()));
  }
  sandbox::FieldReader r(*answer);
  const bool found = r.Flag();
  std::string bytes(r.Bytes());
  if (!r.AtEnd()) return Nonsense();
  if (!found) return absl::InvalidArgumentError(bytes);
  return bytes;
}

absl::Status Nonsense() { return absl::InvalidArgumentError("the calendar cannot be read: its reader answered nonsense"); }

std::string CalendarParserBesideThisProgram() { return sandbox::BesideThisProgram("ringback-calendar-parser"); }

}  // namespace ringback::calendars
