// See backup.h.
#include "ringback/backup.h"

#include <filesystem>
#include <ostream>
#include <set>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/blob/blob_store.h"
#include "core/runtime/open.h"
#include "core/runtime/service_main.h"
#include "core/store/every_record.h"
#include "core/store/records.h"
#include "core/store/sqlite_store.h"
#include "ringback/server_options.h"

namespace ringback {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kBlock = 1 << 20;

absl::Status MakeEmptyFolder(const std::string& folder) {
  std::error_code error;
  if (fs::exists(folder, error)) {
    if (!fs::is_directory(folder, error)) return absl::AlreadyExistsError(folder + " is there and is no folder");
    if (!fs::is_empty(folder, error)) {
      return absl::AlreadyExistsError(absl::StrCat(folder, " is not empty; name a new folder for each backup"));
    }
  }
  fs::create_directories(folder, error);
  if (error) return absl::UnavailableError(absl::StrCat("cannot make ", folder, ": ", error.message()));
  fs::permissions(folder, fs::perms::owner_all, error);
  return absl::OkStatus();
}

// Every blob that a recording or an answer of the copied database names.
absl::StatusOr<std::set<std::string>> NamedBlobs(store::Store& copy) {
  std::set<std::string> names;
  for (int shard = 0; shard < kShards; ++shard) {
    const auto note = [&](const store::Record& record) {
      store::record::RecordingRecord recording;
      if (!recording.ParseFromString(record.value)) {
        return absl::DataLossError(absl::StrCat("the record ", record.key.id, " does not parse"));
      }
      for (const std::string* name : {&recording.original_blob(), &recording.opus_blob(), &recording.mp3_blob()}) {
        if (!name->empty()) names.insert(*name);
      }
      return absl::OkStatus();
    };
    RB_RETURN_IF_ERROR(store::ForEveryRecord(copy, shard, store::Kind::kRecording, "", note));
    const auto note_answer = [&](const store::Record& record) {
      store::record::AnswerRecord answer;
      if (!answer.ParseFromString(record.value)) {
        return absl::DataLossError(absl::StrCat("the record ", record.key.id, " does not parse"));
      }
      if (!answer.original_blob().empty()) names.insert(answer.original_blob());
      for (const auto& attachment : answer.attachments()) {
        if (!attachment.blob().empty()) names.insert(attachment.blob());
      }
      return absl::OkStatus();
    };
    RB_RETURN_IF_ERROR(store::ForEveryRecord(copy, shard, store::Kind::kAnswer, "", note_answer));
  }
  return names;
}

absl::Status CopyBlob(blob::BlobStore& from, blob::BlobStore& to, const std::string& name) {
  RB_ASSIGN_OR_RETURN(const int64_t size, from.Size(name));
  RB_ASSIGN_OR_RETURN(const auto writer, to.Create(name));
  for (int64_t at = 0; at < size; at += kBlock) {
    RB_ASSIGN_OR_RETURN(const std::string bytes, from.GetRange(name, at, kBlock));
    RB_RETURN_IF_ERROR(writer->Append(bytes));
  }
  return writer->Finish();
}

// Files of `folder` (relative to it), below `prefix` of the backup, into the manifest.
absl::Status AddTree(const std::string& folder, const std::string& prefix, Manifest* manifest) {
  std::error_code error;
  const fs::path root = fs::path(folder) / prefix;
  if (!fs::exists(root, error)) return absl::OkStatus();
  for (const auto& entry : fs::recursive_directory_iterator(root, error)) {
    if (!entry.is_regular_file(error)) continue;
    RB_ASSIGN_OR_RETURN(ManifestFile file, Measure(folder, fs::relative(entry.path(), folder).string()));
    manifest->files.push_back(std::move(file));
  }
  return error ? absl::UnavailableError(absl::StrCat(root.string(), ": ", error.message())) : absl::OkStatus();
}

absl::Status CopyOutbox(const std::string& from, const std::string& to) {
  for (const char* part : {"new", "cur"}) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(fs::path(from) / part, error)) {
      if (!entry.is_regular_file(error)) continue;
      const absl::Status copied = CopyFile(entry.path().string(), to + "/" + part + "/" + entry.path().filename().string());
      // A reader moved it from new to cur, or an erasure removed it.
      if (!copied.ok() && !absl::IsNotFound(copied)) return copied;
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Manifest> Backup(const runtime::Config& config, const std::string& to, Clock* clock, Random* random) {
  if (config.SqlitePath().empty()) {
    return absl::FailedPreconditionError("the store is no SQLite file of this machine; back Redis up with its own means "
                                         "(AOF and RDB files, BGSAVE)");
  }
  std::error_code error;
  if (!fs::exists(config.SqlitePath(), error)) {
    return absl::NotFoundError(absl::StrCat("no database at ", config.SqlitePath(), "; name the data directory with --data"));
  }
  RB_RETURN_IF_ERROR(MakeEmptyFolder(to));
  Manifest manifest;
  manifest.version = RINGBACK_VERSION;
  manifest.time = clock->Now();
  const std::string database = to + "/ringback.db";
  RB_RETURN_IF_ERROR(store::BackupSqliteStore(config.SqlitePath(), database));
  std::set<std::string> names;
  {
    RB_ASSIGN_OR_RETURN(const auto copy, store::OpenSqliteStore({.path = database, .clock = clock, .random = random}));
    RB_ASSIGN_OR_RETURN(names, NamedBlobs(*copy));
  }
  RB_ASSIGN_OR_RETURN(const auto from, runtime::OpenBlobs(config));
  {
    RB_ASSIGN_OR_RETURN(const auto blobs, blob::OpenDirectory(to + "/blobs"));
    for (const std::string& name : names) {
      const absl::Status copied = CopyBlob(*from, *blobs, name);
      // Erased between the two copies: so shall it be.
      if (absl::IsNotFound(copied)) {
        manifest.missing_blobs.push_back(name);
      } else if (!copied.ok()) {
        return copied;
      }
    }
  }
  fs::remove_all(to + "/blobs/.tmp", error);
  RB_RETURN_IF_ERROR(CopyOutbox(config.OutboxDir(), to + "/outbox"));
  RB_ASSIGN_OR_RETURN(ManifestFile file, Measure(to, "ringback.db"));
  manifest.files.push_back(std::move(file));
  // A restore of an older backup can ask this one who was erased in between.
  if (const std::string journal = config.ErasuresPath(); fs::exists(journal, error)) {
    RB_RETURN_IF_ERROR(CopyFile(journal, to + "/erasures"));
    RB_ASSIGN_OR_RETURN(ManifestFile copied, Measure(to, "erasures"));
    manifest.files.push_back(std::move(copied));
  }
  RB_RETURN_IF_ERROR(AddTree(to, "blobs", &manifest));
  RB_RETURN_IF_ERROR(AddTree(to, "outbox", &manifest));
  RB_RETURN_IF_ERROR(WriteManifest(to, manifest));
  return manifest;
}

void AddBackupCommand(cli::Commands& commands) {
  struct Args {
    ServerOptions server;
    std::string to;
  };
  auto args = std::make_shared<Args>();
  CLI::App* command = commands.app().add_subcommand("backup", "Copy the server's data, also while it serves");
  command->add_option("DIR", args->to, "A new folder")->required();
  args->server.AddTo(command);
  commands.On(command, [args, &commands]() -> absl::Status {
    runtime::PrepareProcess();
    cli::World& world = commands.world();
    RB_ASSIGN_OR_RETURN(const runtime::Config config, LoadServerConfig(args->server, commands));
    RB_ASSIGN_OR_RETURN(const Manifest manifest, Backup(config, args->to, world.clock, world.random));
    int64_t bytes = 0;
    for (const ManifestFile& file : manifest.files) bytes += file.size;
    if (commands.options().json) {
      *world.out << "{\"files\":" << manifest.files.size() << ",\"bytes\":" << bytes << "}\n";
    } else {
      *world.out << "backed up to " << args->to << ": " << manifest.files.size() << " files, " << bytes / 1024
                 << " KiB. It holds callers' data: keep it as safe as the original.\n";
    }
    return absl::OkStatus();
  });
}

}  // namespace ringback
