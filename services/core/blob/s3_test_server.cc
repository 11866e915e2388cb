#include "core/blob/s3_test_server.h"

#include <filesystem>

#include "absl/strings/str_cat.h"

namespace ringback::blob {

namespace fs = std::filesystem;

S3Server::S3Server(bool tls) : port_(FreePort()), tls_(tls) {
  if (tls_) {
    const std::string openssl = absl::StrCat(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost "
        "-addext subjectAltName=DNS:localhost -out ",
        CaFile(), " -keyout ", dir_.path(), "/key.pem 2>/dev/null");
    EXPECT_EQ(system(openssl.c_str()), 0);
  }
  fs::create_directory(dir_.path() + "/disk");
  fs::create_directory(dir_.path() + "/side");
  Start();
}

S3Server::~S3Server() = default;

void S3Server::Start() {
  // Whoever asks for bucket.s3.localhost gets the bucket as in virtual-host style. Attributes lie in a folder of their own,
  // for not every temporary folder can keep them with the files.
  std::vector<std::string> command = {RINGBACK_S3_SERVER, "--access", kAccessKey, "--secret", kSecretKey, "--region", kRegion,
                                      "--port", absl::StrCat("127.0.0.1:", port_), "--virtual-domain",
                                      absl::StrCat("s3.localhost:", port_), "--quiet"};
  if (tls_) command.insert(command.end(), {"--cert", CaFile(), "--key", dir_.path() + "/key.pem"});
  command.insert(command.end(), {"posix", "--sidecar", dir_.path() + "/side", dir_.path() + "/disk"});
  child_ = std::make_unique<Child>(command, port_);
}

S3Options S3Server::NewBucket() {
  S3Options options;
  options.bucket = absl::StrCat("bucket-", ++buckets_);
  fs::create_directory(FolderOf(options));
  options.endpoint = absl::StrCat(tls_ ? "https://localhost:" : "http://127.0.0.1:", port_);
  options.region = kRegion;
  options.path_style = true;
  options.access_key = kAccessKey;
  options.secret_key = kSecretKey;
  options.retry_wait = absl::Milliseconds(10);
  options.part_bytes = size_t{5} << 20;
  return options;
}

int S3Server::PartsLeft(const S3Options& options) const {
  int parts = 0;
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator(FolderOf(options) + "/.sgwtmp/multipart", error)) {
    parts += entry.is_regular_file() ? 1 : 0;
  }
  return parts;
}

}  // namespace ringback::blob
