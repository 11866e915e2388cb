#include "core/store/redis_tls.h"

#include "absl/strings/str_cat.h"

#ifdef RINGBACK_REDIS_TLS
#include <arpa/inet.h>
#include <hiredis/hiredis_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <memory>

#include "absl/status/statusor.h"
#include "core/base/status_macros.h"
#endif

namespace ringback::store {

#ifdef RINGBACK_REDIS_TLS
namespace {

struct ContextDeleter {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using Context = std::unique_ptr<SSL_CTX, ContextDeleter>;

std::string LastError() {
  char text[256];
  ERR_error_string_n(ERR_get_error(), text, sizeof text);
  ERR_clear_error();
  return text;
}

absl::Status Unusable(const std::string& file) {
  return absl::InvalidArgumentError(absl::StrCat("cannot use ", file, " for TLS to Redis: ", LastError()));
}

// Made for every connection: connections are few and certificates are renewed in place.
absl::StatusOr<Context> NewContext(const RedisTls& tls) {
  Context context(SSL_CTX_new(TLS_client_method()));
  if (context == nullptr) return absl::ResourceExhaustedError("no memory for TLS");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  if (tls.ca_file.empty()) {
    SSL_CTX_set_default_verify_paths(context.get());
  } else if (SSL_CTX_load_verify_locations(context.get(), tls.ca_file.c_str(), nullptr) != 1) {
    return Unusable(tls.ca_file);
  }
  if (!tls.certificate_file.empty() &&
      SSL_CTX_use_certificate_chain_file(context.get(), tls.certificate_file.c_str()) != 1) {
    return Unusable(tls.certificate_file);
  }
  if (!tls.key_file.empty() &&
      SSL_CTX_use_PrivateKey_file(context.get(), tls.key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    return Unusable(tls.key_file);
  }
  return context;
}

// What the certificate must name; a name is also sent, so that one address can serve several (SNI).
bool Expect(SSL* ssl, const std::string& host) {
  unsigned char address[16];
  if (inet_pton(AF_INET, host.c_str(), address) == 1 || inet_pton(AF_INET6, host.c_str(), address) == 1) {
    return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str()) == 1;
  }
  return SSL_set_tlsext_host_name(ssl, host.c_str()) == 1 && SSL_set1_host(ssl, host.c_str()) == 1;
}

}  // namespace

absl::Status CheckTls(const RedisTls& tls) { return NewContext(tls).status(); }

absl::Status StartTls(redisContext* context, const RedisTls& tls, const std::string& host) {
  RB_ASSIGN_OR_RETURN(const Context made, NewContext(tls));
  SSL* const ssl = SSL_new(made.get());  // keeps what it needs of the context alive
  if (ssl == nullptr) return absl::ResourceExhaustedError("no memory for TLS");
  if (!Expect(ssl, host)) {
    SSL_free(ssl);
    return absl::InvalidArgumentError(absl::StrCat("TLS to Redis: ", host, " is no name a certificate can have"));
  }
  // The connection owns `ssl` from here on, unless that fails; hiredis 1.0 and later agree on it.
  if (redisInitiateSSL(context, ssl) != REDIS_OK) {
    const std::string why = context->errstr;
    return absl::UnavailableError(absl::StrCat("Redis at ", host, " is not to be trusted over TLS: ", why));
  }
  return absl::OkStatus();
}

#else

absl::Status CheckTls(const RedisTls&) {
  return absl::InvalidArgumentError(
      "this ringback was built without TLS to Redis: it needs hiredis 1.0 or later with hiredis_ssl");
}
absl::Status StartTls(redisContext*, const RedisTls& tls, const std::string&) { return CheckTls(tls); }

#endif

}  // namespace ringback::store
