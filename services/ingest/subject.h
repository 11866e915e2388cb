// One person's data as a whole: handed out, or gone. What leaves the store with a callback is store/erase.h.
#pragma once

#include "ingest/load.h"
#include "ringback/v1/contact_service.pb.h"

namespace ringback::ingest {

// NOT_FOUND when the team has nothing of this person.
absl::Status ExportSubject(runtime::Host& host, const rpc::Call& call, const api::ExportSubjectRequest& request,
                           api::ExportSubjectResponse* response);
// Gone from every read when it returns. FAILED_PRECONDITION under legal hold. One commit per callback, so a repeated
// request goes on where a dead one stopped; nothing to erase is OK too.
absl::Status EraseSubject(runtime::Host& host, const rpc::Call& call, const api::EraseSubjectRequest& request,
                          api::EraseSubjectResponse* response);

}  // namespace ringback::ingest
