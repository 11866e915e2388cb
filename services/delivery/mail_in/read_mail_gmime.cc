// With GMime 3: the only file of this room that knows it. What the parts mean is decided in mail_signs.cc, read_files.cc,
// html_text.cc and new_words.cc.
#include <gmime/gmime.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "delivery/mail_in/html_text.h"
#include "delivery/mail_in/mail_signs.h"
#include "delivery/mail_in/mail_text.h"
#include "delivery/mail_in/new_words.h"
#include "delivery/mail_in/read_calendar.h"
#include "delivery/mail_in/read_files.h"
#include "delivery/mail_in/read_mail.h"

namespace ringback::delivery {
namespace {

constexpr size_t kHeadersMax = 1000;
constexpr size_t kValueMax = 4000;        // bytes of one header's value that are looked at
constexpr size_t kRecipientsMax = 100;
constexpr size_t kReferencesMax = 50;
constexpr size_t kTextReadMax = 2 << 20;  // bytes of a text part that are decoded
constexpr size_t kWordsReadMax = 256 << 10;

struct Unref {
  void operator()(void* object) const { g_object_unref(object); }
};
template <typename T>
using Object = std::unique_ptr<T, Unref>;

std::string OrEmpty(const char* text) { return text == nullptr ? "" : text; }

// What the bytes in `view` are, as a stream that copies none of them. The bytes must outlive it.
Object<GMimeStream> StreamOver(std::string_view bytes, GByteArray* frame) {
  frame->data = reinterpret_cast<guint8*>(const_cast<char*>(bytes.data()));
  frame->len = static_cast<guint>(bytes.size());
  Object<GMimeStream> stream(g_mime_stream_mem_new());
  g_mime_stream_mem_set_byte_array(GMIME_STREAM_MEM(stream.get()), frame);
  return stream;
}

// Where the headers end and the body begins; the size when there is no body.
size_t EndOfHeaders(std::string_view mail) {
  for (size_t at = mail.find('\n'); at != std::string_view::npos; at = mail.find('\n', at + 1)) {
    if (mail.substr(at + 1, 1) == "\n") return at + 2;
    if (mail.substr(at + 1, 2) == "\r\n") return at + 3;
  }
  return mail.size();
}

class Reader {
 public:
  Reader(std::string bytes, const MailLimits& limits) : bytes_(std::move(bytes)), limits_(limits) {}

  ParsedMail Run() {
    CutHeaders();
    GByteArray frame{};
    const Object<GMimeStream> stream = StreamOver(bytes_, &frame);
    const Object<GMimeParser> parser(g_mime_parser_new_with_stream(stream.get()));
    g_mime_parser_set_persist_stream(parser.get(), TRUE);  // parts are pieces of the mail, not copies
    const Object<GMimeMessage> message(g_mime_parser_construct_message(parser.get(), nullptr));
    if (message == nullptr) {
      Remark("it does not read as a mail");
      return std::move(mail_);
    }
    ReadHeaders(message.get());
    if (limits_.headers_only) {
      Remark("its body could not be read; the original is kept");
      return std::move(mail_);
    }
    GMimeObject* const body = g_mime_message_get_mime_part(message.get());
    if (body != nullptr) Walk(body, 1, &texts_);
    Judge();
    return std::move(mail_);
  }

 private:
  struct Texts {
    std::string plain, html;
  };

  void Remark(std::string text) {
    if (mail_.remarks.size() < 50) mail_.remarks.push_back(CleanLine(text, 300));
  }

  void CutHeaders() {
    if (absl::StartsWith(bytes_, "From ")) {  // mbox, as Postfix' pipe with flag F and procmail write it
      bytes_.erase(0, std::min(bytes_.find('\n'), bytes_.size() - 1) + 1);
    }
    const size_t end = EndOfHeaders(bytes_);
    if (limits_.headers_only) bytes_.resize(end);
    if (end <= limits_.header_bytes_max) return;
    // At the end of a line, so that no half value is read.
    const size_t cut = bytes_.rfind('\n', limits_.header_bytes_max - 1);
    const size_t keep = cut == std::string::npos ? 0 : cut + 1;
    bytes_.replace(keep, end - keep, "\r\n");
    Remark(absl::StrCat("its headers are longer than ", limits_.header_bytes_max >> 10, " KiB; the rest of them was not read"));
  }

