#include "core/blob/s3_client.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/base/log.h"

namespace ringback::blob {
namespace {

constexpr size_t kIdleConnectionsMax = 16;

// Unreserved characters stand for themselves, all others as %XX: the form in which the query is signed (Signature
// Version 4, canonical query string). libcurl before 8.3 signs the query as it is given, later ones bring it to this form.
std::string QueryEncode(const std::string& text) {
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || c == '-' || c == '.' || c == '_' || c == '~') {
      encoded += c;
    } else {
      absl::StrAppend(&encoded, "%", absl::AsciiStrToUpper(absl::StrCat(absl::Hex(byte, absl::kZeroPad2))));
    }
  }
  return encoded;
}

struct Sink {
  CURL* curl;
  size_t bytes_max;
  std::string bytes;
};

size_t Take(char* data, size_t size, size_t count, void* user) {
  auto* sink = static_cast<Sink*>(user);
  const size_t bytes = size * count;
  if (sink->bytes.size() + bytes > sink->bytes_max) return 0;  // breaks the transfer off
  if (sink->bytes.empty()) {
    curl_off_t length = 0;
    curl_easy_getinfo(sink->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    if (length > 0) sink->bytes.reserve(std::min(static_cast<size_t>(length), sink->bytes_max));
  }
  sink->bytes.append(data, bytes);
  return bytes;
}

std::map<std::string, std::string> HeadersOf(CURL* curl) {
  std::map<std::string, std::string> headers;
  for (curl_header* header = nullptr; (header = curl_easy_nextheader(curl, CURLH_HEADER, -1, header)) != nullptr;) {
    headers[absl::AsciiStrToLower(header->name)] = header->value;
  }
  return headers;
}

}  // namespace

std::string S3Answer::Header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

S3Client::S3Client(S3Options options, std::string bucket_url)
    : options_(std::move(options)),
      bucket_url_(std::move(bucket_url)),
      loopback_(S3IsOnLoopback(options_)),
      random_(NewSystemRandom()),
      pool_(kIdleConnectionsMax) {}

std::string S3Client::UrlOf(const S3Request& request) const {
  // Keys need no encoding: their characters are checked (blob_name.h), and so are the prefix's (ParseS3Address).
  std::string url = absl::StrCat(bucket_url_, "/", request.key);
  const char* before = "?";
  for (const auto& [name, value] : request.query) {
    absl::StrAppend(&url, before, QueryEncode(name), "=", QueryEncode(value));
    before = "&";
  }
  return url;
}

S3Failure S3Client::Try(const S3Request& request, const std::string& body_sha256, absl::Duration timeout,
                        S3Answer* answer, absl::Duration* wait) {
  const std::string method = request.method;
  CurlList headers;
  const auto add = [&](const std::string& header) {
    headers.reset(curl_slist_append(headers.release(), header.c_str()));
  };
  add("x-amz-content-sha256: " + body_sha256);
  if (!options_.session_token.empty()) add("x-amz-security-token: " + options_.session_token);
  for (const std::string& header : request.headers) add(header);

  CurlHandle handle = pool_.Take();
  CURL* const curl = handle.get();
  Sink sink{curl, request.answer_bytes_max, {}};
  char detail[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
  curl_easy_setopt(curl, CURLOPT_URL, UrlOf(request).c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);  // what is signed is signed for one host
  if (loopback_) curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_AWS_SIGV4, absl::StrCat("aws:amz:", options_.region, ":s3").c_str());
  curl_easy_setopt(curl, CURLOPT_USERNAME, options_.access_key.c_str());
  curl_easy_setopt(curl, CURLOPT_PASSWORD, options_.secret_key.c_str());
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "ringback/1");
  if (!options_.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, options_.ca_file.c_str());
  if (method == "HEAD") {
    curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
  } else if (method == "PUT" || method == "POST") {
    add("Content-Type: application/octet-stream");
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.empty() ? "" : request.body.data());
    // Large bodies wait so long for the server's consent, which saves sending what will be refused.
    curl_easy_setopt(curl, CURLOPT_EXPECT_100_TIMEOUT_MS, 300L);
  }
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method == "HEAD" ? nullptr : request.method);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CurlMillis(std::min(options_.connect_timeout, timeout)));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, CurlMillis(timeout));
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  const long stall_s = static_cast<long>(absl::ToInt64Seconds(options_.stall_timeout));
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, std::max(1L, stall_s));
  curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(curl, CURLOPT_MAXAGE_CONN, 60L);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, Take);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &sink);
  const CURLcode code = curl_easy_perform(curl);

  S3Failure failure;
  *wait = absl::ZeroDuration();
  if (code == CURLE_OK) {
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer->status);
    answer->body = std::move(sink.bytes);
    answer->headers = HeadersOf(curl);
    if (answer->status < 200 || answer->status >= 300) {
      failure = FailureOfAnswer(options_, request.what, answer->status, answer->body);
      curl_off_t retry_after_s = 0;
      curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &retry_after_s);
      *wait = absl::Seconds(retry_after_s);
    } else if (request.check) {
      failure = {request.check(*answer), true};
    }
  } else {
    failure = FailureOfTransfer(options_, request.what, code, detail);
  }
  pool_.Return(std::move(handle));
  return failure;
}

