// Metrics by prometheus-cpp.
#include "core/runtime/metrics.h"

#include <prometheus/check_names.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "core/base/mutex.h"

namespace ringback::runtime {
namespace {

// Seconds: a timer's milliseconds to a mail's minutes.
const prometheus::Histogram::BucketBoundaries kBuckets = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                                          0.5,   1,      2.5,   5,    10,    30,   60,  300};

class PrometheusMetrics : public Metrics {
 public:
  void Describe(const std::string& name, const std::string& help) override {
    MutexLock lock(&mutex_);
    help_[name] = help;
  }

  void Count(std::string_view name, Labels labels, double by) override {
    MutexLock lock(&mutex_);
    Find(&counters_, name, prometheus::BuildCounter(), labels).Increment(by);
  }

  void Gauge(std::string_view name, Labels labels, double value) override {
    MutexLock lock(&mutex_);
    Find(&gauges_, name, prometheus::BuildGauge(), labels).Set(value);
  }

  void Observe(std::string_view name, Labels labels, double seconds) override {
    MutexLock lock(&mutex_);
    Find(&histograms_, name, prometheus::BuildHistogram(), labels, kBuckets).Observe(seconds);
  }

  void BeforeText(std::function<void()> refresh) override {
    MutexLock lock(&mutex_);
    before_text_.push_back(std::move(refresh));
  }

  std::string Text() override {
    std::vector<std::function<void()>> before;
    {
      MutexLock lock(&mutex_);
      before = before_text_;
    }
    for (const auto& refresh : before) refresh();
    return prometheus::TextSerializer().Serialize(registry_.Collect());
  }

 private:
  // By name and labels as one text.
  template <typename Metric>
  using Known = std::unordered_map<std::string, Metric*>;

  // prometheus-cpp wants its labels in a map of their own at every look; here that is made once.
  template <typename Metric, typename Builder, typename... Rest>
  Metric& Find(Known<Metric>* known, std::string_view name, Builder builder, Labels labels, Rest&... rest)
      RB_REQUIRES(mutex_) {
    key_ = name;
    for (const auto& [label, value] : labels) {
      for (const std::string_view part : {label, value}) (key_ += '\0') += part;
    }
    Metric*& metric = (*known)[key_];
    if (metric == nullptr) {
      const std::string text(name);
      RB_CHECK(name.rfind("ringback_", 0) == 0 && prometheus::CheckMetricName(text));
      prometheus::Labels own;
      for (const auto& [label, value] : labels) own.emplace(label, value);
      metric = &builder.Name(text).Help(help_[text]).Register(registry_).Add(own, rest...);
    }
    return *metric;
  }

  prometheus::Registry registry_;
  Mutex mutex_;
  std::string key_ RB_GUARDED_BY(mutex_);  // of the look in progress: its room is kept
  Known<prometheus::Counter> counters_ RB_GUARDED_BY(mutex_);
  Known<prometheus::Gauge> gauges_ RB_GUARDED_BY(mutex_);
  Known<prometheus::Histogram> histograms_ RB_GUARDED_BY(mutex_);
  std::map<std::string, std::string> help_ RB_GUARDED_BY(mutex_);
  std::vector<std::function<void()>> before_text_ RB_GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<Metrics> NewMetrics() { return std::make_unique<PrometheusMetrics>(); }

}  // namespace ringback::runtime
