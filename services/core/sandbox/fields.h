// Values one after the other in a request or an answer: numbers as they lie in memory (both ends run on one machine and are
// shipped together), bytes behind their length. What a message means, and its version, is its owner's business.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace ringback::sandbox {

class FieldWriter {
 public:
  template <typename T>
  void Number(T value) {
    static_assert(std::is_arithmetic_v<T> || std::is_enum_v<T>);
    out_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void Flag(bool value) { Number<uint8_t>(value ? 1 : 0); }
  // How many elements follow.
  void Count(size_t count) { Number(static_cast<uint32_t>(count)); }
  void Bytes(std::string_view bytes) {
    Number<uint64_t>(bytes.size());
    out_.append(bytes);
  }
  void Reserve(size_t size) { out_.reserve(size); }
  std::string Take() { return std::move(out_); }

 private:
  std::string out_;
};

// For bytes from a process that read hostile input: nothing is read past the end. A field that is not there, or not what it
// should be, turns good() false for ever; what is read then is zero, empty or nonsense, but harmless. `in` must outlive it.
class FieldReader {
 public:
  explicit FieldReader(std::string_view in) : in_(in) {}

  template <typename T>
  T Number() {
    static_assert(std::is_arithmetic_v<T> || std::is_enum_v<T>);
    T value{};
    Expect(in_.size() >= sizeof value);
    if (!good_) return value;
    std::memcpy(&value, in_.data(), sizeof value);
    in_.remove_prefix(sizeof value);
    return value;
  }
  // Finite.
  double Real() {
    const double value = Number<double>();
    Expect(std::isfinite(value));
    return value;
  }
  bool Flag() {
    const auto value = Number<uint8_t>();
    Expect(value <= 1);
    return value == 1;
  }
  // At most `count_max`, and no more than there can be in what is left: an element takes a byte at least.
  uint32_t Count(uint32_t count_max) {
    const auto count = Number<uint32_t>();
    Expect(count <= count_max && count <= in_.size());
    return good_ ? count : 0;
  }
  // Into `in`.
  std::string_view Bytes() {
    const auto size = Number<uint64_t>();
    Expect(size <= in_.size());
    if (!good_) return {};
    const std::string_view bytes = in_.substr(0, size);
    in_.remove_prefix(size);
    return bytes;
  }
  void Expect(bool true_here) { good_ = good_ && true_here; }

  bool good() const { return good_; }
  bool AtEnd() const { return good_ && in_.empty(); }
  std::string_view rest() const { return in_; }

 private:
  std::string_view in_;
  bool good_ = true;
};

}  // namespace ringback::sandbox
