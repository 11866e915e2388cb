// page_size and page_token.
#include <algorithm>

#include "absl/strings/escaping.h"
#include "core/domain/input.h"
#include "core/rpc/server.h"

namespace ringback::rpc {

absl::StatusOr<int> PageSize(int asked) {
  if (asked < 0) return domain::InvalidField("page_size", "PAGE_SIZE_NEGATIVE", "must be 0 (for 50) to 500");
  return asked == 0 ? 50 : std::min(asked, 500);
}

std::string EncodePageToken(const std::string& after) { return absl::WebSafeBase64Escape(after); }

absl::StatusOr<std::string> DecodePageToken(const std::string& token) {
  std::string after;
  if (!absl::WebSafeBase64Unescape(token, &after) || EncodePageToken(after) != token) {
    return domain::InvalidField("page_token", "PAGE_TOKEN_INVALID",
                                "must be a previous answer's next_page_token, or empty");
  }
  return after;
}

}  // namespace ringback::rpc
