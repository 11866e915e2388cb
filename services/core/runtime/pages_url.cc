#include "core/runtime/pages_url.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace ringback::runtime {

std::string StaffUrl(const Config& config) {
  if (config.http_listen.empty()) return "";
  if (config.web_public_listen.empty() && !config.public_url.empty()) return config.public_url;
  const std::string host = config.http_listen.substr(0, config.http_listen.rfind(':'));
  if (host.empty() || host == "*" || host == "0.0.0.0" || host == "[::]") return "";
  return absl::StrCat(config.web_tls_certificate_file.empty() ? "http://" : "https://", config.http_listen);
}

}  // namespace ringback::runtime
