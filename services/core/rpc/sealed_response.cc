#include "core/rpc/sealed_response.h"

#include <sodium.h>

#include <array>

namespace ringback::rpc {
namespace {

using KeyBytes = std::array<unsigned char, crypto_secretbox_KEYBYTES>;
constexpr std::string_view kContext = "ringback response 1\n";  // apart from every other hash of a request

KeyBytes KeyOf(std::string_view material) {
  KeyBytes key;
  static_assert(crypto_secretbox_KEYBYTES == crypto_hash_sha256_BYTES);
  crypto_hash_sha256_state state;
  crypto_hash_sha256_init(&state);
  crypto_hash_sha256_update(&state, reinterpret_cast<const unsigned char*>(kContext.data()), kContext.size());
  crypto_hash_sha256_update(&state, reinterpret_cast<const unsigned char*>(material.data()), material.size());
  crypto_hash_sha256_final(&state, key.data());
  return key;
}

}  // namespace

std::string Seal(std::string_view key_material, std::string_view response, Random& random) {
  const KeyBytes key = KeyOf(key_material);
  std::string sealed(crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES + response.size(), '\0');
  auto* const nonce = reinterpret_cast<unsigned char*>(sealed.data());
  random.Fill(nonce, crypto_secretbox_NONCEBYTES);
  crypto_secretbox_easy(nonce + crypto_secretbox_NONCEBYTES, reinterpret_cast<const unsigned char*>(response.data()),
                        response.size(), nonce, key.data());
  return sealed;
}

absl::StatusOr<std::string> Unseal(std::string_view key_material, std::string_view sealed) {
  constexpr size_t kOverhead = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES;
  if (sealed.size() < kOverhead) return absl::DataLossError("a stored response is too short");
  const KeyBytes key = KeyOf(key_material);
  const auto* const nonce = reinterpret_cast<const unsigned char*>(sealed.data());
  std::string response(sealed.size() - kOverhead, '\0');
  if (crypto_secretbox_open_easy(reinterpret_cast<unsigned char*>(response.data()),
                                 nonce + crypto_secretbox_NONCEBYTES, sealed.size() - crypto_secretbox_NONCEBYTES,
                                 nonce, key.data()) != 0) {
    return absl::DataLossError("a stored response cannot be opened");
  }
  return response;
}

}  // namespace ringback::rpc
