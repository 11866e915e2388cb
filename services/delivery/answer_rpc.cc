#include "delivery/answer_rpc.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/domain/input.h"
#include "core/domain/proto_time.h"
#include "core/rpc/server.h"
#include "core/rpc/sight.h"
#include "core/rpc/translate.h"
#include "core/store/records.h"
#include "delivery/answer_effects.h"
#include "delivery/answer_streams.h"
#include "ringback/v1/answer_service.grpc.pb.h"

namespace ringback::delivery {
namespace {

namespace api = ::ringback::v1;
namespace record = ::ringback::store::v1;
using Context = grpc::CallbackServerContext;

absl::Status Refused(std::string_view reason, std::string_view what) {
  return domain::FieldError(absl::StatusCode::kFailedPrecondition, "answer_id", reason, what);
}

#define RB_UNARY(Method, function)                                                                              \
  grpc::ServerUnaryReactor* Method(Context* context, const api::Method##Request* request,                       \
                                   api::Method##Response* response) override {                                  \
    return rpc::Unary<api::Method##Request, api::Method##Response>(                                             \
        host_.rpc(), context, "/ringback.v1.AnswerService/" #Method, request, response,                         \
        [this](const rpc::Call& call, const api::Method##Request& request, api::Method##Response* response) {   \
          return function(call, request, response);                                                             \
        });                                                                                                     \
  }

class AnswerRpc final : public api::AnswerService::CallbackService {
 public:
  AnswerRpc(runtime::Host& host, std::shared_ptr<AnswerIntake> intake) : host_(host), intake_(std::move(intake)) {}

  grpc::ServerReadReactor<api::TakeMailRequest>* TakeMail(Context* context, api::TakeMailResponse* response) override {
    return delivery::TakeMail(host_, intake_, context, response);
  }
  grpc::ServerWriteReactor<api::DownloadAnswerResponse>* DownloadAnswer(Context* context,
                                                                        const api::DownloadAnswerRequest* request) override {
    return delivery::DownloadAnswer(host_, context, request);
  }
  RB_UNARY(ListAnswers, List)
  RB_UNARY(ListUnmatched, Unmatched)
  RB_UNARY(TieAnswer, Tie)
  RB_UNARY(DropAnswer, Drop)

 private:
  // The callback, when the principal sees it and its caller is still there.
  absl::StatusOr<store::Loaded<record::CallbackRecord>> FindCallback(const rpc::Call& call, const std::string& id) {
    const absl::Status none =
        domain::FieldError(absl::StatusCode::kNotFound, "callback_id", "CALLBACK_NOT_FOUND", "there is no callback with this id");
    const auto key = store::CallbackKey(id);
    if (!key.ok()) return none;
    auto callback = store::Load<record::CallbackRecord>(host_.store(), *key);
    if (absl::IsNotFound(callback.status())) return none;
    RB_RETURN_IF_ERROR(callback.status());
    if (callback->message.erased()) return none;
    RB_ASSIGN_OR_RETURN(const bool seen, rpc::Sees(host_.store(), call, callback->message));
    if (!seen) return none;
    return callback;
  }

  template <typename Add>
  absl::Status AddAll(const std::vector<std::string>& members, const Add& add) {
    std::vector<store::Key> keys;
    for (const std::string& member : members) {
      RB_ASSIGN_OR_RETURN(store::Key key, store::AnswerKey(store::IdOfMember(member)));
      keys.push_back(std::move(key));
    }
    if (keys.empty()) return absl::OkStatus();
    RB_ASSIGN_OR_RETURN(const auto records, host_.store().GetMany(keys));
    for (const store::Record& found : records) {
      record::AnswerRecord answer;
      if (found.version != 0 && answer.ParseFromString(found.value) && answer.has_create_time()) *add() = rpc::ToApi(answer);
    }
    return absl::OkStatus();
  }

  absl::Status List(const rpc::Call& call, const api::ListAnswersRequest& request, api::ListAnswersResponse* response) {
    RB_ASSIGN_OR_RETURN(const auto callback, FindCallback(call, request.callback_id()));
    const std::string& id = callback.message.id();
    RB_ASSIGN_OR_RETURN(const store::Key key, store::CallbackKey(id));
    store::Page page;
    RB_ASSIGN_OR_RETURN(page.limit, rpc::PageSize(request.page_size()));
    RB_ASSIGN_OR_RETURN(page.after, rpc::DecodePageToken(request.page_token()));
    const store::IndexKey index{key.shard, callback.message.team_id(), std::string(store::index::kAnswers)};
    RB_ASSIGN_OR_RETURN(const auto scan, host_.store().Scan(index, id + '\x1f', id + '\x20', page));
    RB_RETURN_IF_ERROR(AddAll(scan.members, [&] { return response->add_answers(); }));
    if (scan.more) response->set_next_page_token(rpc::EncodePageToken(scan.members.back()));
    return absl::OkStatus();
  }

  absl::Status Unmatched(const rpc::Call& call, const api::ListUnmatchedRequest& request, api::ListUnmatchedResponse* response) {
    RB_ASSIGN_OR_RETURN(const std::string team, rpc::ScopedTeam(call.principal, request.team_id()));
    RB_ASSIGN_OR_RETURN(const store::Key key, store::TeamKey(team));
    store::Page page;
    page.descending = true;
    RB_ASSIGN_OR_RETURN(page.limit, rpc::PageSize(request.page_size()));
    RB_ASSIGN_OR_RETURN(page.after, rpc::DecodePageToken(request.page_token()));
    RB_ASSIGN_OR_RETURN(const auto scan, host_.store().Scan({key.shard, team, std::string(store::index::kUnmatched)}, "", "", page));
    RB_RETURN_IF_ERROR(AddAll(scan.members, [&] { return response->add_answers(); }));
    if (scan.more) response->set_next_page_token(rpc::EncodePageToken(scan.members.back()));
    return absl::OkStatus();
  }

