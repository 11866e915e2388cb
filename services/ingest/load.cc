#include "ingest/load.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/store/every_record.h"
#include "core/base/ids.h"

namespace ringback::ingest {
namespace {

constexpr size_t kPrefixMin = 6;   // "cb07h3"
constexpr size_t kIdSize = 16;     // "cb07" and 12 characters

// What is wrong with an id before anything is looked up.
absl::StatusOr<store::Key> KeyOf(const std::string& id, std::string_view field) {
  if (id.empty()) return domain::InvalidField(field, "ID_MISSING", "say which callback, e.g. cb07h3k9x2m4q8w1");
  auto key = store::CallbackKey(id);
  if (!key.ok() || id.size() < kPrefixMin || id.size() > kIdSize) {
    return domain::InvalidField(field, "ID_INVALID",
                                "a callback's id looks like cb07h3k9x2m4q8w1; 6 characters of it at least");
  }
  return key;
}

absl::StatusOr<store::Key> FindByPrefix(runtime::Host& host, const rpc::Call& call, const std::string& prefix, int shard,
                                        std::string_view field) {
  std::vector<store::Key> open, closed;
  RB_RETURN_IF_ERROR(store::ForEveryRecord(host.store(), shard, store::Kind::kCallback, prefix, [&](const store::Record& one) {
    record::CallbackRecord callback;
    if (!callback.ParseFromString(one.value)) return absl::OkStatus();
    RB_ASSIGN_OR_RETURN(const bool seen, rpc::Sees(host.store(), call, callback));
    if (seen) (callback.phase() == record::CallbackRecord::PHASE_CLOSED ? closed : open).push_back(one.key);
    return absl::OkStatus();
  }));
  auto& matches = open.empty() ? closed : open;
  if (matches.empty()) return NotThere(field, "callback");
  if (matches.size() > 1) {
    return domain::InvalidField(field, "ID_AMBIGUOUS", absl::StrCat(matches.size(), " callbacks begin with ", prefix,
                                                                    "; give more of the id"));
  }
  return std::move(matches.front());
}

}  // namespace

absl::Status NotThere(std::string_view field, std::string_view what) {
  const std::string word(what);
  const std::string reason = absl::AsciiStrToUpper(word) + "_NOT_FOUND";
  return domain::FieldError(absl::StatusCode::kNotFound, field, reason,
                            absl::StrCat("there is no ", word, " with this id"));
}

absl::StatusOr<store::Loaded<record::TeamRecord>> LoadTeam(runtime::Host& host, const std::string& team_id) {
  const auto key = store::TeamKey(team_id);
  if (!key.ok()) return NotThere("team_id", "team");
  auto team = store::Load<record::TeamRecord>(host.store(), *key);
  if (absl::IsNotFound(team.status())) return NotThere("team_id", "team");
  return team;
}

absl::StatusOr<store::Loaded<record::TeamRecord>> TeamOf(runtime::Host& host, const rpc::Call& call,
                                                         const std::string& team_id) {
  RB_ASSIGN_OR_RETURN(const std::string scoped, rpc::ScopedTeam(call.principal, team_id));
  return LoadTeam(host, scoped);
}

absl::StatusOr<store::Loaded<record::CallbackRecord>> FindCallback(runtime::Host& host, const rpc::Call& call,
                                                                   const std::string& id, std::string_view field) {
  RB_ASSIGN_OR_RETURN(const store::Key key, NamedCallback(host, call, id, field));
  return SeenCallback(host, call, key, field);
}

absl::StatusOr<store::Loaded<record::CallbackRecord>> SeenCallback(runtime::Host& host, const rpc::Call& call,
                                                                   const store::Key& key, std::string_view field) {
  auto callback = store::Load<record::CallbackRecord>(host.store(), key);
  if (absl::IsNotFound(callback.status())) return NotThere(field, "callback");
  RB_RETURN_IF_ERROR(callback.status());
  RB_ASSIGN_OR_RETURN(const bool seen, rpc::Sees(host.store(), call, callback->message));
  if (!seen) return NotThere(field, "callback");
  return callback;
}

absl::StatusOr<store::Key> NamedCallback(runtime::Host& host, const rpc::Call& call, const std::string& id,
                                         std::string_view field) {
  RB_ASSIGN_OR_RETURN(const store::Key key, KeyOf(id, field));
  if (id.size() == kIdSize) return key;
  return FindByPrefix(host, call, id, key.shard, field);
}

absl::StatusOr<store::Loaded<record::RecordingRecord>> FindRecording(runtime::Host& host, const rpc::Call& call,
                                                                     const std::string& id, std::string_view field) {
  const auto key = store::RecordingKey(id);
  if (!key.ok()) return domain::InvalidField(field, "ID_INVALID", "a recording's id looks like rc07h3k9x2m4q8w1");
  auto recording = store::Load<record::RecordingRecord>(host.store(), *key);
  if (absl::IsNotFound(recording.status())) return NotThere(field, "recording");
  RB_RETURN_IF_ERROR(recording.status());
  RB_ASSIGN_OR_RETURN(const bool seen, rpc::SeesTake(host.store(), call, recording->message));
  if (!seen) return NotThere(field, "recording");
  return recording;
}

std::string NewCommitId(runtime::Host& host, int shard) { return NewSecret(id_prefix::kLease, shard, host.random()); }

absl::StatusOr<std::vector<std::string>> IdsUnder(store::Store& store, int shard, const std::string& team,
                                                  std::string_view index, const std::string& sort) {
  std::vector<std::string> ids;
  store::Page page;
  page.limit = 500;
  for (;;) {
    // The separator is \x1f, so everything below "sort" ends before its next byte.
    RB_ASSIGN_OR_RETURN(const store::ScanResult scan,
                        store.Scan(store::IndexKey{shard, team, std::string(index)}, sort + '\x1f', sort + '\x20', page));
    for (const std::string& member : scan.members) ids.emplace_back(store::IdOfMember(member));
    if (!scan.more || scan.members.empty()) return ids;
    page.after = scan.members.back();
  }
}

absl::StatusOr<std::optional<store::Loaded<record::CallbackRecord>>> FindOpenCallback(store::Store& store, int shard,
                                                                                      const std::string& team,
                                                                                      const std::vector<std::string>& keys) {
  for (const std::string& key : keys) {
    RB_ASSIGN_OR_RETURN(const auto ids, IdsUnder(store, shard, team, store::index::kSubject, key));
    for (const std::string& id : ids) {
      RB_ASSIGN_OR_RETURN(const store::Key callback_key, store::CallbackKey(id));
      auto callback = store::Load<record::CallbackRecord>(store, callback_key);
      if (absl::IsNotFound(callback.status())) continue;
      RB_RETURN_IF_ERROR(callback.status());
      if (callback->message.phase() != record::CallbackRecord::PHASE_CLOSED) return *std::move(callback);
    }
  }
  return std::nullopt;
}

api::Callback ToApi(runtime::Host& host, const record::CallbackRecord& callback, const record::TeamRecord& team,
                    uint64_t version, absl::Time now) {
  return rpc::ToApi(callback, team, version, now, host.config().public_url);
}

api::Callback WithoutContent(const api::Callback& callback) {
  api::Callback shown;
  shown.set_id(callback.id());
  shown.set_team_id(callback.team_id());
  shown.set_assignee_id(callback.assignee_id());
  shown.set_assignee_name(callback.assignee_name());
  return shown;
}

absl::StatusOr<api::Callback> ReadCallback(runtime::Host& host, const rpc::Call& call, const std::string& id) {
  RB_ASSIGN_OR_RETURN(const store::Key key, store::CallbackKey(id));
  RB_ASSIGN_OR_RETURN(const auto callback, store::Load<record::CallbackRecord>(host.store(), key));
  RB_ASSIGN_OR_RETURN(const auto team, LoadTeam(host, callback.message.team_id()));
  RB_ASSIGN_OR_RETURN(const absl::Time now, host.store().Now());
  RB_ASSIGN_OR_RETURN(const bool seen, rpc::Sees(host.store(), call, callback.message));
  api::Callback shown = ToApi(host, callback.message, team.message, callback.version, now);
  return seen ? std::move(shown) : WithoutContent(shown);
}

}  // namespace ringback::ingest
