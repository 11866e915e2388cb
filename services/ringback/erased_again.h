// A restored store holds whoever was erased after the backup was taken; here they leave again, before any server uses it.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "core/blob/blob_store.h"
#include "core/runtime/config.h"
#include "core/runtime/erasure_journal.h"
#include "core/store/store.h"

namespace ringback {

struct ErasedAgain {
  int callbacks = 0, contacts = 0, recordings = 0, answers = 0;
};

// Erases every id that is still there, as of the time of its entry, with its recordings and its mails in the outbox, and
// clears their bytes out of the store's file. What is not there, or erased already, is passed over: idempotent. `config`
// names the outbox and the domain of the Message-IDs.
absl::StatusOr<ErasedAgain> EraseAgain(const std::vector<runtime::Erasure>& entries, store::Store& store,
                                       blob::BlobStore& blobs, const runtime::Config& config);

}  // namespace ringback
