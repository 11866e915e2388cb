// Counters, gauges and histograms for Prometheus, by prometheus-cpp. Names begin with "ringback_"; labels are few and
// bounded: never an id, a name or an address.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace ringback::runtime {

// Name and value each, written in place: {{"stage", stage}, {"outcome", "done"}}. Nothing is copied of a metric that was
// used before: every call counts a few.
using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

// Thread-safe.
class Metrics {
 public:
  virtual ~Metrics() = default;
  // The help line of a metric; call it before the metric is used first.
  virtual void Describe(const std::string& name, const std::string& help) = 0;
  virtual void Count(std::string_view name, Labels labels, double by = 1) = 0;
  virtual void Gauge(std::string_view name, Labels labels, double value) = 0;
  virtual void Observe(std::string_view name, Labels labels, double seconds) = 0;  // histogram, seconds
  // Called before each Text(), on its thread: for gauges that are cheap to ask for. Must not block.
  virtual void BeforeText(std::function<void()> refresh) = 0;
  virtual std::string Text() = 0;  // Prometheus text format 0.0.4
};

std::unique_ptr<Metrics> NewMetrics();

}  // namespace ringback::runtime
