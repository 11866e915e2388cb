#include "delivery/delivery_rpc.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "core/base/ids.h"
#include "core/base/status_macros.h"
#include "core/domain/deliveries.h"
#include "core/domain/input.h"
#include "core/domain/rules.h"
#include "core/domain/team.h"
#include "core/rpc/server.h"
#include "core/rpc/sight.h"
#include "core/rpc/translate.h"
#include "core/store/change_callback.h"
#include "core/store/records.h"
#include "ringback/v1/delivery_service.grpc.pb.h"

namespace ringback::delivery {
namespace {

namespace api = ::ringback::v1;
namespace record = ::ringback::store::v1;

absl::Status NotFound(std::string_view field, std::string_view what) {
  return domain::FieldError(absl::StatusCode::kNotFound, field, "NOT_FOUND", what);
}

#define RB_UNARY(Method, function)                                                                              \
  grpc::ServerUnaryReactor* Method(grpc::CallbackServerContext* context, const api::Method##Request* request,   \
                                   api::Method##Response* response) override {                                  \
    return rpc::Unary<api::Method##Request, api::Method##Response>(                                             \
        host_.rpc(), context, "/ringback.v1.DeliveryService/" #Method, request, response,                       \
        [this](const rpc::Call& call, const api::Method##Request& request, api::Method##Response* response) {   \
          return function(call, request, response);                                                             \
        });                                                                                                     \
  }

class DeliveryRpc final : public api::DeliveryService::CallbackService {
 public:
  DeliveryRpc(runtime::Host& host, Wires* wires) : host_(host), wires_(wires) {}

  RB_UNARY(ListDeliveries, List)
  RB_UNARY(ResendDelivery, Resend)
  RB_UNARY(ListDeadLetters, ListDead)
  RB_UNARY(GetDeadLetter, GetDead)
  RB_UNARY(RetryDeadLetter, RetryDead)
  RB_UNARY(DropDeadLetter, DropDead)
  RB_UNARY(TestWebhook, Test)

 private:
  // The record, when it is of the principal's team; to a stranger it does not exist.
  template <typename Message>
  absl::StatusOr<store::Loaded<Message>> Own(const rpc::Call& call, const absl::StatusOr<store::Key>& key,
                                             std::string_view field) {
    if (!key.ok()) return NotFound(field, std::string(key.status().message()));
    auto loaded = store::Load<Message>(host_.store(), *key);
    if (absl::IsNotFound(loaded.status()) ||
        (loaded.ok() && !rpc::ScopedTeam(call.principal, loaded->message.team_id()).ok())) {
      return NotFound(field, "there is nothing with this id");
    }
    return loaded;
  }

  // The same for a callback that the principal must also see: a rep does not see every colleague's.
  absl::StatusOr<store::Loaded<record::CallbackRecord>> SeenCallback(const rpc::Call& call, const std::string& id) {
    RB_ASSIGN_OR_RETURN(auto callback, Own<record::CallbackRecord>(call, store::CallbackKey(id), "callback_id"));
    RB_ASSIGN_OR_RETURN(const bool seen, rpc::Sees(host_.store(), call, callback.message));
    if (!seen) return NotFound("callback_id", "there is nothing with this id");
    return callback;
  }

  absl::StatusOr<record::TeamRecord> TeamOf(const std::string& team_id) {
    RB_ASSIGN_OR_RETURN(const store::Key key, store::TeamKey(team_id));
    RB_ASSIGN_OR_RETURN(auto team, store::Load<record::TeamRecord>(host_.store(), key));
    return std::move(team.message);
  }

