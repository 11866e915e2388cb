// From the token in a customer's link to the records its page shows. The token is looked up by its hash; every way of not
// getting in looks and costs the same.
#pragma once

#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/store/store.h"
#include "web/page_state.h"

namespace ringback::web {

// NOT_FOUND with the same words for a token that is malformed, unknown, revoked, expired, of another kind, or whose
// callback is erased; the store is read equally often in every case, so that the time does not tell either. Other errors
// are the store's. Blocks; thread-safe.
// `sources`, when given, gets every record that was read, without its value.
absl::StatusOr<PageRecords> OpenPage(store::Store& store, std::string_view token, absl::Time now,
                                     std::vector<store::Record>* sources = nullptr);

}  // namespace ringback::web
