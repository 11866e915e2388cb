#include "delivery/mail_in/mail_wire.h"

#include <cstring>

#include "delivery/mail_in/mail_text.h"

namespace ringback::delivery {
namespace {

constexpr uint32_t kRequestVersion = 0x52424D01;
constexpr uint32_t kAnswerVersion = 0x52424D81;
constexpr uint32_t kListMax = 4096;

class Writer {
 public:
  template <typename T>
  void Number(T value) {
    out_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void Bytes(std::string_view bytes) {
    Number<uint64_t>(bytes.size());
    out_.append(bytes);
  }
  void List(const std::vector<std::string>& list) {
    Number<uint32_t>(static_cast<uint32_t>(list.size()));
    for (const std::string& one : list) Bytes(one);
  }
  void Reserve(size_t size) { out_.reserve(size); }
  std::string Take() { return std::move(out_); }

 private:
  std::string out_;
};

// Reading past the end or a value out of range turns `good` false for ever.
class Reader {
 public:
  explicit Reader(std::string_view in) : in_(in) {}
  template <typename T>
  T Number() {
    T value{};
    if (in_.size() < sizeof value) {
      good_ = false;
      return value;
    }
    std::memcpy(&value, in_.data(), sizeof value);
    in_.remove_prefix(sizeof value);
    return value;
  }
  std::string_view Bytes() {
    const auto size = Number<uint64_t>();
    if (size > in_.size()) {
      good_ = false;
      return {};
    }
    const std::string_view bytes = in_.substr(0, size);
    in_.remove_prefix(size);
    return bytes;
  }
  std::string Line() {
    std::string line(Bytes());
    good_ = good_ && IsCleanLine(line);
    return line;
  }
  std::string Text() {
    std::string text(Bytes());
    good_ = good_ && IsCleanText(text);
    return text;
  }
  std::vector<std::string> List() {
    std::vector<std::string> list(Count());
    for (std::string& one : list) one = Line();
    return list;
  }
  uint32_t Count() {
    const auto count = Number<uint32_t>();
    // An element takes eight bytes at least.
    if (count > kListMax || count > in_.size()) good_ = false;
    return good_ ? count : 0;
  }
  bool Flag() {
    const auto value = Number<uint8_t>();
    good_ = good_ && value <= 1;
    return value == 1;
  }
  std::string_view rest() const { return in_; }
  bool good() const { return good_; }
  void Expect(bool true_here) { good_ = good_ && true_here; }

 private:
  std::string_view in_;
  bool good_ = true;
};

}  // namespace

std::string EncodeLimits(const MailLimits& limits) {
  Writer w;
  w.Number(kRequestVersion);
  for (uint64_t value : {limits.header_bytes_max, limits.file_bytes_max, limits.all_files_bytes_max, limits.text_bytes_max}) {
    w.Number(value);
  }
  for (int32_t value : {limits.depth_max, limits.parts_max}) w.Number(value);
  w.Number<uint8_t>(limits.headers_only ? 1 : 0);
  return w.Take();
}

std::optional<MailLimits> DecodeLimits(std::string_view request, size_t* rest) {
  Reader r(request);
  MailLimits limits;
  if (r.Number<uint32_t>() != kRequestVersion) return std::nullopt;
  for (uint64_t* value :
       {&limits.header_bytes_max, &limits.file_bytes_max, &limits.all_files_bytes_max, &limits.text_bytes_max}) {
    *value = r.Number<uint64_t>();
  }
  for (int* value : {&limits.depth_max, &limits.parts_max}) *value = r.Number<int32_t>();
  limits.headers_only = r.Flag();
  if (!r.good()) return std::nullopt;
  *rest = request.size() - r.rest().size();
  return limits;
}

std::string EncodeMail(const ParsedMail& mail) {
  Writer w;
  size_t size = 4096 + mail.text.size();
  for (const MailFile& file : mail.files) size += file.bytes.size() + 512;
  w.Reserve(size);
  w.Number(kAnswerVersion);
  w.Number(mail.kind);
  for (const std::string* line : {&mail.sender, &mail.subject, &mail.message_id, &mail.date, &mail.automatic_sign,
                                  &mail.bounce.recipient, &mail.bounce.status, &mail.bounce.diagnostic,
                                  &mail.bounce.message_id, &mail.calendar.uid, &mail.calendar.participation}) {
    w.Bytes(*line);
  }
  w.Bytes(mail.text);
  w.Number<uint8_t>(mail.bounce.permanent ? 1 : 0);
  w.Number<int32_t>(mail.calendar.sequence);
  for (const auto* list : {&mail.recipients, &mail.in_reply_to, &mail.references, &mail.remarks}) w.List(*list);
  w.Number<uint32_t>(static_cast<uint32_t>(mail.files.size()));
  for (const MailFile& file : mail.files) {
    for (const std::string* line : {&file.file_name, &file.media_type, &file.drop_reason}) w.Bytes(*line);
    w.Number(file.size_bytes);
    w.Bytes(file.bytes);
  }
  return w.Take();
}

absl::StatusOr<ParsedMail> DecodeMail(std::string_view bytes) {
  Reader r(bytes);
  ParsedMail mail;
  r.Expect(r.Number<uint32_t>() == kAnswerVersion);
  mail.kind = r.Number<MailKind>();
  r.Expect(mail.kind >= MailKind::kReply && mail.kind <= MailKind::kUnreadable);
  for (std::string* line : {&mail.sender, &mail.subject, &mail.message_id, &mail.date, &mail.automatic_sign,
                            &mail.bounce.recipient, &mail.bounce.status, &mail.bounce.diagnostic,
                            &mail.bounce.message_id, &mail.calendar.uid, &mail.calendar.participation}) {
    *line = r.Line();
  }
  mail.text = r.Text();
  mail.bounce.permanent = r.Flag();
  mail.calendar.sequence = r.Number<int32_t>();
  for (auto* list : {&mail.recipients, &mail.in_reply_to, &mail.references, &mail.remarks}) *list = r.List();
  mail.files.resize(r.Count());
  for (MailFile& file : mail.files) {
    for (std::string* line : {&file.file_name, &file.media_type, &file.drop_reason}) *line = r.Line();
    file.size_bytes = r.Number<uint64_t>();
    file.bytes = std::string(r.Bytes());
    r.Expect(file.drop_reason.empty() ? file.size_bytes == file.bytes.size() : file.bytes.empty());
  }
  if (!r.good() || !r.rest().empty()) return absl::InternalError("the mail parser's answer is malformed");
  return mail;
}

}  // namespace ringback::delivery
