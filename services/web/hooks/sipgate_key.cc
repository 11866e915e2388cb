#include "web/hooks/sipgate_key.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace ringback::web {
namespace {

constexpr char kConfigKey[] = "web.sipgate_key_file";

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

// What stands between the first BEGIN and END, whatever they call it.
std::string Contents(const std::string& pem) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
  std::string contents;
  if (PEM_read_bio(bio.get(), &name, &header, &data, &size) == 1) {
    contents.assign(reinterpret_cast<const char*>(data), static_cast<size_t>(size));
  }
  OPENSSL_free(name);
  OPENSSL_free(header);
  OPENSSL_free(data);
  ERR_clear_error();
  return contents;
}

}  // namespace

absl::StatusOr<SipgateKey> SipgateKey::FromPem(const std::string& pem) {
  const std::string der = Contents(pem);
  const auto* begin = reinterpret_cast<const unsigned char*>(der.data());
  std::shared_ptr<EVP_PKEY> key(d2i_PUBKEY(nullptr, &begin, static_cast<long>(der.size())), EVP_PKEY_free);
  ERR_clear_error();
  if (key == nullptr || EVP_PKEY_base_id(key.get()) != EVP_PKEY_RSA) {
    return absl::InvalidArgumentError("no public RSA key in PEM (-----BEGIN PUBLIC KEY-----)");
  }
  return SipgateKey(std::move(key));
}

absl::StatusOr<SipgateKey> SipgateKey::Read(const std::string& path) {
  std::ifstream stream(path);
  std::string pem;
  if (stream) std::getline(stream, pem, '\0');  // an empty file fails, a folder is bad
  if (!stream.is_open() || stream.bad()) {
    return absl::InvalidArgumentError(
        absl::StrCat(kConfigKey, ": cannot read ", path, ": ", std::strerror(errno == 0 ? EIO : errno)));
  }
  auto key = FromPem(pem);
  if (!key.ok()) return absl::InvalidArgumentError(absl::StrCat(kConfigKey, ": ", path, " holds ", key.status().message()));
  return key;
}

bool SipgateKey::HasSigned(std::string_view body, const std::string& signature) const {
  std::string bytes;
  if (!absl::Base64Unescape(signature, &bytes) || bytes.empty()) return false;
  const DigestContext context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  const bool good = EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) == 1 &&
                    EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                                     reinterpret_cast<const unsigned char*>(body.data()), body.size()) == 1;
  ERR_clear_error();
  return good;
}

}  // namespace ringback::web
