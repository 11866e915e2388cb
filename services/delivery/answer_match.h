// Which callback a mail belongs to. Whoever writes may write anything, so what matches is what only a reader of our own mail
// can know (the token in the reply address, a Message-ID of ours), and last the sender's address, where it leaves no doubt.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/store/store.h"
#include "delivery/mail_in/parsed_mail.h"
#include "ringback/store/v1/records.pb.h"

namespace ringback::delivery {

struct AnswerMatch {
  store::v1::AnswerRecord::Match match = store::v1::AnswerRecord::MATCH_UNSPECIFIED;
  std::string callback_id;  // "": none
  std::string delivery_id;  // for bounces: what came back
};

// `recipients`: the addresses it was sent to, the envelope's first. A token that is forged, unknown, revoked or another
// team's is treated as none. Errors are the store's.
absl::StatusOr<AnswerMatch> MatchMail(store::Store& store, const store::v1::TeamRecord& team, const ParsedMail& mail,
                                      const std::vector<std::string>& recipients, absl::Time now);

// "pg07…" in the local part of each address, in lower case; a few at most.
std::vector<std::string> ReplyTokens(const std::vector<std::string>& addresses);

// Whether a Message-ID (without <>) has the form of ours; the delivery's id then.
std::string DeliveryOfMessageId(const std::string& message_id);

}  // namespace ringback::delivery
