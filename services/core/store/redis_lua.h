// The Lua of the scripts, each said in the file that has it; redis_scripts.cc puts them together.
#pragma once

namespace ringback::store::lua {

// redis_lua_commit.cc
extern const char* const kCommit;
// redis_lua_due.cc
extern const char* const kClaimDue;
extern const char* const kNextDue;
extern const char* const kClaim;
extern const char* const kExtend;
extern const char* const kRelease;
extern const char* const kStats;
// redis_lua_records.cc
extern const char* const kSweep;
extern const char* const kGet;
extern const char* const kChanges;

}  // namespace ringback::store::lua
