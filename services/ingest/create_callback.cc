#include "ingest/create_callback.h"

#include <algorithm>

#include "core/base/ids.h"
#include "core/domain/escalation.h"
#include "core/domain/joined.h"
#include "core/domain/sight.h"
#include "core/domain/team.h"
#include "ingest/contacts.h"

namespace ringback::ingest {
namespace {

constexpr size_t kNoteMax = 4000;
constexpr size_t kExtensionMax = 40;
constexpr absl::Duration kSameRingMax = absl::Hours(1);
// Clocks differ; what is further ahead is no clock's fault.
constexpr absl::Duration kAheadMax = absl::Minutes(5);

// What the request says, checked.
struct Arrival {
  record::Caller caller;
  std::string note;
  std::string assignee_id;
  absl::Duration same_ring_within;
  std::optional<absl::Time> ring_time;
};

absl::Status CheckTimes(const rpc::Call& call, const api::CreateCallbackRequest& request, Arrival* arrival) {
  arrival->same_ring_within = rpc::FromProto(request.same_ring_within());
  if (arrival->same_ring_within < absl::ZeroDuration() || arrival->same_ring_within > kSameRingMax) {
    return domain::InvalidField("same_ring_within", "OUT_OF_RANGE", "from 0 s to 1 h");
  }
  if (!request.has_ring_time()) return absl::OkStatus();
  const absl::Time ring_time = rpc::FromProto(request.ring_time());
  if (ring_time > call.now + kAheadMax) {
    return domain::InvalidField("ring_time", "RING_TIME_AHEAD", "when the caller rang: a time that has been");
  }
  arrival->ring_time = std::min(ring_time, call.now);
  return absl::OkStatus();
}

absl::StatusOr<Arrival> Check(runtime::Host& host, const rpc::Call& call, const api::CreateCallbackRequest& request,
                              const record::TeamRecord& team) {
  Arrival arrival;
  RB_ASSIGN_OR_RETURN(arrival.caller,
                      domain::NormaliseCaller(rpc::FromApi(request.caller()), host.config().region, "caller"));
  if (arrival.caller.name().empty() && arrival.caller.phone().empty() && arrival.caller.email().empty()) {
    return domain::InvalidField("caller", "CALLER_EMPTY", "give a name, a phone number or a mail address at least");
  }
  RB_ASSIGN_OR_RETURN(arrival.note, domain::SeveralLines(request.note(), kNoteMax, "note"));
  RB_RETURN_IF_ERROR(CheckTimes(call, request, &arrival));
  RB_ASSIGN_OR_RETURN(const std::string extension, domain::OneLine(request.extension(), kExtensionMax, "extension"));
  arrival.assignee_id = request.assignee_id();
  if (arrival.assignee_id.empty()) {
    if (const record::Member* called = domain::FindByExtension(team, extension)) {
      arrival.assignee_id = domain::Present(team, called->id(), call.now).member_id;
      return arrival;
    }
    if (call.principal.role == rpc::Role::kRep) arrival.assignee_id = call.principal.member_id;
    return arrival;
  }
  if (call.principal.role == rpc::Role::kIntake) {
    return domain::FieldError(absl::StatusCode::kPermissionDenied, "assignee_id", "INTAKE_ASSIGNS_NOBODY",
                              "an intake token takes callers in; the team decides who calls back");
  }
  const record::Member* member = domain::FindMember(team, arrival.assignee_id);
  if (member == nullptr || member->inactive()) {
    return domain::InvalidField("assignee_id", "MEMBER_UNKNOWN", "this is no active member of the team");
  }
  return arrival;
}

// One run of the decision; the ids are made once so that a second run repeats the first.
class TakeIn {
 public:
  TakeIn(runtime::Host& host, const rpc::Call& call, const record::TeamRecord& team, const Arrival& arrival)
      : host_(host), call_(call), team_(team), arrival_(arrival), shard_(call.principal.shard) {
    callback_id_ = NewId(id_prefix::kCallback, shard_, host.random());
    contact_id_ = NewId(id_prefix::kContact, shard_, host.random());
    token_id_ = NewId(id_prefix::kToken, shard_, host.random());
    page_token_ = NewSecret(id_prefix::kPage, shard_, host.random());
  }

