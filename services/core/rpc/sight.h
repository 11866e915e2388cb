// Whether whoever calls sees a callback or a recording: the team's border (identity.h) and, within it, domain's rule of who
// sees what (core/domain/sight.h). What a rep does not see is answered like what is not there.
#pragma once

#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/domain/sight.h"
#include "core/rpc/server.h"
#include "core/store/store.h"
#include "ringback/store/v1/records.pb.h"

namespace ringback::rpc {

domain::Viewer ViewerOf(const Principal& principal);
// nullopt for a member who has left.
std::optional<domain::Viewer> ViewerOf(const ringback::store::v1::Member& member);

// Reads the team only where that decides: for a rep's colleague's callback. At the call's time.
absl::StatusOr<bool> Sees(store::Store& store, const Call& call, const ringback::store::v1::CallbackRecord& callback);
// Reads the take's callback too.
absl::StatusOr<bool> SeesTake(store::Store& store, const Call& call, const ringback::store::v1::RecordingRecord& take);
// PERMISSION_DENIED (OTHERS_TAKE) for a take that is seen and may not be played.
absl::Status CheckPlay(store::Store& store, const Call& call, const ringback::store::v1::RecordingRecord& take);

}  // namespace ringback::rpc
