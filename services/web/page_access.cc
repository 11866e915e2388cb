#include "web/page_access.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/ids.h"
#include "core/domain/proto_time.h"
#include "core/store/records.h"

namespace ringback::web {
namespace {

// Longer texts are no tokens; cut, so that hashing costs the same.
constexpr size_t kTokenBytesMax = 64;

// Reads the record into `message`, or, when there is no way to it any more, a record that cannot be there: one read
// either way. True when the message was read.
template <typename Message>
absl::StatusOr<bool> Read(store::Store& store, const absl::StatusOr<store::Key>& key, store::Kind kind,
                          Message* message) {
  const store::Key nowhere{0, kind, "nowhere"};
  auto loaded = store::Load<Message>(store, key.ok() ? *key : nowhere);
  if (absl::IsNotFound(loaded.status())) return false;
  RB_RETURN_IF_ERROR(loaded.status());
  *message = std::move(loaded->message);
  return key.ok();
}

bool Opens(const record::TokenRecord& token, absl::Time now) {
  return token.role() == record::TokenRecord::ROLE_PAGE && !token.revoked() &&
         !(token.has_expire_time() && domain::FromProto(token.expire_time()) <= now);
}

}  // namespace

absl::StatusOr<PageRecords> OpenPage(store::Store& store, std::string_view token, absl::Time now) {
  const std::string cut(token.substr(0, kTokenBytesMax));
  auto token_key = store::PageTokenKey(cut);
  // A malformed token is hashed and looked up too.
  if (!token_key.ok()) token_key = store::Key{0, store::Kind::kToken, absl::StrCat("00", Sha256Hex(cut))};

  const absl::Status shut = absl::NotFoundError("no such page");
  record::TokenRecord pass;
  RB_ASSIGN_OR_RETURN(bool open, Read(store, token_key, store::Kind::kToken, &pass));
  open = open && Opens(pass, now);

  PageRecords records;
  const auto callback_key = open ? store::CallbackKey(pass.callback_id()) : absl::StatusOr<store::Key>(shut);
  RB_ASSIGN_OR_RETURN(bool found, Read(store, callback_key, store::Kind::kCallback, &records.callback));
  open = open && found && !records.callback.erased() && records.callback.team_id() == pass.team_id();

  const auto team_key = open ? store::TeamKey(records.callback.team_id()) : absl::StatusOr<store::Key>(shut);
  RB_ASSIGN_OR_RETURN(found, Read(store, team_key, store::Kind::kTeam, &records.team));
  open = open && found;

  const record::PromiseRecord* voice = open ? VoicePromise(records.callback) : nullptr;
  const auto recording_key =
      voice != nullptr ? store::RecordingKey(voice->recording_id()) : absl::StatusOr<store::Key>(shut);
  record::RecordingRecord recording;
  RB_ASSIGN_OR_RETURN(found, Read(store, recording_key, store::Kind::kRecording, &recording));
  // A recording of another team could only stand there by a bug; its bytes must not leave.
  if (found && recording.team_id() == records.callback.team_id()) records.recording = std::move(recording);

  if (!open) return shut;
  return records;
}

}  // namespace ringback::web