  absl::Status Decide(store::Commit* commit, api::CreateCallbackResponse* response) {
    RB_ASSIGN_OR_RETURN(now_, host_.store().Now());
    Turnstiles turnstiles(host_.store(), shard_, team_.id());
    RB_RETURN_IF_ERROR(turnstiles.Approach(store::SubjectKeys(arrival_.caller)));
    RB_ASSIGN_OR_RETURN(const auto contact,
                        FindContact(host_.store(), shard_, team_.id(), store::SubjectKeys(arrival_.caller)));
    record::Caller caller = arrival_.caller;
    if (contact.has_value()) caller = Completed(caller, contact->message.caller());
    const std::vector<std::string> keys = store::SubjectKeys(caller);
    RB_RETURN_IF_ERROR(turnstiles.Approach(keys));
    RB_ASSIGN_OR_RETURN(const auto open, FindOpenCallback(host_.store(), shard_, team_.id(), keys));

    const std::string contact_id = Learn(contact, caller, commit);
    const bool same_ring = open.has_value() && IsSameRing(open->message);
    domain::Decision decision;
    if (same_ring) {
      RB_ASSIGN_OR_RETURN(decision, Complete(open->message, caller));
      store::AddDecision(&open->message, open->version, decision, now_, commit);
    } else if (open.has_value()) {
      RB_ASSIGN_OR_RETURN(decision, RingAgain(open->message, caller));
      store::AddDecision(&open->message, open->version, decision, now_, commit);
    } else {
      domain::Request request;
      request.callback_id = callback_id_;
      request.contact_id = contact_id;
      request.caller = caller;
      request.note = arrival_.note;
      request.assignee_id = arrival_.assignee_id;
      request.page_token = page_token_;
      request.ring_time = arrival_.ring_time;
      RB_ASSIGN_OR_RETURN(decision, domain::Open(request, team_, Actor(), now_));
      store::AddDecision(nullptr, 0, decision, now_, commit);
      store::AddPageToken(decision.callback, token_id_, now_, commit);
    }
    turnstiles.Turn(now_, commit);
    response->mutable_callback()->set_id(decision.callback.id());
    response->set_rang_again(open.has_value() && !same_ring);
    response->set_same_ring(same_ring);
    response->mutable_warnings()->Assign(decision.warnings.begin(), decision.warnings.end());
    answer_ = ToApi(host_, decision.callback, team_, open.has_value() ? open->version + 1 : 1, now_);
    return absl::OkStatus();
  }

  const std::optional<api::Callback>& answer() const { return answer_; }

  // Decided like any other and not committed: what was made for it is not there.
  absl::Status ValidateOnly(api::CreateCallbackResponse* response) {
    store::Commit nothing;
    RB_RETURN_IF_ERROR(Decide(&nothing, response));
    if (answer_->id() == callback_id_) {
      answer_->clear_id();
      answer_->clear_page_url();
      answer_->clear_version();
      response->mutable_callback()->clear_id();
    }
    if (answer_->contact_id() == contact_id_) answer_->clear_contact_id();
    return absl::OkStatus();
  }

 private:
  domain::Actor Actor() const { return domain::Actor{call_.principal.ActorId()}; }

  // Makes or completes the contact; "" for a caller who left neither number nor address: nothing would find it again.
  std::string Learn(const std::optional<store::Loaded<record::ContactRecord>>& known, const record::Caller& caller,
                    store::Commit* commit) {
    if (caller.phone().empty() && caller.email().empty()) return "";
    record::ContactRecord contact;
    if (known.has_value()) {
      contact = known->message;
      *contact.mutable_caller() = Completed(contact.caller(), caller);
      if (SameCaller(contact.caller(), known->message.caller())) return contact.id();
    } else {
      contact.set_id(contact_id_);
      contact.set_team_id(team_.id());
      *contact.mutable_caller() = caller;
      *contact.mutable_create_time() = rpc::ToProto(now_);
    }
    *contact.mutable_update_time() = rpc::ToProto(now_);
    AddContact(known.has_value() ? &known->message : nullptr, known.has_value() ? known->version : 0, contact, commit);
    return contact.id();
  }

