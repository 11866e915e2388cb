#include "web/page_access.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/ids.h"
#include "core/domain/proto_time.h"
#include "core/store/records.h"

namespace ringback::web {
namespace {

// Longer texts are no tokens; cut, so that hashing costs the same.
constexpr size_t kTokenBytesMax = 64;

// The record's place, or, when there is no way to it, one where nothing can be: one read either way.
store::Key Place(bool open, const absl::StatusOr<store::Key>& key, store::Kind kind) {
  return open && key.ok() ? *key : store::Key{0, kind, "nowhere"};
}

// True when it was there.
template <typename Message>
absl::StatusOr<bool> Parse(const store::Key& key, const store::Record& found, Message* message) {
  if (found.version == 0) return false;
  if (!message->ParseFromString(found.value)) {
    return absl::DataLossError(absl::StrCat("the record ", key.id, " does not parse"));
  }
  if (!store::Understood(*message)) return store::LeftToNewer(key.id);
  return true;
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

  PageRecords records;
  RB_ASSIGN_OR_RETURN(const std::vector<store::Record> passes, store.GetMany({*token_key}));
  RB_ASSIGN_OR_RETURN(bool open, Parse(*token_key, passes[0], &records.pass));
  records.pass_version = passes[0].version;
  open = open && Opens(records.pass, now);

  const std::vector<store::Key> keys = {
      Place(open, store::CallbackKey(records.pass.callback_id()), store::Kind::kCallback),
      Place(open, store::TeamKey(records.pass.team_id()), store::Kind::kTeam)};
  RB_ASSIGN_OR_RETURN(const std::vector<store::Record> both, store.GetMany(keys));
  RB_ASSIGN_OR_RETURN(const bool has_callback, Parse(keys[0], both[0], &records.callback));
  RB_ASSIGN_OR_RETURN(const bool has_team, Parse(keys[1], both[1], &records.team));
  open = open && has_callback && has_team && !records.callback.erased() &&
         records.callback.team_id() == records.pass.team_id();

  const record::PromiseRecord* voice = open ? VoicePromise(records.callback) : nullptr;
  const store::Key recording_key =
      Place(voice != nullptr, voice != nullptr ? store::RecordingKey(voice->recording_id()) : absl::NotFoundError(""),
            store::Kind::kRecording);
  RB_ASSIGN_OR_RETURN(const std::vector<store::Record> takes, store.GetMany({recording_key}));
  record::RecordingRecord recording;
  RB_ASSIGN_OR_RETURN(const bool has_take, Parse(recording_key, takes[0], &recording));
  // A recording of another team could only stand there by a bug; its bytes must not leave.
  if (has_take && recording.team_id() == records.callback.team_id()) records.recording = std::move(recording);

  if (!open) return absl::NotFoundError("no such page");
  return records;
}

}  // namespace ringback::web
