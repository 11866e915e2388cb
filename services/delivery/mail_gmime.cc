// Composes mails with GMime 3: the only file of this room that knows the library. What may be composed is decided in
// mail_message.cc.
//
// Threads: GMime objects are made, used and freed within one call; the library keeps no state beyond g_mime_init.
// Attachments never pass through it: it composes the mail around a mark for each, in whose place their base64 comes
// at the end. Its filters look at every byte several times, which made up most of a mail's cost.
#include <gmime/gmime.h>

#include <algorithm>
#include <memory>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "core/base/ids.h"
#include "core/base/status_macros.h"
#include "delivery/mail_message.h"

namespace ringback::delivery {
namespace {

struct Unref {
  void operator()(void* object) const { g_object_unref(object); }
};
template <typename T>
using Object = std::unique_ptr<T, Unref>;

struct GFree {
  void operator()(void* memory) const { g_free(memory); }
};

void InitOnce() {
  static const bool done = [] {
    g_mime_init();
    return true;
  }();
  (void)done;
}

// Text as RFC 2047 encoded words of at most 75 characters, when it needs them. GMime alone would pass on a name that
// merely looks like an encoded word ("=?utf-8?q?…?="), and the reader would see something the sender never typed; and
// it would fold a long quoted string, whose line breaks some readers keep.
std::string EncodedWords(absl::string_view text) {
  const bool ascii = std::all_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x80; });
  if (ascii && text.size() <= 60 && !absl::StrContains(text, "=?")) return std::string(text);
  constexpr size_t kBytesPerWord = 42;  // 56 characters of base64 and 12 around them
  std::vector<std::string> words;
  while (!text.empty()) {
    size_t size = std::min(kBytesPerWord, text.size());
    while (size < text.size() && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
    words.push_back(absl::StrCat("=?UTF-8?B?", absl::Base64Escape(text.substr(0, size)), "?="));
    text.remove_prefix(size);
  }
  return absl::StrJoin(words, " ");
}

// Boundaries are a function of the mail, so that a repeated send gives the same bytes. "=_" occurs in no
// quoted-printable or base64 body (RFC 2045, 6.7).
// Not by g_mime_multipart_new_with_subtype, which reads /dev/urandom for a boundary of its own.
Object<GMimeMultipart> Multipart(const char* subtype, const MailMessage& message) {
  Object<GMimeMultipart> multipart(static_cast<GMimeMultipart*>(g_object_new(GMIME_TYPE_MULTIPART, nullptr)));
  const Object<GMimeContentType> type(g_mime_content_type_new("multipart", subtype));
  g_mime_object_set_content_type(GMIME_OBJECT(multipart.get()), type.get());
  const std::string digest = Sha256Hex(absl::StrCat(message.message_id, "/", subtype));
  g_mime_multipart_set_boundary(multipart.get(), absl::StrCat("=_", digest.substr(0, 32)).c_str());
  return multipart;
}

Object<GMimeObject> TextPart(const char* subtype, absl::string_view text) {
  Object<GMimePart> part(g_mime_part_new_with_type("text", subtype));
  g_mime_object_set_content_type_parameter(GMIME_OBJECT(part.get()), "charset", "utf-8");
  std::string lines = absl::StrReplaceAll(text, {{"\r\n", "\n"}});
  if (!absl::EndsWith(lines, "\n")) lines += '\n';
  Object<GMimeStream> stream(g_mime_stream_mem_new_with_buffer(lines.data(), lines.size()));
  Object<GMimeDataWrapper> content(
      g_mime_data_wrapper_new_with_stream(stream.get(), GMIME_CONTENT_ENCODING_DEFAULT));
  g_mime_part_set_content(part.get(), content.get());
  g_mime_part_set_content_encoding(part.get(), GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE);
  return Object<GMimeObject>(GMIME_OBJECT(part.release()));
}

// A part whose base64 comes later. The mark, taken for base64 already, goes through as it is; "=_" occurs in no body.
std::string MarkOf(const MailMessage& message, size_t attachment) {
  return absl::StrCat("=_", Sha256Hex(absl::StrCat(message.message_id, "/attachment/", attachment)).substr(0, 32));
}

// RFC 2045, 6.8: lines of 76 characters; the last one's end is the boundary's.
void AppendBase64(absl::string_view bytes, std::string* out) {
  constexpr size_t kLine = 76, kBytesOfLines = 57 * 64;
  std::string lines;
  const size_t begin = out->size();
  for (; !bytes.empty(); bytes.remove_prefix(std::min(kBytesOfLines, bytes.size()))) {
    absl::Base64Escape(bytes.substr(0, kBytesOfLines), &lines);
    for (size_t at = 0; at < lines.size(); at += kLine) {
      if (out->size() > begin) out->append("\r\n", 2);
      out->append(lines, at, kLine);
    }
  }
}

// `skeleton` with every attachment in the place of its mark.
absl::StatusOr<std::string> Filled(absl::string_view skeleton, const MailMessage& message) {
  size_t size = skeleton.size();
  for (const MailAttachment& attachment : message.attachments) size += attachment.bytes.size() * 4 / 3 * 78 / 76 + 80;
  std::string mail;
  mail.reserve(size);
  for (size_t i = 0; i < message.attachments.size(); ++i) {
    const std::string mark = MarkOf(message, i);
    const size_t at = skeleton.find(mark);
    if (at == absl::string_view::npos) return absl::InternalError("the mail has no place for an attachment");
    mail.append(skeleton.data(), at);
    AppendBase64(message.attachments[i].bytes, &mail);
    skeleton.remove_prefix(at + mark.size());
  }
  mail.append(skeleton.data(), skeleton.size());
  return mail;
}

enum class Content { kBytes, kBase64 };

Object<GMimeObject> FilePart(absl::string_view mime_type, const std::string& filename, const std::string& bytes,
                             Content are) {
  const std::pair<std::string, std::string> type = absl::StrSplit(mime_type, absl::MaxSplits('/', 1));
  Object<GMimePart> part(g_mime_part_new_with_type(type.first.c_str(), type.second.c_str()));
  Object<GMimeStream> stream(g_mime_stream_mem_new_with_buffer(bytes.data(), bytes.size()));
  Object<GMimeDataWrapper> content(g_mime_data_wrapper_new_with_stream(
      stream.get(), are == Content::kBase64 ? GMIME_CONTENT_ENCODING_BASE64 : GMIME_CONTENT_ENCODING_DEFAULT));
  g_mime_part_set_content(part.get(), content.get());
  g_mime_part_set_content_encoding(part.get(), GMIME_CONTENT_ENCODING_BASE64);
  g_mime_object_set_disposition(GMIME_OBJECT(part.get()), "attachment");
  g_mime_part_set_filename(part.get(), filename.c_str());
  return Object<GMimeObject>(GMIME_OBJECT(part.release()));
}

Object<GMimeObject> Body(const MailMessage& message) {
  Object<GMimeObject> text = TextPart("plain", message.text);
  if (message.html.empty()) return text;
  Object<GMimeMultipart> alternative = Multipart("alternative", message);
  g_mime_multipart_add(alternative.get(), text.get());
  g_mime_multipart_add(alternative.get(), TextPart("html", message.html).get());
  return Object<GMimeObject>(GMIME_OBJECT(alternative.release()));
}

Object<GMimeObject> BodyWithFiles(const MailMessage& message) {
  Object<GMimeObject> body = Body(message);
  if (message.attachments.empty() && message.calendar.ics.empty()) return body;
  Object<GMimeMultipart> mixed = Multipart("mixed", message);
  g_mime_multipart_add(mixed.get(), body.get());
  for (size_t i = 0; i < message.attachments.size(); ++i) {
    const MailAttachment& attachment = message.attachments[i];
    g_mime_multipart_add(
        mixed.get(),
        FilePart(attachment.mime_type, attachment.filename, MarkOf(message, i), Content::kBase64).get());
  }
  if (!message.calendar.ics.empty()) {
    Object<GMimeObject> calendar = FilePart("text/calendar", message.calendar.filename, message.calendar.ics, Content::kBytes);
    g_mime_object_set_content_type_parameter(calendar.get(), "charset", "utf-8");
    g_mime_object_set_content_type_parameter(calendar.get(), "method", message.calendar.method.c_str());
    g_mime_multipart_add(mixed.get(), calendar.get());
  }
  return Object<GMimeObject>(GMIME_OBJECT(mixed.release()));
}

absl::Status AddMailbox(GMimeMessage* message, GMimeAddressType type, const MailAddress& mailbox) {
  RB_ASSIGN_OR_RETURN(const std::string address, CheckedAddress("address", mailbox.address));
  g_mime_message_add_mailbox(message, type, mailbox.name.empty() ? nullptr : EncodedWords(mailbox.name).c_str(),
                             address.c_str());
  return absl::OkStatus();
}

void SetDate(GMimeMessage* message, absl::Time date, absl::TimeZone zone) {
  GTimeZone* offset = g_time_zone_new_offset(zone.At(date).offset);
  GDateTime* utc = g_date_time_new_from_unix_utc(absl::ToUnixSeconds(date));
  GDateTime* local = g_date_time_to_timezone(utc, offset);
  g_mime_message_set_date(message, local);
  g_date_time_unref(local);
  g_date_time_unref(utc);
  g_time_zone_unref(offset);
}

void SetHeader(GMimeMessage* message, const char* name, const std::string& value) {
  g_mime_object_set_header(GMIME_OBJECT(message), name, value.c_str(), nullptr);
}

}  // namespace

