// One run of the command line against one server: stubs, retries, request ids, and what is asked once per run (the
// team). Blocking calls on one thread.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/base/log.h"
#include "core/rpc/client.h"
#include "ringback/cli/target.h"
#include "ringback/cli/world.h"
#include "ringback/v1/answer_service.grpc.pb.h"
#include "ringback/v1/callback_service.grpc.pb.h"
#include "ringback/v1/contact_service.grpc.pb.h"
#include "ringback/v1/delivery_service.grpc.pb.h"
#include "ringback/v1/recording_service.grpc.pb.h"
#include "ringback/v1/reminder_service.grpc.pb.h"
#include "ringback/v1/team_service.grpc.pb.h"

namespace ringback::cli {

struct Options {        // of every command
  std::string data_dir;
  std::string team;     // id or name; "": the token's own
  bool json = false;
};

// As whom a call goes out. An operator's token is used only where the member's own was refused and the command says so:
// the history must name the person who acted.
enum class As { kMember, kMemberThenOperator };

// Why the server at `address` cannot be reached, in words that say what to change. `why` is gRPC's.
std::string Unreachable(const std::string& address, const std::string& why);

class Session {
 public:
  // Finds the server; does not talk to it yet.
  static absl::StatusOr<std::unique_ptr<Session>> Open(World& world, const Options& options);

  // Runs one unary call. UNAVAILABLE is tried again with the same request (its request_id makes that safe): for a second
  // when this run never reached the server, for ten when it did (it is being restarted). The error carries the field.
  absl::Status Call(const std::function<grpc::Status(grpc::ClientContext*)>& call, As as = As::kMember,
                    absl::Duration deadline = absl::Seconds(30));
  // A context for a streaming call, with the token and, unless infinite, a deadline.
  std::unique_ptr<grpc::ClientContext> NewContext(absl::Duration deadline) const;
  // Waits before the n-th repetition (1-based); false when it is not worth another try.
  bool WaitToRetry(int n, absl::Time began);

  // "cli-<random per run>-<n>": the same for every try of one command within a run.
  std::string NewRequestId();

  // The team as named by --team, else "" (the token's own). NOT_FOUND for a name that no team has.
  absl::StatusOr<std::string> TeamId();
  // Asked once per run.
  absl::StatusOr<const v1::Team*> Team();
  // Time zone of the team; the machine's when the token may not see the team.
  absl::TimeZone Zone();
  absl::Time Now() { return world_.clock->Now(); }
  // "Anna Schmidt"; "customer" and "system" stay; an id that the team does not know stays as it is.
  std::string NameOf(const std::string& member_id);
  // The member by id, name or mail address; "me" is the token's owner. A part of a name does if only one has it.
  // NOT_FOUND lists who is there.
  absl::StatusOr<v1::Member> FindMember(const std::string& who);
  // The callback by id or unique prefix.
  absl::StatusOr<v1::Callback> FindCallback(const std::string& id);

  // Times as typed, in the team's zone, counted from now. `field` names the option in the error.
  absl::StatusOr<absl::Time> ParseTime(const std::string& text, const std::string& field);
  absl::StatusOr<absl::Time> ParsePastTime(const std::string& text, const std::string& field);

  v1::CallbackService::Stub& callbacks() { return *callbacks_; }
  v1::RecordingService::Stub& recordings() { return *recordings_; }
  v1::DeliveryService::Stub& deliveries() { return *deliveries_; }
  v1::AnswerService::Stub& answers() { return *answers_; }
  v1::ReminderService::Stub& reminders() { return *reminders_; }
  v1::TeamService::Stub& teams() { return *teams_; }
  v1::ContactService::Stub& contacts() { return *contacts_; }
  World& world() { return world_; }
  const Options& options() const { return options_; }
  const Target& target() const { return target_; }
  // Whether the server answered in this run; streams say so themselves.
  bool WasReached() const { return reached_; }
  void Reached() { reached_ = true; }

 private:
  Session(World& world, Options options, Target target);
  absl::Status CallAs(const rpc::Client& client, const std::function<grpc::Status(grpc::ClientContext*)>& call,
                      absl::Duration deadline);

  World& world_;
  const Options options_;
  const Target target_;
  const TraceScope trace_;  // all calls of one command are one trace
  std::unique_ptr<rpc::Client> client_;
  std::unique_ptr<rpc::Client> operator_client_;  // nullptr without an operator's token
  std::unique_ptr<v1::CallbackService::Stub> callbacks_;
  std::unique_ptr<v1::RecordingService::Stub> recordings_;
  std::unique_ptr<v1::DeliveryService::Stub> deliveries_;
  std::unique_ptr<v1::AnswerService::Stub> answers_;
  std::unique_ptr<v1::ReminderService::Stub> reminders_;
  std::unique_ptr<v1::TeamService::Stub> teams_;
  std::unique_ptr<v1::ContactService::Stub> contacts_;
  std::string run_id_;
  int requests_ = 0;
  bool reached_ = false;
  std::optional<absl::StatusOr<v1::Team>> team_;
  std::optional<std::string> team_id_;
};

}  // namespace ringback::cli
