// A change of one callback as a whole: load it with its team, decide, commit once. For everybody who changes a callback
// without a request of the API (the customer's page, mail that came in); answers to requests are made in ingest.
#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/base/ids.h"
#include "core/domain/rules.h"
#include "core/store/store.h"

namespace ringback::store {

// What is to happen to the callback; called anew with fresh records for every try.
using DecideChange = std::function<absl::StatusOr<domain::Decision>(
    const domain::record::CallbackRecord& callback, const domain::record::TeamRecord& team, absl::Time now)>;
// What is to be committed beside it, in the callback's shard: records, due entries. Also called anew for every try.
using AddToChange = std::function<absl::Status(const domain::record::CallbackRecord& before,
                                               const domain::Decision& decision, Commit* commit)>;

// The callback as it is after the change. The same `commit_id` again (within an hour, at most 64 bytes; no other commit
// may have it) changes nothing and gives the callback as it is then, also when `decide` would refuse it by now.
// NOT_FOUND when the callback or its team is not there; the error of `decide` or `also`, when nothing was committed;
// ABORTED when others keep changing it (after ten tries); LeftToNewer and the store's errors as they are. UNAVAILABLE:
// the outcome is unknown, try again with the same commit_id. Blocks; thread-safe.
absl::StatusOr<domain::record::CallbackRecord> ChangeCallback(Store& store, const Key& callback,
                                                              const std::string& commit_id, const DecideChange& decide,
                                                              const AddToChange& also = {});

// For `also` of a domain::WrongPerson: revokes the token of the page that `before` has. OK when there is none.
absl::Status RevokePage(Store& store, const domain::record::CallbackRecord& before, Commit* commit);

// A new page for a callback whose page was revoked, with the decision that sends something to the customer; nothing while
// it has one.
void RenewPage(Random& random, absl::Time now, domain::Decision* decision, Commit* commit);

}  // namespace ringback::store
