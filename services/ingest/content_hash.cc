#include "ingest/content_hash.h"

#include <openssl/evp.h>

#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"
#include "core/base/check.h"

namespace ringback::ingest {

void ContentHash::Free::operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }

ContentHash::ContentHash() : context_(EVP_MD_CTX_new()) {
  RB_CHECK(context_ != nullptr && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
}

ContentHash::~ContentHash() = default;

void ContentHash::Add(std::string_view bytes) {
  RB_CHECK(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
}

std::string ContentHash::Hex() {
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  RB_CHECK(EVP_DigestFinal_ex(context_.get(), hash, &size) == 1);
  return absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(hash), size));
}

}  // namespace ringback::ingest
