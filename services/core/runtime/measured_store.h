// A store whose calls are counted and timed: ringback_store_calls_total and ringback_store_seconds.
#pragma once

#include <memory>

#include "core/runtime/metrics.h"
#include "core/store/store.h"

namespace ringback::runtime {

// `metrics` outlives it.
std::unique_ptr<store::Store> NewMeasuredStore(std::unique_ptr<store::Store> store, Metrics* metrics);

}  // namespace ringback::runtime
