// W3C trace-context's traceparent: reading and making. Nothing else of tracing lives here.
#pragma once

#include <string>
#include <string_view>

#include "core/base/ids.h"

namespace ringback::rpc {

// The trace id (32 lower-case hex digits) of "00-<trace>-<parent>-<flags>"; "" for anything else.
std::string TraceIdOf(std::string_view traceparent);
std::string NewTraceId(Random& random);
// A traceparent with a new parent id.
std::string TraceParent(std::string_view trace_id, Random& random);

}  // namespace ringback::rpc
