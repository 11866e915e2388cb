// See doctor_setup.h.
#include "ringback/doctor_setup.h"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/http/client_address.h"
#include "core/runtime/tls_files.h"
#include "ringback/data_lock.h"
#include "web/hooks/sipgate_key.h"

namespace ringback {
namespace {

using Level = Finding::Level;

constexpr absl::Duration kRenew = absl::Hours(24 * 14);

// The nearest folder above that is there.
std::string NearestFolder(const std::string& path) {
  std::error_code error;
  std::filesystem::path folder = std::filesystem::absolute(path, error);
  while (folder.has_relative_path() && !std::filesystem::exists(folder, error)) folder = folder.parent_path();
  return folder.string();
}

bool OnLoopback(const std::string& listen) {
  return absl::StartsWith(listen, "127.") || absl::StartsWith(listen, "[::1]") || absl::StartsWith(listen, "localhost:");
}

// "" when a socket can be bound there, else why not.
std::string WhyNotBound(const std::string& listen) {
  const size_t colon = listen.rfind(':');
  std::string host = listen.substr(0, colon);
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  addrinfo hints = {}, *found = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  if (const int error = getaddrinfo(host == "*" ? nullptr : host.c_str(), listen.substr(colon + 1).c_str(), &hints, &found);
      error != 0) {
    return gai_strerror(error);
  }
  std::string why;
  const int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (fd < 0 || bind(fd, found->ai_addr, found->ai_addrlen) != 0) why = std::strerror(errno);
  if (fd >= 0) close(fd);
  freeaddrinfo(found);
  return why;
}

}  // namespace

Finding ExamineDataDir(const runtime::Config& config) {
  const std::string& dir = config.data_dir;
  struct stat info;
  if (stat(dir.c_str(), &info) != 0) {
    const bool missing = errno == ENOENT;
    const std::string parent = NearestFolder(dir);
    if (!missing || access(parent.c_str(), W_OK | X_OK) != 0) {
      return {"data", Level::kFail, absl::StrCat(dir, " is not there and cannot be made in ", parent,
                                                 "; make it and give it to the server's user, or name another with --data")};
    }
    return {"data", Level::kOk, dir + " is not there yet; the first start makes it"};
  }
  if (!S_ISDIR(info.st_mode)) return {"data", Level::kFail, dir + " is a file, not a folder; name another with --data"};
  if (access(dir.c_str(), R_OK | W_OK | X_OK) != 0) {
    return {"data", Level::kFail, absl::StrCat(dir, ": ", std::strerror(errno), "; it must belong to the server's user: chown -R USER ", dir)};
  }
  if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return {"data", Level::kWarn, absl::StrCat("others can enter ", dir, ", which holds callers' data: chmod 700 ", dir)};
  }
  return {"data", Level::kOk, absl::StrCat(dir, DataLock::Held(dir) ? ", a server is running on it" : "")};
}

std::vector<Finding> ExamineSecrets(const runtime::Config& config) {
  std::vector<Finding> findings;
  std::vector<std::string> good;
  for (const auto& [key, path] : {std::pair<const char*, std::string>{"ringback.store_password_file", config.store_password_file},
                                  {"ringback.store_sentinel_password_file", config.store_sentinel_password_file},
                                  {"s3.access_key_file", config.s3_access_key_file},
                                  {"s3.secret_key_file", config.s3_secret_key_file},
                                  {"mail.password_file", config.mail_password_file},
                                  {"sms.secret_file", config.sms_secret_file}}) {
    if (path.empty()) continue;
    const auto secret = runtime::ReadSecretFile(path);
    if (!secret.ok()) {
      findings.push_back({"secrets", Level::kFail, absl::StrCat(key, ": ", std::string(secret.status().message()))});
    } else if (secret->empty()) {
      findings.push_back({"secrets", Level::kFail, absl::StrCat(key, ": ", path, " is empty; it must hold the secret")});
    } else {
      good.push_back(key);
    }
  }
  if (findings.empty() && !good.empty()) findings.push_back({"secrets", Level::kOk, absl::StrJoin(good, ", ")});
  return findings;
}

