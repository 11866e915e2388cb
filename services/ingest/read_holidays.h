// ReadHolidays: what days of a calendar file could be the team's holidays. Reads, and keeps nothing; the page puts those that
// are chosen into the team's calendar.
#pragma once

#include "core/calendars/holidays.h"
#include "ingest/load.h"
#include "ringback/v1/team_service.pb.h"

namespace ringback::ingest {

absl::Status ReadHolidays(runtime::Host& host, calendars::HolidayReader& reader, const rpc::Call& call,
                          const api::ReadHolidaysRequest& request, api::ReadHolidaysResponse* response);

}  // namespace ringback::ingest
