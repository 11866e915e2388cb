#include "core/rpc/status.h"

#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/log.h"
#include "core/domain/input.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace ringback::rpc {
namespace {

constexpr char kRetryPayload[] = "ringback/retry_us";
constexpr char kDomain[] = "ringback";

// FieldError puts "field: " before its words; the details carry the two apart.
std::string Description(const std::string& message, const std::string& field) {
  const std::string prefix = field + ": ";
  return message.compare(0, prefix.size(), prefix) == 0 ? message.substr(prefix.size()) : message;
}

bool KeptInLog(absl::StatusCode code) {
  return code == absl::StatusCode::kInternal || code == absl::StatusCode::kUnknown ||
         code == absl::StatusCode::kDataLoss;
}

std::optional<absl::Duration> RetryToTell(const absl::Status& status) {
  if (const auto asked = RetryAfterOf(status)) return asked;
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kAborted: return absl::Seconds(1);
    default: return std::nullopt;
  }
}

}  // namespace

absl::Status RetryAfter(absl::Status status, absl::Duration after) {
  status.SetPayload(kRetryPayload, absl::Cord(absl::StrCat(absl::ToInt64Microseconds(after))));
  return status;
}

std::optional<absl::Duration> RetryAfterOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kRetryPayload);
  int64_t micros = 0;
  if (!payload || !absl::SimpleAtoi(std::string(*payload), &micros)) return std::nullopt;
  return absl::Microseconds(micros);
}

absl::Status TooBusy() {
  return RetryAfter(absl::ResourceExhaustedError("too busy, or going down: try again"), absl::Seconds(1));
}

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  std::string message(status.message());
  if (KeptInLog(status.code())) {
    RB_LOG_ERROR("{}", status.ToString());
    message = absl::StrCat("something went wrong in ringback; its log says what, under trace ", TraceScope::Current());
  }
  const domain::FieldDetail detail = domain::DetailOf(status);

  google::rpc::Status rich;
  rich.set_code(static_cast<int>(status.code()));
  rich.set_message(message);
  if (!detail.field.empty()) {
    google::rpc::BadRequest bad;
    auto* violation = bad.add_field_violations();
    violation->set_field(detail.field);
    violation->set_description(Description(message, detail.field));
    rich.add_details()->PackFrom(bad);
  }
  google::rpc::ErrorInfo info;
  info.set_reason(detail.reason.empty() ? absl::StatusCodeToString(status.code()) : detail.reason);
  info.set_domain(kDomain);
  rich.add_details()->PackFrom(info);
  if (const auto after = RetryToTell(status)) {
    google::rpc::RetryInfo retry;
    retry.mutable_retry_delay()->set_seconds(absl::ToInt64Seconds(*after));
    retry.mutable_retry_delay()->set_nanos(
        static_cast<int32_t>(absl::ToInt64Nanoseconds(*after - absl::Seconds(absl::ToInt64Seconds(*after)))));
    rich.add_details()->PackFrom(retry);
  }
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), message, rich.SerializeAsString());
}

absl::Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  const auto code = static_cast<absl::StatusCode>(status.error_code());
  google::rpc::Status rich;
  google::rpc::BadRequest bad;
  google::rpc::ErrorInfo info;
  google::rpc::RetryInfo retry;
  bool retried = false;
  if (rich.ParseFromString(status.error_details())) {
    for (const auto& detail : rich.details()) {
      // Each only if it is of that kind.
      detail.UnpackTo(&bad) || detail.UnpackTo(&info) || (retried = detail.UnpackTo(&retry) || retried);
    }
  }
  absl::Status out(code, status.error_message());
  const std::string field = bad.field_violations().empty() ? "" : bad.field_violations(0).field();
  if (!field.empty() || (!info.reason().empty() && info.reason() != absl::StatusCodeToString(code))) {
    out = domain::FieldError(code, field, info.reason(), Description(status.error_message(), field));
  }
  if (retried) {
    out = RetryAfter(std::move(out), absl::Seconds(retry.retry_delay().seconds()) +
                                         absl::Nanoseconds(retry.retry_delay().nanos()));
  }
  return out;
}

}  // namespace ringback::rpc
