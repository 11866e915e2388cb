#include "ingest/team_sign_ins.h"

#include "absl/strings/str_cat.h"
#include "core/base/log.h"
#include "core/domain/team.h"
#include "core/rpc/sign_in.h"
#include "core/runtime/pages_url.h"
#include "core/store/again.h"
#include "ingest/team_members.h"

namespace ringback::ingest {
namespace {

absl::StatusOr<rpc::SignIn> NewSignIn(runtime::Host& host, const rpc::Call& call, const std::string& member_id) {
  return store::Again([&]() -> absl::StatusOr<rpc::SignIn> {
    RB_ASSIGN_OR_RETURN(const auto team, TeamOfMember(host, call, member_id, "member_id"));
    if (domain::FindMember(team.message, member_id)->inactive()) {
      return domain::FieldError(absl::StatusCode::kFailedPrecondition, "member_id", "MEMBER_LEFT",
                                "is no longer with the team");
    }
    RB_ASSIGN_OR_RETURN(const absl::Time now, host.store().Now());
    RB_ASSIGN_OR_RETURN(const store::Key key, store::TeamKey(team.message.id()));
    store::Commit commit;
    commit.shard = key.shard;
    commit.commit_id = NewCommitId(host, key.shard);
    RB_ASSIGN_OR_RETURN(rpc::SignIn made,
                        rpc::AddSignIn(host.store(), host.random(), team.message, member_id, now, &commit));
    RB_RETURN_IF_ERROR(host.store().CommitOnce(commit).status());
    return made;
  });
}

}  // namespace

absl::Status CreateSignIn(runtime::Host& host, const rpc::Call& call, const api::CreateSignInRequest& request,
                          api::CreateSignInResponse* response) {
  RB_ASSIGN_OR_RETURN(const rpc::SignIn made, NewSignIn(host, call, request.member_id()));
  RB_LOG_INFO("sign-in: {} has made one for {}", call.principal.ActorId(), request.member_id());
  const std::string url = runtime::StaffUrl(host.config());
  if (!url.empty()) response->set_link(absl::StrCat(url, "/sign-in/", made.link));
  response->set_code(made.code);
  *response->mutable_expire_time() = rpc::ToProto(made.expires);
  return absl::OkStatus();
}

absl::Status RevokeSessions(runtime::Host& host, const rpc::Call& call, const api::RevokeSessionsRequest& request,
                            api::RevokeSessionsResponse* response) {
  RB_ASSIGN_OR_RETURN(const auto team, TeamOfMember(host, call, request.member_id(), "member_id"));
  const std::string team_id = team.message.id();
  return rpc::Once<api::RevokeSessionsRequest, api::RevokeSessionsResponse>(
      host.rpc(), call, request, response,
      [&](store::Commit* commit, api::RevokeSessionsResponse* answer) -> absl::Status {
        RB_ASSIGN_OR_RETURN(const absl::Time now, host.store().Now());
        RB_ASSIGN_OR_RETURN(const int revoked,
                            rpc::AddEndOfSessions(host.store(), team_id, request.member_id(), now, commit));
        answer->set_revoked(revoked);
        return absl::OkStatus();
      });
}

}  // namespace ringback::ingest
