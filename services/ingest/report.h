// How well a team keeps its word: one week's counters as they are, and several weeks' as figures with medians. What is
// counted, and how a median comes of it, is domain's (figures.h).
#pragma once

#include "ingest/load.h"
#include "ringback/v1/team_service.pb.h"

namespace ringback::ingest {

// A rep sees the team's counts and the own ones; managers see everybody's where the team shows member figures.
absl::Status GetTeamWeek(runtime::Host& host, const rpc::Call& call, const api::GetTeamWeekRequest& request,
                         api::GetTeamWeekResponse* response);
absl::Status GetReport(runtime::Host& host, const rpc::Call& call, const api::GetReportRequest& request,
                       api::GetReportResponse* response);

}  // namespace ringback::ingest