  // After the talk even the shortest pause is a new wish.
  bool IsSameRing(const record::CallbackRecord& open) const {
    if (!arrival_.note.empty() || open.phase() == record::CallbackRecord::PHASE_TALKED) return false;
    const absl::Duration apart = arrival_.ring_time.value_or(now_) - rpc::FromProto(open.last_ring_time());
    return absl::AbsDuration(apart) < arrival_.same_ring_within;
  }

  // A caller who rings again may leave what was missing: the address, so that a voice message can reach them.
  absl::StatusOr<domain::Decision> RingAgain(const record::CallbackRecord& open, const record::Caller& caller) {
    const domain::RangAgain ring{arrival_.note, arrival_.ring_time};
    RB_ASSIGN_OR_RETURN(domain::Decision rang, domain::Apply(open, ring, team_, Actor(), now_));
    RB_ASSIGN_OR_RETURN(domain::Decision updated, Complete(rang.callback, caller));
    return domain::Joined(std::move(rang), std::move(updated));
  }

  // Changes nothing when nothing was missing.
  absl::StatusOr<domain::Decision> Complete(const record::CallbackRecord& open, const record::Caller& caller) {
    return domain::Apply(open, domain::UpdateCaller{Completed(open.caller(), caller)}, team_, Actor(), now_);
  }

  runtime::Host& host_;
  const rpc::Call& call_;
  const record::TeamRecord& team_;
  const Arrival& arrival_;
  const int shard_;
  std::string callback_id_, contact_id_, token_id_, page_token_;
  absl::Time now_;
  std::optional<api::Callback> answer_;
};

// Telephone systems learn that the caller was taken in, and nothing that was known before.
api::Callback ForIntake(const api::Callback& callback) {
  api::Callback shown;
  shown.set_id(callback.id());
  shown.set_team_id(callback.team_id());
  return shown;
}

// A caller whom the principal took in just now is shown, whoever owes the call: nothing else is known of it yet.
bool IsShown(const rpc::Call& call, const api::CreateCallbackResponse& response, const api::Callback& callback,
             const record::TeamRecord& team) {
  return (!response.rang_again() && !response.same_ring()) ||
         domain::SeesThoseOf(rpc::ViewerOf(call.principal), callback.assignee_id(), team, call.now);
}

}  // namespace

absl::Status CreateCallback(runtime::Host& host, const rpc::Call& call, const api::CreateCallbackRequest& request,
                            api::CreateCallbackResponse* response) {
  RB_ASSIGN_OR_RETURN(const auto team, TeamOf(host, call, request.team_id()));
  RB_ASSIGN_OR_RETURN(const Arrival arrival, Check(host, call, request, team.message));
  TakeIn take_in(host, call, team.message, arrival);
  if (request.validate_only()) {
    RB_RETURN_IF_ERROR(take_in.ValidateOnly(response));
  } else {
    RB_RETURN_IF_ERROR((rpc::Once<api::CreateCallbackRequest, api::CreateCallbackResponse>(
        host.rpc(), call, request, response,
        [&](store::Commit* commit, api::CreateCallbackResponse* answer) { return take_in.Decide(commit, answer); })));
  }
  std::optional<api::Callback> callback = take_in.answer();
  if (!callback.has_value() || callback->id() != response->callback().id()) {  // the request was a repeated one
    RB_ASSIGN_OR_RETURN(callback, ReadCallback(host, call, response->callback().id()));
  }
  api::Callback& shown = *response->mutable_callback();
  if (call.principal.role == rpc::Role::kIntake) {
    shown = ForIntake(*callback);
  } else {
    shown = IsShown(call, *response, *callback, team.message) ? *callback : WithoutContent(*callback);
  }
  return absl::OkStatus();
}

}  // namespace ringback::ingest
