#include "core/rpc/trace.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace ringback::rpc {
namespace {

bool IsLowerHex(std::string_view text) { return text.find_first_not_of("0123456789abcdef") == std::string_view::npos; }

std::string RandomHex(size_t bytes, Random& random) {
  std::string raw(bytes, '\0');
  random.Fill(raw.data(), raw.size());
  return absl::BytesToHexString(raw);
}

}  // namespace

std::string TraceIdOf(std::string_view text) {
  if (text.size() < 55 || text[2] != '-' || text[35] != '-' || text[52] != '-') return "";
  const std::string_view version = text.substr(0, 2), trace = text.substr(3, 32);
  // Later versions may be longer; version 00 may not, and ff is no version.
  if (!IsLowerHex(version) || version == "ff" || (version == "00" && text.size() != 55)) return "";
  if (!IsLowerHex(trace) || trace.find_first_not_of('0') == std::string_view::npos) return "";
  if (!IsLowerHex(text.substr(36, 16)) || !IsLowerHex(text.substr(53, 2))) return "";
  return std::string(trace);
}

std::string NewTraceId(Random& random) { return RandomHex(16, random); }

std::string TraceParent(std::string_view trace_id, Random& random) {
  return absl::StrCat("00-", absl::string_view(trace_id.data(), trace_id.size()), "-", RandomHex(8, random), "-01");
}

}  // namespace ringback::rpc
