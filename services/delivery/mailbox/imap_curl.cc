#include "delivery/mailbox/imap_curl.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/base/check.h"
#include "core/base/status_macros.h"
#include "core/runtime/config.h"

namespace ringback::delivery {
namespace {

constexpr absl::Duration kConnect = absl::Seconds(10);
constexpr absl::Duration kGoodbye = absl::Seconds(2);
constexpr absl::Duration kLookAtStop = absl::Milliseconds(200);
constexpr size_t kReplyMax = 500;

size_t KeepReply(char* data, size_t size, size_t count, void* user) {
  static_cast<std::string*>(user)->assign(data, std::min(size * count, kReplyMax));
  return size * count;
}

int AskToStop(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  const auto& stop = *static_cast<const std::function<bool()>*>(user);
  return stop != nullptr && stop() ? 1 : 0;
}

// "[AUTHENTICATIONFAILED] Authentication failed." of "A002 NO [AUTHEN…": behind tag and verdict.
absl::string_view ReasonOf(absl::string_view line) {
  for (int words = 0; words < 2; ++words) {
    const size_t space = line.find(' ');
    if (space == line.npos) return "";
    line.remove_prefix(space + 1);
  }
  return line;
}

}  // namespace

ImapCurl::ImapCurl(const MailboxSettings& settings, std::function<bool()> stop, absl::Duration deadline)
    : settings_(settings), stop_(std::move(stop)), deadline_(deadline), curl_(CurlPool(0).Take()) {}

ImapCurl::~ImapCurl() {
  // A connection that just ends looks like an accident in the server's log.
  if (!failed_) Talk("LOGOUT", "", absl::Now() + kGoodbye, 1 << 16).status().IgnoreError();
  CurlPool::Discard(std::move(curl_));
}

absl::StatusOr<std::unique_ptr<ImapCurl>> ImapCurl::Connect(const MailboxSettings& settings, TokenCommand* token,
                                                            std::function<bool()> stop, absl::Duration deadline) {
  std::unique_ptr<ImapCurl> connection(new ImapCurl(settings, std::move(stop), deadline));
  connection->failed_ = true;  // until it stands
  RB_RETURN_IF_ERROR(connection->SetLogin(token));
  const absl::Status status = connection->Perform();
  if (absl::IsUnauthenticated(status) && token != nullptr) token->Forget();
  RB_RETURN_IF_ERROR(status);
  connection->failed_ = false;
  return connection;
}

absl::Status ImapCurl::SetLogin(TokenCommand* token) {
  const auto secret = token != nullptr ? token->Get(deadline_) : runtime::ReadSecretFile(settings_.password_file);
  if (!secret.ok()) return absl::UnauthenticatedError(std::string(secret.status().message()));
  CURL* const curl = curl_.get();
  curl_easy_setopt(curl, CURLOPT_USERNAME, settings_.user.c_str());
  curl_easy_setopt(curl, token != nullptr ? CURLOPT_XOAUTH2_BEARER : CURLOPT_PASSWORD, secret->c_str());
  if (token != nullptr) curl_easy_setopt(curl, CURLOPT_LOGIN_OPTIONS, "AUTH=XOAUTH2");
  return absl::OkStatus();
}

absl::Status ImapCurl::Perform() {
  CURL* const curl = curl_.get();
  char error[CURL_ERROR_SIZE] = "";
  const bool brackets = settings_.host.find(':') != std::string::npos;
  const std::string url = absl::StrCat(settings_.implicit_tls ? "imaps://" : "imap://", brackets ? "[" : "", settings_.host,
                                       brackets ? "]:" : ":", settings_.port);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "imap,imaps");
  curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L);
  curl_easy_setopt(curl, CURLOPT_USE_SSL, static_cast<long>(settings_.start_tls ? CURLUSESSL_ALL : CURLUSESSL_NONE));
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!settings_.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, settings_.ca_file.c_str());
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CurlMillis(std::min(kConnect, deadline_)));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, CurlMillis(deadline_));
  curl_easy_setopt(curl, CURLOPT_SERVER_RESPONSE_TIMEOUT, CurlMillis(deadline_) / 1000 + 1);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, KeepReply);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &reply_);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, AskToStop);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &stop_);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
  const CURLcode code = curl_easy_perform(curl);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, nullptr);
  const std::string what = WithoutUser(error[0] != '\0' ? error : curl_easy_strerror(code), settings_);
  switch (code) {
    case CURLE_OK: return absl::OkStatus();
    case CURLE_LOGIN_DENIED:
      return absl::UnauthenticatedError(absl::StrCat("login refused: ", WithoutUser(ReasonOf(reply_), settings_)));
    case CURLE_USE_SSL_FAILED: return absl::UnavailableError("the server offers no STARTTLS, which is required");
    case CURLE_ABORTED_BY_CALLBACK: return absl::CancelledError("asked to stop");
    case CURLE_COULDNT_RESOLVE_HOST: return absl::UnavailableError(absl::StrCat(settings_.host, " cannot be looked up"));
    case CURLE_COULDNT_CONNECT: {
      long os_error = 0;
      curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &os_error);
      return absl::UnavailableError(absl::StrCat("no connection to ", settings_.host, ":", settings_.port, ": ",
                                                 os_error != 0 ? std::strerror(static_cast<int>(os_error)) : what));
    }
    case CURLE_OPERATION_TIMEDOUT: return absl::UnavailableError(absl::StrCat(settings_.host, " does not answer in time"));
    case CURLE_PEER_FAILED_VERIFICATION:
      return absl::UnavailableError(absl::StrCat("the certificate of ", settings_.host, " is not to be trusted: ", what));
    default: return absl::UnavailableError(absl::StrCat("no connection to ", settings_.host, ": ", what));
  }
}