  void ReadHeaders(GMimeMessage* message) {
    GMimeHeaderList* const list = g_mime_object_get_header_list(GMIME_OBJECT(message));
    const int count = std::min<int>(g_mime_header_list_get_count(list), kHeadersMax);
    for (int i = 0; i < count; ++i) {
      GMimeHeader* const header = g_mime_header_list_get_header_at(list, i);
      headers_.emplace_back(Lower(OrEmpty(g_mime_header_get_name(header))), CleanLine(OrEmpty(g_mime_header_get_raw_value(header)), kValueMax));
    }
    mail_.sender = Sender(message);
    mail_.subject = CleanLine(OrEmpty(g_mime_message_get_subject(message)), 500);
    mail_.date = CleanLine(HeaderOf(headers_, "date"), 100);
    if (const auto ids = MessageIds(HeaderOf(headers_, "message-id"), 1); !ids.empty()) mail_.message_id = ids.front();
    for (const auto& [name, value] : headers_) {
      if (name == "in-reply-to") Append(MessageIds(value, kReferencesMax), &mail_.in_reply_to);
      if (name == "references") Append(MessageIds(value, kReferencesMax), &mail_.references);
    }
    for (const char* wanted : {"to", "cc", "delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-delivered-to", "x-rcpt-to", "resent-to"}) {
      for (const auto& [name, value] : headers_) {
        if (name == wanted) Append(Addresses(value, kRecipientsMax), &mail_.recipients);
      }
    }
  }

  // Each once, as far as there is room.
  static void Append(const std::vector<std::string>& more, std::vector<std::string>* list) {
    for (const std::string& one : more) {
      const std::string clean = CleanLine(one, 320);
      if (list->size() < kRecipientsMax && std::find(list->begin(), list->end(), clean) == list->end()) list->push_back(clean);
    }
  }

  std::string Sender(GMimeMessage* message) {
    InternetAddressList* const from = g_mime_message_get_from(message);
    for (int i = 0; from != nullptr && i < std::min(internet_address_list_length(from), 10); ++i) {
      InternetAddress* const one = internet_address_list_get_address(from, i);
      if (!INTERNET_ADDRESS_IS_MAILBOX(one)) continue;
      const std::string address = FirstAddress(OrEmpty(internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(one))));
      if (!address.empty()) return CleanLine(address, 320);
    }
    return CleanLine(FirstAddress(HeaderOf(headers_, "from")), 320);
  }

  // False when a limit is reached.
  bool Enter(int depth) {
    if (depth > limits_.depth_max) {
      if (!std::exchange(too_deep_, true)) Remark(absl::StrCat("its parts are nested deeper than ", limits_.depth_max, "; what is deeper was not read"));
      return false;
    }
    if (++parts_ > limits_.parts_max) {
      if (!std::exchange(too_many_, true)) Remark(absl::StrCat("it has more than ", limits_.parts_max, " parts; the rest was not read"));
      return false;
    }
    return true;
  }

  void Walk(GMimeObject* object, int depth, Texts* texts) {
    if (!Enter(depth)) return;
    if (GMIME_IS_MULTIPART(object)) return WalkMultipart(GMIME_MULTIPART(object), depth, texts);
    if (GMIME_IS_MESSAGE_PART(object)) return ReadMessagePart(GMIME_MESSAGE_PART(object));
    if (GMIME_IS_PART(object)) return ReadPart(GMIME_PART(object), texts);
  }