  absl::Status List(const rpc::Call& call, const api::ListDeliveriesRequest& request,
                    api::ListDeliveriesResponse* response) {
    RB_ASSIGN_OR_RETURN(const auto callback, SeenCallback(call, request.callback_id()));
    RB_ASSIGN_OR_RETURN(const int size, rpc::PageSize(request.page_size()));
    RB_ASSIGN_OR_RETURN(const std::string after, rpc::DecodePageToken(request.page_token()));
    int first = 1;
    if (!after.empty() && !absl::SimpleAtoi(after, &first)) {
      return domain::InvalidField("page_token", "PAGE_TOKEN_INVALID", "use the next_page_token of a previous answer");
    }
    std::vector<store::Key> keys;
    const int last = std::min(callback.message.delivery_count(), first + size - 1);
    for (int n = first; n <= last; ++n) {
      RB_ASSIGN_OR_RETURN(store::Key key, store::DeliveryKey(domain::DeliveryId(callback.message.id(), n)));
      keys.push_back(std::move(key));
    }
    RB_ASSIGN_OR_RETURN(const std::vector<store::Record> records, host_.store().GetMany(keys));
    for (const store::Record& found : records) {
      record::DeliveryRecord delivery;
      if (found.version == 0 || !delivery.ParseFromString(found.value)) continue;
      *response->add_deliveries() = rpc::ToApi(delivery, host_.config().mail_domain);
    }
    if (last < callback.message.delivery_count()) {
      response->set_next_page_token(rpc::EncodePageToken(std::to_string(last + 1)));
    }
    return absl::OkStatus();
  }

  absl::Status Resend(const rpc::Call& call, const api::ResendDeliveryRequest& request,
                      api::ResendDeliveryResponse* response) {
    // The delivery's id is remembered of the answer: what its tries tell must be able to leave with the caller.
    std::optional<api::Delivery> fresh;
    RB_RETURN_IF_ERROR((rpc::Once<api::ResendDeliveryRequest, api::ResendDeliveryResponse>(
        host_.rpc(), call, request, response,
        [&](store::Commit* commit, api::ResendDeliveryResponse* response) -> absl::Status {
          RB_ASSIGN_OR_RETURN(const auto callback, SeenCallback(call, request.callback_id()));
          RB_ASSIGN_OR_RETURN(const record::TeamRecord team, TeamOf(callback.message.team_id()));
          RB_ASSIGN_OR_RETURN(const absl::Time now, host_.store().Now());
          RB_ASSIGN_OR_RETURN(const bool ready, RecordingReady(callback.message));
          RB_ASSIGN_OR_RETURN(domain::Decision decision,
                              domain::Apply(callback.message, domain::Resend{ready}, team,
                                            domain::Actor{call.principal.ActorId()}, now));
          store::RenewPage(host_.random(), now, &decision, commit);
          store::AddDecision(&callback.message, callback.version, decision, now, commit);
          response->mutable_delivery()->set_id(decision.new_deliveries.back().id());
          fresh = rpc::ToApi(decision.new_deliveries.back(), host_.config().mail_domain);
          return absl::OkStatus();
        })));
    if (!fresh.has_value()) {
      RB_ASSIGN_OR_RETURN(const store::Key key, store::DeliveryKey(response->delivery().id()));
      const auto delivery = store::Load<record::DeliveryRecord>(host_.store(), key);
      if (absl::IsNotFound(delivery.status())) return absl::OkStatus();  // erased since: its id is all there is
      RB_RETURN_IF_ERROR(delivery.status());
      fresh = rpc::ToApi(delivery->message, host_.config().mail_domain);
    }
    *response->mutable_delivery() = *std::move(fresh);
    return absl::OkStatus();
  }

  absl::StatusOr<bool> RecordingReady(const record::CallbackRecord& callback) {
    const auto& promises = callback.promises();
    if (promises.empty() || promises.rbegin()->recording_id().empty()) return true;
    RB_ASSIGN_OR_RETURN(const store::Key key, store::RecordingKey(promises.rbegin()->recording_id()));
    const auto recording = store::Load<record::RecordingRecord>(host_.store(), key);
    if (absl::IsNotFound(recording.status())) return false;
    RB_RETURN_IF_ERROR(recording.status());
    return recording->message.state() == record::RecordingRecord::STATE_READY;
  }

