#include "core/store/redis_scripts.h"

#include "absl/strings/str_cat.h"
#include "core/store/redis_lua.h"

namespace ringback::store {
namespace {

// Redis 7 takes such a script even when its memory is full; without the line it refuses the first write that could grow.
constexpr const char* kAllowFull = "#!lua flags=allow-oom\n";

// What all scripts share. Numbers become text by num(): Lua's own way rounds to 14 digits.
constexpr const char* kPrelude = R"lua(
local ARGV, call = ARGV, redis.call
local base = string.sub(KEYS[1], 1, 7)  -- rb:{NN}, of the shard that is worked on
local clock = call('TIME')
local now = clock[1] * 1000000 + clock[2] + tonumber(ARGV[1])
local format, match, sub = string.format, string.match, string.sub
local function num(n) return format('%d', n) end
local now_text = num(now)
local function due_key(place) return base .. ':d:' .. place end
local function entry_key(place) return base .. ':e:' .. place end
local function lease_key(place) return base .. ':l:' .. place end

-- A place is STAGE:TEAM. The entry as :e has it, or nil.
local function noted(place, id)
  local text = call('HGET', entry_key(place), id)
  if not text then return nil end
  local due, attempts, lease = match(text, '^(%d+) (%d+) (.*)$')
  return {due = tonumber(due), attempts = tonumber(attempts), lease = lease, noted = true}
end

local function find(place, id)
  local entry = noted(place, id)
  if entry then return entry end
  local due = call('ZSCORE', due_key(place), id)
  return due and {due = tonumber(due), attempts = 0, lease = ''}
end

-- A team's time among the teams is never later than that of its first entry. It may be earlier, after that entry went
-- away: whoever looks there in vain mends it, so that nobody else needs to look.
local earliest = {}  -- per place, of what was written
local function settle()
  for place, visible in pairs(earliest) do
    local stage, team = match(place, '^(%d+):(.*)$')
    call('ZADD', base .. ':t:' .. stage, 'LT', num(visible), team)
  end
  earliest = {}
end

-- The time of the team's first entry, or nil.
local function mend(stage, team)
  local first = call('ZRANGE', due_key(stage .. ':' .. team), 0, 0, 'WITHSCORES')[2]
  if first then
    call('ZADD', base .. ':t:' .. stage, first, team)
  else
    call('ZREM', base .. ':t:' .. stage, team)
  end
  return first
end

-- `before` is what :e had (nil: not known, false: nothing).
local function write(place, id, entry, visible, before)
  local visible_text = num(visible)
  local added = call('ZADD', due_key(place), visible_text, id) == 1
  if not earliest[place] or visible < earliest[place] then earliest[place] = visible end
  if added then before = false end
  if before == nil then before = noted(place, id) or false end
  if entry.lease == '' and entry.attempts == 0 and entry.due == visible then
    if before then call('HDEL', entry_key(place), id) end
  else
    call('HSET', entry_key(place), id, num(entry.due) .. ' ' .. num(entry.attempts) .. ' ' .. entry.lease)
  end
  if entry.lease ~= '' then
    call('ZADD', lease_key(place), visible_text, id)
  elseif before and before.lease ~= '' then
    call('ZREM', lease_key(place), id)
  end
end

-- Goes on to another shard.
local function enter(shard_base)
  if shard_base == base then return end
  settle()
  base = shard_base
end

local function held(place, id, lease_id)
  local entry = noted(place, id)
  if entry and lease_id ~= '' and entry.lease == lease_id then return entry end
  return nil
end

local kHour = 3600000000
-- A record remembers the commits of the last hour that began with it, the oldest first: its marks, each a fingerprint of
-- 14 bytes and the time in 16 digits.
local kMarkBytes = 30

-- The marks that are younger than an hour.
local function live(marks)
  local from = 1
  while from < #marks and tonumber(sub(marks, from + 14, from + 29)) <= now - kHour do from = from + kMarkBytes end
  return from == 1 and marks or sub(marks, from)
end

local function record_text(version, expires, marks, value)
  return num(version) .. ' ' .. expires .. ' ' .. num(#marks / kMarkBytes) .. ' ' .. marks .. value
end

-- What a record says before its value: version (0: not there, dropped or expired), expires ("" for never), marks; and
-- its whole text, unless there is none.
local function head(kind, id)
  local text = call('HGET', base .. ':r:' .. kind, id)
  if not text then return {version = 0, expires = '', marks = ''} end
  local version, expires, count, start = match(text, '^(%d+) (%d*) (%d+) ()')
  version = tonumber(version)
  if expires ~= '' and tonumber(expires) <= now then version = 0 end
  return {version = version, expires = expires, marks = sub(text, start, start + count * kMarkBytes - 1), text = text}
end

-- What is dropped goes on remembering its commits for an hour, as a record of version 0 that expires.
local function drop(kind, id, found)
  local marks = live(found.marks)
  if marks ~= '' then
    local expires = num(tonumber(sub(marks, -16)) + kHour)
    call('HSET', base .. ':r:' .. kind, id, record_text(0, expires, marks, ''))
    call('ZADD', base .. ':x', expires, kind .. ':' .. id)
  elseif found.text then
    call('HDEL', base .. ':r:' .. kind, id)
    if found.expires ~= '' then call('ZREM', base .. ':x', kind .. ':' .. id) end
  end
end

-- WAIT looks at the last write before it, so an answer that wrote nothing, but rests on what others wrote, writes this.
local function assure()
  if ARGV[2] == '1' then redis.pcall('SET', base .. ':w', '') end
end
)lua";

}  // namespace

const std::array<std::string, kScripts>& ScriptSources() {
  static const auto* const sources = [] {
    const auto plain = [](const char* body) { return absl::StrCat(kPrelude, body); };
    const auto full = [](const char* body) { return absl::StrCat(kAllowFull, kPrelude, body); };
    return new std::array<std::string, kScripts>{plain(lua::kCommit),  full(lua::kCommit),  full(lua::kClaimDue),
                                                 full(lua::kClaim),    full(lua::kExtend),  full(lua::kRelease),
                                                 plain(lua::kStats),   full(lua::kSweep),   full(lua::kNextDue),
                                                 full(lua::kGet),      full(lua::kChanges)};
  }();
  return *sources;
}

}  // namespace ringback::store
