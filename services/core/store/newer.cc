#include "core/store/newer.h"

#include <algorithm>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"

namespace ringback::store {
namespace {

constexpr char kMark[] = "ringback/left_to_newer";

bool Understood(const v1::PromiseRecord& promise) {
  return v1::PromiseRecord::State_IsValid(promise.state()) && v1::PromiseRecord::Channel_IsValid(promise.channel());
}

}  // namespace

bool Understood(const v1::CallbackRecord& callback) {
  return v1::CallbackRecord::Phase_IsValid(callback.phase()) && v1::AlarmKind_IsValid(callback.escalation().kind()) &&
         std::all_of(callback.promises().begin(), callback.promises().end(),
                     [](const v1::PromiseRecord& promise) { return Understood(promise); });
}

bool Understood(const v1::DeliveryRecord& delivery) {
  if (!v1::DeliveryRecord::Kind_IsValid(delivery.kind()) || !v1::DeliveryRecord::State_IsValid(delivery.state()) ||
      !v1::AlarmKind_IsValid(delivery.alarm_kind())) {
    return false;
  }
  if (delivery.channel() < 0 || delivery.channel() >= delivery.channels_size()) return true;
  const v1::Channel& channel = delivery.channels(delivery.channel());
  return v1::Channel::Kind_IsValid(channel.kind()) && v1::Channel::Format_IsValid(channel.format());
}

bool Understood(const v1::RecordingRecord& recording) { return v1::RecordingRecord::State_IsValid(recording.state()); }

absl::Status LeftToNewer(absl::string_view id) {
  absl::Status status = absl::UnavailableError(absl::StrCat(id, " was written by a newer version, and is left to it"));
  status.SetPayload(kMark, absl::Cord());
  return status;
}

bool IsLeftToNewer(const absl::Status& status) { return status.GetPayload(kMark).has_value(); }

}  // namespace ringback::store
