// watch: every change of the team as it happens, going on by itself after the server was away.
#include <thread>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/domain/proto_time.h"
#include "core/rpc/status.h"
#include "ringback/cli/commands.h"
#include "ringback/cli/print.h"
#include "ringback/cli/times.h"

namespace ringback::cli {
namespace {

struct Args {
  int64_t since = 0;
  int64_t limit = 0;
};

void PrintChange(Session& session, const v1::WatchCallbacksResponse& change) {
  World& world = session.world();
  if (session.options().json) {
    *world.out << ToJson(change) << std::endl;
    return;
  }
  if (change.resync()) {
    *world.err << "ringback: watch: older changes are gone; `ringback open` shows how things stand" << std::endl;
  }
  if (!change.has_event()) return;
  if (!change.gone().empty()) {
    *world.out << Printable(absl::StrCat(absl::FormatTime("%H:%M:%S", domain::FromProto(change.event_time()), session.Zone()),
                                         "  ", change.gone(), "  now owed by ",
                                         session.NameOf(change.event().details().count("to") > 0
                                                            ? change.event().details().at("to") : "somebody else")))
               << std::endl;
    return;
  }
  const v1::Callback& callback = change.callback();
  std::string line = absl::StrCat(absl::FormatTime("%H:%M:%S", domain::FromProto(change.event_time()), session.Zone()),
                                  "  ", callback.id(), "  ", CallerWords(callback.caller()), "  ",
                                  change.event().what(), " by ", session.NameOf(change.event().author()));
  if (const std::string details = DetailWords(change.event()); !details.empty()) {
    absl::StrAppend(&line, " (", details, ")");
  }
  absl::StrAppend(&line, "  ", StateWords(callback, session.Now()));
  if (!callback.delivery_alarm().empty()) {
    absl::StrAppend(&line, "  ! not heard by the customer: ", callback.delivery_alarm());
  }
  *world.out << Paint(Printable(line), ColourOf(callback), world.ColourOut()) << std::endl;
}

// Ends the stream when the person presses Ctrl-C: the read itself cannot be interrupted.
class CancelOnInterrupt {
 public:
  CancelOnInterrupt(grpc::ClientContext* context, World& world)
      : thread_([this, context, &world] {
          while (!done_.load()) {
            if (world.interrupted()) {
              context->TryCancel();
              return;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
          }
        }) {}
  ~CancelOnInterrupt() {
    done_.store(true);
    thread_.join();
  }

 private:
  std::atomic<bool> done_{false};
  std::thread thread_;
};

absl::Status Watch(Session& session, const Args& args) {
  World& world = session.world();
  v1::WatchCallbacksRequest request;
  RB_ASSIGN_OR_RETURN(*request.mutable_team_id(), session.TeamId());
  request.set_since_revision(args.since);
  (void)session.Zone();  // asked before the stream, so that nothing waits for it later
  int64_t shown = 0;
  int tries = 0;
  absl::Time began = session.Now();
  bool lost = false;
  while (!world.interrupted()) {
    const auto context = session.NewContext(absl::InfiniteDuration());
    const auto stream = session.callbacks().WatchCallbacks(context.get(), request);
    {
      CancelOnInterrupt interrupt(context.get(), world);
      v1::WatchCallbacksResponse change;
      while (stream->Read(&change)) {
        if (lost) *world.err << "ringback: watch: connected again" << std::endl;
        lost = false;
        tries = 0;
        session.Reached();
        request.set_since_revision(change.revision());
        PrintChange(session, change);
        if (change.has_event() && args.limit > 0 && ++shown >= args.limit) {
          context->TryCancel();
          return absl::OkStatus();
        }
      }
    }
    const absl::Status status = rpc::FromGrpc(stream->Finish());
    if (world.interrupted()) break;
    // A server that stops ends its streams; everything else is for good.
    if (!status.ok() && !absl::IsUnavailable(status) && !absl::IsCancelled(status)) return status;
    if (!lost && session.WasReached()) {
      *world.err << "ringback: watch: the server is gone; waiting for it" << std::endl;
    }
    if (tries == 0) began = session.Now();
    lost = true;
    if (!session.WasReached() && !session.WaitToRetry(++tries, began)) {
      return absl::UnavailableError(Unreachable(session.target().address, std::string(status.message())));
    }
    if (session.WasReached()) world.sleep(absl::Milliseconds(500)), ++tries;
  }
  return absl::OkStatus();
}

}  // namespace

void AddWatchCommand(Commands& commands) {
  auto args = std::make_shared<Args>();
  CLI::App* command = commands.app().add_subcommand("watch", "Every change of the team as it happens; ends with Ctrl-C");
  command->add_option("--since", args->since, "Changes after this revision first (open --json tells one)")
      ->check(CLI::NonNegativeNumber);
  command->add_option("--limit", args->limit, "Ends after so many changes")->check(CLI::PositiveNumber);
  commands.OnServer(command, [args](Session& session) { return Watch(session, *args); });
}

}  // namespace ringback::cli
