// The way to whoever takes callers in. The seam between the hooks and the service that has the rules: a service never
// includes another.
#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "ringback/v1/callback_service.pb.h"

namespace ringback::web {

// Thread-safe.
class Intake {
 public:
  virtual ~Intake() = default;
  // The service's own answer or error (with field and reason). UNAVAILABLE when it is not there. Blocks.
  virtual absl::StatusOr<v1::CreateCallbackResponse> Create(std::string_view bearer,
                                                            const v1::CreateCallbackRequest& request) = 0;
  virtual absl::StatusOr<v1::LogCallResponse> LogCall(std::string_view bearer, const v1::LogCallRequest& request) = 0;
};

}  // namespace ringback::web
