#include "delivery/answer_effects.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/domain/deliveries.h"
#include "core/domain/input.h"
#include "core/domain/joined.h"
#include "core/domain/proto_time.h"
#include "delivery/mail_in/declines.h"

namespace ringback::delivery {
namespace {

namespace record = ::ringback::store::v1;
using record::AnswerRecord;
using record::CallbackRecord;
using record::DeliveryRecord;

// The words, and the names of the files that came with them: the reminder carries both.
std::string BriefOf(const AnswerRecord& answer) {
  std::string brief = answer.text();
  for (const AnswerRecord::Attachment& attachment : answer.attachments()) {
    if (!attachment.blob().empty()) absl::StrAppend(&brief, brief.empty() ? "" : "\n", "[", attachment.file_name(), "]");
  }
  return brief;
}

absl::Status Stays(std::string_view reason, std::string_view what) {
  return domain::FieldError(absl::StatusCode::kFailedPrecondition, "answer_id", reason, what);
}

// What went to members since it was tied, or has still to go.
absl::Status NoteQuotes(store::Store& store, const CallbackRecord& callback, AnswerRecord* answer) {
  std::vector<store::Key> keys;
  for (int n = 1; n <= callback.delivery_count(); ++n) {
    RB_ASSIGN_OR_RETURN(store::Key key, store::DeliveryKey(domain::DeliveryId(callback.id(), n)));
    keys.push_back(std::move(key));
  }
  if (keys.empty()) return absl::OkStatus();
  RB_ASSIGN_OR_RETURN(const auto records, store.GetMany(keys));
  for (const store::Record& found : records) {
    DeliveryRecord delivery;
    if (found.version == 0 || !delivery.ParseFromString(found.value) || delivery.member_id().empty()) continue;
    if (delivery.has_accept_time() && domain::FromProto(delivery.accept_time()) < domain::FromProto(answer->tie_time())) continue;
    answer->add_quoted_in_ids(delivery.bundled_into_id().empty() ? delivery.id() : delivery.bundled_into_id());
  }
  return absl::OkStatus();
}

class Effects {
 public:
  Effects(store::Store& store, const CallbackRecord& callback, const record::TeamRecord& team, const AnswerRecord& answer,
          const domain::Actor& actor, absl::Time now)
      : store_(store), callback_(callback), team_(team), answer_(answer), actor_(actor), now_(now) {}

  absl::StatusOr<domain::Decision> Decide(store::Commit* commit) {
    switch (answer_.kind()) {
      case AnswerRecord::KIND_AUTOMATIC: return Line("automatic_answer");
      case AnswerRecord::KIND_BOUNCE: return Bounced(commit);
      default: break;
    }
    if (callback_.phase() == CallbackRecord::PHASE_CLOSED) {
      return domain::OnLateAnswer(callback_, BriefOf(answer_), answer_.id(), team_, actor_, now_);
    }
    if (answer_.kind() == AnswerRecord::KIND_CALENDAR) return Calendar();
    if (answer_.kind() == AnswerRecord::KIND_UNREADABLE) return Line("answer_unreadable");
    const std::string brief = BriefOf(answer_);
    if (brief.empty()) return Line("answer_received");
    RB_ASSIGN_OR_RETURN(domain::Decision decision,
                        OrLine(domain::Apply(callback_, domain::CustomerBrief{brief}, team_, actor_, now_), "answer_received"));
    if (domain::ArmedPromise(callback_) == nullptr || !DeclinesTheTime(answer_.text())) return decision;
    auto declined = domain::Apply(decision.callback, domain::CustomerDecline{}, team_, actor_, now_);
    if (!declined.ok()) return decision;
    return domain::Joined(std::move(decision), *std::move(declined));
  }

 private:
  domain::Decision Line(const char* what) { return domain::Note(callback_, what, answer_.id(), team_, actor_, now_); }
  absl::StatusOr<domain::Decision> OrLine(absl::StatusOr<domain::Decision> decision, const char* what) {
    if (!decision.ok()) return Line(what);
    return decision;
  }

  absl::StatusOr<domain::Decision> Bounced(store::Commit* commit) {
    if (answer_.delivery_id().empty()) return Line("bounced_unknown");
    RB_ASSIGN_OR_RETURN(const store::Key key, store::DeliveryKey(answer_.delivery_id()));
    const auto delivery = store::Load<DeliveryRecord>(store_, key);
    if (absl::IsNotFound(delivery.status())) return Line("bounced_unknown");
    RB_RETURN_IF_ERROR(delivery.status());
    domain::Decision decision =
        domain::OnBounce(callback_, delivery->message, answer_.bounce_permanent(), answer_.bounce_reason(), team_, now_);
    if (answer_.bounce_permanent() && !delivery->message.has_bounce_time()) {
      DeliveryRecord bounced = delivery->message;
      *bounced.mutable_bounce_time() = domain::ToProto(now_);
      bounced.set_bounce_reason(answer_.bounce_reason());
      store::AddDelivery(bounced, delivery->version, commit);
    }
    return decision;
  }