  void WalkMultipart(GMimeMultipart* multipart, int depth, Texts* texts) {
    GMimeContentType* const type = g_mime_object_get_content_type(GMIME_OBJECT(multipart));
    const bool alternative = g_mime_content_type_is_type(type, "multipart", "alternative");
    if (g_mime_content_type_is_type(type, "multipart", "report")) {
      report_ = Lower(OrEmpty(g_mime_object_get_content_type_parameter(GMIME_OBJECT(multipart), "report-type")));
    }
    if (g_mime_content_type_is_type(type, "multipart", "encrypted")) Remark("it is encrypted");
    Texts own;
    const int count = g_mime_multipart_get_count(multipart);
    for (int i = 0; i < count && !too_many_; ++i) {
      Walk(g_mime_multipart_get_part(multipart, i), depth + 1, alternative ? &own : texts);
    }
    if (!alternative) return;
    // The same in several forms: the plain one, unless it says nothing.
    const bool plain = !Trim(own.plain).empty();
    AddText(plain ? own.plain : own.html, plain ? &texts->plain : &texts->html);
  }

  static void AddText(const std::string& text, std::string* to) {
    if (!to->empty() && to->back() != '\n') to->push_back('\n');
    to->append(text);
  }

  // A mail in the mail: in a report the one that came back, else one that was attached.
  void ReadMessagePart(GMimeMessagePart* part) {
    GMimeMessage* const inner = g_mime_message_part_get_message(part);
    if (!report_.empty()) {
      if (inner != nullptr && original_id_.empty()) {
        original_id_ = CleanLine(OrEmpty(g_mime_message_get_message_id(inner)), 250);
      }
      return;
    }
    const std::string name = inner == nullptr ? "" : OrEmpty(g_mime_message_get_subject(inner));
    AddDropped(absl::StrCat(CleanFileName(name), ".eml"), "message/rfc822", 0, "type");
  }

  void ReadPart(GMimePart* part, Texts* texts) {
    GMimeContentType* const type = g_mime_object_get_content_type(GMIME_OBJECT(part));
    const std::string file_name = OrEmpty(g_mime_part_get_filename(part));
    const bool attached = absl::EqualsIgnoreCase(OrEmpty(g_mime_object_get_disposition(GMIME_OBJECT(part))), "attachment");
    const auto is = [&](const char* one, const char* other) { return g_mime_content_type_is_type(type, one, other); };
    if (is("message", "delivery-status") || is("message", "global-delivery-status")) {
      MailBounce bounce;
      has_status_ = true;
      if (ReadDeliveryStatus(Decoded(part, kTextReadMax), &bounce)) mail_.bounce = bounce, failed_ = true;
      return;
    }
    if (is("text", "rfc822-headers") || is("message", "rfc822-headers") || is("message", "global-headers")) {
      if (original_id_.empty()) original_id_ = QuotedMessageId(Decoded(part, kTextReadMax));
      return;
    }
    if (is("message", "disposition-notification")) return void(has_receipt_ = true);
    if (is("application", "pkcs7-signature") || is("application", "x-pkcs7-signature") || is("application", "pgp-signature")) return;
    if (is("text", "calendar") || is("application", "ics")) {
      if (const auto answer = ReadCalendarAnswer(Text(part)); answer.has_value() && mail_.calendar.uid.empty()) {
        mail_.calendar = *answer;
        return;
      }
    }
    if (!attached && is("text", "plain") && file_name.empty()) return AddText(Unflowed(part, Text(part)), &texts->plain);
    if (!attached && is("text", "html") && file_name.empty()) return AddText(HtmlToText(Text(part)), &texts->html);
    ReadFile(part, CleanLine(absl::StrCat(OrEmpty(g_mime_content_type_get_media_type(type)), "/", OrEmpty(g_mime_content_type_get_media_subtype(type))), 100),
             file_name);
  }