std::string AsciiDomain(absl::string_view domain) {
  const std::unique_ptr<char, GFree> ascii(g_hostname_to_ascii(std::string(domain).c_str()));
  return ascii ? ascii.get() : "";
}

absl::StatusOr<std::string> ComposeMail(const MailMessage& message) {
  RB_RETURN_IF_ERROR(CheckMail(message));
  InitOnce();
  Object<GMimeMessage> mail(g_mime_message_new(/*pretty_headers=*/TRUE));
  SetDate(mail.get(), message.date, message.date_zone);
  RB_RETURN_IF_ERROR(AddMailbox(mail.get(), GMIME_ADDRESS_TYPE_FROM, message.from));
  if (!message.reply_to.address.empty()) {
    RB_RETURN_IF_ERROR(AddMailbox(mail.get(), GMIME_ADDRESS_TYPE_REPLY_TO, message.reply_to));
  }
  RB_RETURN_IF_ERROR(AddMailbox(mail.get(), GMIME_ADDRESS_TYPE_TO, message.to));
  g_mime_message_set_subject(mail.get(), EncodedWords(message.subject).c_str(), "utf-8");
  g_mime_message_set_message_id(mail.get(), message.message_id.c_str());
  if (!message.in_reply_to.empty()) SetHeader(mail.get(), "In-Reply-To", absl::StrCat("<", message.in_reply_to, ">"));
  if (!message.references.empty()) {
    SetHeader(mail.get(), "References", absl::StrCat("<", absl::StrJoin(message.references, "> <"), ">"));
  }
  if (message.auto_submitted != AutoSubmitted::kNo) {
    const bool replied = message.auto_submitted == AutoSubmitted::kReplied;
    SetHeader(mail.get(), "Auto-Submitted", replied ? "auto-replied" : "auto-generated");
    // Exchange heeds this one; without it two out-of-office rules could talk to each other through ringback.
    SetHeader(mail.get(), "X-Auto-Response-Suppress", "All");
  }
  g_mime_message_set_mime_part(mail.get(), BodyWithFiles(message).get());

  GMimeFormatOptions* format = g_mime_format_options_clone(nullptr);
  g_mime_format_options_set_newline_format(format, GMIME_NEWLINE_FORMAT_DOS);
  g_mime_format_options_set_param_encoding_method(format, GMIME_PARAM_ENCODING_METHOD_RFC2231);
  Object<GMimeStream> stream(g_mime_stream_mem_new());
  const ssize_t written = g_mime_object_write_to_stream(GMIME_OBJECT(mail.get()), format, stream.get());
  g_mime_format_options_free(format);
  if (written < 0) return absl::InternalError("the mail could not be written");
  const GByteArray* bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream.get()));
  return Filled({reinterpret_cast<const char*>(bytes->data), bytes->len}, message);
}

}  // namespace ringback::delivery