  absl::StatusOr<domain::Decision> Calendar() {
    RB_ASSIGN_OR_RETURN(const std::optional<int> revision, EntrysRevision());
    // An older version of the entry: the customer has not seen what counts now.
    const record::PromiseRecord* const armed = domain::ArmedPromise(callback_);
    if (!revision.has_value() || armed == nullptr || armed->revision() != *revision) return Line("calendar_answer_to_older");
    if (answer_.participation() == "ACCEPTED") {
      return OrLine(domain::Apply(callback_, domain::CustomerAgree{*revision}, team_, actor_, now_), "calendar_answer_to_older");
    }
    if (answer_.participation() == "DECLINED") {
      return OrLine(domain::Apply(callback_, domain::CustomerDecline{}, team_, actor_, now_), "calendar_declined");
    }
    return Line("calendar_tentative");
  }

  // The revision of the promise whose entry is answered. An answer that does not say which version it means is about the
  // one that counts.
  absl::StatusOr<std::optional<int>> EntrysRevision() {
    const record::PromiseRecord* const armed = domain::ArmedPromise(callback_);
    if (answer_.calendar_entry() == 0) return armed == nullptr ? std::nullopt : std::optional<int>(armed->revision());
    const int sequence = answer_.calendar_entry() - 1;
    std::vector<store::Key> keys;
    for (int n = 1; n <= callback_.delivery_count(); ++n) {
      RB_ASSIGN_OR_RETURN(store::Key key, store::DeliveryKey(domain::DeliveryId(callback_.id(), n)));
      keys.push_back(std::move(key));
    }
    RB_ASSIGN_OR_RETURN(const auto records, store_.GetMany(keys));
    std::optional<int> revision;
    for (const store::Record& found : records) {
      DeliveryRecord delivery;
      if (found.version == 0 || !delivery.ParseFromString(found.value) || !delivery.member_id().empty()) continue;
      if (delivery.promise_revision() == 0) continue;
      const int entry = delivery.calendar_entry() > 0 ? delivery.calendar_entry() - 1 : delivery.calendar_sequence();
      if (entry == sequence && domain::MayHaveLeft(delivery)) revision = delivery.promise_revision();
    }
    return revision;
  }

  store::Store& store_;
  const CallbackRecord& callback_;
  const record::TeamRecord& team_;
  const AnswerRecord& answer_;
  const domain::Actor& actor_;
  const absl::Time now_;
};

}  // namespace

absl::Status AddAnswerEffects(store::Store& store, const store::Loaded<CallbackRecord>& callback, const record::TeamRecord& team,
                              const AnswerRecord& answer, const domain::Actor& actor, absl::Time now, store::Commit* commit) {
  Effects effects(store, callback.message, team, answer, actor, now);
  RB_ASSIGN_OR_RETURN(domain::Decision decision, effects.Decide(commit));
  decision.callback.set_answer_count(decision.callback.answer_count() + 1);
  store::AddDecision(&callback.message, callback.version, decision, now, commit);
  return absl::OkStatus();
}

absl::Status TakeBackAnswerEffects(store::Store& store, const record::TeamRecord& team, const std::string& to,
                                   const domain::Actor& actor, absl::Time now, AnswerRecord* answer, store::Commit* commit) {
  const std::string& from = answer->callback_id();
  if (answer->match() != AnswerRecord::MATCH_BY_HAND) {
    return Stays("ANSWER_TIED", absl::StrCat("it found ", from, " by itself and stays with it"));
  }
  if (answer->kind() == AnswerRecord::KIND_CALENDAR) {
    return Stays("CALENDAR_ANSWER_STAYS", absl::StrCat("it answered a calendar entry and stays with ", from));
  }
  RB_ASSIGN_OR_RETURN(const store::Key key, store::CallbackKey(from));
  const auto callback = store::Load<CallbackRecord>(store, key);
  if (absl::IsNotFound(callback.status())) return absl::OkStatus();
  RB_RETURN_IF_ERROR(callback.status());
  if (callback->message.erased()) return absl::OkStatus();
  RB_RETURN_IF_ERROR(NoteQuotes(store, callback->message, answer));
  // Of an automatic mail or a bounce no words went anywhere.
  const bool told = answer->kind() == AnswerRecord::KIND_REPLY || answer->kind() == AnswerRecord::KIND_UNREADABLE;
  domain::Decision decision =
      domain::OnAnswerMoved(callback->message, told ? BriefOf(*answer) : "", domain::FromProto(answer->tie_time()), answer->id(), to,
                            team, actor, now);
  decision.callback.set_answer_count(std::max(0, decision.callback.answer_count() - 1));
  store::AddDecision(&callback->message, callback->version, decision, now, commit);
  return absl::OkStatus();
}

}  // namespace ringback::delivery
