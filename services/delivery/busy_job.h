// Reads members' calendar subscriptions every quarter of an hour (stage kBusy), so that customers are offered no time at
// which the assignee has something else. What is kept is when, not what.
#pragma once

#include <memory>
#include <string>

#include "core/calendars/busy_calendar.h"
#include "core/runtime/host.h"
#include "delivery/http_curl.h"

namespace ringback::delivery {

// `http` and `parser` must outlive the handler. A subscription that cannot be read keeps what it said last, with the
// trouble beside it for `ringback member show`, and is read again in a quarter of an hour.
std::unique_ptr<runtime::JobHandler> NewBusyHandler(runtime::Host& host, HttpSender* http, calendars::BusyParser* parser);

}  // namespace ringback::delivery