absl::StatusOr<std::vector<ImapResponse>> ImapCurl::Command(absl::string_view command, absl::string_view doing, size_t bytes_max) {
  if (failed_) return absl::UnavailableError(absl::StrCat("the connection to ", settings_.host, " is broken"));
  auto responses = Talk(command, doing, absl::Now() + deadline_, bytes_max);  // a network deadline runs on the machine's clock
  failed_ = !responses.ok() && !absl::IsFailedPrecondition(responses.status());
  return responses;
}

absl::StatusOr<std::vector<ImapResponse>> ImapCurl::Talk(absl::string_view command, absl::string_view doing, absl::Time end,
                                                         size_t left) {
  const std::string tag = absl::StrCat("r", ++tag_);
  RB_RETURN_IF_ERROR(Send(absl::StrCat(tag, " ", command, "\r\n"), end));
  std::vector<ImapResponse> responses;
  for (;;) {
    auto response = reader_.Next();
    if (!response.ok()) return absl::UnavailableError(absl::StrCat(settings_.host, " says ", std::string(response.status().message())));
    if (!response->has_value()) {
      RB_RETURN_IF_ERROR(Receive(end, &left));
      continue;
    }
    const std::string& line = (*response)->line;
    if (absl::StartsWith(line, "* ")) {
      if (const auto reason = Untagged(**response, "BYE")) {
        return absl::UnavailableError(absl::StrCat(settings_.host, " ended the conversation: ", WithoutUser(*reason, settings_)));
      }
      responses.push_back(**std::move(response));
    } else if (absl::StartsWith(line, tag + " OK")) {
      return responses;
    } else if (absl::StartsWith(line, tag + " NO") || absl::StartsWith(line, tag + " BAD")) {
      return absl::FailedPreconditionError(absl::StrCat(doing, ": ", WithoutUser(ReasonOf(line), settings_)));
    } else {
      return absl::UnavailableError(absl::StrCat(settings_.host, " says what cannot be understood"));
    }
  }
}

absl::Status ImapCurl::Send(absl::string_view bytes, absl::Time end) {
  while (!bytes.empty()) {
    size_t sent = 0;
    const CURLcode code = curl_easy_send(curl_.get(), bytes.data(), bytes.size(), &sent);
    if (code == CURLE_OK) {
      bytes.remove_prefix(sent);
    } else if (code == CURLE_AGAIN) {
      RB_RETURN_IF_ERROR(Wait(POLLOUT, end));
    } else {
      return absl::UnavailableError(absl::StrCat("the connection to ", settings_.host, " broke: ", curl_easy_strerror(code)));
    }
  }
  return absl::OkStatus();
}

absl::Status ImapCurl::Receive(absl::Time end, size_t* left) {
  char buffer[16 << 10];
  for (;;) {
    size_t got = 0;
    const CURLcode code = curl_easy_recv(curl_.get(), buffer, sizeof buffer, &got);
    if (code == CURLE_AGAIN) {
      RB_RETURN_IF_ERROR(Wait(POLLIN, end));
      continue;
    }
    if (code != CURLE_OK || got == 0) {
      return absl::UnavailableError(absl::StrCat(settings_.host, " ended the connection"));
    }
    if (got > *left) return absl::UnavailableError(absl::StrCat(settings_.host, " says more than was asked"));
    // A server that goes on and on without coming to an end must not outrun the deadline.
    if (absl::Now() > end) return absl::UnavailableError(absl::StrCat(settings_.host, " does not come to an end in time"));
    *left -= got;
    reader_.Add(absl::string_view(buffer, got));
    return absl::OkStatus();
  }
}

absl::Status ImapCurl::Wait(short events, absl::Time end) {
  curl_socket_t socket = CURL_SOCKET_BAD;
  curl_easy_getinfo(curl_.get(), CURLINFO_ACTIVESOCKET, &socket);
  if (socket == CURL_SOCKET_BAD) return absl::UnavailableError(absl::StrCat(settings_.host, " ended the connection"));
  for (;;) {
    if (stop_ != nullptr && stop_()) return absl::CancelledError("asked to stop");
    const absl::Duration left = end - absl::Now();
    if (left <= absl::ZeroDuration()) return absl::UnavailableError(absl::StrCat(settings_.host, " does not answer in time"));
    pollfd ready{socket, events, 0};
    const int n = poll(&ready, 1, static_cast<int>(CurlMillis(std::min(left, kLookAtStop))));
    if (n > 0) return absl::OkStatus();
    if (n < 0 && errno != EINTR) return absl::UnavailableError(std::strerror(errno));
  }
}

}  // namespace ringback::delivery
