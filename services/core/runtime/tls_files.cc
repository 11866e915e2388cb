// Checks by OpenSSL, which gRPC stands on as well.
#include "core/runtime/tls_files.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace ringback::runtime {
namespace {

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using PrivateKey = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

absl::Status Wrong(const std::string& what) { return absl::InvalidArgumentError(what); }

absl::StatusOr<std::string> ReadFile(const std::string& key, const std::string& path) {
  if (path.empty()) return std::string();
  std::ifstream stream(path);
  std::stringstream text;
  if (!stream || !(text << stream.rdbuf())) {
    return Wrong(absl::StrCat(key, ": cannot read ", path, ": ", std::strerror(errno == 0 ? EIO : errno)));
  }
  return text.str();
}

Bio Memory(const std::string& pem) { return Bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free); }

// An encrypted key must be refused, not asked about on the terminal.
int NoPassword(char*, int, int, void*) { return 0; }

absl::StatusOr<Certificate> ParseCertificate(const std::string& key, const std::string& path, const std::string& pem) {
  const Bio bio = Memory(pem);
  Certificate certificate(PEM_read_bio_X509(bio.get(), nullptr, NoPassword, nullptr), X509_free);
  ERR_clear_error();
  if (certificate == nullptr) {
    return Wrong(absl::StrCat(key, ": ", path, " holds no certificate in PEM (-----BEGIN CERTIFICATE-----)"));
  }
  return certificate;
}

// Where the files are, and how the configuration calls them.
struct TlsNames {
  std::string section;  // "ringback."
  std::string certificate_file, key_file, client_ca_file;
};

absl::Status CheckKey(const TlsNames& names, const std::string& pem, X509* certificate) {
  const Bio bio = Memory(pem);
  const PrivateKey key(PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassword, nullptr), EVP_PKEY_free);
  const bool fits = key != nullptr && X509_check_private_key(certificate, key.get()) == 1;
  ERR_clear_error();
  if (key == nullptr) {
    return Wrong(absl::StrCat(names.section, "tls_key_file: ", names.key_file,
                              " holds no private key in PEM without a password (-----BEGIN PRIVATE KEY-----)"));
  }
  if (!fits) {
    return Wrong(absl::StrCat(names.section, "tls_key_file: ", names.key_file, " is not the key of the certificate ",
                              names.certificate_file, "; both must come from the same request"));
  }
  return absl::OkStatus();
}

absl::Time EndOf(X509* certificate) {
  std::tm end = {};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) != 1) return absl::InfiniteFuture();
  return absl::FromTM(end, absl::UTCTimeZone());
}

absl::StatusOr<TlsFiles> Read(const TlsNames& names) {
  TlsFiles files;
  if (names.certificate_file.empty()) return files;
  const std::string certificate_key = names.section + "tls_certificate_file", clients = names.section + "tls_client_ca_file";
  RB_ASSIGN_OR_RETURN(files.pem.certificate_pem, ReadFile(certificate_key, names.certificate_file));
  RB_ASSIGN_OR_RETURN(files.pem.key_pem, ReadSecretFile(names.key_file));
  RB_ASSIGN_OR_RETURN(files.pem.client_ca_pem, ReadFile(clients, names.client_ca_file));
  RB_ASSIGN_OR_RETURN(const Certificate certificate,
                      ParseCertificate(certificate_key, names.certificate_file, files.pem.certificate_pem));
  RB_RETURN_IF_ERROR(CheckKey(names, files.pem.key_pem, certificate.get()));
  if (!names.client_ca_file.empty()) {
    RB_RETURN_IF_ERROR(ParseCertificate(clients, names.client_ca_file, files.pem.client_ca_pem).status());
  }
  files.expires = EndOf(certificate.get());
  return files;
}

}  // namespace

absl::StatusOr<TlsFiles> ReadTlsFiles(const Config& config) {
  return Read({"ringback.", config.tls_certificate_file, config.tls_key_file, config.tls_client_ca_file});
}

absl::StatusOr<TlsFiles> ReadWebTlsFiles(const Config& config) {
  return Read({"web.", config.web_tls_certificate_file, config.web_tls_key_file, ""});
}

absl::StatusOr<std::string> ReadWebServicesCa(const Config& config) {
  constexpr char kKey[] = "web.services_ca_file";
  RB_ASSIGN_OR_RETURN(std::string pem, ReadFile(kKey, config.web_services_ca_file));
  if (!pem.empty()) RB_RETURN_IF_ERROR(ParseCertificate(kKey, config.web_services_ca_file, pem).status());
  return pem;
}

}  // namespace ringback::runtime
