// See restore.h.
#include "ringback/restore.h"

#include <algorithm>
#include <filesystem>
#include <ostream>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/base/sync_folder.h"
#include "core/runtime/config.h"
#include "core/runtime/erasure_journal.h"
#include "core/runtime/open.h"
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

// A folder that holds nothing but the lock of a server that has ended, or a journal that was rescued, counts as empty.
bool IsEmptyOrMissing(const std::string& folder) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().filename() != "lock" && entry.path().filename() != "erasures") return false;
  }
  return true;
}

// Clocks are set now and then, and an erasure is noted a moment before it happens.
constexpr absl::Duration kMargin = absl::Hours(1);

// All that is known of erasures: the journal of the directory that is replaced, the one that was named, the backup's own.
struct Journals {
  ErasuresKnown known;
  runtime::Erasures all;  // for the restored directory
};

absl::StatusOr<Journals> ReadJournals(const RestoreOptions& options, const std::string& place, const Manifest& manifest,
                                      absl::Time now) {
  Journals journals;
  std::set<std::pair<absl::Time, std::string>> entries;
  const auto add = [&](const std::string& path, bool required) -> absl::StatusOr<bool> {
    const auto journal = runtime::ReadErasures(path);
    if (absl::IsNotFound(journal.status()) && !required) return false;
    RB_RETURN_IF_ERROR(journal.status());
    for (const runtime::Erasure& entry : journal->entries) entries.emplace(entry.time, entry.id);
    journals.all.since = journal->since;
    return true;
  };
  absl::Time backups_since = absl::InfiniteFuture();
  RB_ASSIGN_OR_RETURN(const bool backups, add(options.from + "/erasures", false));
  if (backups) backups_since = journals.all.since;
  ErasuresKnown& known = journals.known;
  known.since = absl::InfiniteFuture();
  runtime::Config old;
  old.data_dir = place;
  for (const auto& [path, required] : {std::pair{old.ErasuresPath(), false}, std::pair{options.erasures_file, true}}) {
    if (path.empty()) continue;
    RB_ASSIGN_OR_RETURN(const bool found, add(path, required));
    if (!found) continue;
    known.journal = true;
    known.since = std::min(known.since, journals.all.since);
  }
  known.complete = known.journal && known.since <= manifest.time;
  for (const auto& [time, id] : entries) journals.all.entries.push_back({time, id});
  if (known.journal && !entries.empty()) known.newest = entries.rbegin()->first;
  // The restored journal may claim only what is known without a gap.
  journals.all.since = known.complete ? std::min(known.since, backups_since) : known.journal ? known.since : now;
  return journals;
}

}  // namespace

absl::StatusOr<RestoreResult> Restore(const RestoreOptions& options, Clock* clock, Random* random) {
  const std::string& from = options.from;
  std::string place = options.data_dir;
  while (place.size() > 1 && place.back() == '/') place.pop_back();
  if (!IsEmptyOrMissing(place) && !options.force) {
    return absl::AlreadyExistsError(absl::StrCat(
        place, " is not empty; restore into another directory with --data, or move this one aside with --force"));
  }
  RB_ASSIGN_OR_RETURN(const Manifest manifest, ReadManifest(from));
  RB_RETURN_IF_ERROR(VerifyFiles(from, manifest));
  RB_ASSIGN_OR_RETURN(const Journals journals, ReadJournals(options, place, manifest, clock->Now()));
  // No server may start while its directory is exchanged; the lock goes aside with the old one.
  RB_ASSIGN_OR_RETURN(const std::unique_ptr<DataLock> lock, DataLock::Take(place));

  runtime::Config built;
  built.data_dir = place + ".restoring";
  std::error_code error;
  fs::remove_all(built.data_dir, error);  // of a restore that was interrupted
  fs::create_directories(built.data_dir, error);
  if (error) return absl::UnavailableError(absl::StrCat("cannot make ", built.data_dir, ": ", error.message()));
  fs::permissions(built.data_dir, fs::perms::owner_all, error);
  built.mail_domain = options.mail_domain;
  for (const ManifestFile& file : manifest.files) {
    if (file.path == "erasures") continue;  // merged below
    const std::string to = PlaceOf(file.path, built);
    if (to.empty()) return absl::DataLossError(absl::StrCat("the backup names a file that is none of ringback's: ", file.path));
    RB_RETURN_IF_ERROR(CopyFile(from + "/" + file.path, to));
  }
  RB_RETURN_IF_ERROR(runtime::WriteErasures(built.ErasuresPath(), journals.all));
  RestoreResult result;
  result.backup_time = manifest.time;
  result.known = journals.known;
  std::vector<runtime::Erasure> since;
  for (const runtime::Erasure& entry : journals.all.entries) {
    if (entry.time >= manifest.time - kMargin) since.push_back(entry);
  }
  {
    RB_ASSIGN_OR_RETURN(const auto store,
                        store::OpenSqliteStore({.path = built.SqlitePath(), .clock = clock, .random = random}));
    RB_RETURN_IF_ERROR(store->Check());
    RB_ASSIGN_OR_RETURN(const auto blobs, runtime::OpenBlobs(built));
    // First: nobody is alarmed about a caller who is gone.
    RB_ASSIGN_OR_RETURN(result.erased, EraseAgain(since, *store, *blobs, built));
    RB_ASSIGN_OR_RETURN(result.settled, SettleRestored(*store));
  }
  RB_RETURN_IF_ERROR(store::MoveRevisionsOn(built.SqlitePath()));
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
  RB_RETURN_IF_ERROR(SyncFolderOf(place));
  return result;
}

