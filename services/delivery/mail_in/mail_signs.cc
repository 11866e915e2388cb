#include "delivery/mail_in/mail_signs.h"

#include <algorithm>
#include <initializer_list>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "delivery/mail_in/mail_text.h"

namespace ringback::delivery {
namespace {

constexpr size_t kDiagnosticMax = 500;
constexpr size_t kBounceTextMax = 64 << 10;  // what names the reason stands at the beginning

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }
bool Has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }
bool HasAny(std::string_view text, std::initializer_list<const char*> parts) {
  return std::any_of(parts.begin(), parts.end(), [&](const char* part) { return Has(text, part); });
}
bool Begins(std::string_view text, std::string_view with) { return text.substr(0, with.size()) == with; }
bool BeginsWithAny(std::string_view text, std::initializer_list<const char*> parts) {
  return std::any_of(parts.begin(), parts.end(), [&](const char* part) { return Begins(text, part); });
}
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsAwaySubject(const std::string& subject) {
  return BeginsWithAny(subject, {"automatische antwort", "automatic reply", "abwesenheitsnotiz", "abwesenheitsbenachrichtigung", "abwesend", "abwesenheit:",
                                 "out of office", "out-of-office", "auto:", "autoreply", "auto-reply", "auto reply", "autoantwort", "auto-antwort",
                                 "nicht im büro", "ich bin im urlaub", "i am out of the office", "vacation reply", "urlaubsnotiz"});
}

// "5.1.1" in "550 5.1.1 <a@b>: …" (RFC 3463); "" when there is none.
std::string EnhancedStatus(std::string_view text) {
  for (size_t i = 0; i + 4 < text.size(); ++i) {
    if ((text[i] != '2' && text[i] != '4' && text[i] != '5') || text[i + 1] != '.') continue;
    if (i > 0 && (IsDigit(text[i - 1]) || text[i - 1] == '.')) continue;
    size_t k = i + 2;
    while (k < text.size() && k < i + 5 && IsDigit(text[k])) ++k;
    if (k == i + 2 || k >= text.size() || text[k] != '.') continue;
    const size_t last = ++k;
    while (k < text.size() && k < last + 3 && IsDigit(text[k])) ++k;
    if (k == last || (k < text.size() && (IsDigit(text[k]) || (text[k] == '.' && k + 1 < text.size() && IsDigit(text[k + 1]))))) continue;
    return std::string(text.substr(i, k - i));
  }
  return "";
}

// The class ('4' or '5') of an SMTP reply in a line: "550 no such user", "said: 450-…"; 0 when there is none.
char ReplyClass(std::string_view line) {
  for (size_t i = 0; i + 3 <= line.size(); ++i) {
    const bool begins = i == 0 || line[i - 1] == ' ' || line[i - 1] == '\'' || line[i - 1] == '"' || line[i - 1] == '(';
    if (!begins || (line[i] != '4' && line[i] != '5') || !IsDigit(line[i + 1]) || !IsDigit(line[i + 2])) continue;
    if (i + 3 == line.size() || line[i + 3] == ' ' || line[i + 3] == '-') return line[i];
  }
  return 0;
}

bool IsMailSystem(std::string_view sender) {
  const std::string lower = Lower(sender);
  return BeginsWithAny(lower, {"mailer-daemon@", "postmaster@", "mail-daemon@", "mailerdaemon@", "microsoftexchange"}) || lower == "mailer-daemon";
}

bool IsFailureSubject(const std::string& subject) {
  return HasAny(subject, {"undelivered mail", "undeliverable", "unzustellbar", "delivery status notification", "delivery failure", "failure notice", "mail delivery failed",
                          "returned mail", "mail delivery system", "delivery failed", "nicht zugestellt", "nicht zustellbar", "zustellung fehlgeschlagen", "delivery has failed",
                          "message not delivered", "delivery notification", "undelivered", "zustellfehler", "mail failure", "could not be delivered", "delivery delayed",
                          "delayed", "verzögert", "warning: message", "delivery incomplete"});
}

bool IsFailureText(const std::string& text) {
  return HasAny(text, {"this is the qmail-send program", "this message was created automatically by mail delivery software", "could not be delivered", "couldn't be delivered",
                       "wasn't delivered", "was not delivered", "delivery has failed to these recipients", "delivery to the following recipient", "konnte nicht zugestellt werden",
                       "konnte nicht an ", "nicht zugestellt", "undeliverable", "had permanent fatal errors", "remote server returned", "delivery to the recipient",
                       "message not delivered", "address not found", "adresse nicht gefunden", "has not been delivered", "not been delivered", "noch nicht zugestellt"});
}

