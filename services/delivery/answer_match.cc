#include "delivery/answer_match.h"

#include <algorithm>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "core/base/ids.h"
#include "core/base/status_macros.h"
#include "core/domain/proto_time.h"
#include "core/store/records.h"

namespace ringback::delivery {
namespace {

namespace record = ::ringback::store::v1;
using record::AnswerRecord;

constexpr size_t kTokenSize = 30;     // "pg07" and 26 characters
constexpr size_t kTokensMax = 5;      // that are looked up
constexpr size_t kMessageIdsMax = 20;
constexpr int kCallbacksOfSenderMax = 50;

class Matcher {
 public:
  Matcher(store::Store& store, const record::TeamRecord& team, absl::Time now) : store_(store), team_(team), now_(now) {}

  // The callback, when it is the team's and still holds its caller.
  absl::StatusOr<bool> Fits(const std::string& callback_id) {
    const auto key = store::CallbackKey(callback_id);
    if (!key.ok()) return false;
    const auto callback = store::Load<record::CallbackRecord>(store_, *key);
    if (absl::IsNotFound(callback.status())) return false;
    RB_RETURN_IF_ERROR(callback.status());
    open_ = callback->message.phase() != record::CallbackRecord::PHASE_CLOSED;
    return callback->message.team_id() == team_.id() && !callback->message.erased();
  }

  absl::StatusOr<std::string> ByToken(const std::vector<std::string>& recipients) {
    for (const std::string& secret : ReplyTokens(recipients)) {
      const auto key = store::PageTokenKey(secret);
      if (!key.ok()) continue;
      const auto token = store::Load<record::TokenRecord>(store_, *key);
      if (absl::IsNotFound(token.status())) continue;
      RB_RETURN_IF_ERROR(token.status());
      const record::TokenRecord& pass = token->message;
      const bool ended = pass.has_expire_time() && domain::FromProto(pass.expire_time()) <= now_;
      if (pass.role() != record::TokenRecord::ROLE_PAGE || pass.revoked() || ended || pass.team_id() != team_.id()) continue;
      RB_ASSIGN_OR_RETURN(const bool fits, Fits(pass.callback_id()));
      if (fits) return pass.callback_id();
    }
    return std::string();
  }

  // The delivery of ours that the ids name, newest last; `to_customer`: one that a customer can have answered.
  absl::StatusOr<std::optional<record::DeliveryRecord>> DeliveryOf(const std::vector<std::string>& message_ids, bool to_customer) {
    size_t looked = 0;
    for (auto id = message_ids.rbegin(); id != message_ids.rend() && looked < kMessageIdsMax; ++id) {
      const auto key = store::DeliveryKey(DeliveryOfMessageId(*id));
      if (!key.ok()) continue;
      ++looked;
      const auto delivery = store::Load<record::DeliveryRecord>(store_, *key);
      if (absl::IsNotFound(delivery.status())) continue;
      RB_RETURN_IF_ERROR(delivery.status());
      if (delivery->message.team_id() != team_.id() || (to_customer && !delivery->message.member_id().empty())) continue;
      RB_ASSIGN_OR_RETURN(const bool fits, Fits(delivery->message.callback_id()));
      if (fits) return delivery->message;
    }
    return std::nullopt;
  }

  // The only open callback of the address; "" when there is none, or more than one.
  absl::StatusOr<std::string> BySender(const std::string& sender) {
    if (sender.empty()) return std::string();
    RB_ASSIGN_OR_RETURN(const store::Key team_key, store::TeamKey(team_.id()));
    std::string found;
    for (const std::string& address : {sender, absl::AsciiStrToLower(sender)}) {
      const std::string key = "m:" + address;
      store::Page page;
      page.limit = kCallbacksOfSenderMax;
      page.descending = true;
      RB_ASSIGN_OR_RETURN(const auto scan, store_.Scan({team_key.shard, team_.id(), std::string(store::index::kSubject)}, key + '\x1f',
                                                       key + '\x20', page));
      for (const std::string& member : scan.members) {
        const std::string id(store::IdOfMember(member));
        RB_ASSIGN_OR_RETURN(const bool fits, Fits(id));
        if (!fits || !open_ || id == found) continue;
        if (!found.empty()) return std::string();
        found = id;
      }
    }
    return found;
  }

