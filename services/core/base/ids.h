// Identifiers. Every id carries its team's shard in clear, so that whatever arrives (a token in a link, a Message-ID
// in an answer) finds its slot without a lookup: prefix, two decimal digits of shard, random part.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace ringback {

inline constexpr int kShards = 64;  // Fixed for ever: ids and Redis keys depend on it.

// The seam for randomness. Thread-safe.
class Random {
 public:
  virtual ~Random() = default;
  virtual void Fill(void* data, size_t size) = 0;
  uint64_t Next() {
    uint64_t value;
    Fill(&value, sizeof value);
    return value;
  }
};
std::unique_ptr<Random> NewSystemRandom();                 // The kernel's getrandom(2); fit for secrets.
std::unique_ptr<Random> NewSeededRandom(uint64_t seed);    // Replays for tests; never for secrets.

// Known prefixes; one per kind of record, so that an id names its kind.
namespace id_prefix {
inline constexpr std::string_view kTeam = "tm";
inline constexpr std::string_view kMember = "mb";
inline constexpr std::string_view kContact = "ct";
inline constexpr std::string_view kCallback = "cb";
inline constexpr std::string_view kRecording = "rc";
inline constexpr std::string_view kDelivery = "dl";
inline constexpr std::string_view kToken = "tk";
inline constexpr std::string_view kPage = "pg";   // the customer's page and reply address
inline constexpr std::string_view kHistory = "hp";
inline constexpr std::string_view kLease = "ls";
inline constexpr std::string_view kAnswer = "an";
inline constexpr std::string_view kSession = "ss";
inline constexpr std::string_view kSignIn = "si";  // the secret of a mailed sign-in link
}  // namespace id_prefix

// "cb07" + 12 characters of Crockford's base32 in lower case (60 random bits). CHECKs 0 <= shard < kShards.
std::string NewId(std::string_view prefix, int shard, Random& random);

// The same made of the hash of `identity`: whoever makes it anew gets the same id. What is not told apart by `identity`
// must not meet.
std::string HashedId(std::string_view prefix, int shard, std::string_view identity);

// "pg07" + 26 base32 characters (130 random bits): for what must not be guessed.
std::string NewSecret(std::string_view prefix, int shard, Random& random);

// The shard an id carries; INVALID_ARGUMENT for text that is no id with that prefix.
absl::StatusOr<int> ShardOf(std::string_view id, std::string_view prefix);
// The same with any known prefix.
absl::StatusOr<int> ShardOf(std::string_view id);

// SHA-256 in lower-case hex: how secrets are stored and contents are named.
std::string Sha256Hex(std::string_view bytes);

}  // namespace ringback
