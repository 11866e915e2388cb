// 3CX's call journaling: the scenario ReportCall of a server-side CRM template, here three_cx_template.xml. Source: 3CX's
// "CRM Template XML Description" (V20; the variables are those of V18 too). 3CX names no call, so a call is known by its
// number and its start.
#pragma once

#include "web/hooks/call_event.h"
#include "web/hooks/json_body.h"

namespace ringback::web {

// PERMISSION_DENIED when the team has a secret and X-Ringback-Secret is another.
absl::StatusOr<CallEvent> ReadThreeCx(const HookRequest& request);

}  // namespace ringback::web
