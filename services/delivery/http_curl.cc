// HTTP by libcurl.
#include "delivery/http_curl.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "absl/strings/str_cat.h"
#include "core/base/curl_pool.h"
#include "delivery/mail_message.h"
#include "delivery/reason_line.h"

namespace ringback::delivery {
namespace {

constexpr size_t kAnswerBytesMax = 16 << 10;

enum class Reach { kPublic, kPrivate, kNever };

Reach ReachOfV4(uint32_t ip) {
  const auto in = [ip](uint32_t a, uint32_t b, int bits) { return (ip ^ (a << 24 | b << 16)) >> (32 - bits) == 0; };
  if (in(169, 254, 16) || in(0, 0, 8) || ip >= 0xE0000000u) return Reach::kNever;  // link-local, this, multicast up
  if (in(127, 0, 8) || in(10, 0, 8) || in(172, 16, 12) || in(192, 168, 16) || in(100, 64, 10) || in(198, 18, 15)) {
    return Reach::kPrivate;
  }
  return Reach::kPublic;
}

Reach ReachOfV6(const in6_addr& ip) {
  const uint8_t* b = ip.s6_addr;
  const auto v4_at = [b](int i) { return uint32_t{b[i]} << 24 | b[i + 1] << 16 | b[i + 2] << 8 | b[i + 3]; };
  if (IN6_IS_ADDR_V4MAPPED(&ip)) return ReachOfV4(v4_at(12));
  if (IN6_IS_ADDR_LOOPBACK(&ip)) return Reach::kPrivate;
  // Unspecified, multicast and link-local; NAT64, 6to4 and Teredo reach any IPv4 address in disguise.
  static constexpr uint8_t kNat64[4] = {0x00, 0x64, 0xFF, 0x9B};
  if (IN6_IS_ADDR_UNSPECIFIED(&ip) || IN6_IS_ADDR_V4COMPAT(&ip) || b[0] == 0xFF || (b[0] == 0xFE && b[1] >= 0x80) ||
      std::memcmp(b, kNat64, 4) == 0 || (b[0] == 0x20 && b[1] == 0x02) ||
      (b[0] == 0x20 && b[1] == 0x01 && b[2] == 0 && b[3] == 0)) {
    return Reach::kNever;
  }
  static constexpr uint8_t kMetadata[16] = {0xFD, 0x00, 0x0E, 0xC2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54};
  if (std::memcmp(b, kMetadata, 16) == 0) return Reach::kNever;  // a cloud's metadata service among the private ones
  return (b[0] & 0xFE) == 0xFC ? Reach::kPrivate : Reach::kPublic;
}

bool IsAllowed(Reach reach, bool allow_private) {
  return reach == Reach::kPublic || (reach == Reach::kPrivate && allow_private);
}

// What one request carries through libcurl's callbacks.
struct Exchange {
  bool allow_private = false;
  bool refused_address = false;
  size_t bytes_max = kAnswerBytesMax;
  bool too_long = false;
  std::string answer;
};

// Sees the address that was resolved, so a name that resolves to a private address gets no further than one that
// was typed as such.
curl_socket_t OpenSocket(void* user, curlsocktype, curl_sockaddr* address) {
  auto* exchange = static_cast<Exchange*>(user);
  Reach reach = Reach::kNever;
  if (address->family == AF_INET) {
    reach = ReachOfV4(ntohl(reinterpret_cast<const sockaddr_in*>(&address->addr)->sin_addr.s_addr));
  } else if (address->family == AF_INET6) {
    reach = ReachOfV6(reinterpret_cast<const sockaddr_in6*>(&address->addr)->sin6_addr);
  }
  if (!IsAllowed(reach, exchange->allow_private)) {
    exchange->refused_address = true;
    return CURL_SOCKET_BAD;
  }
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

size_t TakeAnswer(char* data, size_t size, size_t count, void* user) {
  auto* exchange = static_cast<Exchange*>(user);
  const size_t bytes = size * count;
  if (exchange->answer.size() + bytes > exchange->bytes_max) {
    exchange->too_long = true;
    return 0;  // ends the transfer; the status is known by now
  }
  exchange->answer.append(data, bytes);
  return bytes;
}

SendOutcome FromStatus(long status, const std::string& answer) {
  SendOutcome outcome;
  outcome.reply_code = static_cast<int>(status);
  outcome.reason = ReasonLine(absl::StrCat("HTTP ", status, answer.empty() ? "" : ": ", answer));
  if (status >= 200 && status < 300) {
    outcome.result = SendResult::kAccepted;
  } else if (status == 408 || status == 425 || status == 429 || status >= 500) {
    outcome.result = SendResult::kTemporary;
  } else {
    outcome.result = SendResult::kPermanent;
    if (status >= 300 && status < 400) outcome.reason += " (redirects are not followed: correct the URL)";
  }
  return outcome;
}

class CurlHttpSender : public HttpSender {
 public:
  explicit CurlHttpSender(const HttpOptions& options)
      : options_(options), pool_(static_cast<size_t>(options.idle_connections_max)) {}

  SendOutcome Post(const HttpPost& post, absl::Duration deadline, const BeforeData& before_data) override {
    if (absl::Status url = CheckHttpUrl("url", post.url); !url.ok()) {
      return {.result = SendResult::kPermanent, .reason = std::string(url.message())};
    }
    CurlList headers;
    for (const std::string& header : post.headers) {
      if (absl::Status clean = CheckHeaderText("header", header, 8000); !clean.ok()) {
        return {.result = SendResult::kPermanent, .reason = std::string(clean.message())};
      }
      headers.reset(curl_slist_append(headers.release(), header.c_str()));
    }
    // libcurl would wait for "100 Continue" with larger bodies, which many gateways never send.
    headers.reset(curl_slist_append(headers.release(), "Expect:"));
    if (before_data) {
      if (absl::Status allowed = before_data(); !allowed.ok()) {
        return {.result = SendResult::kAborted, .reason = std::string(allowed.message())};
      }
    }
    Exchange exchange{.allow_private = options_.allow_private_addresses};
    CurlHandle handle = pool_.Take();
    CURL* curl = handle.get();
    Prepare(curl, post.url, deadline, &exchange);
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, post.body.data());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(post.body.size()));
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
    const CURLcode code = curl_easy_perform(curl);
    SendOutcome outcome = OutcomeOf(curl, code, exchange, post.body.size());
    pool_.Return(std::move(handle));
    return outcome;
  }

