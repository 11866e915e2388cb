#include "core/blob/s3_options.h"

#include <arpa/inet.h>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/curl_pool.h"
#include "core/base/status_macros.h"
#include "core/blob/blob_name.h"

namespace ringback::blob {
namespace {

absl::Status Wrong(const std::string& what) { return absl::InvalidArgumentError(what); }

// What AWS and all others take (General purpose bucket naming rules, Amazon S3 User Guide).
bool IsBucketName(const std::string& name) {
  return name.size() >= 3 && name.size() <= 63 &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-") == std::string::npos &&
         absl::ascii_isalnum(static_cast<unsigned char>(name.front())) &&
         absl::ascii_isalnum(static_cast<unsigned char>(name.back())) && name.find("..") == std::string::npos;
}

bool IsIpAddress(std::string host) {
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  unsigned char address[16];
  return inet_pton(AF_INET, host.c_str(), address) == 1 || inet_pton(AF_INET6, host.c_str(), address) == 1;
}

bool IsLoopback(const std::string& host) {
  return host == "localhost" || absl::EndsWith(host, ".localhost") || host == "[::1]" ||
         (absl::StartsWith(host, "127.") && IsIpAddress(host));
}

struct Endpoint {
  std::string scheme, host, port;  // port "": the scheme's own
};

absl::StatusOr<Endpoint> ParseEndpoint(const std::string& text) {
  const auto refuse = [&] {
    return Wrong("s3.endpoint must be an address like https://s3.example.com or http://127.0.0.1:9000, without a path");
  };
  const CurlUrl url(curl_url());
  if (curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) return refuse();
  const auto part = [&](CURLUPart which) {
    char* value = nullptr;
    std::string copy = curl_url_get(url.get(), which, &value, 0) == CURLUE_OK ? value : "";
    curl_free(value);
    return copy;
  };
  Endpoint endpoint{part(CURLUPART_SCHEME), absl::AsciiStrToLower(part(CURLUPART_HOST)), part(CURLUPART_PORT)};
  const std::string path = part(CURLUPART_PATH);
  const bool bare = (path.empty() || path == "/") && part(CURLUPART_QUERY).empty() && part(CURLUPART_FRAGMENT).empty() &&
                    part(CURLUPART_USER).empty() && part(CURLUPART_PASSWORD).empty();
  if ((endpoint.scheme != "http" && endpoint.scheme != "https") || endpoint.host.empty() || !bare) return refuse();
  return endpoint;
}

}  // namespace

absl::Status ParseS3Address(const std::string& address, S3Options* options) {
  constexpr absl::string_view kScheme = "s3://";
  if (!absl::StartsWith(address, kScheme)) return Wrong("must look like s3://bucket or s3://bucket/prefix");
  const std::string rest = address.substr(kScheme.size());
  const size_t slash = rest.find('/');
  const std::string bucket = rest.substr(0, slash);
  std::string prefix = slash == std::string::npos ? "" : rest.substr(slash + 1);
  while (!prefix.empty() && prefix.back() == '/') prefix.pop_back();
  if (!IsBucketName(bucket)) {
    return Wrong("must name a bucket of 3 to 63 characters a-z, 0-9, '-' and '.', like s3://bucket/prefix");
  }
  if (!prefix.empty() && !CheckName(prefix).ok()) {
    return Wrong("must have a prefix of at most 200 characters a-z, 0-9, '.', '_' and '-' between single slashes");
  }
  options->bucket = bucket;
  options->prefix = prefix;
  return absl::OkStatus();
}

absl::StatusOr<std::string> S3BucketUrl(const S3Options& options) {
  const std::string text = options.endpoint.empty() ? absl::StrCat("https://s3.", options.region, ".amazonaws.com")
                                                    : options.endpoint;
  RB_ASSIGN_OR_RETURN(const Endpoint endpoint, ParseEndpoint(text));
  if (endpoint.scheme == "http" && !options.allow_plain && !IsLoopback(endpoint.host)) {
    return Wrong(absl::StrCat("s3.endpoint ", text, " is not encrypted, and recordings would cross the network readable: use "
                              "https://, or set s3.allow_plain if that network is yours alone"));
  }
  const std::string port = endpoint.port.empty() ? "" : ":" + endpoint.port;
  if (options.path_style) return absl::StrCat(endpoint.scheme, "://", endpoint.host, port, "/", options.bucket);
  if (IsIpAddress(endpoint.host)) {
    return Wrong(absl::StrCat("s3.endpoint ", text, " is an IP address, which no bucket name can stand before: set "
                              "s3.path_style = true"));
  }
  // A wildcard certificate covers one label only.
  if (endpoint.scheme == "https" && absl::StrContains(options.bucket, ".")) {
    return Wrong(absl::StrCat("no certificate fits https://", options.bucket, ".", endpoint.host,
                              " because of the dots in the bucket's name: set s3.path_style = true"));
  }
  return absl::StrCat(endpoint.scheme, "://", options.bucket, ".", endpoint.host, port);
}

bool S3IsOnLoopback(const S3Options& options) {
  const absl::StatusOr<Endpoint> endpoint = ParseEndpoint(options.endpoint);
  return endpoint.ok() && IsLoopback(endpoint->host);
}

}  // namespace ringback::blob
