// What the team knows of its callers: found by number or address, learned from what comes in. Not its rpc (contact_rpc)
// and not a person's erasure (subject).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/store/records.h"

namespace ringback::ingest {

namespace record = ::ringback::store::v1;

// `known` with what it lacks taken from `more`.
record::Caller Completed(const record::Caller& known, const record::Caller& more);
bool SameCaller(const record::Caller& a, const record::Caller& b);

// By the first of the keys (store::SubjectKeys) that a contact has; nullopt when none.
absl::StatusOr<std::optional<store::Loaded<record::ContactRecord>>> FindContact(store::Store& store, int shard,
                                                                                const std::string& team,
                                                                                const std::vector<std::string>& keys);

// Two requests for the same caller at the same moment would each find nobody and each make a callback and a contact.
// A turnstile is a record per number and address that every such commit turns: the second finds it moved, gets ABORTED
// and decides again, now finding what the first made. It expires by itself.
class Turnstiles {
 public:
  Turnstiles(store::Store& store, int shard, std::string team) : store_(store), shard_(shard), team_(std::move(team)) {}
  // Reads where they stand: call it before looking for what may be there already.
  absl::Status Approach(const std::vector<std::string>& keys);
  // Every one approached turns with the commit.
  void Turn(absl::Time now, store::Commit* commit) const;

 private:
  store::Store& store_;
  const int shard_;
  const std::string team_;
  std::vector<store::Record> approached_;
};

// Writes the contact (version 0: a new one) and moves its index entries from those of `before`.
void AddContact(const record::ContactRecord* before, uint64_t version, const record::ContactRecord& after,
                store::Commit* commit);

}  // namespace ringback::ingest