  static bool IsRecording(const std::string& id) { return absl::StartsWith(id, "rc"); }
  static bool IsCallback(const std::string& id) { return absl::StartsWith(id, "cb"); }

  // INVALID for what is no longer dead.
  absl::Status FillDead(const rpc::Call& call, const std::string& id, api::DeadLetter* dead, api::Delivery* delivery) {
    dead->set_id(id);
    if (IsCallback(id)) {
      RB_ASSIGN_OR_RETURN(const auto timer, Own<record::CallbackRecord>(call, store::CallbackKey(id), "id"));
      const store::IndexChange listed = store::DeadTimer(store::CallbackKey(id)->shard, timer.message.team_id(), id, /*remove=*/false);
      store::Page one;
      one.limit = 1;
      RB_ASSIGN_OR_RETURN(const auto scan, host_.store().Scan(listed.index, listed.member, listed.member + '\x01', one));
      if (scan.members.empty()) return NotFound("id", "this callback's timer is not dead");
      dead->set_stage("promise");
      dead->set_callback_id(id);
      dead->set_reason("its timer failed again and again; it is tried every hour");
      *dead->mutable_create_time() = timer.message.create_time();
      return absl::OkStatus();
    }
    if (IsRecording(id)) {
      RB_ASSIGN_OR_RETURN(const auto recording, Own<record::RecordingRecord>(call, store::RecordingKey(id), "id"));
      if (recording.message.dead_reason().empty()) return NotFound("id", "this recording is not dead");
      dead->set_stage("transcode");
      dead->set_callback_id(recording.message.callback_id());
      dead->set_reason(recording.message.dead_reason());
      *dead->mutable_create_time() = recording.message.create_time();
      return absl::OkStatus();
    }
    RB_ASSIGN_OR_RETURN(const auto loaded, Own<record::DeliveryRecord>(call, store::DeliveryKey(id), "id"));
    if (loaded.message.state() != record::DeliveryRecord::STATE_FAILED || loaded.message.dropped()) {
      return NotFound("id", "this delivery is not dead");
    }
    dead->set_stage("delivery");
    dead->set_callback_id(loaded.message.callback_id());
    dead->set_reason(loaded.message.dead_reason());
    *dead->mutable_create_time() = loaded.message.create_time();
    if (delivery != nullptr) *delivery = rpc::ToApi(loaded.message, host_.config().mail_domain);
    return absl::OkStatus();
  }

  absl::Status ListDead(const rpc::Call& call, const api::ListDeadLettersRequest& request,
                        api::ListDeadLettersResponse* response) {
    RB_ASSIGN_OR_RETURN(const std::string team, rpc::ScopedTeam(call.principal, request.team_id()));
    RB_ASSIGN_OR_RETURN(const store::Key team_key, store::TeamKey(team));
    store::Page page;
    page.descending = true;
    RB_ASSIGN_OR_RETURN(page.limit, rpc::PageSize(request.page_size()));
    RB_ASSIGN_OR_RETURN(page.after, rpc::DecodePageToken(request.page_token()));
    const store::IndexKey index{team_key.shard, team, std::string(store::index::kDead)};
    RB_ASSIGN_OR_RETURN(const store::ScanResult scan, host_.store().Scan(index, "", "", page));
    for (const std::string& member : scan.members) {
      api::DeadLetter dead;
      const absl::Status status = FillDead(call, std::string(store::IdOfMember(member)), &dead, nullptr);
      if (absl::IsNotFound(status)) continue;
      RB_RETURN_IF_ERROR(status);
      *response->add_dead_letters() = std::move(dead);
    }
    if (scan.more) response->set_next_page_token(rpc::EncodePageToken(scan.members.back()));
    return absl::OkStatus();
  }

