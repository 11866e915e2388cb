// IMAP on the wire (RFC 3501, 9), as little of it as fetching mail needs: answers out of bytes, and what is sent. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace ringback::delivery {

// One response: a line, with the literals in it apart.
struct ImapResponse {
  std::string line;                   // without CRLF; "{120}" stands where a literal was
  std::vector<std::string> literals;  // in their order
};

// Takes responses out of a stream of bytes, however it is cut.
class ImapReader {
 public:
  void Add(absl::string_view bytes) { buffer_.append(bytes.data(), bytes.size()); }
  // The next whole response; nullopt: more bytes are needed. INVALID_ARGUMENT when it cannot be IMAP.
  absl::StatusOr<std::optional<ImapResponse>> Next();

 private:
  std::string buffer_;
  size_t searched_ = 0;    // no line ends before it
  ImapResponse response_;  // what of the next one has been taken out of buffer_
};

// The rest of an untagged response "* NAME …": nullopt when it is another one.
std::optional<absl::string_view> Untagged(const ImapResponse& response, absl::string_view name);
// The number in "* OK [NAME 7] …".
std::optional<uint32_t> ResponseCode(const ImapResponse& response, absl::string_view name);
// The numbers of "* SEARCH 2 84 882"; what is no number is passed over.
void AppendSearch(const ImapResponse& response, std::vector<uint32_t>* uids);

struct ImapFetch {
  uint32_t uid = 0;
  int64_t size = -1;      // RFC822.SIZE; -1: not in it
  bool has_body = false;  // BODY[…], whichever was asked for; NIL is an empty one
  std::string body;
};
// "* 12 FETCH (UID 7 RFC822.SIZE 120 BODY[]<0> {120}…)" with its attributes in any order; nullopt when it is another response.
std::optional<ImapFetch> ParseFetch(ImapResponse response);

// In quotes, as a command holds it. The text must hold no CR, LF or NUL.
std::string ImapQuoted(absl::string_view text);
// A folder's name as IMAP writes it: modified UTF-7 (5.1.3). INVALID_ARGUMENT for what is no UTF-8.
absl::StatusOr<std::string> ImapFolderName(absl::string_view utf8);

}  // namespace ringback::delivery
