// What ringback understands of one mail that came in (RFC 5322), as ringback-mail-parser tells it. Plain data: what becomes
// of it is answer_intake.h's business.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ringback::delivery {

enum class MailKind : uint8_t {
  kReply = 1,    // a person's words
  kAutomatic,    // out of office, newsletters, receipts (RFC 3834): never an answer, never answered
  kBounce,       // a message of ours came back, or is late (RFC 3464, and what others write instead)
  kCalendar,     // an answer to a calendar entry (RFC 5546, METHOD:REPLY)
  kUnreadable,   // could not be understood; headers at most
};

struct MailFile {
  std::string file_name;    // as the sender named it: one line, no path
  std::string media_type;   // "image/jpeg"; what it was said to be when it was dropped
  uint64_t size_bytes = 0;
  std::string bytes;        // "" when dropped
  std::string drop_reason;  // "type", "size" or ""
};

struct MailBounce {
  std::string recipient;    // whom it did not reach
  std::string status;       // "5.1.1" (RFC 3463), "" unknown
  std::string diagnostic;   // what the other side said, one line
  std::string message_id;   // of the message that came back, without <>
  bool permanent = false;   // it will not be tried again
};

struct MailCalendarAnswer {
  std::string uid;
  int sequence = -1;          // which version of the entry is meant; -1: not said
  std::string participation;  // "ACCEPTED", "DECLINED", "TENTATIVE"
};

struct ParsedMail {
  MailKind kind = MailKind::kUnreadable;
  std::string sender;                   // From: local@domain, domain in lower case
  std::vector<std::string> recipients;  // To, Cc, Delivered-To, X-Original-To, …: in that order, each once
  std::string subject;                  // one line
  std::string message_id;               // without <>
  std::vector<std::string> in_reply_to;
  std::vector<std::string> references;  // oldest first
  std::string date;                     // as the mail has it
  std::string text;                     // the new words only (new_words.h)
  std::string automatic_sign;           // for kAutomatic: what gave it away, "Auto-Submitted: auto-replied"
  std::vector<MailFile> files;
  MailBounce bounce;
  MailCalendarAnswer calendar;
  std::vector<std::string> remarks;     // what was cut or could not be understood
};

// Beyond a limit what is understood is kept, and a remark says what was cut.
struct MailLimits {
  uint64_t header_bytes_max = 64 << 10;
  int depth_max = 20;
  int parts_max = 100;
  uint64_t file_bytes_max = 10 << 20;
  uint64_t all_files_bytes_max = 40 << 20;
  uint64_t text_bytes_max = 16 << 10;   // of the new words
  bool headers_only = false;            // second try, when the whole was too much: a mail without its body
};

}  // namespace ringback::delivery
