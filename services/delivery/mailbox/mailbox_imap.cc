#include "delivery/mailbox/mailbox_imap.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/base/status_macros.h"
#include "delivery/mailbox/imap_curl.h"
#include "delivery/mailbox/imap_text.h"

namespace ringback::delivery {
namespace {

constexpr size_t kPieceBytes = 1 << 20;       // of a message, per command: what a deadline is for
constexpr size_t kAnswerBytesMax = 16 << 20;  // beside that: a search that finds a million messages fits

class ImapMailbox : public Mailbox {
 public:
  ImapMailbox(const MailboxSettings& settings, std::unique_ptr<ImapCurl> connection)
      : settings_(settings), connection_(std::move(connection)) {}

  absl::Status Open() {
    // Asked anew: it may be more than before the login.
    RB_ASSIGN_OR_RETURN(const auto capabilities, Say("CAPABILITY", "no list of capabilities"));
    for (const ImapResponse& response : capabilities) {
      const auto names = Untagged(response, "CAPABILITY");
      if (!names.has_value()) continue;
      for (const absl::string_view name : absl::StrSplit(*names, ' ')) {
        can_move_ = can_move_ || absl::EqualsIgnoreCase(name, "MOVE");
        can_expunge_one_ = can_expunge_one_ || absl::EqualsIgnoreCase(name, "UIDPLUS");
      }
    }
    RB_ASSIGN_OR_RETURN(const auto opened, OpenFolder(settings_.folder, settings_.done_folder.empty() ? "EXAMINE " : "SELECT "));
    for (const ImapResponse& response : opened) uid_validity_ = ResponseCode(response, "UIDVALIDITY").value_or(uid_validity_);
    if (uid_validity_ == 0) return absl::FailedPreconditionError("the server gives no UIDVALIDITY: its messages cannot be told apart");
    return absl::OkStatus();
  }

  uint32_t uid_validity() const override { return uid_validity_; }

  absl::StatusOr<std::vector<uint32_t>> Uids(const UidRange& range) override {
    std::vector<uint32_t> uids;
    if (range.after >= range.up_to) return uids;
    const std::string last = range.up_to == UINT32_MAX ? "*" : absl::StrCat(range.up_to);
    std::string command = absl::StrCat("UID SEARCH UID ", range.after + 1, ":", last, range.deleted_too ? "" : " UNDELETED");
    if (range.since > absl::UnixEpoch()) {
      // A day earlier: the server's may be another than ours.
      absl::StrAppend(&command, " SINCE ", absl::FormatTime("%d-%b-%Y", range.since - absl::Hours(24), absl::UTCTimeZone()));
    }
    RB_ASSIGN_OR_RETURN(const auto responses, Say(command, "the folder cannot be searched"));
    for (const ImapResponse& response : responses) AppendSearch(response, &uids);
    // "n:*" names the last message even if it lies before n.
    std::erase_if(uids, [&](uint32_t uid) { return uid <= range.after || uid > range.up_to; });
    std::sort(uids.begin(), uids.end());
    uids.erase(std::unique(uids.begin(), uids.end()), uids.end());
    return uids;
  }

  absl::StatusOr<FetchedMail> Fetch(uint32_t uid, int64_t bytes_max) override {
    FetchedMail mail;
    for (;;) {
      RB_ASSIGN_OR_RETURN(const ImapFetch piece, FetchPiece(uid, mail.raw.size()));
      mail.raw += piece.body;
      if (piece.body.size() < kPieceBytes) return mail;
      // The server's figure may be an estimate: it spares the way, what has come decides.
      const int64_t whole = std::max<int64_t>(piece.size, static_cast<int64_t>(mail.raw.size()));
      if (whole <= bytes_max) continue;
      mail.raw.erase(kPieceBytes);
      mail.whole_bytes = whole;
      return mail;
    }
  }

  absl::Status MoveToDone(uint32_t uid) override {
    RB_ASSIGN_OR_RETURN(const std::string name, ImapFolderName(settings_.done_folder));
    const std::string doing = absl::StrCat("a message cannot be moved to ", settings_.done_folder);
    if (can_move_) return Say(absl::StrCat("UID MOVE ", uid, " ", ImapQuoted(name)), doing).status();
    RB_RETURN_IF_ERROR(Say(absl::StrCat("UID COPY ", uid, " ", ImapQuoted(name)), doing).status());
    RB_RETURN_IF_ERROR(Say(absl::StrCat("UID STORE ", uid, " +FLAGS.SILENT (\\Deleted)"), doing).status());
    // Without UIDPLUS an expunge would take others' deleted messages too.
    return can_expunge_one_ ? Say(absl::StrCat("UID EXPUNGE ", uid), doing).status() : absl::OkStatus();
  }

  absl::Status CheckDoneFolder() override { return OpenFolder(settings_.done_folder, "EXAMINE ").status(); }

 private:
  absl::StatusOr<std::vector<ImapResponse>> Say(absl::string_view command, absl::string_view doing) {
    return connection_->Command(command, doing, kAnswerBytesMax);
  }

  absl::StatusOr<std::vector<ImapResponse>> OpenFolder(const std::string& folder, absl::string_view verb) {
    RB_ASSIGN_OR_RETURN(const std::string name, ImapFolderName(folder));
    return Say(absl::StrCat(verb, ImapQuoted(name)), absl::StrCat("the folder ", folder, " cannot be opened"));
  }

  // Up to kPieceBytes from `offset` on, with what the server thinks the whole has.
  absl::StatusOr<ImapFetch> FetchPiece(uint32_t uid, size_t offset) {
    const std::string command =
        absl::StrCat("UID FETCH ", uid, " (UID RFC822.SIZE BODY.PEEK[]<", offset, ".", kPieceBytes, ">)");
    RB_ASSIGN_OR_RETURN(auto responses, Say(command, "a message cannot be fetched"));
    for (ImapResponse& response : responses) {
      // Servers also tell of other messages (new flags) whenever they like.
      std::optional<ImapFetch> fetch = ParseFetch(std::move(response));
      if (!fetch.has_value() || fetch->uid != uid || !fetch->has_body) continue;
      if (fetch->body.size() > kPieceBytes) return absl::UnavailableError("the server sends more of a message than was asked");
      return *std::move(fetch);
    }
    return absl::NotFoundError("the message is no longer there");
  }

  const MailboxSettings settings_;
  const std::unique_ptr<ImapCurl> connection_;
  uint32_t uid_validity_ = 0;
  bool can_move_ = false;
  bool can_expunge_one_ = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Mailbox>> OpenImapMailbox(const MailboxSettings& settings, TokenCommand* token,
                                                         std::function<bool()> stop, absl::Duration deadline) {
  RB_ASSIGN_OR_RETURN(auto connection, ImapCurl::Connect(settings, token, std::move(stop), deadline));
  auto mailbox = std::make_unique<ImapMailbox>(settings, std::move(connection));
  RB_RETURN_IF_ERROR(mailbox->Open());
  return mailbox;
}

}  // namespace ringback::delivery
