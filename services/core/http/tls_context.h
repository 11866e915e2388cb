// The certificate that a listener shows, as new as its files. Only for listener.cc: knows Asio and OpenSSL.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/http/tls_source.h"

namespace ringback::http {

class TlsContext {
 public:
  // Loads; errors are those of source.load, and INVALID_ARGUMENT for what OpenSSL does not take.
  static absl::StatusOr<std::unique_ptr<TlsContext>> Create(TlsSource source);

  // For the next connection: loaded again when a file has changed since. What cannot be loaded is logged once per change,
  // and the one before goes on serving. Called by one thread; touches the disk.
  std::shared_ptr<boost::asio::ssl::context> Current();

 private:
  explicit TlsContext(TlsSource source) : source_(std::move(source)) {}
  // What tells one content of the files from another.
  std::vector<int64_t> Stamp() const;
  absl::Status Load();

  const TlsSource source_;
  std::vector<int64_t> stamp_;  // of the last try to load
  std::shared_ptr<boost::asio::ssl::context> current_;
};

}  // namespace ringback::http
