#include "core/handoff/wire.h"

#include <cstring>

namespace ringback::handoff {
namespace {

constexpr char kMark[] = {'r', 'b', '\x01'};  // the last one is the version
constexpr size_t kAccountsMax = 1000;

// Little-endian, whatever the machine is.
template <typename Number>
void Put(Number number, std::string* out) {
  for (size_t i = 0; i < sizeof(Number); ++i) out->push_back(static_cast<char>(number >> (8 * i)));
}
void Put(const std::string& text, std::string* out) {
  Put(static_cast<uint32_t>(text.size()), out);
  out->append(text);
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  template <typename Number>
  bool Take(Number* number) {
    if (bytes_.size() < sizeof(Number)) return false;
    *number = 0;
    for (size_t i = 0; i < sizeof(Number); ++i) {
      *number |= static_cast<Number>(static_cast<unsigned char>(bytes_[i])) << (8 * i);
    }
    bytes_.remove_prefix(sizeof(Number));
    return true;
  }
  bool Take(std::string* text) {
    uint32_t size = 0;
    if (!Take(&size) || bytes_.size() < size) return false;
    text->assign(bytes_.substr(0, size));
    bytes_.remove_prefix(size);
    return true;
  }

 private:
  std::string_view bytes_;
};

}  // namespace

std::string Encode(const Frame& frame) {
  std::string out(kMark, sizeof kMark);
  out.push_back(static_cast<char>(frame.type));
  Put(frame.epoch, &out);
  Put(frame.stage, &out);
  Put(frame.count, &out);
  Put(frame.refusals, &out);
  Put(frame.key, &out);
  Put(frame.traceparent, &out);
  Put(static_cast<uint32_t>(frame.accounts.size()), &out);
  for (const Frame::Account& account : frame.accounts) {
    Put(account.stage, &out);
    Put(account.total, &out);
  }
  return out;
}

std::optional<Frame> Decode(std::string_view bytes) {
  if (bytes.size() <= sizeof kMark || std::memcmp(bytes.data(), kMark, sizeof kMark) != 0) return std::nullopt;
  const auto type = static_cast<uint8_t>(bytes[sizeof kMark]);
  if (type < static_cast<uint8_t>(Frame::Type::kBeat) || type > static_cast<uint8_t>(Frame::Type::kWanted)) {
    return std::nullopt;
  }
  Frame frame;
  frame.type = static_cast<Frame::Type>(type);
  Reader reader(bytes.substr(sizeof kMark + 1));
  uint32_t accounts = 0;
  if (!reader.Take(&frame.epoch) || !reader.Take(&frame.stage) || !reader.Take(&frame.count) ||
      !reader.Take(&frame.refusals) || !reader.Take(&frame.key) || !reader.Take(&frame.traceparent) ||
      !reader.Take(&accounts) || accounts > kAccountsMax) {
    return std::nullopt;
  }
  frame.accounts.resize(accounts);
  for (Frame::Account& account : frame.accounts) {
    if (!reader.Take(&account.stage) || !reader.Take(&account.total)) return std::nullopt;
  }
  return frame;
}

}  // namespace ringback::handoff