// It is still being tried.
bool IsDelay(const std::string& subject, const std::string& text) {
  return HasAny(subject, {"delay", "verzögert", "warning: message", "delivery incomplete"}) ||
         HasAny(text, {"will be retried", "delivery attempts will continue", "will continue to be attempted", "no action is required", "will retry", "wird weiterhin versucht",
                       "this is a warning message only", "you do not need to resend"});
}

// The line of the text that names the reason.
std::string Diagnostic(const std::vector<std::string_view>& lines, char* reply) {
  std::string fallback;
  for (const std::string_view line : lines) {
    if (const char found = ReplyClass(line); found != 0) {
      *reply = found;
      return CleanLine(line, kDiagnosticMax);
    }
    if (fallback.empty() && !EnhancedStatus(line).empty()) fallback = CleanLine(line, kDiagnosticMax);
  }
  return fallback;
}

}  // namespace

std::string_view HeaderOf(const MailHeaders& headers, std::string_view name) {
  for (const auto& [one, value] : headers) {
    if (one == name) return value;
  }
  return {};
}

bool HasHeader(const MailHeaders& headers, std::string_view name) {
  return std::any_of(headers.begin(), headers.end(), [&](const auto& header) { return header.first == name; });
}

std::string AutomaticSign(const MailHeaders& headers, std::string_view subject, std::string_view sender) {
  const std::string submitted = Lower(Trim(HeaderOf(headers, "auto-submitted")));
  if (!submitted.empty() && submitted != "no" && !Begins(submitted, "no;") && !Begins(submitted, "no ")) {
    return absl::StrCat("Auto-Submitted: ", View(std::string_view(submitted).substr(0, 60)));
  }
  const std::string precedence = Lower(Trim(HeaderOf(headers, "precedence")));
  for (const char* machine : {"bulk", "auto_reply", "auto-reply", "junk"}) {
    if (precedence == machine) return absl::StrCat("Precedence: ", machine);
  }
  for (const char* name : {"x-autoreply", "x-autorespond", "x-autoresponder", "x-autoreply-from", "x-mail-autoreply", "x-auto-reply", "x-autogenerated", "x-fc-machinegenerated"}) {
    const std::string value = Lower(Trim(HeaderOf(headers, name)));
    if (HasHeader(headers, name) && value != "no" && value != "false") return name;
  }
  const std::string title = Lower(Trim(subject));
  if (IsAwaySubject(title)) {
    // Exchange puts the suppress header into what it writes by itself, and into some of what people write.
    return HasHeader(headers, "x-auto-response-suppress") ? "X-Auto-Response-Suppress" : "Subject";
  }
  const std::string return_path(Trim(HeaderOf(headers, "return-path")));
  if (return_path == "<>") return "Return-Path: <>";
  const bool answers = HasHeader(headers, "in-reply-to") || HasHeader(headers, "references");
  if (!answers) {
    for (const char* name : {"list-id", "list-unsubscribe", "list-post"}) {
      if (HasHeader(headers, name)) return name;
    }
    if (precedence == "list") return "Precedence: list";
  }
  const std::string from = Lower(sender);
  for (const char* machine : {"no-reply@", "noreply@", "no_reply@", "donotreply@", "do-not-reply@"}) {
    if (Begins(from, machine)) return "From: no-reply";
  }
  return "";
}