  void ReadFile(GMimePart* part, const std::string& type, const std::string& file_name) {
    GMimeDataWrapper* const content = g_mime_part_get_content(part);
    const int64_t length = content == nullptr ? 0 : g_mime_stream_length(g_mime_data_wrapper_get_stream(content));
    const bool base64 = g_mime_part_get_content_encoding(part) == GMIME_CONTENT_ENCODING_BASE64;
    const uint64_t size = length < 0 ? 0 : static_cast<uint64_t>(base64 ? length / 78 * 57 : length);
    const std::string name = CleanFileName(file_name);
    if (!MayBeKept(type, name)) return AddDropped(name, type, size, "type");
    if (size > limits_.file_bytes_max + limits_.file_bytes_max / 16) return AddDropped(name, type, size, "size");
    MailFile file;
    file.bytes = Decoded(part, limits_.file_bytes_max + 1);
    file.size_bytes = file.bytes.size();
    if (file.bytes.size() > limits_.file_bytes_max || all_files_ + file.bytes.size() > limits_.all_files_bytes_max) {
      return AddDropped(name, type, file.bytes.size(), "size");
    }
    file.media_type = KeptType(type, name, file.bytes);
    if (file.media_type.empty()) return AddDropped(name, type, file.bytes.size(), "type");
    all_files_ += file.bytes.size();
    file.file_name = name;
    mail_.files.push_back(std::move(file));
  }

  void AddDropped(std::string name, const std::string& type, uint64_t size, const char* reason) {
    MailFile file;
    file.file_name = std::move(name);
    file.media_type = type;
    file.size_bytes = size;
    file.drop_reason = reason;
    mail_.files.push_back(std::move(file));
  }

  // The transfer encoding taken off; at most about `bytes_max` of it.
  std::string Decoded(GMimePart* part, size_t bytes_max) {
    GMimeDataWrapper* const content = g_mime_part_get_content(part);
    if (content == nullptr) return "";
    GMimeStream* const whole = g_mime_data_wrapper_get_stream(content);
    const int64_t length = g_mime_stream_length(whole);
    // Base64 and the escapes of quoted-printable make three bytes of one at most.
    const auto read = static_cast<int64_t>(bytes_max) * 3;
    const Object<GMimeStream> piece(
        g_mime_stream_substream(whole, whole->bound_start, whole->bound_start + std::max<int64_t>(0, std::min(length, read))));
    const Object<GMimeDataWrapper> wrapper(g_mime_data_wrapper_new_with_stream(piece.get(), g_mime_data_wrapper_get_encoding(content)));
    const Object<GMimeStream> out(g_mime_stream_mem_new());
    g_mime_data_wrapper_write_to_stream(wrapper.get(), out.get());
    const GByteArray* const bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(out.get()));
    return std::string(reinterpret_cast<const char*>(bytes->data), std::min<size_t>(bytes->len, bytes_max));
  }

  std::string Text(GMimePart* part) {
    std::string bytes = Decoded(part, kTextReadMax + 1);
    if (bytes.size() > kTextReadMax) {
      bytes.resize(kTextReadMax);
      Remark("its text is very long; the rest was not read");
    }
    const std::string charset = OrEmpty(g_mime_object_get_content_type_parameter(GMIME_OBJECT(part), "charset"));
    bool known = true;
    std::string text = ToUtf8(bytes, charset, &known);
    if (!known) Remark(absl::StrCat("its character set \"", CleanLine(charset, 40), "\" is not known; letters may be wrong"));
    return CleanText(text, 3 * kTextReadMax);
  }

  // RFC 3676: a line that ends with a space goes on in the next.
  static std::string Unflowed(GMimePart* part, std::string text) {
    if (!absl::EqualsIgnoreCase(OrEmpty(g_mime_object_get_content_type_parameter(GMIME_OBJECT(part), "format")), "flowed")) return text;
    const bool delete_space = absl::EqualsIgnoreCase(OrEmpty(g_mime_object_get_content_type_parameter(GMIME_OBJECT(part), "delsp")), "yes");
    std::string out;
    bool open = false;
    for (std::string_view line : Lines(text)) {
      const bool quoted = !line.empty() && line.front() == '>';
      if (!quoted && !line.empty() && line.front() == ' ') line.remove_prefix(1);  // stuffed
      if (!open && !out.empty()) out.push_back('\n');
      const bool flows = !quoted && !line.empty() && line.back() == ' ' && line != "-- ";
      if (open && quoted) out.push_back('\n');
      if (flows && delete_space) line.remove_suffix(1);
      out.append(line);
      open = flows;
    }
    return out;
  }

