// The key that sipgate.io signs its requests with: X-Sipgate-Signature is the base64 of an RSA signature (PKCS #1 v1.5 over
// SHA-256) of the request's body, byte for byte, and of nothing else. One key for all accounts, which sipgate publishes.
// Source: sipgate/pushapi-request-verifier and lib/webhook/signatureVerifier.ts of sipgate-io/sipgateio-node.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"

struct evp_pkey_st;

namespace ringback::web {

class SipgateKey {
 public:
  // A public RSA key in PEM, also where its lines are called a certificate, as sipgate's own file has them.
  static absl::StatusOr<SipgateKey> FromPem(const std::string& pem);
  // From the file; INVALID_ARGUMENT naming web.sipgate_key_file.
  static absl::StatusOr<SipgateKey> Read(const std::string& path);

  // Thread-safe.
  bool HasSigned(std::string_view body, const std::string& signature) const;

 private:
  explicit SipgateKey(std::shared_ptr<evp_pkey_st> key) : key_(std::move(key)) {}
  std::shared_ptr<evp_pkey_st> key_;
};

}  // namespace ringback::web