namespace {

std::string TimeText(absl::Time time) { return absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", time, absl::UTCTimeZone()); }

// What a person must know who answers for the callers' data.
void PrintErasures(const RestoreResult& result, const RestoreOptions& options, std::ostream& out) {
  const ErasuresKnown& known = result.known;
  if (known.journal) {
    out << "erased again, because they were erased after the backup: " << result.erased.callbacks << " callbacks, "
        << result.erased.contacts << " contacts, " << result.erased.recordings << " recordings and " << result.erased.answers
        << " mails without a callback\n";
  }
  if (!known.complete) {
    out << "NOT KNOWN: who was erased after the backup (" << TimeText(result.backup_time) << ")"
        << (known.journal ? " and before " + TimeText(known.since) + ", where the erasure journal begins" : "; there is no erasure journal")
        << ".\n  Whoever it was is back. Stop here if you can, and restore again with --erasures FILE: DATA/erasures of the lost\n"
           "  server, or the file erasures of a later backup. Else erase them by hand: ringback subject erase WHO --yes\n";
  } else if (!options.erasures_file.empty()) {
    out << "known: every erasure up to the moment when " << options.erasures_file << " was copied; the last one was "
        << (known.newest == absl::InfinitePast() ? "none" : "at " + TimeText(known.newest)) << "\n";
  }
  if (result.erased.callbacks + result.erased.contacts + result.erased.recordings + result.erased.answers > 0) {
    out << "the backup itself still holds them: remove " << options.from << " when you no longer need it\n";
  }
}

}  // namespace

void AddRestoreCommand(cli::Commands& commands) {
  struct Args {
    ServerOptions server;
    RestoreOptions restore;
  };
  auto args = std::make_shared<Args>();
  CLI::App* command = commands.app().add_subcommand("restore", "Make a backup the data directory of a stopped server");
  command->add_option("DIR", args->restore.from, "The backup")->required();
  command->add_flag("--force", args->restore.force, "Move what is in the data directory aside");
  command->add_option("--erasures", args->restore.erasures_file,
                      "Erase again whom this journal names: DATA/erasures of a lost server, or a later backup's file erasures")
      ->type_name("FILE");
  args->server.AddTo(command);
  commands.On(command, [args, &commands]() -> absl::Status {
    runtime::PrepareProcess();
    cli::World& world = commands.world();
    RB_ASSIGN_OR_RETURN(const runtime::Config config, LoadServerConfig(args->server, commands));
    if (!config.store.empty() || !config.blobs.empty()) {
      return absl::FailedPreconditionError("ringback.store and ringback.blobs are set; a restore builds a data directory, "
                                           "so unset them, restore, and move the files where they belong");
    }
    RestoreOptions& restore = args->restore;
    restore.data_dir = config.data_dir;
    restore.mail_domain = config.mail_domain;
    RB_ASSIGN_OR_RETURN(const RestoreResult result, Restore(restore, world.clock, world.random));
    if (commands.options().json) {
      *world.out << "{\"withdrawn\":" << result.settled.withdrawn << ",\"alarmed\":" << result.settled.alarmed
                 << ",\"erased_again\":{\"callbacks\":" << result.erased.callbacks << ",\"contacts\":" << result.erased.contacts
                 << ",\"recordings\":" << result.erased.recordings << ",\"answers\":" << result.erased.answers << "},\"erasures_known\":"
                 << (result.known.complete ? "true" : "false") << "}\n";
      return absl::OkStatus();
    }
    *world.out << "restored to " << config.data_dir << "; " << result.settled.withdrawn
               << " messages that were on their way are not sent again, " << result.settled.alarmed
               << " promises whose voice message was on its way alarm their assignees\n";
    PrintErasures(result, restore, *world.out);
    if (!result.moved_aside.empty()) *world.out << "what was there before is in " << result.moved_aside << "; it holds callers' data too\n";
    return absl::OkStatus();
  });
}

}  // namespace ringback
