#include "core/http/tls_context.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/stat.h>

#include <boost/asio/buffer.hpp>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"

namespace ringback::http {
namespace {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

// Forward secrecy and authenticated encryption only; TLS 1.3 has nothing else.
constexpr char kCiphers[] = "ECDHE+AESGCM:ECDHE+CHACHA20";

// The one protocol that is spoken here (RFC 7301): whoever offers others alone is told so in the handshake.
int ChooseProtocol(SSL*, const unsigned char** chosen, unsigned char* chosen_size, const unsigned char* offered,
                   unsigned int offered_size, void*) {
  static constexpr unsigned char kOurs[] = "\x08http/1.1";
  unsigned char* found = nullptr;
  if (SSL_select_next_proto(&found, chosen_size, kOurs, sizeof kOurs - 1, offered, offered_size) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

absl::StatusOr<std::shared_ptr<ssl::context>> ContextOf(const TlsPem& pem) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  SSL_CTX* const native = context->native_handle();
  error_code error;
  context->use_certificate_chain(boost::asio::buffer(pem.certificate_pem), error);
  if (!error) context->use_private_key(boost::asio::buffer(pem.key_pem), ssl::context::pem, error);
  const bool fits = !error && SSL_CTX_check_private_key(native) == 1;
  const bool set = fits && SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION) == 1 &&
                   SSL_CTX_set_cipher_list(native, kCiphers) == 1;
  ERR_clear_error();
  if (!set) {
    return absl::InvalidArgumentError(absl::StrCat("OpenSSL does not take certificate and key: ",
                                                   error ? error.message() : "they do not belong together"));
  }
  SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_alpn_select_cb(native, ChooseProtocol, nullptr);
  return context;
}

}  // namespace

absl::StatusOr<std::unique_ptr<TlsContext>> TlsContext::Create(TlsSource source) {
  std::unique_ptr<TlsContext> context(new TlsContext(std::move(source)));
  context->stamp_ = context->Stamp();
  RB_RETURN_IF_ERROR(context->Load());
  return context;
}

std::shared_ptr<ssl::context> TlsContext::Current() {
  // Taken before loading: what changes meanwhile is found by the next connection.
  std::vector<int64_t> stamp = Stamp();
  if (stamp == stamp_) return current_;
  stamp_ = std::move(stamp);
  const absl::Status loaded = Load();
  if (loaded.ok()) {
    RB_LOG_INFO("http: a new certificate serves from now on");
  } else {
    RB_LOG_ERROR("http: the certificate's files have changed and do not work; the one before goes on serving: {}",
                 loaded.ToString());
  }
  return current_;
}

std::vector<int64_t> TlsContext::Stamp() const {
  std::vector<int64_t> stamp;
  for (const std::string& file : source_.files) {
    struct stat info = {};
    if (stat(file.c_str(), &info) != 0) info = {};
    for (const auto part : {static_cast<int64_t>(info.st_dev), static_cast<int64_t>(info.st_ino),
                            static_cast<int64_t>(info.st_size), static_cast<int64_t>(info.st_mtim.tv_sec),
                            static_cast<int64_t>(info.st_mtim.tv_nsec), static_cast<int64_t>(info.st_ctim.tv_sec),
                            static_cast<int64_t>(info.st_ctim.tv_nsec)}) {
      stamp.push_back(part);
    }
  }
  return stamp;
}

absl::Status TlsContext::Load() {
  RB_ASSIGN_OR_RETURN(const TlsPem pem, source_.load());
  RB_ASSIGN_OR_RETURN(current_, ContextOf(pem));
  return absl::OkStatus();
}

}  // namespace ringback::http