  absl::Status GetDead(const rpc::Call& call, const api::GetDeadLetterRequest& request,
                       api::GetDeadLetterResponse* response) {
    RB_RETURN_IF_ERROR(FillDead(call, request.id(), response->mutable_dead_letter(), response->mutable_delivery()));
    if (response->delivery().id().empty()) response->clear_delivery();
    return absl::OkStatus();
  }

  absl::Status RetryDead(const rpc::Call& call, const api::RetryDeadLetterRequest& request,
                         api::RetryDeadLetterResponse* response) {
    return EndDead(call, request, response, /*retry=*/true);
  }
  absl::Status DropDead(const rpc::Call& call, const api::DropDeadLetterRequest& request,
                        api::DropDeadLetterResponse* response) {
    return EndDead(call, request, response, /*retry=*/false);
  }

  template <typename Request, typename Response>
  absl::Status EndDead(const rpc::Call& call, const Request& request, Response* response, bool retry) {
    // A reason may quote the caller's address, so a repeated request learns only what it ended.
    std::string reason;
    RB_RETURN_IF_ERROR((rpc::Once<Request, Response>(
        host_.rpc(), call, request, response, [&](store::Commit* commit, Response* response) -> absl::Status {
          RB_RETURN_IF_ERROR(FillDead(call, request.id(), response->mutable_dead_letter(), nullptr));
          RB_ASSIGN_OR_RETURN(const absl::Time now, host_.store().Now());
          if (IsRecording(request.id())) {
            RB_RETURN_IF_ERROR(EndRecording(call, request.id(), retry, now, commit));
          } else if (IsCallback(request.id())) {
            RB_RETURN_IF_ERROR(EndTimer(call, request.id(), commit));
          } else {
            RB_RETURN_IF_ERROR(EndDelivery(call, request.id(), retry, now, commit));
          }
          api::DeadLetter& dead = *response->mutable_dead_letter();
          reason = dead.reason();
          dead.clear_reason();
          return AddHistory(call, dead, retry ? "dead_letter_retried" : "dead_letter_dropped", now, commit);
        })));
    if (!reason.empty()) response->mutable_dead_letter()->set_reason(reason);
    return absl::OkStatus();
  }

  absl::Status EndDelivery(const rpc::Call& call, const std::string& id, bool retry, absl::Time now,
                           store::Commit* commit) {
    RB_ASSIGN_OR_RETURN(auto delivery, Own<record::DeliveryRecord>(call, store::DeliveryKey(id), "id"));
    if (retry) {
      delivery.message.set_state(record::DeliveryRecord::STATE_QUEUED);
      delivery.message.set_channel(0);
      delivery.message.set_tries_set_aside(delivery.message.tries_size());
      delivery.message.clear_dead_reason();
      delivery.message.clear_bundle_ids();
      delivery.message.clear_bundled_into_id();
      commit->due.push_back(store::DueChange{store::DeliveryDue(delivery.message), now});
    } else {
      delivery.message.set_dropped(true);
    }
    store::AddDelivery(delivery.message, delivery.version, commit);
    return absl::OkStatus();
  }

  absl::Status EndRecording(const rpc::Call& call, const std::string& id, bool retry, absl::Time now,
                            store::Commit* commit) {
    RB_ASSIGN_OR_RETURN(auto recording, Own<record::RecordingRecord>(call, store::RecordingKey(id), "id"));
    recording.message.clear_dead_reason();
    if (retry) {
      recording.message.set_state(record::RecordingRecord::STATE_RECEIVED);
      commit->due.push_back(store::DueChange{store::TranscodeDue(recording.message), now});
    }
    RB_ASSIGN_OR_RETURN(const store::Key key, store::RecordingKey(id));
    store::AddPut(key, recording.version, recording.message, commit);
    RemoveDead(recording.message.team_id(), key.shard, rpc::FromProto(recording.message.create_time()), id, commit);
    return absl::OkStatus();
  }

