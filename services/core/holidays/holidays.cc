#include "core/holidays/holidays.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace ringback::holidays {
namespace {

constexpr absl::Duration kReadTimeout = absl::Seconds(15);
constexpr size_t kNameBytesMost = 200;

// The first word of a question, which tells it from the busy times that the same program finds.
constexpr absl::string_view kHolidays = "holidays ";
// What the child answers when the calendar is the trouble.
constexpr absl::string_view kRefused = "refused ";

sandbox::PoolOptions Options(std::string program) {
  sandbox::PoolOptions options;
  options.program = std::move(program);
  options.limits.memory_bytes = 200ull << 20;
  options.limits.cpu_per_job = absl::Seconds(2);
  options.limits.response_bytes_max = 2ull << 20;
  return options;
}

absl::string_view View(std::string_view text) { return absl::string_view(text.data(), text.size()); }

}  // namespace

std::string EncodeQuestion(absl::CivilDay from, absl::CivilDay until) {
  return absl::StrCat(kHolidays, absl::FormatCivilTime(from), " ", absl::FormatCivilTime(until), "\n");
}

std::optional<Question> DecodeQuestion(std::string_view request, size_t* calendar_begins) {
  const size_t end = request.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  absl::string_view line = View(request.substr(0, end));
  if (!absl::ConsumePrefix(&line, kHolidays)) return std::nullopt;
  const std::vector<absl::string_view> days = absl::StrSplit(line, ' ');
  Question question;
  if (days.size() != 2 || !absl::ParseCivilTime(days[0], &question.from) || !absl::ParseCivilTime(days[1], &question.until)) {
    return std::nullopt;
  }
  *calendar_begins = end + 1;
  return question;
}

// A line each: "2026-12-25 1. Weihnachtstag".
std::string EncodeHolidays(const std::vector<Holiday>& found) {
  std::string text;
  for (const Holiday& one : found) {
    std::string name = one.name.substr(0, kNameBytesMost);
    std::replace_if(name.begin(), name.end(), [](unsigned char c) { return c < ' ' || c == 0x7f; }, ' ');
    absl::StrAppend(&text, absl::FormatCivilTime(one.day), " ", name, "\n");
  }
  return text;
}

std::optional<std::vector<Holiday>> DecodeHolidays(std::string_view text) {
  std::map<absl::CivilDay, std::string> days;  // of two names for one day the first
  for (absl::string_view line : absl::StrSplit(View(text), '\n')) {
    if (line.empty()) continue;
    const std::vector<absl::string_view> parts = absl::StrSplit(line, absl::MaxSplits(' ', 1));
    absl::CivilDay day;
    if (parts.size() != 2 || !absl::ParseCivilTime(parts[0], &day)) return std::nullopt;
    days.emplace(day, std::string(parts[1].substr(0, kNameBytesMost)));
  }
  std::vector<Holiday> found;
  for (auto& [day, name] : days) found.push_back({day, std::move(name)});
  return found;
}

HolidayReader::HolidayReader(std::string program) : pool_(Options(std::move(program))) {}

absl::StatusOr<std::vector<Holiday>> HolidayReader::Read(const std::string& calendar, absl::CivilDay from,
                                                         absl::CivilDay until) {
  const absl::StatusOr<std::string> answer = pool_.Run({EncodeQuestion(from, until), calendar}, kReadTimeout);
  if (absl::IsUnavailable(answer.status())) return answer.status();
  if (!answer.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("the calendar cannot be read: ", answer.status().message()));
  }
  absl::string_view text = *answer;
  if (absl::ConsumePrefix(&text, kRefused)) return absl::InvalidArgumentError(text);
  auto found = DecodeHolidays(*answer);
  if (!found.has_value()) return absl::InvalidArgumentError("the calendar cannot be read: its reader answered nonsense");
  return *std::move(found);
}

std::string CalendarParserBesideThisProgram() {
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  constexpr char kName[] = "ringback-calendar-parser";
  return error ? kName : (self.parent_path() / kName).string();
}

}  // namespace ringback::holidays
