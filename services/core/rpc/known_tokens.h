// What authentication remembers from call to call, so that one look at the store tells whose a token is. Never what a
// token may do: that is in the records, which are read at every call.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "absl/status/statusor.h"
#include "core/base/lru.h"
#include "core/base/mutex.h"
#include "core/store/store.h"

namespace ringback::rpc {

enum class Role;

// Thread-safe and bounded: a few megabytes, however many tokens and teams there are.
class KnownTokens {
 public:
  static constexpr size_t kTokensMax = 8192;
  static constexpr size_t kTeamsMax = 256;

  // The active members of a team by their ids, and what they are.
  using Roster = std::unordered_map<std::string, Role>;

  // The team that the member's token under this key was last found to belong to; "" when that is not known. Good for
  // guessing which record to read along, no more.
  std::string TeamOf(const store::Key& token);
  void Remember(const store::Key& token, const std::string& team_id);

  // What the team's record says. Bytes that are the same as last time are not parsed again; the bytes, because a store
  // that was restored, or lost its newest writes with its master, gives a version out twice. DATA_LOSS when they are no
  // team's.
  absl::StatusOr<std::shared_ptr<const Roster>> RosterOf(const store::Record& team);

  size_t tokens();
  size_t teams();

 private:
  struct Parsed {
    std::string bytes;
    Roster roster;
  };

  Mutex mutex_;
  Lru<std::string> team_by_token_ RB_GUARDED_BY(mutex_){kTokensMax};
  Lru<std::shared_ptr<const Parsed>> parsed_by_team_ RB_GUARDED_BY(mutex_){kTeamsMax};
};

}  // namespace ringback::rpc