S3Failure S3Client::ReasonOfHead(const S3Request& request, absl::Duration timeout) {
  S3Request get = request;
  get.method = "GET";
  get.headers.push_back("Range: bytes=0-0");
  get.check = nullptr;
  S3Answer answer;
  absl::Duration ignored;
  S3Failure failure = Try(get, Sha256Hex(""), timeout, &answer, &ignored);
  // It came to be in between.
  if (failure.status.ok()) return {absl::UnavailableError(absl::StrCat("S3 ", request.what, ": changed meanwhile")), true};
  return failure;
}

absl::Duration S3Client::WaitBefore(int next_try) {
  const double jitter = 0.5 + static_cast<double>(random_->Next() >> 11) / static_cast<double>(uint64_t{1} << 53);
  return options_.retry_wait * static_cast<double>(1 << std::min(next_try - 2, 10)) * jitter;
}

absl::StatusOr<S3Answer> S3Client::Send(const S3Request& request) {
  using Steady = std::chrono::steady_clock;
  const absl::Duration timeout = request.timeout > absl::ZeroDuration() ? request.timeout : options_.call_timeout;
  const int tries_max = request.tries_max > 0 ? request.tries_max : options_.tries_max;
  const Steady::time_point end = Steady::now() + absl::ToChronoNanoseconds(timeout);
  const auto left = [&] { return absl::FromChrono(end - Steady::now()); };
  const std::string body_sha256 = request.body_sha256.empty() ? Sha256Hex(request.body) : request.body_sha256;
  for (int tries = 1;; ++tries) {
    S3Answer answer;
    absl::Duration asked;
    S3Failure failure = Try(request, body_sha256, left(), &answer, &asked);
    if (failure.status.ok()) {
      answer.tries = tries;
      return answer;
    }
    if (std::string_view(request.method) == "HEAD" && !failure.retry && answer.status >= 400) {
      failure = ReasonOfHead(request, std::max(left(), absl::Milliseconds(1)));
    }
    if (!failure.retry) return failure.status;
    const absl::Duration wait = std::max(WaitBefore(tries + 1), asked);
    if (tries >= tries_max || wait >= left()) {
      return absl::Status(failure.status.code(),
                          absl::StrCat(failure.status.message(), " (tried ", tries, tries == 1 ? " time)" : " times)"));
    }
    RB_LOG_DEBUG("{}; try {} follows", std::string(failure.status.message()), tries + 1);
    std::this_thread::sleep_for(absl::ToChronoMilliseconds(wait));
  }
}

}  // namespace ringback::blob
