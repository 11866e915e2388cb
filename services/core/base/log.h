// Logging: spdlog behind the few calls the project uses. Lines are text or JSON, with the trace id where one is set.
// Never log a token, a mail address, a phone number, a caller's name or a brief: ids are enough to find the record.
#pragma once

#include <spdlog/spdlog.h>

#include <string>

namespace ringback {

enum class LogFormat { kText, kJson };

// Sets level ("debug", "info", "warn", "error") and format of the process-wide log on standard error. Call once at
// start, before threads; an unknown level means "info".
void SetUpLogging(const std::string& level, LogFormat format);

// The trace id (32 hex digits, W3C trace-context) that this thread's lines carry until the scope ends.
class TraceScope {
 public:
  explicit TraceScope(std::string trace_id);
  ~TraceScope();
  TraceScope(const TraceScope&) = delete;
  TraceScope& operator=(const TraceScope&) = delete;
  static const std::string& Current();  // "" outside any scope
  // From here to the end of the innermost scope the lines carry this id instead: what a record says, once it is read, goes
  // before an id that was made up to begin with. "" changes nothing.
  static void GoOnUnder(const std::string& trace_id);

 private:
  std::string previous_;
};

}  // namespace ringback

#define RB_LOG_DEBUG(...) spdlog::debug(__VA_ARGS__)
#define RB_LOG_INFO(...) spdlog::info(__VA_ARGS__)
#define RB_LOG_WARN(...) spdlog::warn(__VA_ARGS__)
#define RB_LOG_ERROR(...) spdlog::error(__VA_ARGS__)
