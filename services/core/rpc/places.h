// Where the gRPC services are that a client or the pages talk to.
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace ringback::rpc {

// All at one address in the all-in-one, each at its program's in the pipeline; each fit to be ClientOptions::target.
struct Places {
  std::string ingest;    // RecordingService, CallbackService, TeamService, ContactService
  std::string delivery;  // DeliveryService, AnswerService
  std::string reminder;  // ReminderService
};
// "127.0.0.1:7420" (all of them there), or "ingest=HOST:PORT,delivery=HOST:PORT,reminder=HOST:PORT"; a name given again
// is a further replica (numeric addresses only then). FAILED_PRECONDITION names what is wrong or missing.
absl::StatusOr<Places> ParsePlaces(const std::string& address);

}  // namespace ringback::rpc
