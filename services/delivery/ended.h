// What a commit has brought to its end, for whoever watches: counted by kind, channel and outcome, and one line of log for
// each delivery, in the trace it belongs to. By ids alone: no address and no reason, which may quote one.
#pragma once

#include <string>

#include "core/runtime/metrics.h"
#include "core/store/store.h"
#include "ringback/store/v1/records.pb.h"

namespace ringback::delivery {

void DescribeDeliveryMetrics(runtime::Metrics& metrics);

// For every delivery that the commit, which has been made, put in a final state. `dead_letter` is the id of the one, if
// any, that the worker loop counts among the dead letters itself.
void TellEnded(const store::Commit& commit, const std::string& dead_letter, runtime::Metrics& metrics);

// The same for one whose record is gone by now. Its failure makes no dead letter.
void TellEnded(const store::v1::DeliveryRecord& delivery, runtime::Metrics& metrics);

}  // namespace ringback::delivery