  absl::StatusOr<std::string> Get(const std::string& url, size_t bytes_max, absl::Duration deadline) override {
    if (absl::Status well_formed = CheckHttpUrl("url", url); !well_formed.ok()) return well_formed;
    Exchange exchange{.allow_private = options_.allow_private_addresses, .bytes_max = bytes_max};
    CurlHandle handle = pool_.Take();
    CURL* curl = handle.get();
    Prepare(curl, url, deadline, &exchange);
    const CURLcode code = curl_easy_perform(curl);
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    pool_.Return(std::move(handle));
    if (exchange.refused_address) return absl::InvalidArgumentError(RefusedAddress());
    if (exchange.too_long) return absl::ResourceExhaustedError(absl::StrCat("more than ", bytes_max >> 20, " MiB came"));
    if (code != CURLE_OK) return absl::UnavailableError(ReasonLine(curl_easy_strerror(code)));
    if (status == 200) return std::move(exchange.answer);
    return absl::UnavailableError(absl::StrCat(
        "HTTP ", status, status >= 300 && status < 400 ? " (redirects are not followed: correct the URL)" : ""));
  }

 private:
  // Everything but what is sent.
  void Prepare(CURL* curl, const std::string& url, absl::Duration deadline, Exchange* exchange) const {
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "ringback/1");
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CurlMillis(std::min(options_.connect_timeout, deadline)));
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, CurlMillis(deadline));
    curl_easy_setopt(curl, CURLOPT_MAXAGE_CONN, 30L);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, OpenSocket);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, exchange);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, TakeAnswer);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, exchange);
    if (!options_.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, options_.ca_file.c_str());
  }

  const char* RefusedAddress() const {
    return options_.allow_private_addresses
               ? "the address is link-local, multicast or unspecified, which is never allowed"
               : "the address is in a private network, which the configuration does not allow";
  }

  SendOutcome OutcomeOf(CURL* curl, CURLcode code, const Exchange& exchange, size_t body_size) const {
    if (exchange.refused_address) {
      return {.result = SendResult::kPermanent, .reason = RefusedAddress()};
    }
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_OK || (code == CURLE_WRITE_ERROR && status != 0)) {
      SendOutcome outcome = FromStatus(status, exchange.answer);
      curl_off_t retry_after_s = 0;
      curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &retry_after_s);
      if (outcome.result == SendResult::kTemporary) {
        outcome.retry_after = std::min(absl::Seconds(retry_after_s), absl::Hours(24));
      }
      return outcome;
    }
    curl_off_t sent = 0;
    curl_easy_getinfo(curl, CURLINFO_SIZE_UPLOAD_T, &sent);
    curl_off_t connected_us = 0;
    curl_easy_getinfo(curl, CURLINFO_PRETRANSFER_TIME_T, &connected_us);
    const bool handed_over = connected_us > 0 && static_cast<size_t>(sent) >= body_size;
    return {.result = handed_over ? SendResult::kUnknown : SendResult::kTemporary,
            .reason = ReasonLine(curl_easy_strerror(code)),
            .transport_fault = !handed_over};
  }

  const HttpOptions options_;
  CurlPool pool_;
};

}  // namespace

bool IsAllowedAddress(absl::string_view ip, bool allow_private) {
  in_addr v4;
  in6_addr v6;
  const std::string text(ip);
  if (inet_pton(AF_INET, text.c_str(), &v4) == 1) return IsAllowed(ReachOfV4(ntohl(v4.s_addr)), allow_private);
  if (inet_pton(AF_INET6, text.c_str(), &v6) == 1) return IsAllowed(ReachOfV6(v6), allow_private);
  return false;
}

absl::Status CheckHttpUrl(absl::string_view field, absl::string_view url) {
  const auto refuse = [&](absl::string_view what) {
    return absl::InvalidArgumentError(absl::StrCat(field, ": ", what));
  };
  if (absl::Status clean = CheckHeaderText(field, url, 2000); !clean.ok()) return clean;
  const CurlUrl parsed(curl_url());
  if (curl_url_set(parsed.get(), CURLUPART_URL, std::string(url).c_str(), CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK) {
    return refuse("an absolute http or https URL is needed");
  }
  const auto part = [&](CURLUPart which) {
    char* text = nullptr;
    std::string copy = curl_url_get(parsed.get(), which, &text, 0) == CURLUE_OK ? text : "";
    curl_free(text);
    return copy;
  };
  const std::string scheme = part(CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") return refuse("only http and https are possible");
  if (part(CURLUPART_HOST).empty()) return refuse("an absolute http or https URL is needed");
  if (!part(CURLUPART_USER).empty() || !part(CURLUPART_PASSWORD).empty()) {
    return refuse("no user or password in the URL: use a header from a file");
  }
  return absl::OkStatus();
}

std::unique_ptr<HttpSender> NewHttpSender(const HttpOptions& options) {
  return std::make_unique<CurlHttpSender>(options);
}

}  // namespace ringback::delivery
