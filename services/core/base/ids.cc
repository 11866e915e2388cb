#include "core/base/ids.h"

#include <sodium.h>
#include <sys/random.h>

#include <random>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/mutex.h"

namespace ringback {
namespace {

constexpr std::string_view kAlphabet = "0123456789abcdefghjkmnpqrstvwxyz";  // Crockford's base32, lower case

class SystemRandom : public Random {
 public:
  void Fill(void* data, size_t size) override {
    auto* out = static_cast<unsigned char*>(data);
    while (size > 0) {
      const ssize_t got = getrandom(out, size, 0);
      if (got < 0) continue;  // EINTR
      out += got;
      size -= static_cast<size_t>(got);
    }
  }
};

class SeededRandom : public Random {
 public:
  explicit SeededRandom(uint64_t seed) : engine_(seed) {}
  void Fill(void* data, size_t size) override {
    MutexLock lock(&mutex_);
    auto* out = static_cast<unsigned char*>(data);
    for (size_t i = 0; i < size; ++i) out[i] = static_cast<unsigned char>(engine_() >> 32);
  }

 private:
  Mutex mutex_;
  std::mt19937_64 engine_ RB_GUARDED_BY(mutex_);
};

// A character for each byte.
std::string Text(std::string_view prefix, int shard, const unsigned char* bytes, size_t characters) {
  RB_CHECK(shard >= 0 && shard < kShards);
  std::string text = absl::StrCat(absl::string_view(prefix.data(), prefix.size()), shard / 10, shard % 10);
  for (size_t i = 0; i < characters; ++i) text.push_back(kAlphabet[bytes[i] & 31]);
  return text;
}

std::string NewText(std::string_view prefix, int shard, size_t characters, Random& random) {
  unsigned char bytes[32];
  random.Fill(bytes, characters);
  return Text(prefix, shard, bytes, characters);
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

std::unique_ptr<Random> NewSystemRandom() { return std::make_unique<SystemRandom>(); }
std::unique_ptr<Random> NewSeededRandom(uint64_t seed) { return std::make_unique<SeededRandom>(seed); }

std::string NewId(std::string_view prefix, int shard, Random& random) { return NewText(prefix, shard, 12, random); }

std::string HashedId(std::string_view prefix, int shard, std::string_view identity) {
  unsigned char hash[crypto_hash_sha256_BYTES];
  crypto_hash_sha256(hash, reinterpret_cast<const unsigned char*>(identity.data()), identity.size());
  return Text(prefix, shard, hash, 12);
}

std::string NewSecret(std::string_view prefix, int shard, Random& random) { return NewText(prefix, shard, 26, random); }

absl::StatusOr<int> ShardOf(std::string_view id) {
  const auto text = absl::string_view(id.data(), id.size());
  if (id.size() < 5 || !IsDigit(id[2]) || !IsDigit(id[3])) {
    return absl::InvalidArgumentError(absl::StrCat("\"", text.substr(0, 40), "\" is not an id; ids look like cb07h3k9x2m4q8w1"));
  }
  const int shard = (id[2] - '0') * 10 + (id[3] - '0');
  if (shard >= kShards || id.substr(4).find_first_not_of(kAlphabet) != std::string_view::npos) {
    return absl::InvalidArgumentError(absl::StrCat("\"", text.substr(0, 40), "\" is not an id; ids look like cb07h3k9x2m4q8w1"));
  }
  return shard;
}

absl::StatusOr<int> ShardOf(std::string_view id, std::string_view prefix) {
  if (id.substr(0, prefix.size()) != prefix) {
    return absl::InvalidArgumentError(absl::StrCat("\"", absl::string_view(id.data(), id.size()).substr(0, 40),
                                                   "\" does not begin with \"",
                                                   absl::string_view(prefix.data(), prefix.size()), "\""));
  }
  return ShardOf(id);
}

std::string Sha256Hex(std::string_view bytes) {
  unsigned char hash[crypto_hash_sha256_BYTES];
  crypto_hash_sha256(hash, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  char hex[sizeof hash * 2 + 1];
  sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
  return hex;
}

}  // namespace ringback
