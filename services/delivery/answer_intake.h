// A mail becomes an answer: read in the sandbox, matched, kept, and what it means carried out, in one commit and once.
// How a mail gets here (AnswerService, a mailbox) is its caller's business.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/runtime/host.h"
#include "delivery/mail_in/mail_parser.h"
#include "ringback/store/v1/records.pb.h"

namespace ringback::delivery {

struct MailEnvelope {
  std::string team_id;
  std::string recipient;   // "" when only the mail's own headers tell
  std::string sender;      // the same
  bool cut = false;        // `bytes` are the beginning of a mail above kMailBytesMax
};

struct TakenMail {
  store::v1::AnswerRecord answer;  // only its ids when it came before and has left since
  bool repeated = false;           // it had come before; nothing was done again
};

// Thread-safe.
class AnswerIntake {
 public:
  explicit AnswerIntake(runtime::Host& host);

  // OK means durable: the original, its files, the answer and what it changed. The same mail again, from anywhere, is the
  // same answer (AnswerId). A mail that cannot be understood is kept and listed too. Errors, all of them worth another try
  // later: UNAVAILABLE (store, parser), RESOURCE_EXHAUSTED (disk); NOT_FOUND for an unknown team; INVALID_ARGUMENT for
  // no bytes at all.
  absl::StatusOr<TakenMail> Take(const MailEnvelope& envelope, std::string_view bytes);

  std::vector<int> ParserPids() const { return parser_.ChildPids(); }

 private:
  absl::StatusOr<TakenMail> TakeParsed(const MailEnvelope& envelope, std::string_view bytes, const ParsedMail& mail);
  absl::Status KeepFiles(const store::v1::AnswerRecord& answer, std::string_view bytes, const ParsedMail& mail);

  runtime::Host& host_;
  MailParser parser_;
};

// "an07…": a function of the team and the mail's identity (Message-ID, sender, date; of a mail without the first of them its
// bytes).
std::string AnswerId(int shard, const std::string& team_id, const ParsedMail& mail, std::string_view bytes);

// When mail that found no callback leaves: the team's retention, counted from its arrival.
absl::Time UnmatchedPurgeTime(const store::v1::TeamRecord& team, absl::Time arrived);

// So that viewers look at the list of unmatched mail again.
store::Event UnmatchedChanged(const store::v1::AnswerRecord& answer, const std::string& author, absl::Time now);

}  // namespace ringback::delivery