std::vector<Finding> ExamineSipgateKey(const runtime::Config& config) {
  if (config.web_sipgate_key_file.empty()) return {};
  const auto key = web::SipgateKey::Read(config.web_sipgate_key_file);
  if (key.ok()) return {{"sipgate", Level::kOk, absl::StrCat(config.web_sipgate_key_file, ": unsigned requests are refused")}};
  return {{"sipgate", Level::kFail, absl::StrCat(std::string(key.status().message()),
                                                 "; it must be the key that sipgate publishes (fastagi.pub of "
                                                 "github.com/sipgate/pushapi-request-verifier), readable for the server's user")}};
}

namespace {

// `on_change`: what a renewed certificate needs.
Finding ExamineCertificate(const char* name, const absl::StatusOr<runtime::TlsFiles>& files, const std::string& path,
                           Clock* clock, const std::string& on_change, const std::string& more) {
  if (!files.ok()) return {name, Level::kFail, std::string(files.status().message())};
  const absl::Duration left = files->expires - clock->Now();
  const std::string end = absl::FormatTime("%Y-%m-%d", files->expires, absl::UTCTimeZone());
  if (left <= absl::ZeroDuration()) {
    return {name, Level::kFail, absl::StrCat("the certificate ", path, " ended on ", end,
                                             "; no client will connect: renew it", on_change)};
  }
  if (left < kRenew) {
    return {name, Level::kWarn, absl::StrCat("the certificate ", path, " ends on ", end, "; renew it", on_change, " before")};
  }
  return {name, Level::kOk, absl::StrCat("certificate until ", end, more)};
}

}  // namespace

Finding ExamineTls(const runtime::Config& config, Clock* clock) {
  if (config.tls_certificate_file.empty()) {
    if (OnLoopback(config.grpc_listen)) return {"tls", Level::kOk, "off; gRPC is open to this machine only"};
    return {"tls", Level::kWarn, absl::StrCat("off, but gRPC listens on ", config.grpc_listen,
                                              ": tokens travel in clear. Set ringback.tls_certificate_file and "
                                              "ringback.tls_key_file, or put a proxy with TLS in front")};
  }
  return ExamineCertificate("tls", runtime::ReadTlsFiles(config), config.tls_certificate_file, clock,
                            " and restart the server", config.tls_client_ca_file.empty() ? "" : ", clients must show theirs");
}

Finding ExamineWebTls(const runtime::Config& config, Clock* clock) {
  if (config.web_tls_certificate_file.empty()) {
    if (OnLoopback(config.http_listen)) return {"web tls", Level::kOk, "off; the pages are open to this machine only"};
    return {"web tls", Level::kWarn, absl::StrCat("off, but the pages listen on ", config.http_listen,
                                                  ": nobody can sign in without https. Set web.tls_certificate_file and "
                                                  "web.tls_key_file, or put a proxy with TLS in front and name it in web.proxies")};
  }
  return ExamineCertificate("web tls", runtime::ReadWebTlsFiles(config), config.web_tls_certificate_file, clock, "", "");
}

Finding ExamineAddresses(const runtime::Config& config) {
  if (const auto proxies = http::Proxies::Parse(config.web_proxies); !proxies.ok()) {
    return {"addresses", Level::kFail, absl::StrCat("web.proxies: ", std::string(proxies.status().message()))};
  }
  if (DataLock::Held(config.data_dir)) return {"addresses", Level::kOk, "in use by the server that is running"};
  for (const auto& [key, listen] : {std::pair<const char*, std::string>{"ringback.grpc_listen", config.grpc_listen},
                                    {"ringback.http_listen", config.http_listen},
                                    {"ringback.metrics_listen", config.metrics_listen},
                                    {"web.public_listen", config.web_public_listen}}) {
    if (listen.empty()) continue;  // off
    const std::string why = WhyNotBound(listen);
    if (!why.empty()) {
      return {"addresses", Level::kFail, absl::StrCat(key, " = \"", listen, "\": ", why,
                                                      "; stop what listens there (ss -ltnp), or choose another port")};
    }
  }
  return {"addresses", Level::kOk, absl::StrCat("gRPC ", config.grpc_listen, ", HTTP ", config.http_listen,
                                                config.metrics_listen.empty() ? "" : ", metrics ", config.metrics_listen)};
}

}  // namespace ringback
