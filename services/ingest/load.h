// What every handler of the service does first and last: find the record inside the principal's team, and answer a
// write once. No rule and no protobuf service here.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/base/status_macros.h"
#include "core/domain/input.h"
#include "core/domain/rules.h"
#include "core/rpc/server.h"
#include "core/rpc/sight.h"
#include "core/rpc/translate.h"
#include "core/runtime/host.h"
#include "core/store/records.h"

namespace ringback::ingest {

namespace api = ::ringback::v1;
namespace record = ::ringback::store::v1;

// NOT_FOUND that names the field: the same words for what is not there and for what belongs to another team.
absl::Status NotThere(std::string_view field, std::string_view what);

// For one decision. Never made of what was decided upon: two different decisions on one version of a record would share
// it, and the second would be taken for a repetition of the first. Use it again only to repeat that very commit.
std::string NewCommitId(runtime::Host& host, int shard);

// The team a request is about. INVALID_ARGUMENT when an operator names none, PERMISSION_DENIED for another team.
absl::StatusOr<store::Loaded<record::TeamRecord>> TeamOf(runtime::Host& host, const rpc::Call& call,
                                                         const std::string& team_id);
absl::StatusOr<store::Loaded<record::TeamRecord>> LoadTeam(runtime::Host& host, const std::string& team_id);

// The key of the callback that a request names: by its whole id, which is not looked up, or by the first characters (6 at
// least) that of the open callbacks in sight only one has; if none has them, of the closed ones. NOT_FOUND, or
// INVALID_ARGUMENT when several match or it is no id.
absl::StatusOr<store::Key> NamedCallback(runtime::Host& host, const rpc::Call& call, const std::string& id,
                                         std::string_view field);
// The callback under the key; NOT_FOUND when the principal does not see it. A command asks this where it decides, not before:
// a request that is repeated after it gave the callback away still gets its answer.
absl::StatusOr<store::Loaded<record::CallbackRecord>> SeenCallback(runtime::Host& host, const rpc::Call& call,
                                                                   const store::Key& key, std::string_view field);
// Both, for who only reads.
absl::StatusOr<store::Loaded<record::CallbackRecord>> FindCallback(runtime::Host& host, const rpc::Call& call,
                                                                   const std::string& id, std::string_view field);
// A recording that the principal sees.
absl::StatusOr<store::Loaded<record::RecordingRecord>> FindRecording(runtime::Host& host, const rpc::Call& call,
                                                                     const std::string& id, std::string_view field);

// Ids of all index members whose sort part is exactly `sort`.
absl::StatusOr<std::vector<std::string>> IdsUnder(store::Store& store, int shard, const std::string& team,
                                                  std::string_view index, const std::string& sort);

// The open callback of the first of the keys (store::SubjectKeys) that one stands under; nullopt when none is open.
absl::StatusOr<std::optional<store::Loaded<record::CallbackRecord>>> FindOpenCallback(store::Store& store, int shard,
                                                                                      const std::string& team,
                                                                                      const std::vector<std::string>& keys);

api::Callback ToApi(runtime::Host& host, const record::CallbackRecord& callback, const record::TeamRecord& team,
                    uint64_t version, absl::Time now);
// What is told of a callback to those who do not see it: that it is there, and whose it is.
api::Callback WithoutContent(const api::Callback& callback);
// The callback as it is now; without its content when the principal sees it no longer.
absl::StatusOr<api::Callback> ReadCallback(runtime::Host& host, const rpc::Call& call, const std::string& id);

// What a command on a callback is decided upon; loaded afresh for every try.
struct Scene {
  store::Loaded<record::CallbackRecord> callback;
  record::TeamRecord team;
  domain::Actor actor;
  absl::Time now;
};

// Carries out a command on a callback once per request_id. What is remembered of the answer is the callback's id, not
// the caller's data, which must be able to leave: a repeated request reads the callback as it is then.
template <typename Request, typename Response>
absl::Status Carry(
    runtime::Host& host, const rpc::Call& call, const Request& request, Response* response,
    std::function<absl::StatusOr<domain::Decision>(const Scene&, store::Commit*, Response*)> decide) {
  RB_ASSIGN_OR_RETURN(const store::Key key, NamedCallback(host, call, request.callback_id(), "callback_id"));
  std::optional<api::Callback> fresh;
  RB_RETURN_IF_ERROR((rpc::Once<Request, Response>(
      host.rpc(), call, request, response,
      [&](store::Commit* commit, Response* answer) -> absl::Status {
        Scene scene;
        RB_ASSIGN_OR_RETURN(scene.callback, SeenCallback(host, call, key, "callback_id"));
        RB_ASSIGN_OR_RETURN(auto team, LoadTeam(host, scene.callback.message.team_id()));
        scene.team = std::move(team.message);
        scene.actor.id = call.principal.ActorId();
        RB_ASSIGN_OR_RETURN(scene.now, host.store().Now());
        RB_ASSIGN_OR_RETURN(const domain::Decision decision, decide(scene, commit, answer));
        store::AddDecision(&scene.callback.message, scene.callback.version, decision, scene.now, commit);
        answer->mutable_callback()->Clear();
        answer->mutable_callback()->set_id(decision.callback.id());
        fresh = ToApi(host, decision.callback, scene.team, scene.callback.version + 1, scene.now);
        return absl::OkStatus();
      })));
  if (!fresh.has_value()) {
    RB_ASSIGN_OR_RETURN(fresh, ReadCallback(host, call, response->callback().id()));
  }
  *response->mutable_callback() = *std::move(fresh);
  return absl::OkStatus();
}

// A unary method as a plain function of the service.
template <typename Request, typename Response>
grpc::ServerUnaryReactor* Run(runtime::Host& host, grpc::CallbackServerContext* context, const char* method,
                              const Request* request, Response* response,
                              absl::Status (*handler)(runtime::Host&, const rpc::Call&, const Request&, Response*)) {
  return rpc::Unary<Request, Response>(
      host.rpc(), context, method, request, response,
      [&host, handler](const rpc::Call& call, const Request& asked, Response* answer) {
        return handler(host, call, asked, answer);
      });
}

}  // namespace ringback::ingest
