// One turn at one mailbox, with the lease of its due entry: what is new is handed in, what was taken moves, and how far it
// has got is committed. Each message is handed in first and counted as taken then, so that none is lost; that none is taken
// twice is seen to by whoever takes it in (an answer's id is made of the mail itself).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/runtime/host.h"
#include "core/store/records.h"
#include "delivery/mailbox/mailbox.h"

namespace ringback::delivery {

// Takes one mail in for a team; `cut`: its beginning only, for it was too large. OK: it is safe, now or since before.
// INVALID_ARGUMENT: it is no mail at all. Anything else: not now, try again later.
using TakeMail = std::function<absl::Status(const std::string& team_id, const std::string& raw, bool cut)>;

// Whether two texts tell of one trouble, which is logged once. Servers put the time, a number, or how long each part of a
// command took into their refusals, Dovecot as many parts as there were: "(0.002 + 0.000 + 0.001 secs)".
bool SameTrouble(std::string_view a, std::string_view b);

// Sets the gauge ringback_mailbox_trouble.
void ShowTrouble(runtime::Metrics& metrics, const store::v1::MailboxRecord& mailbox);

class MailboxTurn {
 public:
  // Everything outlives it.
  MailboxTurn(runtime::Host& host, const MailboxSettings& settings, const store::Lease& lease,
              store::Loaded<store::v1::MailboxRecord> mailbox);

  // Reads, and commits when it is to be read again. What is wrong with the mailbox goes into its record and is OK here; an
  // error is the store's.
  absl::Status Read(const MailboxOpener& open, const TakeMail& take);

  // Ends the turn: with what is wrong ("": nothing) and when the next one is; nullopt: the later the longer it is wrong.
  absl::Status End(const std::string& trouble, std::optional<absl::Duration> again);

 private:
  absl::Status Save(std::optional<absl::Time> due);
  absl::Status TakeNew(Mailbox& folder, const TakeMail& take);
  absl::Status TakeOne(Mailbox& folder, uint32_t uid, const TakeMail& take);
  absl::Status HandIn(uint32_t uid, const FetchedMail& mail, const TakeMail& take);
  absl::Status Move(Mailbox& folder, uint32_t uid);

  runtime::Host& host_;
  const MailboxSettings& settings_;
  const store::Lease& lease_;
  store::Loaded<store::v1::MailboxRecord> mailbox_;
  const std::string trouble_before_;
  std::string move_trouble_;
  bool all_read_ = false;
  bool store_failed_ = false;
  int commits_ = 0;
  int uncommitted_ = 0;  // messages taken since the last commit
};

}  // namespace ringback::delivery
