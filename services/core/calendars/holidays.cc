#include "core/calendars/holidays.h"

#include <algorithm>
#include <map>

#include "core/base/status_macros.h"
#include "core/sandbox/fields.h"

namespace ringback::calendars {
namespace {

constexpr size_t kNameBytesMost = 200;

bool IsControl(unsigned char c) { return c < ' ' || c == 0x7f; }

}  // namespace

std::string EncodeHolidays(const std::vector<Holiday>& found) {
  sandbox::FieldWriter w;
  w.Count(found.size());
  for (const Holiday& one : found) {
    std::string name = one.name.substr(0, kNameBytesMost);
    std::replace_if(name.begin(), name.end(), IsControl, ' ');
    w.Number<int64_t>(one.day - absl::CivilDay());
    w.Bytes(name);
  }
  return w.Take();
}

std::optional<std::vector<Holiday>> DecodeHolidays(std::string_view bytes) {
  sandbox::FieldReader r(bytes);
  std::map<absl::CivilDay, std::string> days;
  for (uint32_t left = r.Count(kHolidaysMost); left > 0; --left) {
    const absl::CivilDay day = absl::CivilDay() + r.Number<int64_t>();
    const std::string_view name = r.Bytes();
    r.Expect(name.size() <= kNameBytesMost && std::none_of(name.begin(), name.end(), IsControl));
    days.emplace(day, name);
  }
  if (!r.AtEnd()) return std::nullopt;
  std::vector<Holiday> found;
  for (auto& [day, name] : days) found.push_back({day, std::move(name)});
  return found;
}

absl::StatusOr<std::vector<Holiday>> HolidayReader::Read(const std::string& calendar, absl::CivilDay from,
                                                         absl::CivilDay until) {
  const Question question{Question::For::kHolidays, from - absl::CivilDay(), until - absl::CivilDay()};
  RB_ASSIGN_OR_RETURN(const std::string answer, child_.Ask(question, calendar));
  auto found = DecodeHolidays(answer);
  if (!found.has_value()) return Nonsense();
  return *std::move(found);
}

}  // namespace ringback::calendars
