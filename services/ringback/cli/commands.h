// How a command is written: it registers its options with CLI11 and says what to do once they are parsed.
#pragma once

#include <CLI/CLI.hpp>

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "google/protobuf/message.h"
#include "ringback/cli/session.h"
#include "ringback/cli/world.h"

namespace ringback::cli {

// What the chosen command does. The status decides the exit code.
using Action = std::function<absl::Status()>;

class Commands {
 public:
  Commands(CLI::App& app, World& world, Options& options) : app_(app), world_(world), options_(options) {}

  CLI::App& app() { return app_; }
  World& world() { return world_; }
  const Options& options() const { return options_; }

  // Runs `action` when `command` was given.
  void On(CLI::App* command, Action action) {
    command->callback([this, command, action = std::move(action)] {
      name_ = command->get_name();
      for (const CLI::App* up = command->get_parent(); up != nullptr && up->get_parent() != nullptr; up = up->get_parent()) {
        name_ = up->get_name() + " " + name_;
      }
      chosen_ = action;
    });
  }
  // The same for commands that talk to a server.
  void OnServer(CLI::App* command, std::function<absl::Status(Session&)> action) {
    On(command, [this, action = std::move(action)] {
      absl::StatusOr<std::unique_ptr<Session>> session = Session::Open(world_, options_);
      if (!session.ok()) return session.status();
      return action(**session);
    });
  }

  const Action& chosen() const { return chosen_; }
  const std::string& name() const { return name_; }  // "contact import"

 private:
  CLI::App& app_;
  World& world_;
  Options& options_;
  Action chosen_;
  std::string name_;
};

// An error of the command line itself: exit code 2.
absl::Status UsageError(std::string_view message);
bool IsUsageError(const absl::Status& status);

// "caller.email: what would be right", safe to print; without the field when the error names none.
std::string ErrorWords(const absl::Status& status);

// The message as one JSON document on one line: field names as in the protos, fields without a value included.
std::string ToJson(const google::protobuf::Message& message);

// The whole file. NOT_FOUND, PERMISSION_DENIED, … in words; "-" reads standard input. RESOURCE_EXHAUSTED above
// `max_bytes`.
absl::StatusOr<std::string> ReadFile(const std::string& path, int64_t max_bytes, World& world);

// The status with an exit code of its own, for callers that read more in it than refused or not (mail servers).
absl::Status WithExitCode(absl::Status status, int code);

// Asks on the terminal; a usage error naming --yes when there is none.
absl::Status Confirm(const std::string& question, bool yes, World& world);

// Each adds a group of commands.
void AddCallbackCommands(Commands& commands);    // request, promise, call, attempt, complete, cancel, assign, ack, snooze, caller
void AddAnswerCommands(Commands& commands);      // accept, counter, decline, reopen, slots
void AddListCommands(Commands& commands);        // open, show, history
void AddSendCommands(Commands& commands);        // send, resend
void AddWatchCommand(Commands& commands);
void AddPeopleCommands(Commands& commands);      // contact, subject
void AddImportCommand(Commands& commands);
void AddTeamCommands(Commands& commands);        // team, token, week
void AddReportCommand(Commands& commands);
void AddMemberCommands(Commands& commands);
void AddSignInCommands(Commands& commands);      // sign-in, sign-out
void AddPolicyCommands(Commands& commands);
void AddDeadLetterCommands(Commands& commands);
void AddMailCommands(Commands& commands);      // mail-in, answers, unmatched, tie, drop

}  // namespace ringback::cli
