#include "core/runtime/open_handoff.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/status_macros.h"

namespace ringback::runtime {
namespace {

std::vector<std::string> List(const std::string& text) {
  std::vector<std::string> list;
  for (const auto& each : absl::StrSplit(text, ',', absl::SkipWhitespace())) {
    list.emplace_back(absl::StripAsciiWhitespace(each));
  }
  return list;
}

absl::StatusOr<std::string> ReadCurveKey(const std::string& path) {
  RB_ASSIGN_OR_RETURN(std::string key, ReadSecretFile(path));
  const absl::Status status = handoff::PublicKeyOf(key).status();
  if (!status.ok()) return absl::Status(status.code(), absl::StrCat(path, ": ", std::string(status.message())));
  return key;
}

}  // namespace

absl::StatusOr<std::optional<handoff::CurveKeys>> HandoffKeys(const Config& config) {
  if (config.handoff_curve_secret_key_file.empty()) return std::nullopt;
  handoff::CurveKeys keys;
  RB_ASSIGN_OR_RETURN(keys.server_secret, ReadCurveKey(config.handoff_curve_secret_key_file));
  keys.client_secret = keys.server_secret;
  if (!config.handoff_curve_client_key_file.empty()) {
    RB_ASSIGN_OR_RETURN(keys.client_secret, ReadCurveKey(config.handoff_curve_client_key_file));
  }
  keys.allowed_keys_file = config.handoff_curve_allowed_keys_file;
  return keys;
}

absl::StatusOr<std::unique_ptr<handoff::Handoff>> OpenHandoff(const Config& config, Metrics& metrics) {
  handoff::Options options;
  options.jobs_listen = config.handoff_jobs_listen;
  options.events_listen = config.handoff_events_listen;
  options.jobs_peers = List(config.handoff_jobs_peers);
  options.events_peers = List(config.handoff_events_peers);
  RB_ASSIGN_OR_RETURN(options.curve, HandoffKeys(config));
  if (config.handoff_drop_for_tests == "jobs") options.drop = handoff::Options::Drop::kJobs;
  if (config.handoff_drop_for_tests == "all") options.drop = handoff::Options::Drop::kAll;
  options.happened = [&metrics](const char* what) { metrics.Count("ringback_handoff_total", {{"event", what}}); };
  auto handoff = handoff::Handoff::Create(std::move(options));
  // The words for addresses are the keys' last parts.
  if (absl::IsUnavailable(handoff.status())) {
    return absl::UnavailableError(absl::StrCat("handoff.", std::string(handoff.status().message())));
  }
  return handoff;
}

}  // namespace ringback::runtime
