// A list of texts and whole numbers as one argument of a script, which reads it with cmsgpack.unpack: an argument of its
// own for each costs Redis more than the commands that use it. Format: https://github.com/msgpack/msgpack/blob/master/spec.md
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ringback::store {

class RedisPacked {
 public:
  RedisPacked& Add(std::string_view text) {
    if (text.size() < 32) {
      bytes_.push_back(static_cast<char>(0xa0 | text.size()));
    } else {
      Head(0xdb, text.size(), 4);
    }
    bytes_.append(text);
    ++count_;
    return *this;
  }
  RedisPacked& Add(int64_t number) {
    Head(0xd3, static_cast<uint64_t>(number), 8);
    ++count_;
    return *this;
  }
  std::string Bytes() const {
    RedisPacked whole;
    whole.Head(0xdd, count_, 4);
    return whole.bytes_ + bytes_;
  }

 private:
  void Head(int type, uint64_t value, int value_bytes) {
    bytes_.push_back(static_cast<char>(type));
    for (int i = value_bytes - 1; i >= 0; --i) bytes_.push_back(static_cast<char>(value >> (8 * i)));
  }

  std::string bytes_;
  uint64_t count_ = 0;
};

}  // namespace ringback::store
