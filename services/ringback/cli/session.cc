// See session.h.
#include "ringback/cli/session.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "core/domain/calendar.h"
#include "core/domain/input.h"
#include "core/rpc/places.h"
#include "core/rpc/status.h"
#include "core/rpc/trace.h"

namespace ringback::cli {
namespace {

absl::StatusOr<std::string> FileText(const std::string& path) {
  if (path.empty()) return "";
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  if (!file || text.str().empty()) return absl::FailedPreconditionError(absl::StrCat(path, ": cannot be read"));
  return text.str();
}

absl::Status WithField(const absl::Status& status, const std::string& field) {
  return domain::FieldError(status.code(), field, domain::DetailOf(status).reason,
                            std::string_view(status.message().data(), status.message().size()));
}

}  // namespace

std::string Unreachable(const std::string& address, const std::string& why) {
  const auto says = [&](const char* words) { return absl::StrContains(why, words); };
  const bool tls = absl::StartsWith(address, "https://");
  // The server's own words, not gRPC's, though they may hold the same.
  if (absl::StartsWith(why, "Redis")) return absl::StrCat("the server at ", address, " has no store now (", why, ")");
  if (says("certificate verify failed")) {
    return absl::StrCat("the server at ", address, " shows a certificate that is not trusted here; RINGBACK_CA_FILE names the PEM "
                        "file of the CA that signed it (certificate verify failed)");
  }
  if (says("wrong version number")) {
    return absl::StrCat("the server at ", address, " does not speak TLS: write http:// instead of https://");
  }
  if (says("Hostname Verification") || says("Peer name")) {
    return absl::StrCat("the certificate of the server at ", address, " is for another name; use the name it was made for");
  }
  const bool closed = says("Socket closed") || says("Connection reset") || says("handshake");
  if (closed && tls) {
    return absl::StrCat("the server at ", address, " ends the connection; if it wants a client's certificate, "
                        "RINGBACK_CERTIFICATE_FILE and RINGBACK_KEY_FILE name one that its CA has signed (", why, ")");
  }
  if (closed) {
    return absl::StrCat("the server at ", address, " ends the connection; if it speaks TLS, write https:// in front (", why, ")");
  }
  const bool pipeline = absl::StrContains(address, '=');
  return absl::StrCat("the server at ", address, " cannot be reached (", why, "); ",
                      pipeline ? "are all its programs running?" : "is it running? ringback serve starts one");
}

namespace {

std::string Lower(const std::string& text) { return absl::AsciiStrToLower(text); }

}  // namespace

absl::StatusOr<std::unique_ptr<Session>> Session::Open(World& world, const Options& options) {
  RB_ASSIGN_OR_RETURN(Target target, FindTarget(options.data_dir, world));
  RB_ASSIGN_OR_RETURN(const rpc::Places places, rpc::ParsePlaces(target.address));
  // gRPC would write lines of its own to standard error; the answer says it in one. Before gRPC is used first.
  setenv("GRPC_VERBOSITY", "NONE", 0);
  rpc::ClientOptions connect;
  connect.target = places.ingest;
  RB_ASSIGN_OR_RETURN(connect.ca_pem, FileText(world.Variable("RINGBACK_CA_FILE")));
  RB_ASSIGN_OR_RETURN(connect.certificate_pem, FileText(world.Variable("RINGBACK_CERTIFICATE_FILE")));
  RB_ASSIGN_OR_RETURN(connect.key_pem, FileText(world.Variable("RINGBACK_KEY_FILE")));
  connect.token = target.token;
  std::unique_ptr<Session> session(new Session(world, options, std::move(target)));
  RB_ASSIGN_OR_RETURN(session->client_, rpc::Client::Create(connect, world.random));
  if (!session->target_.operator_token.empty()) {
    connect.token = session->target_.operator_token;
    RB_ASSIGN_OR_RETURN(session->operator_client_, rpc::Client::Create(connect, world.random));
  }
  // A channel per program of the pipeline; in the all-in-one they are one. Calls take their contexts from client_.
  const auto channel_to = [&](const std::string& place) -> absl::StatusOr<std::shared_ptr<grpc::Channel>> {
    if (place == places.ingest) return session->client_->channel();
    connect.target = place;
    RB_ASSIGN_OR_RETURN(const auto client, rpc::Client::Create(connect, world.random));
    return client->channel();
  };
  const auto& channel = session->client_->channel();
  RB_ASSIGN_OR_RETURN(const auto delivery, channel_to(places.delivery));
  RB_ASSIGN_OR_RETURN(const auto reminder, channel_to(places.reminder));
  session->callbacks_ = v1::CallbackService::NewStub(channel);
  session->recordings_ = v1::RecordingService::NewStub(channel);
  session->deliveries_ = v1::DeliveryService::NewStub(delivery);
  session->answers_ = v1::AnswerService::NewStub(delivery);
  session->reminders_ = v1::ReminderService::NewStub(reminder);
  session->teams_ = v1::TeamService::NewStub(channel);
  session->contacts_ = v1::ContactService::NewStub(channel);
  return session;
}

Session::Session(World& world, Options options, Target target)
    : world_(world), options_(std::move(options)), target_(std::move(target)), trace_(rpc::NewTraceId(*world.random)) {
  run_id_ = absl::StrFormat("cli-%016x", world_.random->Next());
}

std::string Session::NewRequestId() { return absl::StrCat(run_id_, "-", ++requests_); }

std::unique_ptr<grpc::ClientContext> Session::NewContext(absl::Duration deadline) const {
  return client_->NewContext(deadline);
}

bool Session::WaitToRetry(int n, absl::Time began) {
  const absl::Duration patience = reached_ ? absl::Seconds(10) : absl::Seconds(1);
  const absl::Duration pause = std::min(absl::Milliseconds(100) * (1 << std::min(n - 1, 4)), absl::Seconds(1));
  // Counted in tries as well, so that a clock that stands still cannot make this endless.
  if (n > 20 || world_.clock->Now() - began + pause > patience) return false;
  world_.sleep(pause);
  return !world_.interrupted();
}

absl::Status Session::CallAs(const rpc::Client& client,
                             const std::function<grpc::Status(grpc::ClientContext*)>& call,
                             absl::Duration deadline) {
  const absl::Time began = world_.clock->Now();
  for (int tries = 1;; ++tries) {
    const auto context = client.NewContext(deadline);
    const grpc::Status status = call(context.get());
    if (status.error_code() != grpc::StatusCode::UNAVAILABLE) {
      reached_ = true;
      return rpc::FromGrpc(status);
    }
    if (!WaitToRetry(tries, began)) {
      return absl::UnavailableError(Unreachable(target_.address, status.error_message()));
    }
  }
}

absl::Status Session::Call(const std::function<grpc::Status(grpc::ClientContext*)>& call, As as,
                           absl::Duration deadline) {
  const absl::Status status = CallAs(*client_, call, deadline);
  if (as == As::kMemberThenOperator && absl::IsPermissionDenied(status) && operator_client_ != nullptr) {
    const absl::Status retried = CallAs(*operator_client_, call, deadline);
    return absl::IsPermissionDenied(retried) ? status : retried;
  }
  return status;
}

absl::StatusOr<std::string> Session::TeamId() {
  if (options_.team.empty() || ShardOf(options_.team, id_prefix::kTeam).ok()) return options_.team;
  if (team_id_) return *team_id_;
  v1::ListTeamsRequest request;
  request.set_page_size(500);
  std::vector<std::string> names;
  do {
    v1::ListTeamsResponse response;
    RB_RETURN_IF_ERROR(Call([&](auto* context) { return teams().ListTeams(context, request, &response); },
                            As::kMemberThenOperator));
    for (const v1::Team& team : response.teams()) {
      if (Lower(team.name()) == Lower(options_.team)) return *(team_id_ = team.id());
      names.push_back(team.name());
    }
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  return domain::FieldError(absl::StatusCode::kNotFound, "team", "TEAM_NOT_FOUND",
                            absl::StrCat("no team is called \"", options_.team, "\"; there are: ",
                                         absl::StrJoin(names, ", ")));
}

absl::StatusOr<const v1::Team*> Session::Team() {
  if (!team_) {
    v1::GetTeamRequest request;
    v1::GetTeamResponse response;
    RB_ASSIGN_OR_RETURN(*request.mutable_id(), TeamId());
    const absl::Status status = Call([&](auto* context) { return teams().GetTeam(context, request, &response); },
                                     request.id().empty() ? As::kMember : As::kMemberThenOperator);
    if (status.ok()) {
      team_ = std::move(*response.mutable_team());
    } else {
      team_ = status;
    }
  }
  if (!team_->ok()) return team_->status();
  return &**team_;
}

absl::TimeZone Session::Zone() {
  const absl::StatusOr<const v1::Team*> team = Team();
  if (team.ok()) {
    if (const auto zone = domain::LoadZone((*team)->time_zone()); zone.ok()) return *zone;
  }
  return absl::LocalTimeZone();
}

std::string Session::NameOf(const std::string& member_id) {
  const absl::StatusOr<const v1::Team*> team = Team();
  if (team.ok()) {
    for (const v1::Member& member : (*team)->members()) {
      if (member.id() == member_id) return member.name();
    }
  }
  return member_id;
}

absl::StatusOr<v1::Member> Session::FindMember(const std::string& who) {
  RB_ASSIGN_OR_RETURN(const v1::Team* const team, Team());
  const std::string wanted = who == "me" && !target_.member_id.empty() ? target_.member_id : Lower(who);
  std::vector<const v1::Member*> parts;
  std::vector<std::string> names;
  for (const v1::Member& member : team->members()) {
    if (member.id() == wanted || Lower(member.email()) == wanted || Lower(member.name()) == wanted) return member;
    if (member.inactive()) continue;
    names.push_back(absl::StrCat(member.name(), " <", member.email(), ">"));
    if (!wanted.empty() && Lower(member.name()).find(wanted) != std::string::npos) parts.push_back(&member);
  }
  if (parts.size() == 1) return *parts.front();
  return domain::FieldError(
      absl::StatusCode::kNotFound, "member", "MEMBER_NOT_FOUND",
      absl::StrCat(parts.empty() ? "nobody is called \"" : "several are called \"", who, "\"; the team has: ",
                   absl::StrJoin(names, ", ")));
}

absl::StatusOr<v1::Callback> Session::FindCallback(const std::string& id) {
  v1::GetCallbackRequest request;
  v1::GetCallbackResponse response;
  request.set_id(id);
  RB_RETURN_IF_ERROR(Call([&](auto* context) { return callbacks().GetCallback(context, request, &response); }));
  return std::move(*response.mutable_callback());
}

absl::StatusOr<absl::Time> Session::ParseTime(const std::string& text, const std::string& field) {
  const auto at = domain::ParseTime(text, Zone(), Now());
  if (!at.ok()) return WithField(at.status(), field);
  return at;
}

absl::StatusOr<absl::Time> Session::ParsePastTime(const std::string& text, const std::string& field) {
  const auto at = domain::ParsePastTime(text, Zone(), Now());
  if (!at.ok()) return WithField(at.status(), field);
  return at;
}

}  // namespace ringback::cli
