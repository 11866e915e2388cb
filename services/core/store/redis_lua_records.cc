// The scripts on records and events.
#include "core/store/redis_lua.h"

namespace ringback::store::lua {

// ARGV: offset, assure, again, max. Answer: how many expired records were removed.
const char* const kSweep = R"lua(
local members = call('ZRANGEBYSCORE', base .. ':x', '-inf', now_text, 'LIMIT', 0, ARGV[4])
for _, member in ipairs(members) do
  local kind, id = match(member, '^(%d+):(.*)$')
  drop(kind, id, head(kind, id))
end
return {num(#members)}
)lua";

// ARGV: offset, then of each kind: kind, number of ids, the ids. Answer: what is stored of each, or nothing for it.
const char* const kGet = R"lua(
local found, at = {}, 2
while ARGV[at] do
  local count = tonumber(ARGV[at + 1])
  for _, text in ipairs(call('HMGET', base .. ':r:' .. ARGV[at], unpack(ARGV, at + 2, at + 1 + count))) do
    found[#found + 1] = text
  end
  at = at + 2 + count
end
return found
)lua";

// ARGV: offset, team, since, limit. Answer: the newest revision, the one before the first event here, the events.
const char* const kChanges = R"lua(
local events = base .. ':v:' .. ARGV[2]
local trimmed = tonumber(call('HGET', base .. ':n', ARGV[2]) or 0)
local from = math.max(0, tonumber(ARGV[3]) - trimmed)
local found = call('LRANGE', events, num(from), num(from + tonumber(ARGV[4]) - 1))
return {num(trimmed + call('LLEN', events)), num(trimmed + from), found}
)lua";

}  // namespace ringback::store::lua
