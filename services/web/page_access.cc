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
absl::StatusOr<bool> Parse(const store::Record& found, Message* message) {
  if (found.version == 0) return false;
  if (!message->ParseFromString(found.value)) {
    return absl::DataLossError(absl::StrCat("the record ", found.key.id, " does not parse"));
  }
  if (!store::Understood(*message)) return store::LeftToNewer(found.key.id);
  return true;
}

bool Opens(const record::TokenRecord& token, absl::Time now) {
  return token.role() == record::TokenRecord::ROLE_PAGE && !token.revoked() &&
         !(token.has_expire_time() && domain::FromProto(token.expire_time()) <= now);
}

}  // namespace

absl::StatusOr<PageRecords> OpenPage(store::Store& store, std::string_view token, absl::Time now,
                                     std::vector<store::Record>* sources) {
  const std::string cut(token.substr(0, kTokenBytesMax));
  auto token_key = store::PageTokenKey(cut);
  // A malformed token is hashed and looked up too.
  if (!token_key.ok()) token_key = store::Key{0, store::Kind::kToken, absl::StrCat("00", Sha256Hex(cut))};

  PageRecords records;
  record::TokenRecord pass;
  RB_ASSIGN_OR_RETURN(std::vector<store::Record> read, store.GetMany({*token_key}));
  RB_ASSIGN_OR_RETURN(bool open, Parse(read[0], &pass));
  open = open && Opens(pass, now);
  if (pass.has_expire_time()) records.expire_time = domain::FromProto(pass.expire_time());

  RB_ASSIGN_OR_RETURN(const std::vector<store::Record> both,
                      store.GetMany({Place(open, store::CallbackKey(pass.callback_id()), store::Kind::kCallback),
                                     Place(open, store::TeamKey(pass.team_id()), store::Kind::kTeam)}));
  RB_ASSIGN_OR_RETURN(const bool has_callback, Parse(both[0], &records.callback));
  RB_ASSIGN_OR_RETURN(const bool has_team, Parse(both[1], &records.team));
  open = open && has_callback && has_team && !records.callback.erased() && records.callback.team_id() == pass.team_id();

  const record::PromiseRecord* voice = open ? VoicePromise(records.callback) : nullptr;
  const std::string recording_id = voice != nullptr ? voice->recording_id() : "";
  RB_ASSIGN_OR_RETURN(const std::vector<store::Record> takes,
                      store.GetMany({Place(open, store::RecordingKey(recording_id), store::Kind::kRecording)}));
  record::RecordingRecord recording;
  RB_ASSIGN_OR_RETURN(const bool has_take, Parse(takes[0], &recording));
  // A recording of another team could only stand there by a bug; its bytes must not leave.
  if (has_take && recording.team_id() == records.callback.team_id()) records.recording = std::move(recording);

  if (!open) return absl::NotFoundError("no such page");
  if (sources != nullptr) {
    *sources = std::move(read);
    sources->insert(sources->end(), both.begin(), both.end());
    sources->insert(sources->end(), takes.begin(), takes.end());
    for (store::Record& source : *sources) source.value.clear();
  }
  return records;
}

}  // namespace ringback::web
