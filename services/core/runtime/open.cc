#include "core/runtime/open.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/base/sync_folder.h"
#include "core/blob/s3_blobs.h"
#include "core/runtime/store_address.h"
#include "core/store/redis_store.h"
#include "core/store/sqlite_store.h"

namespace ringback::runtime {
namespace {

std::string Environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// Keys from files, else from the variables that every S3 client reads.
absl::StatusOr<blob::S3Options> S3From(const Config& config) {
  blob::S3Options options;
  RB_RETURN_IF_ERROR(blob::ParseS3Address(config.blobs, &options));
  options.endpoint = config.s3_endpoint;
  options.path_style = config.s3_path_style;
  options.allow_plain = config.s3_allow_plain;
  options.ca_file = config.s3_ca_file;
  for (const std::string& region : {config.s3_region, Environment("AWS_REGION"), Environment("AWS_DEFAULT_REGION")}) {
    if (region.empty()) continue;
    options.region = region;
    break;
  }
  if (!config.s3_access_key_file.empty()) {
    RB_ASSIGN_OR_RETURN(options.access_key, ReadSecretFile(config.s3_access_key_file));
    RB_ASSIGN_OR_RETURN(options.secret_key, ReadSecretFile(config.s3_secret_key_file));
    if (options.access_key.empty()) return absl::InvalidArgumentError(config.s3_access_key_file + " is empty");
    if (options.secret_key.empty()) return absl::InvalidArgumentError(config.s3_secret_key_file + " is empty");
    options.access_key_source = "s3.access_key_file " + config.s3_access_key_file;
    options.secret_key_source = "s3.secret_key_file " + config.s3_secret_key_file;
    return options;
  }
  options.access_key_source = "AWS_ACCESS_KEY_ID";
  options.secret_key_source = "AWS_SECRET_ACCESS_KEY";
  options.access_key = Environment("AWS_ACCESS_KEY_ID");
  options.secret_key = Environment("AWS_SECRET_ACCESS_KEY");
  options.session_token = Environment("AWS_SESSION_TOKEN");
  return options;
}

}  // namespace

absl::Status MakeFolder(const std::string& path) {
  const std::filesystem::path folder(path);
  if (folder.empty()) return absl::OkStatus();
  std::error_code error;
  if (std::filesystem::is_directory(folder, error)) return absl::OkStatus();
  std::filesystem::create_directories(folder, error);
  if (error) return absl::InvalidArgumentError(absl::StrCat("cannot make ", folder.string(), ": ", error.message()));
  std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
  return SyncFolderOf(folder.string());
}

absl::StatusOr<std::unique_ptr<store::Store>> OpenStore(const Config& config, Clock* clock, Random* random) {
  if (IsRedisAddress(config.store)) {
    RB_ASSIGN_OR_RETURN(store::RedisOptions options, RedisOptionsFrom(config));
    options.clock = clock;
    options.random = random;
    return store::OpenRedisStore(options);
  }
  store::SqliteOptions options;
  options.path = config.SqlitePath();
  options.clock = clock;
  options.random = random;
  RB_RETURN_IF_ERROR(MakeFolder(std::filesystem::path(options.path).parent_path().string()));
  return store::OpenSqliteStore(options);
}

absl::StatusOr<std::unique_ptr<blob::BlobStore>> OpenBlobs(const Config& config, Clock* clock) {
  if (absl::StartsWith(config.blobs, "s3://")) {
    RB_ASSIGN_OR_RETURN(const blob::S3Options options, S3From(config));
    return blob::OpenS3(options);
  }
  RB_RETURN_IF_ERROR(MakeFolder(std::filesystem::path(config.BlobDir()).parent_path().string()));
  auto opened = blob::OpenDirectory(config.BlobDir(), clock);
  if (opened.ok()) return opened;
  return absl::Status(opened.status().code(), absl::StrCat("ringback.blobs: ", std::string(opened.status().message())));
}

}  // namespace ringback::runtime
