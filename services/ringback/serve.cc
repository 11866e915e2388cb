// See serve.h.
#include "ringback/serve.h"

#include <ostream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "core/runtime/host.h"
#include "core/runtime/service_main.h"
#include "delivery/app.h"
#include "ingest/app.h"
#include "ingest/bootstrap.h"
#include "reminder/app.h"
#include "ringback/data_lock.h"
#include "ringback/server_options.h"
#include "transcode/app.h"
#include "web/app.h"

namespace ringback {
namespace {

// What the first start needs beyond the services: somebody to try things as. Before serving, so that the token file
// names a team that is there.
absl::Status RunBootstrap(runtime::Host& host) { return ingest::EnsureDemoTeam(host).status(); }

constexpr runtime::RunFunction kServices[] = {
    ingest::RunIngest, transcode::RunTranscode, delivery::RunDelivery, reminder::RunReminder, web::RunWeb, RunBootstrap,
};

// "--data DIR " as the commands below need it, "" where they find the server without.
std::string DataFlag(const std::string& data_dir) { return data_dir == "data" ? "" : "--data " + data_dir + " "; }

std::string HttpWords(const runtime::Config& config) {
  if (config.http_listen.empty()) return "off";
  if (absl::EndsWith(config.http_listen, ":0")) return "on a free port; the log names it";
  return absl::StrCat(config.web_tls_certificate_file.empty() ? "http://" : "https://", config.http_listen);
}

void PrintHowToGoOn(runtime::Host& host, std::ostream& out) {
  const runtime::Config& config = host.config();
  const std::string flag = DataFlag(config.data_dir);
  out << "\nringback serves.\n"
      << "  gRPC    " << host.grpc_address() << "\n"
      << "  HTTP    " << HttpWords(config) << "\n";
  if (config.mail_transport.empty()) {
    out << "  mail    goes nowhere: it lands as files in " << config.OutboxDir() << "/new\n";
  } else {
    out << "  mail    " << config.mail_transport << "\n";
  }
  if (config.public_url.empty()) out << "  links   none in mails: ringback.public_url is not set\n";
  out << "  data    " << config.data_dir << "\n\nTry in another terminal:\n"
      << "  ringback " << flag << "request --name \"Herr Müller\" --phone +4930123456 --email mueller@example.com\n"
      << "  ringback " << flag << "send message.wav --to mueller@example.com --name \"Herr Müller\" --promise +2h\n"
      << "  ringback " << flag << "open\n\nCtrl-C stops it." << std::endl;
}

// Where the command line on this machine finds the server: an address it can connect to.
std::string LocalTarget(const std::string& bound) {
  const size_t colon = bound.rfind(':');
  const std::string host = bound.substr(0, colon);
  if (host == "0.0.0.0" || host == "[::]" || host == "*") return "127.0.0.1" + bound.substr(colon);
  return bound;
}

absl::Status Ready(runtime::Host& host, std::ostream& out) {
  RB_ASSIGN_OR_RETURN(const ingest::Bootstrap team, ingest::EnsureDemoTeam(host));
  const bool tls = !host.config().tls_certificate_file.empty();
  RB_RETURN_IF_ERROR(ingest::EnsureLocalToken(host, team.team_id, (tls ? "https://" : "") + LocalTarget(host.grpc_address())));
  PrintHowToGoOn(host, out);
  return absl::OkStatus();
}

absl::Status Serve(const runtime::Config& config, std::ostream& out) {
  SetUpLogging(config.log_level, config.log_format == "json" ? LogFormat::kJson : LogFormat::kText);
  RB_ASSIGN_OR_RETURN(const std::unique_ptr<DataLock> lock, DataLock::Take(config.data_dir));
  RB_RETURN_IF_ERROR(CheckDatabaseThere(config));
  absl::Status ready;
  const int code = runtime::ServeAll(config, {std::begin(kServices), std::end(kServices)}, [&](runtime::Host& host) {
    ready = Ready(host, out);
    if (!ready.ok()) host.Stop();
  });
  RB_RETURN_IF_ERROR(ready);
  // ServeAll has logged why.
  return code == 0 ? absl::OkStatus() : absl::FailedPreconditionError("");
}

}  // namespace

void AddServeCommand(cli::Commands& commands) {
  struct Args {
    ServerOptions server;
    std::string http, grpc;
    bool help_config = false;
  };
  auto args = std::make_shared<Args>();
  CLI::App* command = commands.app().add_subcommand("serve", "Run everything in one process until Ctrl-C");
  args->server.AddTo(command);
  command->add_option("--http", args->http, "Where customers' pages are served; 127.0.0.1:7421")->type_name("ADDRESS");
  command->add_option("--grpc", args->grpc, "Where the API is served; 127.0.0.1:7420")->type_name("ADDRESS");
  command->add_flag("--help-config", args->help_config, "Print every key of the configuration, commented");
  commands.On(command, [args, &commands]() -> absl::Status {
    if (args->help_config) {
      *commands.world().out << runtime::ExampleConfig();
      return absl::OkStatus();
    }
    runtime::PrepareProcess();
    std::vector<std::pair<std::string, std::string>> flags;
    if (!args->http.empty()) flags.emplace_back("http-listen", args->http);
    if (!args->grpc.empty()) flags.emplace_back("grpc-listen", args->grpc);
    RB_ASSIGN_OR_RETURN(const runtime::Config config, LoadServerConfig(args->server, commands, flags));
    return Serve(config, *commands.world().out);
  });
}

}  // namespace ringback
