#include "reminder/reminder_rpc.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/status_macros.h"
#include "core/domain/input.h"
#include "core/domain/rules.h"
#include "core/rpc/server.h"
#include "core/rpc/sight.h"
#include "core/rpc/translate.h"
#include "core/store/records.h"
#include "ringback/v1/reminder_service.grpc.pb.h"

namespace ringback::reminder {
namespace {

namespace api = ::ringback::v1;
namespace record = ::ringback::store::v1;

class ReminderRpc final : public api::ReminderService::CallbackService {
 public:
  explicit ReminderRpc(runtime::Host& host) : host_(host) {}

  grpc::ServerUnaryReactor* AcknowledgeCallback(grpc::CallbackServerContext* context,
                                                const api::AcknowledgeCallbackRequest* request,
                                                api::AcknowledgeCallbackResponse* response) override {
    return rpc::Unary<api::AcknowledgeCallbackRequest, api::AcknowledgeCallbackResponse>(
        host_.rpc(), context, "/ringback.v1.ReminderService/AcknowledgeCallback", request, response,
        [this](const rpc::Call& call, const auto& request, auto* response) {
          domain::Acknowledge command;
          if (request.has_timeout()) command.timeout = rpc::FromProto(request.timeout());
          return Carry(call, request, command, response);
        });
  }

  grpc::ServerUnaryReactor* SnoozeCallback(grpc::CallbackServerContext* context,
                                           const api::SnoozeCallbackRequest* request,
                                           api::SnoozeCallbackResponse* response) override {
    return rpc::Unary<api::SnoozeCallbackRequest, api::SnoozeCallbackResponse>(
        host_.rpc(), context, "/ringback.v1.ReminderService/SnoozeCallback", request, response,
        [this](const rpc::Call& call, const auto& request, auto* response) {
          if (!request.has_duration()) {
            return domain::InvalidField("duration", "DURATION_MISSING", "say for how long, e.g. 10m");
          }
          return Carry(call, request, domain::Snooze{rpc::FromProto(request.duration())}, response);
        });
  }

  grpc::ServerUnaryReactor* ListTimers(grpc::CallbackServerContext* context, const api::ListTimersRequest* request,
                                       api::ListTimersResponse* response) override {
    return rpc::Unary<api::ListTimersRequest, api::ListTimersResponse>(
        host_.rpc(), context, "/ringback.v1.ReminderService/ListTimers", request, response,
        [this](const rpc::Call& call, const auto& request, auto* response) { return List(call, request, response); });
  }

 private:
  // What is remembered of the answer is the callback's id, not the caller's data, which must be able to leave: a repeated
  // request reads the callback as it is then.
  template <typename Request, typename Response>
  absl::Status Carry(const rpc::Call& call, const Request& request, const domain::Command& command,
                     Response* response) {
    std::optional<api::Callback> fresh;
    RB_RETURN_IF_ERROR((rpc::Once<Request, Response>(
        host_.rpc(), call, request, response, [&](store::Commit* commit, Response* response) -> absl::Status {
          RB_ASSIGN_OR_RETURN(const store::Key key, store::CallbackKey(request.callback_id()));
          auto callback = store::Load<record::CallbackRecord>(host_.store(), key);
          const absl::Status none = domain::FieldError(absl::StatusCode::kNotFound, "callback_id", "CALLBACK_NOT_FOUND",
                                                       "there is no callback with this id");
          if (absl::IsNotFound(callback.status())) return none;
          RB_RETURN_IF_ERROR(callback.status());
          // Another's callback and one that does not exist are the same to whoever does not see it.
          RB_ASSIGN_OR_RETURN(const bool seen, rpc::Sees(host_.store(), call, callback->message));
          if (!seen) return none;
          RB_ASSIGN_OR_RETURN(const store::Key team_key, store::TeamKey(callback->message.team_id()));
          RB_ASSIGN_OR_RETURN(const auto team, store::Load<record::TeamRecord>(host_.store(), team_key));
          RB_ASSIGN_OR_RETURN(const absl::Time now, host_.store().Now());
          RB_ASSIGN_OR_RETURN(
              const domain::Decision decision,
              domain::Apply(callback->message, command, team.message, domain::Actor{call.principal.ActorId()}, now));
          store::AddDecision(&callback->message, callback->version, decision, now, commit);
          response->mutable_callback()->set_id(decision.callback.id());
          fresh = rpc::ToApi(decision.callback, team.message, callback->version + 1, now, host_.config().public_url);
          return absl::OkStatus();
        })));
    if (!fresh.has_value()) {
      RB_ASSIGN_OR_RETURN(fresh, Read(call, response->callback().id()));
    }
    *response->mutable_callback() = *std::move(fresh);
    return absl::OkStatus();
  }

