#include "delivery/mail_in/mail_wire.h"

#include "core/sandbox/fields.h"
#include "delivery/mail_in/mail_text.h"

namespace ringback::delivery {
namespace {

constexpr uint32_t kRequestVersion = 0x52424D01;
constexpr uint32_t kAnswerVersion = 0x52424D81;
constexpr uint32_t kListMax = 4096;

using sandbox::FieldReader;
using sandbox::FieldWriter;

void WriteLines(FieldWriter& w, const std::vector<std::string>& lines) {
  w.Count(lines.size());
  for (const std::string& one : lines) w.Bytes(one);
}

std::string ReadLine(FieldReader& r) {
  std::string line(r.Bytes());
  r.Expect(IsCleanLine(line));
  return line;
}
std::string ReadText(FieldReader& r) {
  std::string text(r.Bytes());
  r.Expect(IsCleanText(text));
  return text;
}
std::vector<std::string> ReadLines(FieldReader& r) {
  std::vector<std::string> lines(r.Count(kListMax));
  for (std::string& one : lines) one = ReadLine(r);
  return lines;
}

}  // namespace

std::string EncodeLimits(const MailLimits& limits) {
  FieldWriter w;
  w.Number(kRequestVersion);
  for (uint64_t value : {limits.header_bytes_max, limits.file_bytes_max, limits.all_files_bytes_max, limits.text_bytes_max}) {
    w.Number(value);
  }
  for (int32_t value : {limits.depth_max, limits.parts_max}) w.Number(value);
  w.Flag(limits.headers_only);
  return w.Take();
}

std::optional<MailLimits> DecodeLimits(std::string_view request, size_t* rest) {
  FieldReader r(request);
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
  FieldWriter w;
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
  w.Flag(mail.bounce.permanent);
  w.Number<int32_t>(mail.calendar.sequence);
  for (const auto* list : {&mail.recipients, &mail.in_reply_to, &mail.references, &mail.remarks}) WriteLines(w, *list);
  w.Count(mail.files.size());
  for (const MailFile& file : mail.files) {
    for (const std::string* line : {&file.file_name, &file.media_type, &file.drop_reason}) w.Bytes(*line);
    w.Number(file.size_bytes);
    w.Bytes(file.bytes);
  }
  return w.Take();
}

absl::StatusOr<ParsedMail> DecodeMail(std::string_view bytes) {
  FieldReader r(bytes);
  ParsedMail mail;
  r.Expect(r.Number<uint32_t>() == kAnswerVersion);
  mail.kind = r.Number<MailKind>();
  r.Expect(mail.kind >= MailKind::kReply && mail.kind <= MailKind::kUnreadable);
  for (std::string* line : {&mail.sender, &mail.subject, &mail.message_id, &mail.date, &mail.automatic_sign,
                            &mail.bounce.recipient, &mail.bounce.status, &mail.bounce.diagnostic,
                            &mail.bounce.message_id, &mail.calendar.uid, &mail.calendar.participation}) {
    *line = ReadLine(r);
  }
  mail.text = ReadText(r);
  mail.bounce.permanent = r.Flag();
  mail.calendar.sequence = r.Number<int32_t>();
  for (auto* list : {&mail.recipients, &mail.in_reply_to, &mail.references, &mail.remarks}) *list = ReadLines(r);
  mail.files.resize(r.Count(kListMax));
  for (MailFile& file : mail.files) {
    for (std::string* line : {&file.file_name, &file.media_type, &file.drop_reason}) *line = ReadLine(r);
    file.size_bytes = r.Number<uint64_t>();
    file.bytes = std::string(r.Bytes());
    r.Expect(file.drop_reason.empty() ? file.size_bytes == file.bytes.size() : file.bytes.empty());
  }
  if (!r.AtEnd()) return absl::InternalError("the mail parser's answer is malformed");
  return mail;
}

}  // namespace ringback::delivery