  // What is remembered of the response is the answer's id: what the customer wrote must be able to leave.
  template <typename Request, typename Response>
  absl::Status Change(const rpc::Call& call, const Request& request, Response* response,
                      const std::function<absl::Status(store::Loaded<record::AnswerRecord>, store::Commit*)>& change) {
    RB_RETURN_IF_ERROR((rpc::Once<Request, Response>(
        host_.rpc(), call, request, response, [&](store::Commit* commit, Response* response) -> absl::Status {
          RB_ASSIGN_OR_RETURN(auto answer, FindAnswer(host_, call, request.answer_id(), "answer_id"));
          response->mutable_answer()->set_id(answer.message.id());
          return change(std::move(answer), commit);
        })));
    // It may have moved out of sight since, or left.
    const auto answer = FindAnswer(host_, call, response->answer().id(), "answer_id");
    if (absl::IsNotFound(answer.status())) return absl::OkStatus();
    RB_RETURN_IF_ERROR(answer.status());
    *response->mutable_answer() = rpc::ToApi(answer->message);
    return absl::OkStatus();
  }

  absl::Status Tie(const rpc::Call& call, const api::TieAnswerRequest& request, api::TieAnswerResponse* response) {
    if (request.callback_id().empty() != request.unmatched()) {
      return domain::InvalidField("callback_id", "CALLBACK_OR_UNMATCHED", "say whose it is: a callback's, or unmatched");
    }
    return Change(call, request, response, [&](store::Loaded<record::AnswerRecord> answer, store::Commit* commit) -> absl::Status {
      const domain::Actor actor{call.principal.ActorId()};
      std::optional<store::Loaded<record::CallbackRecord>> callback;
      if (!request.unmatched()) {
        RB_ASSIGN_OR_RETURN(callback, FindCallback(call, request.callback_id()));
        if (answer.message.team_id() != callback->message.team_id()) {
          return Refused("OTHER_TEAM", "the mail and the callback are of different teams");
        }
      }
      const std::string to = callback.has_value() ? callback->message.id() : "";
      if (answer.message.callback_id() == to && (callback.has_value() || answer.message.dropped_by().empty())) {
        return absl::OkStatus();
      }
      RB_ASSIGN_OR_RETURN(const store::Key team_key, store::TeamKey(answer.message.team_id()));
      RB_ASSIGN_OR_RETURN(const auto team, store::Load<record::TeamRecord>(host_.store(), team_key));
      RB_ASSIGN_OR_RETURN(const absl::Time now, host_.store().Now());
      record::AnswerRecord after = answer.message;
      if (!after.callback_id().empty()) {
        RB_RETURN_IF_ERROR(TakeBackAnswerEffects(host_.store(), team.message, to, actor, now, &after, commit));
      }
      after.set_callback_id(to);
      after.clear_dropped_by();
      if (!callback.has_value()) {
        after.clear_match();
        after.clear_matched_by();
        after.clear_tie_time();
        commit->events.push_back(UnmatchedChanged(after, actor.id, now));
        // It waits as if it had come now: whoever is to tie it has the whole time again.
        store::AddAnswer(&answer.message, answer.version, after, UnmatchedPurgeTime(team.message, now), commit);
        return absl::OkStatus();
      }
      after.set_match(record::AnswerRecord::MATCH_BY_HAND);
      after.set_matched_by(actor.id);
      *after.mutable_tie_time() = domain::ToProto(now);
      store::AddAnswer(&answer.message, answer.version, after, now, commit);
      return AddAnswerEffects(host_.store(), *callback, team.message, after, actor, now, commit);
    });
  }

  absl::Status Drop(const rpc::Call& call, const api::DropAnswerRequest& request, api::DropAnswerResponse* response) {
    return Change(call, request, response, [&](store::Loaded<record::AnswerRecord> answer, store::Commit* commit) -> absl::Status {
      if (!answer.message.callback_id().empty()) {
        return Refused("ANSWER_TIED", absl::StrCat("it belongs to ", answer.message.callback_id(), " and stays with it"));
      }
      if (!answer.message.dropped_by().empty()) return absl::OkStatus();
      RB_ASSIGN_OR_RETURN(const store::Key team_key, store::TeamKey(answer.message.team_id()));
      RB_ASSIGN_OR_RETURN(const auto team, store::Load<record::TeamRecord>(host_.store(), team_key));
      record::AnswerRecord after = answer.message;
      after.set_dropped_by(call.principal.ActorId());
      const absl::Time purge = UnmatchedPurgeTime(team.message, domain::FromProto(after.create_time()));
      store::AddAnswer(&answer.message, answer.version, after, purge, commit);
      return absl::OkStatus();
    });
  }

  runtime::Host& host_;
  const std::shared_ptr<AnswerIntake> intake_;
};

}  // namespace

std::unique_ptr<grpc::Service> NewAnswerRpc(runtime::Host& host, std::shared_ptr<AnswerIntake> intake) {
  return std::make_unique<AnswerRpc>(host, std::move(intake));
}

}  // namespace ringback::delivery
