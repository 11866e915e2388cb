// See cli.h.
#include "ringback/cli/cli.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <sstream>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/base/utf8.h"
#include "core/domain/input.h"
#include "google/protobuf/util/json_util.h"
#include "ringback/cli/commands.h"
#include "ringback/cli/text.h"

namespace ringback::cli {
namespace {

constexpr char kUsagePayload[] = "ringback/usage";
constexpr char kExitCodePayload[] = "ringback/exit-code";

int ExitCode(const absl::Status& status) {
  if (status.ok()) return kDone;
  if (const auto code = status.GetPayload(kExitCodePayload); code.has_value()) return std::atoi(std::string(*code).c_str());
  if (IsUsageError(status)) return kWrongUsage;
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) ? kNotReachable : kRefused;
}

void Report(const absl::Status& status, const std::string& command, World& world) {
  // An empty message means that the command has said it all.
  if (status.message().empty()) return;
  *world.err << "ringback: " << command << (command.empty() ? "" : ": ") << ErrorWords(status) << "\n";
}

}  // namespace

absl::Status UsageError(std::string_view message) {
  absl::Status status = absl::InvalidArgumentError(absl::string_view(message.data(), message.size()));
  status.SetPayload(kUsagePayload, absl::Cord());
  return status;
}

absl::Status WithExitCode(absl::Status status, int code) {
  if (!status.ok()) status.SetPayload(kExitCodePayload, absl::Cord(absl::StrCat(code)));
  return status;
}

std::string ErrorWords(const absl::Status& status) {
  const std::string field = domain::DetailOf(status).field;
  absl::string_view message = status.message();
  if (!field.empty()) {
    // The field may stand in front already, put there where the error was made or where it was translated.
    while (absl::ConsumePrefix(&message, field + ": ")) continue;
  }
  return Printable(absl::StrCat(field, field.empty() ? "" : ": ", message));
}

bool IsUsageError(const absl::Status& status) { return status.GetPayload(kUsagePayload).has_value(); }

std::string ToJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  std::string json;
  if (!google::protobuf::util::MessageToJsonString(message, &json, options).ok()) return "{}";
  return json;
}

absl::StatusOr<std::string> ReadFile(const std::string& path, int64_t max_bytes, World& world) {
  std::ifstream file;
  std::istream* in = world.in;
  if (path != "-") {
    file.open(path, std::ios::binary);
    if (!file) return absl::NotFoundError(absl::StrCat(path, ": ", std::strerror(errno)));
    in = &file;
  }
  std::string text;
  char buffer[65536];
  errno = 0;
  while (in->read(buffer, sizeof buffer) || in->gcount() > 0) {
    text.append(buffer, in->gcount());
    if (static_cast<int64_t>(text.size()) > max_bytes) {
      return absl::ResourceExhaustedError(absl::StrCat(path, ": is larger than ", max_bytes >> 20, " MiB"));
    }
  }
  // A folder opens and then cannot be read.
  if (in->bad() || (text.empty() && errno == EISDIR)) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", std::strerror(errno == 0 ? EIO : errno)));
  }
  return text;
}

absl::Status Confirm(const std::string& question, bool yes, World& world) {
  if (yes) return absl::OkStatus();
  if (!world.in_is_terminal) return UsageError("asks before it acts; without a terminal say --yes");
  *world.err << question << " [y/N] " << std::flush;
  std::string answer;
  std::getline(*world.in, answer);
  if (answer == "y" || answer == "Y" || answer == "yes" || answer == "j" || answer == "ja") return absl::OkStatus();
  return absl::CancelledError("nothing was done");
}

int Run(const std::vector<std::string>& arguments, World& world, const std::function<void(Commands&)>& more) {
  CLI::App app{"Keeps the promise to call back.", "ringback"};
  Options options;
  app.fallthrough();  // --json may stand behind the command
  app.require_subcommand(1);
  app.set_help_all_flag("--help-all", "Every command with its options");
  app.add_flag("--json", options.json, "Answer as one JSON document");
  app.add_option("--data", options.data_dir, "Data directory of the local server (or RINGBACK_DATA)")->type_name("DIR");
  app.add_option("--team", options.team, "Another team than the token's: id or name")->type_name("TEAM");
  app.set_version_flag("--version", std::string("ringback ") + RINGBACK_VERSION);
  app.footer("The server is found by RINGBACK_TARGET and RINGBACK_TOKEN, else by the token file in its data directory.\n"
             "RINGBACK_TARGET is one address (127.0.0.1:7420), or one per program of the pipeline:\n"
             "ingest=HOST:PORT,delivery=HOST:PORT,reminder=HOST:PORT (a name given again is a further replica).\n"
             "Exit codes: 0 done, 1 refused, 2 wrong usage, 3 server not reachable.");

  Commands commands(app, world, options);
  AddCallbackCommands(commands);
  AddAnswerCommands(commands);
  AddListCommands(commands);
  AddSendCommands(commands);
  AddWatchCommand(commands);
  AddPeopleCommands(commands);
  AddImportCommand(commands);
  AddTeamCommands(commands);
  AddReportCommand(commands);
  AddMemberCommands(commands);
  AddSignInCommands(commands);
  AddPolicyCommands(commands);
  AddDeadLetterCommands(commands);
  AddMailCommands(commands);
  if (more) more(commands);
  commands.On(app.add_subcommand("version", "Say which version this is"), [&] {
    if (options.json) {
      *world.out << "{\"version\":\"" RINGBACK_VERSION "\"}\n";
    } else {
      *world.out << "ringback " RINGBACK_VERSION "\n";
    }
    return absl::OkStatus();
  });

  const bool mail_in = std::find(arguments.begin(), arguments.end(), "mail-in") != arguments.end();
  for (size_t i = 0; i < arguments.size(); ++i) {
    // The name of a file may be any bytes; all else becomes text in a request, which must be UTF-8.
    if (IsUtf8(arguments[i]) || access(arguments[i].c_str(), F_OK) == 0) continue;
    if (mail_in) continue;  // an envelope is as it is, and the mail must not be lost for it
    *world.err << "ringback: argument " << i + 1 << " is not text in UTF-8: " << Printable(arguments[i])
               << "; set the terminal to UTF-8\n";
    return kWrongUsage;
  }
  try {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());  // as CLI11 wants them
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error, *world.out, *world.err);
    if (code == 0) return kDone;
    // A mail server must not bounce customers' mails because of a mistyped line in its configuration.
    return mail_in ? kMailServerWrong : kWrongUsage;
  }
  const absl::Status status = commands.chosen()();
  world.out->flush();
  if (!status.ok()) Report(status, commands.name(), world);
  return ExitCode(status);
}

}  // namespace ringback::cli
