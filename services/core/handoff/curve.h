// Keys of the hand-off: CURVE (CurveZMQ, RFC 26) encrypts and proves the server's key, but admits any client; the list of
// allowed keys is what keeps strangers out (ZAP, RFC 27).
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace ringback::handoff {

// In the 40 characters of Z85 (RFC 32), as files hold them.
struct CurveKeys {
  std::string server_secret;  // the installation's: producers prove it, workers expect it
  std::string client_secret;  // this program's own, on its peers' lists
  // Public keys of who may connect, one a line; "# " begins a comment. Read again when the file has changed, so that a new
  // program is let in without a restart; one that was taken off stays until its connection ends.
  std::string allowed_keys_file;
};

struct CurvePair {
  std::string public_key, secret_key;
};
CurvePair NewCurvePair();
// INVALID_ARGUMENT for text that is no key.
absl::StatusOr<std::string> PublicKeyOf(const std::string& secret_key);

// Used by one thread.
class AllowedKeys {
 public:
  explicit AllowedKeys(std::string file) : file_(std::move(file)) {}
  // INVALID_ARGUMENT, naming file and line, for a list that cannot be read as one.
  absl::Status Load();
  // `key` is the 32 bytes that ZAP hands over. Looks at the file first; a list that became unreadable or wrong admits
  // whom it admitted before.
  bool Allows(std::string_view key);
  // The same for a key in Z85.
  bool AllowsText(const std::string& public_key);

 private:
  std::string Stamp() const;  // changes when the file does

  const std::string file_;
  std::string stamp_;
  std::set<std::string> keys_;  // 32 bytes each
};

}  // namespace ringback::handoff
