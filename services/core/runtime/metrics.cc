// Metrics by prometheus-cpp.
#include "core/runtime/metrics.h"

#include <prometheus/check_names.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

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

  void Count(const std::string& name, const Labels& labels, double by) override {
    MutexLock lock(&mutex_);
    Find(&counters_[name], name, prometheus::BuildCounter(), labels).Increment(by);
  }

  void Gauge(const std::string& name, const Labels& labels, double value) override {
    MutexLock lock(&mutex_);
    Find(&gauges_[name], name, prometheus::BuildGauge(), labels).Set(value);
  }

  void Observe(const std::string& name, const Labels& labels, double seconds) override {
    MutexLock lock(&mutex_);
    Find(&histograms_[name], name, prometheus::BuildHistogram(), labels, kBuckets).Observe(seconds);
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
  template <typename Metric>
  struct Family {
    prometheus::Family<Metric>* family = nullptr;
    std::map<Labels, Metric*> metrics;
  };
  template <typename Metric>
  using Families = std::map<std::string, Family<Metric>>;

  // prometheus-cpp looks labels up by hashing under a lock of its own; here the same lookup happens once per call.
  template <typename Metric, typename Builder, typename... Rest>
  Metric& Find(Family<Metric>* family, const std::string& name, Builder builder, const Labels& labels,
               Rest&... rest) RB_REQUIRES(mutex_) {
    if (family->family == nullptr) {
      RB_CHECK(name.rfind("ringback_", 0) == 0 && prometheus::CheckMetricName(name));
      family->family = &builder.Name(name).Help(help_[name]).Register(registry_);
    }
    Metric*& metric = family->metrics[labels];
    if (metric == nullptr) metric = &family->family->Add(labels, rest...);
    return *metric;
  }

  prometheus::Registry registry_;
  Mutex mutex_;
  Families<prometheus::Counter> counters_ RB_GUARDED_BY(mutex_);
  Families<prometheus::Gauge> gauges_ RB_GUARDED_BY(mutex_);
  Families<prometheus::Histogram> histograms_ RB_GUARDED_BY(mutex_);
  std::map<std::string, std::string> help_ RB_GUARDED_BY(mutex_);
  std::vector<std::function<void()>> before_text_ RB_GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<Metrics> NewMetrics() { return std::make_unique<PrometheusMetrics>(); }

}  // namespace ringback::runtime
