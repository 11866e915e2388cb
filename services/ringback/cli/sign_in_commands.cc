// sign-in, sign-out: members in browsers.
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "ringback/cli/commands.h"
#include "ringback/cli/print.h"

namespace ringback::cli {
namespace {

absl::Status SignIn(Session& session, const std::string& who) {
  RB_ASSIGN_OR_RETURN(const v1::Member member, session.FindMember(who));
  v1::CreateSignInRequest request;
  v1::CreateSignInResponse response;
  request.set_member_id(member.id());
  RB_RETURN_IF_ERROR(session.Call(
      [&](auto* context) { return session.teams().CreateSignIn(context, request, &response); }, As::kMemberThenOperator));
  std::ostream& out = *session.world().out;
  if (session.options().json) {
    out << ToJson(response) << "\n";
    return absl::OkStatus();
  }
  *session.world().err << "For " << Printable(member.name()) << " alone, until "
                       << When(session, true, response.expire_time()) << ", good for one sign-in:\n";
  if (!response.link().empty()) out << "link  " << response.link() << "\n";
  out << "code  " << response.code().substr(0, 3) << " " << response.code().substr(3) << "\n";
  if (response.link().empty()) {
    *session.world().err << "Open /sign-in on the pages and type the member's mail address and this code. (No link: set "
                            "public_url, or a host in http_listen.)\n";
  }
  return absl::OkStatus();
}

absl::Status SignOut(Session& session, const std::string& who) {
  RB_ASSIGN_OR_RETURN(const v1::Member member, session.FindMember(who));
  v1::RevokeSessionsRequest request;
  v1::RevokeSessionsResponse response;
  request.set_request_id(session.NewRequestId());
  request.set_member_id(member.id());
  RB_RETURN_IF_ERROR(session.Call(
      [&](auto* context) { return session.teams().RevokeSessions(context, request, &response); },
      As::kMemberThenOperator));
  if (session.options().json) {
    *session.world().out << ToJson(response) << "\n";
    return absl::OkStatus();
  }
  *session.world().out << member.id() << "  " << Printable(member.name()) << ": signed out in " << response.revoked()
                       << (response.revoked() == 1 ? " browser\n" : " browsers\n");
  return absl::OkStatus();
}

}  // namespace

void AddSignInCommands(Commands& commands) {
  auto who = std::make_shared<std::string>();
  CLI::App* in = commands.app().add_subcommand("sign-in", "A link and a code with which a member signs in to the pages");
  in->add_option("MEMBER", *who, "Name, mail address, id or \"me\"")->required();
  commands.OnServer(in, [who](Session& session) { return SignIn(session, *who); });
  CLI::App* out = commands.app().add_subcommand("sign-out", "Sign a member out in every browser");
  out->add_option("MEMBER", *who, "Name, mail address, id or \"me\"")->required();
  commands.OnServer(out, [who](Session& session) { return SignOut(session, *who); });
}

}  // namespace ringback::cli
