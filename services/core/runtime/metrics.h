// Counters, gauges and histograms for Prometheus, by prometheus-cpp. Names begin with "ringback_"; labels are few and
// bounded: never an id, a name or an address.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace ringback::runtime {

using Labels = std::map<std::string, std::string>;

// Thread-safe.
class Metrics {
 public:
  virtual ~Metrics() = default;
  // The help line of a metric; call it before the metric is used first.
  virtual void Describe(const std::string& name, const std::string& help) = 0;
  virtual void Count(const std::string& name, const Labels& labels, double by = 1) = 0;
  virtual void Gauge(const std::string& name, const Labels& labels, double value) = 0;
  virtual void Observe(const std::string& name, const Labels& labels, double seconds) = 0;  // histogram, seconds
  // Called before each Text(), on its thread: for gauges that are cheap to ask for. Must not block.
  virtual void BeforeText(std::function<void()> refresh) = 0;
  virtual std::string Text() = 0;  // Prometheus text format 0.0.4
};

std::unique_ptr<Metrics> NewMetrics();

}  // namespace ringback::runtime
