#include "web/form_key.h"

#include <sodium.h>

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/ids.h"

namespace ringback::web {
namespace {

constexpr size_t kOnceMax = 40;
constexpr size_t kSealHex = 32;  // 128 bits

std::string Seal(std::string_view token, std::string_view text) {
  crypto_auth_hmacsha256_state state;
  unsigned char mac[crypto_auth_hmacsha256_BYTES];
  crypto_auth_hmacsha256_init(&state, reinterpret_cast<const unsigned char*>(token.data()), token.size());
  crypto_auth_hmacsha256_update(&state, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  crypto_auth_hmacsha256_final(&state, mac);
  char hex[kSealHex + 1];
  sodium_bin2hex(hex, sizeof hex, mac, kSealHex / 2);
  return hex;
}

std::string SealOf(std::string_view token, std::string_view callback_id, std::string_view purpose, const FormKey& key) {
  return Seal(token, absl::StrCat("page form 1\n", std::string(callback_id), "\n", std::string(purpose), "\n",
                                  key.revision, "\n", key.once));
}

}  // namespace

std::string SealFormKey(std::string_view token, std::string_view callback_id, std::string_view purpose,
                        const FormKey& key) {
  return absl::StrCat(key.revision, ".", key.once, ".", SealOf(token, callback_id, purpose, key));
}

std::optional<FormKey> OpenFormKey(std::string_view token, std::string_view callback_id, std::string_view purpose,
                                   std::string_view sealed) {
  const std::vector<std::string> parts = absl::StrSplit(std::string(sealed), '.');
  FormKey key;
  if (parts.size() != 3 || !absl::SimpleAtoi(parts[0], &key.revision) || key.revision < 0 || parts[1].empty() ||
      parts[1].size() > kOnceMax ||
      !std::all_of(parts[1].begin(), parts[1].end(), [](unsigned char c) { return absl::ascii_isalnum(c); }) ||
      parts[2].size() != kSealHex) {
    return std::nullopt;
  }
  key.once = parts[1];
  const std::string right = SealOf(token, callback_id, purpose, key);
  if (sodium_memcmp(right.data(), parts[2].data(), kSealHex) != 0) return std::nullopt;
  return key;
}

std::string CommitIdOf(std::string_view token, std::string_view purpose, const FormKey& key, std::string_view content) {
  const std::string all = absl::StrCat(std::string(token), "\n", std::string(purpose), "\n", key.revision, "\n", key.once,
                                       "\n", std::string(content));
  return absl::StrCat("page-", Sha256Hex(all).substr(0, 40));
}

}  // namespace ringback::web
