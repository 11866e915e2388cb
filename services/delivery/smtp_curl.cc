// SMTP transport by libcurl. What a failure means follows from how far the conversation came, so the callbacks keep
// the last command and the last reply.
#include "delivery/smtp_curl.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/curl_pool.h"
#include "core/base/mutex.h"
#include "core/base/status_macros.h"
#include "delivery/mail_message.h"
#include "delivery/reason_line.h"
#include "delivery/token_command.h"

namespace ringback::delivery {
namespace {

struct ServerUrl {
  std::string scheme, host, port;
};

absl::StatusOr<ServerUrl> ParseUrl(const std::string& url) {
  const auto refuse = [](absl::string_view what) {
    return absl::InvalidArgumentError(absl::StrCat("mail.transport: ", what));
  };
  const CurlUrl parsed(curl_url());
  if (curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) {
    return refuse("write smtp://HOST:PORT or smtps://HOST:PORT");
  }
  const auto part = [&](CURLUPart which) {
    char* text = nullptr;
    std::string copy = curl_url_get(parsed.get(), which, &text, 0) == CURLUE_OK ? text : "";
    curl_free(text);
    return copy;
  };
  ServerUrl server{part(CURLUPART_SCHEME), part(CURLUPART_HOST), part(CURLUPART_PORT)};
  const std::string path = part(CURLUPART_PATH);
  if (server.scheme != "smtp" && server.scheme != "smtps") return refuse("the scheme must be smtp or smtps");
  if (server.host.empty()) return refuse("the host is missing");
  if (!part(CURLUPART_USER).empty() || !part(CURLUPART_PASSWORD).empty()) {
    return refuse("no user or password in the URL: use mail.user and mail.password_file");
  }
  if ((!path.empty() && path != "/") || !part(CURLUPART_QUERY).empty()) return refuse("nothing may follow the port");
  if (server.port.empty()) server.port = server.scheme == "smtps" ? "465" : "587";
  return server;
}

bool IsLoopback(absl::string_view host) {
  return host == "localhost" || host == "[::1]" || absl::StartsWith(host, "127.");
}

absl::StatusOr<std::string> ReadSecret(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::FailedPreconditionError(absl::StrCat("cannot read the password file ", path));
  std::string secret((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  while (!secret.empty() && (secret.back() == '\n' || secret.back() == '\r')) secret.pop_back();
  if (secret.empty()) return absl::FailedPreconditionError(absl::StrCat("the password file ", path, " is empty"));
  return secret;
}

enum class Phase { kConnect, kLogin, kTransaction, kData, kAfterDot };

// One transaction as libcurl's callbacks see it.
struct Conversation {
  absl::string_view mail;   // what is still to be sent
  const BeforeData* before_data = nullptr;
  bool asked = false;
  absl::Status aborted;     // what the hook said
  Phase phase = Phase::kConnect;
  std::string reply;        // the last complete reply, its lines joined
  int reply_code = 0;
  bool reply_open = false;  // more lines of a multi-line reply follow
  bool any_reply = false;
  bool final_reply = false;
  bool quitting = false;    // the reply to QUIT says nothing about the mail
};

size_t ReadMail(char* buffer, size_t size, size_t count, void* user) {
  auto* talk = static_cast<Conversation*>(user);
  if (!talk->asked) {  // the first call comes after the 354
    talk->asked = true;
    if (*talk->before_data) talk->aborted = (*talk->before_data)();
    if (!talk->aborted.ok()) return CURL_READFUNC_ABORT;
    talk->phase = Phase::kData;
  }
  const size_t bytes = std::min(size * count, talk->mail.size());
  std::memcpy(buffer, talk->mail.data(), bytes);
  talk->mail.remove_prefix(bytes);
  // With the size known, libcurl does not ask again for an end it can count.
  if (talk->mail.empty()) talk->phase = Phase::kAfterDot;
  return bytes;
}

size_t TakeReply(char* data, size_t size, size_t count, void* user) {
  auto* talk = static_cast<Conversation*>(user);
  const absl::string_view line(data, size * count);
  const bool numbered = line.size() >= 3 && std::all_of(line.begin(), line.begin() + 3, absl::ascii_isdigit);
  if (numbered && !talk->quitting) {
    if (!talk->reply_open) talk->reply.clear();
    if (talk->reply.size() < 2000) absl::StrAppend(&talk->reply, line);
    talk->reply_open = line.size() > 3 && line[3] == '-';
    (void)absl::SimpleAtoi(line.substr(0, 3), &talk->reply_code);
    talk->any_reply = true;
    if (talk->phase == Phase::kAfterDot && !talk->reply_open) talk->final_reply = true;
  }
  return size * count;
}

// The commands as they leave. They can hold credentials, so only their first word is looked at.
int SeeCommand(CURL* curl, curl_infotype type, char* data, size_t size, void* user) {
  auto* talk = static_cast<Conversation*>(user);
  if (type != CURLINFO_HEADER_OUT) return 0;
  const absl::string_view command(data, size);
  if (absl::StartsWith(command, "QUIT")) {
    talk->quitting = true;
    // A server that hung until the deadline would hold this thread for two minutes more.
    curl_easy_setopt(curl, CURLOPT_SERVER_RESPONSE_TIMEOUT, 1L);
  } else if (absl::StartsWith(command, "MAIL ")) {
    talk->phase = Phase::kTransaction;
  } else if (absl::StartsWith(command, "AUTH ")) {
    talk->phase = Phase::kLogin;
  }
  return 0;
}

size_t DropBody(char*, size_t size, size_t count, void*) { return size * count; }

class SmtpTransport : public MailTransport {
 public:
  SmtpTransport(const MailTransportOptions& options, const ServerUrl& server)
      : options_(options),
        address_(absl::StrCat(server.scheme, "://", server.host, ":", server.port)),
        url_(absl::StrCat(address_, options.hello_name.empty() ? "" : "/", options.hello_name)),
        starttls_(server.scheme == "smtp" &&
                  (options.tls == SmtpTls::kRequire || (options.tls == SmtpTls::kAuto && !IsLoopback(server.host)))),
        token_(options.token_command),
        pool_(static_cast<size_t>(options.idle_connections_max)) {}


  SendOutcome Send(absl::string_view mail, const Envelope& envelope, absl::Duration deadline,
                   const BeforeData& before_data) override {
    for (const auto& [field, address] : {std::pair("envelope.recipient", &envelope.recipient),
                                         std::pair("envelope.sender", &envelope.sender)}) {
      if (address->empty() && address == &envelope.sender) continue;
      if (absl::StatusOr<std::string> checked = CheckedAddress(field, *address); !checked.ok()) {
        return {.result = SendResult::kPermanent, .reason = std::string(checked.status().message())};
      }
    }
    const absl::Time end = absl::Now() + deadline;  // a network deadline runs on the machine's clock
    bool reused = false;
    bool any_reply = false;
    SendOutcome outcome = Transact(mail, envelope, deadline, before_data, &reused, &any_reply);
    // An idle connection was dead: nothing was said, so nothing can be doubled.
    if (outcome.result == SendResult::kTemporary && reused && !any_reply) {
      pool_.CloseIdle();
      if (end > absl::Now()) outcome = Transact(mail, envelope, end - absl::Now(), before_data, &reused, &any_reply);
    }
    return outcome;
  }

  std::string Describe() const override { return address_; }

 private:
  // Login options; on failure the reason why there are none.
  absl::Status SetLogin(CURL* curl, absl::Duration deadline) {
    if (options_.user.empty()) return absl::OkStatus();
    curl_easy_setopt(curl, CURLOPT_USERNAME, options_.user.c_str());
    if (!options_.token_command.empty()) {
      RB_ASSIGN_OR_RETURN(const std::string token, token_.Get(deadline));
      curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, token.c_str());
      curl_easy_setopt(curl, CURLOPT_LOGIN_OPTIONS, "AUTH=XOAUTH2");
      return absl::OkStatus();
    }
    RB_ASSIGN_OR_RETURN(const std::string password, ReadSecret(options_.password_file));
    curl_easy_setopt(curl, CURLOPT_PASSWORD, password.c_str());
    return absl::OkStatus();
  }

  SendOutcome Transact(absl::string_view mail, const Envelope& envelope, absl::Duration deadline,
                       const BeforeData& before_data, bool* reused, bool* any_reply) {
    Conversation talk{.mail = mail, .before_data = &before_data};
    CurlHandle handle = pool_.Take();
    CURL* curl = handle.get();
    if (absl::Status login = SetLogin(curl, deadline); !login.ok()) {
      return {.result = SendResult::kTemporary, .reason = std::string(login.message()), .transport_fault = true};
    }
    // Always in brackets, or libcurl would take "" for "none given".
    const std::string sender = absl::StrCat("<", envelope.sender, ">");
    const std::string recipient = absl::StrCat("<", envelope.recipient, ">");
    const CurlList recipients(curl_slist_append(nullptr, recipient.c_str()));
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_URL, url_.c_str());
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_USE_SSL, static_cast<long>(starttls_ ? CURLUSESSL_ALL : CURLUSESSL_NONE));
    if (!options_.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, options_.ca_file.c_str());
    curl_easy_setopt(curl, CURLOPT_MAIL_FROM, sender.c_str());
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients.get());
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(mail.size()));
    curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, 64L << 10);  // libcurl copies it twice: within the cache
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CurlMillis(std::min(options_.connect_timeout, deadline)));
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, CurlMillis(deadline));
    curl_easy_setopt(curl, CURLOPT_SERVER_RESPONSE_TIMEOUT, CurlMillis(deadline) / 1000 + 1);
    curl_easy_setopt(curl, CURLOPT_MAXAGE_CONN, 60L);  // seconds idle; servers close after five minutes
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, ReadMail);
    curl_easy_setopt(curl, CURLOPT_READDATA, &talk);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, TakeReply);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &talk);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, DropBody);
    curl_easy_setopt(curl, CURLOPT_DEBUGFUNCTION, SeeCommand);
    curl_easy_setopt(curl, CURLOPT_DEBUGDATA, &talk);
    curl_easy_setopt(curl, CURLOPT_VERBOSE, 1L);
    const CURLcode code = curl_easy_perform(curl);
    long connects = 0;
    curl_easy_getinfo(curl, CURLINFO_NUM_CONNECTS, &connects);
    *reused = connects == 0;
    *any_reply = talk.any_reply;
    curl_off_t sent = 0;
    curl_easy_getinfo(curl, CURLINFO_SIZE_UPLOAD_T, &sent);
    if (talk.phase == Phase::kAfterDot && static_cast<size_t>(sent) < mail.size()) talk.phase = Phase::kData;
    if (code == CURLE_LOGIN_DENIED) token_.Forget();
    if (code == CURLE_OK) {
      pool_.Return(std::move(handle));
    } else {
      CurlPool::Discard(std::move(handle));
    }
    return OutcomeOf(code, talk);
  }

  static SendOutcome OutcomeOf(CURLcode code, const Conversation& talk) {
    SendOutcome outcome;
    outcome.reply_code = talk.reply_code;
    const std::string reply = ReasonLine(talk.reply);
    if (!talk.aborted.ok()) {
      outcome.result = SendResult::kAborted;
      outcome.reason = std::string(talk.aborted.message());
      return outcome;
    }
    if (talk.final_reply && talk.reply_code / 100 == 2) {
      outcome.result = SendResult::kAccepted;
      outcome.reason = reply;
      outcome.queue_id = QueueId(reply);
      return outcome;
    }
    if (talk.phase == Phase::kAfterDot && !talk.final_reply) {
      outcome.result = SendResult::kUnknown;
      outcome.reason = absl::StrCat("no reply after the end of the mail: ", curl_easy_strerror(code));
      return outcome;
    }
    const bool in_transaction = talk.phase >= Phase::kTransaction;
    const bool refused = talk.reply_code / 100 == 4 || talk.reply_code / 100 == 5;
    outcome.result =
        in_transaction && talk.reply_code / 100 == 5 ? SendResult::kPermanent : SendResult::kTemporary;
    outcome.transport_fault = !in_transaction || !refused;
    outcome.reason = refused ? reply : ReasonLine(curl_easy_strerror(code));
    if (code == CURLE_USE_SSL_FAILED) outcome.reason = "the server offers no STARTTLS, which is required";
    return outcome;
  }

  // "250 2.0.0 Ok: queued as 4F3…" (Postfix), "250 OK id=1r…" (Exim); "" where neither shape is found.
  static std::string QueueId(absl::string_view reply) {
    for (absl::string_view mark : {absl::string_view("queued as "), absl::string_view("id=")}) {
      const size_t at = reply.find(mark);
      if (at == absl::string_view::npos) continue;
      const absl::string_view rest = reply.substr(at + mark.size());
      return std::string(rest.substr(0, rest.find_first_of(" ;>)")));
    }
    return "";
  }

  const MailTransportOptions options_;
  const std::string address_;
  const std::string url_;
  const bool starttls_;
  TokenCommand token_;
  CurlPool pool_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<MailTransport>> NewSmtpTransport(const MailTransportOptions& options) {
  RB_ASSIGN_OR_RETURN(const ServerUrl server, ParseUrl(options.url));
  const bool password = !options.password_file.empty();
  const bool token = !options.token_command.empty();
  if (password && token) {
    return absl::InvalidArgumentError("mail.token_command: give either this or mail.password_file, not both");
  }
  if (options.user.empty() && (password || token)) {
    return absl::InvalidArgumentError("mail.user: needed with a password file or token command");
  }
  if (!options.user.empty() && !password && !token) {
    return absl::InvalidArgumentError("mail.password_file: needed with mail.user (or mail.token_command)");
  }
  RB_RETURN_IF_ERROR(CheckHeaderText("mail.user", options.user));
  for (char c : options.hello_name) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '.' && c != '-') {
      return absl::InvalidArgumentError("mail.hello_name: must be a host name");
    }
  }
  return std::make_unique<SmtpTransport>(options, server);
}

}  // namespace ringback::delivery
