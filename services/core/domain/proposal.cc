// A time that the customer wishes, and the team's answer to it; or to the word that the promised time does not suit. The wish alone changes nothing: the promise stays armed
// until the team says yes (then the customer's own word binds at once, as a move does) or makes an offer of its own that
// the customer's channel has accepted (law 1).
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/domain/draft.h"
#include "core/domain/input.h"
#include "core/domain/proto_time.h"

namespace ringback::domain {

using record::CallbackRecord;
using record::DeliveryRecord;
using record::PromiseRecord;

namespace {

absl::Status NoProposal() {
  return Refused("NO_PROPOSAL", "the customer wishes no other time, or it was answered already");
}

PromiseRecord::Channel ChannelSoFar(CallbackRecord& callback) {
  const PromiseRecord* armed = Armed(callback);
  return armed != nullptr ? armed->channel() : PromiseRecord::CHANNEL_LINK_SHARED;
}

absl::Status AsWished(Draft& draft, absl::Time wished) {
  if (wished <= draft.now) {
    return InvalidField("promised_time", "PROMISED_TIME_PASSED", "the wished time has passed by now; offer another one");
  }
  RB_RETURN_IF_ERROR(CheckPromisedTime(draft, wished));
  const PromiseRecord* armed = Armed(draft.callback);
  const auto before = armed == nullptr ? google::protobuf::Timestamp() : armed->promised_time();
  WithdrawPending(draft);
  draft.Event("proposal_accepted");
  PromiseRecord& promise = AddPromise(draft, wished, ChannelSoFar(draft.callback));
  *promise.mutable_agreed_time() = ToProto(draft.now);  // it was the customer's wish
  Arm(draft, promise, record::VERDICT_MOVED_BY_CUSTOMER);
  TellCustomerMoved(draft, promise, "proposal_accepted", before);
  return absl::OkStatus();
}

absl::Status Offer(Draft& draft, absl::Time offered, std::string_view what) {
  if (IsPromisedAlready(draft.callback, offered)) {
    return InvalidField("promised_time", "PROMISED_ALREADY", "that is promised already; decline the wish to let it stay");
  }
  RB_RETURN_IF_ERROR(CheckPromisedTime(draft, offered));
  if (CustomerChannels(draft.callback.caller()).empty()) {
    return InvalidField("caller.email", "NO_WAY_TO_REACH_THE_CUSTOMER",
                        "there is neither mail address nor phone number: promise it on the phone (SPOKEN) instead");
  }
  const PromiseRecord* armed = Armed(draft.callback);
  const auto before = armed == nullptr ? google::protobuf::Timestamp() : armed->promised_time();
  WithdrawPending(draft);
  draft.Event(what);
  PromiseRecord& promise = AddPromise(draft, offered, PromiseRecord::CHANNEL_VOICE_MAIL);
  DeliveryRecord& delivery = *TellCustomerUpdate(draft, promise, what);
  *delivery.mutable_stake_time() = ToProto(StakeTime(promise, draft.rules.policy));
  if (before.seconds() != 0) *delivery.mutable_previous_promised_time() = before;
  promise.set_delivery_id(delivery.id());
  return absl::OkStatus();
}

}  // namespace

absl::Status DoCustomerPropose(Draft& draft, const CustomerPropose& command) {
  RB_RETURN_IF_ERROR(CheckPromisedTime(draft, command.promised_time));
  PromiseRecord* armed = Armed(draft.callback);
  if (IsPromisedAlready(draft.callback, command.promised_time)) return DoCustomerAgree(draft, {armed->revision()});
  record::Proposal& proposal = *draft.callback.mutable_proposal();
  const auto wished = ToProto(command.promised_time);
  if (proposal.has_create_time() && FromProto(proposal.promised_time()) == FromProto(wished)) return absl::OkStatus();
  *proposal.mutable_promised_time() = wished;
  *proposal.mutable_create_time() = ToProto(draft.now);
  if (armed != nullptr) armed->clear_agreed_time();
  draft.Event("time_proposed", {{"promised_time", Text(command.promised_time)}});
  TellOwner(draft, "time_proposed");
  return absl::OkStatus();
}

absl::Status DoAnswerProposal(Draft& draft, const AnswerProposal& command) {
  if (!draft.callback.has_proposal()) {
    const PromiseRecord* armed = Armed(draft.callback);
    const bool declined = armed != nullptr && armed->has_decline_time();
    if (!declined || !command.promised_time.has_value()) return NoProposal();
    OweUnassigned(draft);
    return Offer(draft, FromProto(ToProto(*command.promised_time)), "time_offered");
  }
  OweUnassigned(draft);
  const absl::Time wished = FromProto(draft.callback.proposal().promised_time());
  const absl::Time answer = command.promised_time.has_value() ? FromProto(ToProto(*command.promised_time)) : wished;
  return answer == wished ? AsWished(draft, wished) : Offer(draft, answer, "proposal_countered");
}

absl::Status DoDeclineProposal(Draft& draft) {
  if (!draft.callback.has_proposal()) return NoProposal();
  const PromiseRecord* armed = Armed(draft.callback);
  if (armed == nullptr || draft.now >= FromProto(armed->promised_time())) {
    return Refused("NOTHING_STAYS", "no promised time is ahead that could stay as it is: offer the customer another one");
  }
  draft.callback.clear_proposal();
  draft.Event("proposal_declined", {{"revision", absl::StrCat(armed->revision())}});
  if (TellCustomerUpdate(draft, *armed, "proposal_declined") == nullptr) {
    draft.Warn("the customer cannot be told: there is neither mail address nor phone number");
  }
  return absl::OkStatus();
}

}  // namespace ringback::domain