  // A timer's dead letter only tells. That somebody ended it goes into the history, and with that its entry is due at
  // the callback's next timer again, which is now.
  absl::Status EndTimer(const rpc::Call& call, const std::string& id, store::Commit* commit) {
    RB_ASSIGN_OR_RETURN(const auto callback, Own<record::CallbackRecord>(call, store::CallbackKey(id), "id"));
    commit->indexes.push_back(store::DeadTimer(commit->shard, callback.message.team_id(), id, /*remove=*/true));
    return absl::OkStatus();
  }

  static void RemoveDead(const std::string& team, int shard, absl::Time created, const std::string& id,
                         store::Commit* commit) {
    commit->indexes.push_back({store::IndexKey{shard, team, std::string(store::index::kDead)},
                               store::Member(store::SortKey(created), id), true});
  }

  // Law 8: who gave it up, or put it back to work, stands in the callback's history.
  absl::Status AddHistory(const rpc::Call& call, const api::DeadLetter& dead, std::string_view what, absl::Time now,
                          store::Commit* commit) {
    if (dead.callback_id().empty()) return absl::OkStatus();
    RB_ASSIGN_OR_RETURN(const store::Key key, store::CallbackKey(dead.callback_id()));
    auto callback = store::Load<record::CallbackRecord>(host_.store(), key);
    if (absl::IsNotFound(callback.status())) return absl::OkStatus();
    RB_RETURN_IF_ERROR(callback.status());
    RB_ASSIGN_OR_RETURN(const record::TeamRecord team, TeamOf(callback->message.team_id()));
    const domain::Decision decision = domain::Note(callback->message, std::string(what), dead.id(), team,
                                                   domain::Actor{call.principal.ActorId()}, now);
    store::AddDecision(&callback->message, callback->version, decision, now, commit);
    return absl::OkStatus();
  }

  absl::Status Test(const rpc::Call& call, const api::TestWebhookRequest& request, api::TestWebhookResponse* response) {
    RB_ASSIGN_OR_RETURN(const record::TeamRecord team, TeamOf(call.principal.team_id));
    const record::Member* member = domain::FindMember(team, request.member_id());
    if (member == nullptr) return NotFound("member_id", "there is no member with this id");
    if (request.url().empty()) return domain::InvalidField("url", "URL_MISSING", "where to, like https://chat.example.com/hooks/…");
    if (wires_ == nullptr) return absl::UnavailableError("nothing leaves from here");
    api::Member asked;
    api::Channel& channel = *asked.add_channels();
    channel.set_kind(api::CHANNEL_KIND_WEBHOOK);
    channel.set_address(request.url());
    channel.set_secret(request.secret());
    channel.set_format(request.format());
    WebhookTarget target = TargetOf(rpc::FromApi(asked).channels(0));
    for (const record::Channel& known : member->channels()) {
      if (target.secret.empty() && known.address() == request.url()) target.secret = known.secret();
    }
    WebhookEvent event;
    event.id = NewId(id_prefix::kDelivery, call.principal.shard, host_.random());
    event.type = "test";
    event.time = call.now;
    event.team_id = team.id();
    const bool german = (member->language().empty() ? team.language() : member->language()) != "en";
    event.title = german ? "Probe von ringback" : "A test from ringback";
    event.text = german ? "Hier kommen Alarme an." : "Alarms will arrive here.";
    event.facts.emplace_back("team", team.name());
    const absl::Time begun = absl::Now();
    const SendOutcome outcome = wires_->Send(target, event);
    response->set_accepted(outcome.result == SendResult::kAccepted);
    response->set_answer(outcome.reason);
    *response->mutable_took() = rpc::ToProto(absl::Now() - begun);
    return absl::OkStatus();
  }

  runtime::Host& host_;
  Wires* const wires_;
};

#undef RB_UNARY

}  // namespace

std::unique_ptr<grpc::Service> NewDeliveryRpc(runtime::Host& host, Wires* wires) {
  return std::make_unique<DeliveryRpc>(host, wires);
}

}  // namespace ringback::delivery
