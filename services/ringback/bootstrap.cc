// See bootstrap.h.
#include "ringback/bootstrap.h"

#include <filesystem>
#include <ostream>

#include "absl/strings/str_cat.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "core/rpc/places.h"
#include "core/runtime/host.h"
#include "core/runtime/service_main.h"
#include "ingest/bootstrap.h"
#include "ringback/server_options.h"

namespace ringback {
namespace {

absl::Status MakeFolder(const std::string& folder) {
  std::error_code error;
  if (std::filesystem::is_directory(folder, error)) return absl::OkStatus();
  std::filesystem::create_directories(folder, error);
  if (error) return absl::UnavailableError(absl::StrCat("cannot make ", folder, ": ", error.message()));
  std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
  return absl::OkStatus();
}

absl::Status Bootstrap(runtime::Config config, const std::string& target, cli::Commands& commands) {
  // Its config may be a running program's: the addresses in it are taken.
  config.handoff_jobs_listen.clear();
  config.handoff_events_listen.clear();
  config.handoff_jobs_peers.clear();
  config.handoff_events_peers.clear();
  RB_RETURN_IF_ERROR(rpc::ParsePlaces(target).status());
  RB_RETURN_IF_ERROR(MakeFolder(config.data_dir));  // with Redis nothing else has made it
  RB_ASSIGN_OR_RETURN(const auto host, runtime::Host::Create(config));
  RB_ASSIGN_OR_RETURN(const ingest::Bootstrap team, ingest::EnsureDemoTeam(*host));
  RB_RETURN_IF_ERROR(ingest::EnsureLocalToken(*host, team.team_id, target));
  std::ostream& out = *commands.world().out;
  if (commands.options().json) {
    out << "{\"team\":\"" << team.team_id << "\",\"created\":" << (team.created ? "true" : "false") << "}\n";
  } else {
    out << (team.created ? "made the demo team " : "the team is ") << team.team_id << "; tokens for the command line are in "
        << config.TokenPath() << "\n";
  }
  return absl::OkStatus();
}

}  // namespace

void AddBootstrapCommand(cli::Commands& commands) {
  struct Args {
    ServerOptions server;
    std::string target = "127.0.0.1:7420";
  };
  auto args = std::make_shared<Args>();
  CLI::App* command = commands.app().add_subcommand(
      "bootstrap", "Make the first team and this machine's tokens in the store of a pipeline; safe to repeat");
  args->server.AddTo(command);
  command->add_option("--target", args->target, "Where its programs are, as RINGBACK_TARGET says it")->type_name("TARGET");
  commands.On(command, [args, &commands]() -> absl::Status {
    runtime::PrepareProcess();
    RB_ASSIGN_OR_RETURN(const runtime::Config config, LoadServerConfig(args->server, commands));
    SetUpLogging("warn", LogFormat::kText);
    return Bootstrap(config, args->target, commands);
  });
}

}  // namespace ringback