  void Judge() {
    const std::string& text = texts_.plain.empty() ? texts_.html : texts_.plain;
    const std::string sign = AutomaticSign(headers_, mail_.subject, mail_.sender);
    if (failed_ || ReadBounceText(headers_, mail_.subject, mail_.sender, text, &mail_.bounce)) {
      mail_.kind = MailKind::kBounce;
      if (!original_id_.empty()) mail_.bounce.message_id = original_id_;
      if (mail_.bounce.message_id.empty()) mail_.bounce.message_id = QuotedMessageId(text);
      // Exchange answers the message that it could not deliver.
      if (mail_.bounce.message_id.empty() && !mail_.in_reply_to.empty()) mail_.bounce.message_id = mail_.in_reply_to.front();
      if (mail_.bounce.message_id.empty() && !mail_.references.empty()) mail_.bounce.message_id = mail_.references.back();
    } else if (has_status_ || has_receipt_) {
      mail_.kind = MailKind::kAutomatic;
      mail_.automatic_sign = has_receipt_ ? "receipt" : "delivery report";
    } else if (!mail_.calendar.uid.empty()) {
      mail_.kind = MailKind::kCalendar;
    } else if (!sign.empty()) {
      mail_.kind = MailKind::kAutomatic;
      mail_.automatic_sign = CleanLine(sign, 200);
    } else if (headers_.empty() || (mail_.sender.empty() && mail_.message_id.empty() && mail_.date.empty() && mail_.subject.empty() && mail_.recipients.empty())) {
      Remark("it does not read as a mail");
      return;
    } else {
      mail_.kind = MailKind::kReply;
    }
    SetWords(text);
  }

  void SetWords(const std::string& text) {
    if (text.size() > kWordsReadMax) Remark("its text is very long; the rest was not read");
    std::string words = NewWords(CleanMarks(text.substr(0, kWordsReadMax)));
    mail_.text = CleanText(words, limits_.text_bytes_max);
    if (mail_.text.size() + 4 < words.size()) Remark(absl::StrCat("its text is longer than ", limits_.text_bytes_max >> 10, " KiB; the rest is in the original"));
  }

  // Half a character at the end of what was cut would make all of it look like another charset.
  static std::string CleanMarks(std::string text) {
    while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0) == 0x80) text.pop_back();
    if (!text.empty() && static_cast<unsigned char>(text.back()) >= 0xC0) text.pop_back();
    return text;
  }

  std::string bytes_;
  const MailLimits& limits_;
  ParsedMail mail_;
  MailHeaders headers_;
  Texts texts_;
  std::string report_;       // report-type of the multipart/report, once seen
  std::string original_id_;  // of the message that a report is about
  bool failed_ = false, has_status_ = false, has_receipt_ = false, too_deep_ = false, too_many_ = false;
  int parts_ = 0;
  uint64_t all_files_ = 0;
};

}  // namespace

void WarmUpMailReader() {
  g_mime_init();
  LoadCharsets();
  // One of each kind, so that every library and converter that a mail can need has been loaded.
  MailLimits limits;
  ReadMail("From: =?iso-8859-15?q?M=FCller?= <a@b.example>\r\nSubject: =?koi8-r?b?8NLJ18XU?= =?utf-8?q?x?=\r\nDate: Tue, 24 Nov 2026 09:00:00 +0100\r\n"
           "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/html; charset=iso-8859-2\r\n\r\n<p>a</p>\r\n--x\r\n"
           "Content-Type: text/calendar; method=REPLY\r\nContent-Transfer-Encoding: base64\r\n\r\nQkVHSU46VkNBTEVOREFSDQpNRVRIT0Q6UkVQTFkNCkVORDpWQ0FMRU5EQVINCg==\r\n--x--\r\n",
           limits);
}

ParsedMail ReadMail(std::string bytes, const MailLimits& limits) { return Reader(std::move(bytes), limits).Run(); }

}  // namespace ringback::delivery
