// One folder of a mailbox on a mail server, as far as fetching answers needs it. The interface lives here; IMAP is
// mailbox_imap's, how far a mailbox has been read is mailbox_worker's.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "delivery/mailbox/mailboxes_file.h"

namespace ringback::delivery {

// Messages with after < UID <= up_to.
struct UidRange {
  uint32_t after = 0;
  uint32_t up_to = UINT32_MAX;
  absl::Time since = absl::InfinitePast();  // only what the server got on that day or later
  bool deleted_too = true;                  // what is marked for deletion and still there
};

struct FetchedMail {
  std::string raw;  // RFC 5322
  // Above the limit: `raw` is the beginning only, and the whole has (at least) so many bytes; else 0.
  int64_t whole_bytes = 0;
};

// A connection with the folder open; closed by its end. Used by one thread at a time; every call blocks, at most as long
// as its deadline.
//
// Errors, with a text for the operator that holds neither secret nor address:
//   UNAVAILABLE          the server is away, slow, or ended the connection. Nothing can be asked here any more.
//   UNAUTHENTICATED      login refused (opening only).
//   FAILED_PRECONDITION  the server said no: a folder that is not there, no right, full. The connection goes on.
//   CANCELLED            asked to stop.
class Mailbox {
 public:
  virtual ~Mailbox() = default;
  // The folder's incarnation: UIDs mean nothing beyond it.
  virtual uint32_t uid_validity() const = 0;
  // In ascending order.
  virtual absl::StatusOr<std::vector<uint32_t>> Uids(const UidRange& range) = 0;
  // Leaves the message as unread as it was. NOT_FOUND: somebody has removed it meanwhile.
  virtual absl::StatusOr<FetchedMail> Fetch(uint32_t uid, int64_t bytes_max) = 0;
  // To the done folder. OK too when it is no longer there.
  virtual absl::Status MoveToDone(uint32_t uid) = 0;
  // Whether the done folder is there. The folder itself is no longer open afterwards.
  virtual absl::Status CheckDoneFolder() = 0;
};

// How a mailbox is opened. `stop`, asked several times a second from the calling thread, ends any wait early.
using MailboxOpener =
    std::function<absl::StatusOr<std::unique_ptr<Mailbox>>(const MailboxSettings& settings, std::function<bool()> stop)>;

}  // namespace ringback::delivery
