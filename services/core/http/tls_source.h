// Where a listener's certificate comes from. Reading and checking the files is the caller's business.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace ringback::http {

struct TlsPem {
  std::string certificate_pem;  // the chain, the listener's own first
  std::string key_pem;
};

struct TlsSource {
  std::vector<std::string> files;  // looked at with every new connection: when one has changed, `load` is called again
  std::function<absl::StatusOr<TlsPem>()> load;
};

}  // namespace ringback::http
