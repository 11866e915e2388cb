// See restore.h.
#include "ringback/restore.h"

#include <filesystem>
#include <ostream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/runtime/config.h"
#include "core/runtime/service_main.h"
#include "core/store/sqlite_store.h"
#include "ringback/data_lock.h"
#include "ringback/manifest.h"
#include "ringback/server_options.h"

namespace ringback {
namespace {

namespace fs = std::filesystem;

// Where a file of the backup belongs in the data directory.
std::string PlaceOf(const std::string& path, const runtime::Config& config) {
  if (path == "ringback.db") return config.SqlitePath();
  if (absl::StartsWith(path, "blobs/")) return config.BlobDir() + path.substr(5);
  if (absl::StartsWith(path, "outbox/")) return config.OutboxDir() + path.substr(6);
  return "";
}

// A folder that holds nothing but the lock of a server that has ended counts as empty.
bool IsEmptyOrMissing(const std::string& folder) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().filename() != "lock") return false;
  }
  return true;
}

}  // namespace

absl::StatusOr<RestoreResult> Restore(const std::string& from, const std::string& data_dir, bool force, Clock* clock,
                                      Random* random) {
  std::string place = data_dir;
  while (place.size() > 1 && place.back() == '/') place.pop_back();
  if (!IsEmptyOrMissing(place) && !force) {
    return absl::AlreadyExistsError(absl::StrCat(
        place, " is not empty; restore into another directory with --data, or move this one aside with --force"));
  }
  RB_ASSIGN_OR_RETURN(const Manifest manifest, ReadManifest(from));
  RB_RETURN_IF_ERROR(VerifyFiles(from, manifest));
  // No server may start while its directory is exchanged; the lock goes aside with the old one.
  RB_ASSIGN_OR_RETURN(const std::unique_ptr<DataLock> lock, DataLock::Take(place));

  runtime::Config built;
  built.data_dir = place + ".restoring";
  std::error_code error;
  fs::remove_all(built.data_dir, error);  // of a restore that was interrupted
  fs::create_directories(built.data_dir, error);
  if (error) return absl::UnavailableError(absl::StrCat("cannot make ", built.data_dir, ": ", error.message()));
  fs::permissions(built.data_dir, fs::perms::owner_all, error);
  for (const ManifestFile& file : manifest.files) {
    const std::string to = PlaceOf(file.path, built);
    if (to.empty()) return absl::DataLossError(absl::StrCat("the backup names a file that is none of ringback's: ", file.path));
    RB_RETURN_IF_ERROR(CopyFile(from + "/" + file.path, to));
  }
  RestoreResult result;
  {
    RB_ASSIGN_OR_RETURN(const auto store,
                        store::OpenSqliteStore({.path = built.SqlitePath(), .clock = clock, .random = random}));
    RB_RETURN_IF_ERROR(store->Check());
    RB_ASSIGN_OR_RETURN(result.settled, SettleRestored(*store));
  }
  if (!IsEmptyOrMissing(place)) {
    result.moved_aside = absl::StrCat(place, ".before-restore-",
                                      absl::FormatTime("%Y%m%dT%H%M%SZ", clock->Now(), absl::UTCTimeZone()));
    fs::rename(place, result.moved_aside, error);
  } else {
    fs::remove_all(place, error);
  }
  if (!error) fs::rename(built.data_dir, place, error);
  if (error) {
    return absl::UnavailableError(absl::StrCat("cannot put ", built.data_dir, " in place of ", place, ": ", error.message()));
  }
  return result;
}

void AddRestoreCommand(cli::Commands& commands) {
  struct Args {
    ServerOptions server;
    std::string from;
    bool force = false;
  };
  auto args = std::make_shared<Args>();
  CLI::App* command = commands.app().add_subcommand("restore", "Make a backup the data directory of a stopped server");
  command->add_option("DIR", args->from, "The backup")->required();
  command->add_flag("--force", args->force, "Move what is in the data directory aside");
  args->server.AddTo(command);
  commands.On(command, [args, &commands]() -> absl::Status {
    runtime::PrepareProcess();
    cli::World& world = commands.world();
    RB_ASSIGN_OR_RETURN(const runtime::Config config, LoadServerConfig(args->server, commands));
    if (!config.store.empty() || !config.blobs.empty()) {
      return absl::FailedPreconditionError("ringback.store and ringback.blobs are set; a restore builds a data directory, "
                                           "so unset them, restore, and move the files where they belong");
    }
    RB_ASSIGN_OR_RETURN(const RestoreResult result,
                        Restore(args->from, config.data_dir, args->force, world.clock, world.random));
    if (commands.options().json) {
      *world.out << "{\"withdrawn\":" << result.settled.withdrawn << ",\"alarmed\":" << result.settled.alarmed << "}\n";
      return absl::OkStatus();
    }
    *world.out << "restored to " << config.data_dir << "; " << result.settled.withdrawn
               << " messages that were on their way are not sent again, " << result.settled.alarmed
               << " promises whose voice message was on its way alarm their assignees\n";
    if (!result.moved_aside.empty()) *world.out << "what was there before is in " << result.moved_aside << "\n";
    return absl::OkStatus();
  });
}

}  // namespace ringback