  // Only the id when it is somebody else's by now.
  absl::StatusOr<api::Callback> Read(const rpc::Call& call, const std::string& id) {
    RB_ASSIGN_OR_RETURN(const store::Key key, store::CallbackKey(id));
    RB_ASSIGN_OR_RETURN(const auto callback, store::Load<record::CallbackRecord>(host_.store(), key));
    RB_ASSIGN_OR_RETURN(const bool seen, rpc::Sees(host_.store(), call, callback.message));
    if (!seen) {
      api::Callback only;
      only.set_id(id);
      return only;
    }
    RB_ASSIGN_OR_RETURN(const store::Key team_key, store::TeamKey(callback.message.team_id()));
    RB_ASSIGN_OR_RETURN(const auto team, store::Load<record::TeamRecord>(host_.store(), team_key));
    RB_ASSIGN_OR_RETURN(const absl::Time now, host_.store().Now());
    return rpc::ToApi(callback.message, team.message, callback.version, now, host_.config().public_url);
  }

  absl::Status List(const rpc::Call& call, const api::ListTimersRequest& request, api::ListTimersResponse* response) {
    RB_ASSIGN_OR_RETURN(const std::string team, rpc::ScopedTeam(call.principal, request.team_id()));
    RB_ASSIGN_OR_RETURN(const store::Key team_key, store::TeamKey(team));
    store::Page page;
    RB_ASSIGN_OR_RETURN(page.limit, rpc::PageSize(request.page_size()));
    RB_ASSIGN_OR_RETURN(page.after, rpc::DecodePageToken(request.page_token()));
    const store::IndexKey index{team_key.shard, team, std::string(store::index::kTimer)};
    RB_ASSIGN_OR_RETURN(const store::ScanResult scan, host_.store().Scan(index, "", "", page));
    std::vector<store::Key> keys;
    for (const std::string& member : scan.members) {
      RB_ASSIGN_OR_RETURN(store::Key key, store::CallbackKey(store::IdOfMember(member)));
      keys.push_back(std::move(key));
    }
    // Those of others are passed over: a page may hold fewer than were asked for, and none.
    std::vector<store::Record> callbacks;
    const bool whole_team = rpc::ViewerOf(call.principal).whole_team;
    if (!whole_team && !keys.empty()) {
      RB_ASSIGN_OR_RETURN(callbacks, host_.store().GetMany(keys));
    }
    for (size_t i = 0; i < scan.members.size(); ++i) {
      const std::string& member = scan.members[i];
      if (!whole_team) {
        record::CallbackRecord callback;
        if (callbacks[i].version == 0 || !callback.ParseFromString(callbacks[i].value)) continue;
        RB_ASSIGN_OR_RETURN(const bool seen, rpc::Sees(host_.store(), call, callback));
        if (!seen) continue;
      }
      api::Timer* timer = response->add_timers();
      timer->set_callback_id(std::string(store::IdOfMember(member)));
      *timer->mutable_fire_time() = rpc::ToProto(store::TimeOfMember(member));
    }
    if (scan.more) response->set_next_page_token(rpc::EncodePageToken(scan.members.back()));
    return absl::OkStatus();
  }

  runtime::Host& host_;
};

}  // namespace

std::unique_ptr<grpc::Service> NewReminderRpc(runtime::Host& host) { return std::make_unique<ReminderRpc>(host); }

}  // namespace ringback::reminder
