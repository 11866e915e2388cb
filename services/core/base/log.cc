#include "core/base/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <memory>
#include <utility>

namespace ringback {
namespace {

thread_local std::string current_trace_id;

// %T in our patterns: the trace id or nothing.
class TraceFlag : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg&, const std::tm&, spdlog::memory_buf_t& out) override {
    const std::string& id = TraceScope::Current();
    out.append(id.data(), id.data() + id.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<TraceFlag>(); }
};

// The message as the inside of a JSON string (RFC 8259): quotes, backslashes and control characters escaped.
class JsonMessageFlag : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
    for (const char c : message.payload) {
      if (c == '"' || c == '\\') out.push_back('\\');
      if (static_cast<unsigned char>(c) < 0x20) {
        fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<int>(c));
      } else {
        out.push_back(c);
      }
    }
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<JsonMessageFlag>(); }
};

}  // namespace

void SetUpLogging(const std::string& level, LogFormat format) {
  auto logger = std::make_shared<spdlog::logger>("ringback", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
  formatter->add_flag<TraceFlag>('~').add_flag<JsonMessageFlag>('&');
  formatter->set_pattern(format == LogFormat::kJson
                             ? R"({"time":"%Y-%m-%dT%H:%M:%S.%fZ","level":"%l","trace_id":"%~","message":"%&"})"
                             : "%Y-%m-%dT%H:%M:%S.%fZ %-5l %~ %v");
  logger->set_formatter(std::move(formatter));
  logger->set_level(level == "debug"   ? spdlog::level::debug
                    : level == "warn"  ? spdlog::level::warn
                    : level == "error" ? spdlog::level::err
                                       : spdlog::level::info);
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

TraceScope::TraceScope(std::string trace_id) : previous_(std::exchange(current_trace_id, std::move(trace_id))) {}
TraceScope::~TraceScope() { current_trace_id = std::move(previous_); }
const std::string& TraceScope::Current() { return current_trace_id; }
void TraceScope::GoOnUnder(const std::string& trace_id) {
  if (!trace_id.empty()) current_trace_id = trace_id;
}

}  // namespace ringback
