#include "ingest/read_holidays.h"

#include "core/domain/calendar.h"

namespace ringback::ingest {
namespace {

constexpr size_t kFileBytesMost = 1 << 20;
constexpr size_t kNameBytesMost = 200;

}  // namespace

absl::Status ReadHolidays(runtime::Host& host, calendars::HolidayReader& reader, const rpc::Call& call,
                          const api::ReadHolidaysRequest& request, api::ReadHolidaysResponse* response) {
  RB_ASSIGN_OR_RETURN(const auto team, TeamOf(host, call, request.team_id()));
  RB_ASSIGN_OR_RETURN(const absl::TimeZone zone, domain::LoadZone(team.message.time_zone()));
  if (request.ics().empty()) return domain::InvalidField("ics", "FILE_MISSING", "a calendar file (.ics)");
  if (request.ics().size() > kFileBytesMost) return domain::InvalidField("ics", "FILE_TOO_LARGE", "at most 1 MiB");
  const absl::CivilYear year = absl::ToCivilYear(call.now, zone);
  const auto found = reader.Read(request.ics(), absl::CivilDay(year - 1), absl::CivilDay(year + 3));
  if (absl::IsInvalidArgument(found.status())) {
    return domain::InvalidField("ics", "NOT_A_CALENDAR", std::string(found.status().message()));
  }
  RB_RETURN_IF_ERROR(found.status());
  for (const calendars::Holiday& one : *found) {
    api::Holiday* holiday = response->add_holidays();
    holiday->set_date(absl::FormatCivilTime(one.day));
    holiday->set_name(domain::CleanLines(one.name, kNameBytesMost));
  }
  return absl::OkStatus();
}

}  // namespace ringback::ingest