bool ReadDeliveryStatus(std::string_view part, MailBounce* bounce) {
  // Groups of fields, the first about the message, the others about one recipient each. The worst one counts.
  struct Fields {
    std::string recipient, action, status, diagnostic;
  } fields, worst;
  int worst_rank = 0;
  const auto rank = [](const Fields& one) {
    if (one.action == "failed") return 3;
    if (one.action == "delayed") return 2;
    if (one.action.empty() && (Begins(one.status, "5") || Begins(one.status, "4"))) return Begins(one.status, "5") ? 3 : 2;
    return 0;
  };
  const auto finish = [&] {
    if (rank(fields) > worst_rank) worst = fields, worst_rank = rank(fields);
    fields = Fields();
  };
  const auto value_of = [](std::string_view value) {  // "rfc822; a@b": what stands behind the type
    const size_t semicolon = value.find(';');
    return Trim(semicolon == std::string_view::npos ? value : value.substr(semicolon + 1));
  };
  std::string* last = nullptr;
  for (const std::string_view line : Lines(part.substr(0, kBounceTextMax))) {
    if (Trim(line).empty()) {
      finish();
      last = nullptr;
      continue;
    }
    if (line.front() == ' ' || line.front() == '\t') {  // folded
      if (last != nullptr && last->size() < kDiagnosticMax) absl::StrAppend(last, " ", View(Trim(line)));
      continue;
    }
    last = nullptr;
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string name = Lower(Trim(line.substr(0, colon)));
    const std::string_view value = Trim(line.substr(colon + 1));
    if (name == "final-recipient" || (name == "original-recipient" && fields.recipient.empty())) {
      fields.recipient = FirstAddress(value_of(value));
    } else if (name == "action") {
      fields.action = Lower(value.substr(0, std::min(value.find_first_of(" ("), value.size())));
    } else if (name == "status") {
      fields.status = EnhancedStatus(value);
    } else if (name == "diagnostic-code") {
      fields.diagnostic = std::string(value_of(value));
      last = &fields.diagnostic;
    }
  }
  finish();
  if (worst_rank == 0) return false;
  bounce->recipient = worst.recipient;
  bounce->status = worst.status;
  bounce->diagnostic = CleanLine(worst.diagnostic, kDiagnosticMax);
  bounce->permanent = worst_rank == 3;
  return true;
}

bool ReadBounceText(const MailHeaders& headers, std::string_view subject, std::string_view sender, std::string_view text, MailBounce* bounce) {
  const std::string_view beginning = text.substr(0, kBounceTextMax);
  const std::string title = Lower(Trim(subject)), words = Lower(beginning);
  const std::string_view failed = HeaderOf(headers, "x-failed-recipients");
  const bool from_system = IsMailSystem(sender) || Trim(HeaderOf(headers, "return-path")) == "<>" || sender.empty();
  const bool qmail = Has(words.substr(0, 400), "this is the qmail-send program");
  const bool exim = !failed.empty() && Has(words, "mail delivery software");
  if (!qmail && !exim && !(from_system && (IsFailureSubject(title) || !failed.empty()) && IsFailureText(words))) return false;

  // The reason stands above the copy of the message.
  size_t end = beginning.size();
  for (const char* copy : {"--- below this line is a copy", "------ this is a copy", "----- original message", "--- the header of the original message", "original message headers:",
                           "diagnostic information for administrators"}) {
    const size_t at = words.find(copy);
    // Exchange gives its diagnosis under a heading of its own.
    if (at != std::string::npos && std::string_view(copy).substr(0, 10) != "diagnostic") end = std::min(end, at);
  }
  const std::string_view reason = beginning.substr(0, end);
  bounce->recipient = FirstAddress(failed);
  if (bounce->recipient.empty()) {
    // qmail: "<a@b>:"; others name it in a sentence. The mail system's own address is nobody's.
    for (const std::string& found : Addresses(reason, 20)) {
      if (!bounce->recipient.empty() || IsMailSystem(found)) continue;
      bounce->recipient = found;
    }
  }
  char reply = 0;
  bounce->diagnostic = Diagnostic(Lines(reason), &reply);
  bounce->status = EnhancedStatus(bounce->diagnostic);
  if (bounce->status.empty()) bounce->status = EnhancedStatus(reason);
  // Whoever sends a mail has given up, unless it says that it goes on.
  bounce->permanent = !IsDelay(title, Lower(reason));
  bounce->message_id = QuotedMessageId(text);
  return true;
}

std::string QuotedMessageId(std::string_view text) {
  std::string found;
  const auto lines = Lines(text);
  for (size_t i = 0; i < lines.size(); ++i) {
    std::string_view line = Trim(lines[i]);
    while (!line.empty() && (line.front() == '>' || line.front() == ' ')) line.remove_prefix(1);
    if (line.size() < 11 || Lower(line.substr(0, 11)) != "message-id:") continue;
    std::string value(line.substr(11));
    if (Trim(value).empty() && i + 1 < lines.size()) value = std::string(lines[i + 1]);  // folded
    const auto ids = MessageIds(value, 1);
    if (!ids.empty()) return ids.front();
  }
  return found;
}

}  // namespace ringback::delivery