 private:
  store::Store& store_;
  const record::TeamRecord& team_;
  const absl::Time now_;
  bool open_ = false;  // of the last that was looked at
};

AnswerMatch Found(AnswerRecord::Match match, std::string callback_id, std::string delivery_id = "") {
  AnswerMatch found;
  found.match = match;
  found.callback_id = std::move(callback_id);
  found.delivery_id = std::move(delivery_id);
  return found;
}

}  // namespace

std::vector<std::string> ReplyTokens(const std::vector<std::string>& addresses) {
  std::vector<std::string> tokens;
  for (const std::string& address : addresses) {
    // Some mail servers turn local parts into capitals or lower case; tokens are lower case.
    const std::string local = absl::AsciiStrToLower(address.substr(0, address.rfind('@')));
    for (size_t at = local.find("+pg"); at != std::string::npos; at = local.find("+pg", at + 1)) {
      const std::string token = local.substr(at + 1, kTokenSize);
      const bool ends = at + 1 + kTokenSize >= local.size() || !absl::ascii_isalnum(static_cast<unsigned char>(local[at + 1 + kTokenSize]));
      if (token.size() != kTokenSize || !ends || !ShardOf(token, id_prefix::kPage).ok()) continue;
      if (std::find(tokens.begin(), tokens.end(), token) == tokens.end()) tokens.push_back(token);
      if (tokens.size() == kTokensMax) return tokens;
    }
  }
  return tokens;
}

std::string DeliveryOfMessageId(const std::string& message_id) {
  // "dl07….2@…" names a later mail of the same delivery.
  const std::string local = message_id.substr(0, message_id.find_first_of("@."));
  return store::DeliveryKey(local).ok() && local.size() >= 20 ? local : "";
}

absl::StatusOr<AnswerMatch> MatchMail(store::Store& store, const record::TeamRecord& team, const ParsedMail& mail,
                                      const std::vector<std::string>& recipients, absl::Time now) {
  Matcher matcher(store, team, now);
  if (mail.kind == MailKind::kBounce) {
    RB_ASSIGN_OR_RETURN(const auto delivery, matcher.DeliveryOf({mail.bounce.message_id}, /*to_customer=*/false));
    if (delivery.has_value()) return Found(AnswerRecord::MATCH_MESSAGE_ID, delivery->callback_id(), delivery->id());
    RB_ASSIGN_OR_RETURN(std::string callback, matcher.ByToken(recipients));
    if (!callback.empty()) return Found(AnswerRecord::MATCH_TOKEN, std::move(callback));
    return AnswerMatch();  // the mail system is no caller
  }
  RB_ASSIGN_OR_RETURN(std::string callback, matcher.ByToken(recipients));
  if (!callback.empty()) return Found(AnswerRecord::MATCH_TOKEN, std::move(callback));
  if (mail.kind == MailKind::kCalendar) {
    // The entry's UID is the callback's id at our domain.
    const std::string uid = mail.calendar.uid.substr(0, mail.calendar.uid.find('@'));
    RB_ASSIGN_OR_RETURN(const bool fits, matcher.Fits(uid));
    if (fits) return Found(AnswerRecord::MATCH_MESSAGE_ID, uid);
  }
  std::vector<std::string> ids = mail.references;
  ids.insert(ids.end(), mail.in_reply_to.begin(), mail.in_reply_to.end());
  RB_ASSIGN_OR_RETURN(const auto delivery, matcher.DeliveryOf(ids, /*to_customer=*/true));
  if (delivery.has_value()) return Found(AnswerRecord::MATCH_MESSAGE_ID, delivery->callback_id());
  RB_ASSIGN_OR_RETURN(callback, matcher.BySender(mail.sender));
  if (!callback.empty()) return Found(AnswerRecord::MATCH_SENDER, std::move(callback));
  return AnswerMatch();
}

}  // namespace ringback::delivery
