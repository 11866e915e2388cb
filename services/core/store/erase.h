// One caller's data leaves the store: what retention and an erasure on request do to a callback and everything it owns.
// The files (blobs, copies in the outbox) leave later, by the tombstone that is written here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/domain/rules.h"
#include "core/store/records.h"
#include "core/store/store.h"

namespace ringback::store {

// Adds to the commit: the callback without its caller (an open one is closed first, without a word to anybody), its index
// entries, page token, recordings, answers, deliveries and their due entries gone, and, where files are left, a tombstone "<callback>.files" with
// a retention entry of the same id that is due now. The history keeps its ids. Nothing for a callback erased before.
//
// The tombstone's message_ids are delivery ids, the part of a Message-ID before the "@". The callback's own retention
// entry (its id) is the caller's business. An upload or a promise at the same moment changes the callback's version, so
// that the commit is ABORTED and decided again: no recording stays behind.
absl::Status AddErasure(Store& store, const Loaded<record::CallbackRecord>& callback, absl::Time now, Commit* commit,
                        const domain::Actor& actor = domain::Actor{"system"});

// The same for a recording that no callback owns.
void AddErasure(const Loaded<record::RecordingRecord>& recording, absl::Time now, Commit* commit);

// The contact and its indexes. ABORTED when somebody changed it in the meantime.
void AddErasure(const Loaded<record::ContactRecord>& contact, Commit* commit);

// An answer, tied or not: its words and its sender leave, and its files by a tombstone "<answer>.files". What stays is its id:
// the same mail, should it come again from a mailbox that still holds it, is known and does not come back.
void AddErasure(const Loaded<record::AnswerRecord>& answer, absl::Time now, Commit* commit);

// Whose a tombstone's retention entry is when no team is known: an orphan's.
inline constexpr std::string_view kNobody = "-";

// For the files of a recording or an answer that has no record: a tombstone "<owner>.files" with these blobs and every name
// that a recording's can have, and its retention entry, due at `due`. The commit is ABORTED when there is one already.
void AddOrphan(const std::string& owner_id, const std::vector<std::string>& blobs, absl::Time due, absl::Time now,
               Commit* commit);

}  // namespace ringback::store
