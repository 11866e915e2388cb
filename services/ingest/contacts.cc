#include "ingest/contacts.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/base/ids.h"
#include "ingest/load.h"

namespace ringback::ingest {
namespace {

constexpr absl::Duration kTurnstileKept = absl::Minutes(10);

}  // namespace

record::Caller Completed(const record::Caller& known, const record::Caller& more) {
  record::Caller caller = more;
  caller.MergeFrom(known);  // of protobuf: a field without a value leaves what is there
  return caller;
}

bool SameCaller(const record::Caller& a, const record::Caller& b) {
  return a.name() == b.name() && a.company() == b.company() && a.phone() == b.phone() && a.email() == b.email() &&
         a.language() == b.language() && a.time_zone() == b.time_zone();
}

absl::StatusOr<std::optional<store::Loaded<record::ContactRecord>>> FindContact(store::Store& store, int shard,
                                                                                const std::string& team,
                                                                                const std::vector<std::string>& keys) {
  for (const std::string& key : keys) {
    RB_ASSIGN_OR_RETURN(const auto ids, IdsUnder(store, shard, team, store::index::kContact, key));
    for (const std::string& id : ids) {
      RB_ASSIGN_OR_RETURN(const store::Key contact_key, store::ContactKey(id));
      auto contact = store::Load<record::ContactRecord>(store, contact_key);
      if (absl::IsNotFound(contact.status())) continue;  // erased a moment ago
      RB_RETURN_IF_ERROR(contact.status());
      return *std::move(contact);
    }
  }
  return std::nullopt;
}

absl::Status Turnstiles::Approach(const std::vector<std::string>& keys) {
  std::vector<store::Key> wanted;
  for (const std::string& key : keys) {
    store::Key place{shard_, store::Kind::kRequest, absl::StrCat(team_, ".", Sha256Hex(absl::StrCat("caller/", team_, "/", key)))};
    const bool known = std::any_of(approached_.begin(), approached_.end(),
                                   [&](const store::Record& one) { return one.key == place; });
    if (!known) wanted.push_back(std::move(place));
  }
  if (wanted.empty()) return absl::OkStatus();
  RB_ASSIGN_OR_RETURN(std::vector<store::Record> found, store_.GetMany(wanted));
  for (size_t i = 0; i < found.size(); ++i) {
    found[i].key = wanted[i];
    approached_.push_back(std::move(found[i]));
  }
  return absl::OkStatus();
}

void Turnstiles::Turn(absl::Time now, store::Commit* commit) const {
  for (const store::Record& one : approached_) {
    store::Put put;
    put.key = one.key;
    put.expected_version = one.version;
    put.value = "turnstile";
    put.expires = now + kTurnstileKept;
    commit->puts.push_back(std::move(put));
  }
}

void AddContact(const record::ContactRecord* before, uint64_t version, const record::ContactRecord& after,
                store::Commit* commit) {
  const store::Key key = *store::ContactKey(after.id());  // ringback's own id
  if (before != nullptr) store::AddContactIndexes(*before, true, commit);
  store::AddContactIndexes(after, false, commit);
  store::AddPut(key, version, after, commit);
}

}  // namespace ringback::ingest
