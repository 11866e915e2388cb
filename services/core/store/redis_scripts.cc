#include "core/store/redis_scripts.h"

namespace ringback::store {
namespace {

// What all scripts share. Numbers become text by num(): Lua's own way rounds to 14 digits.
constexpr const char* kPrelude = R"lua(
local base = KEYS[1]
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2] + tonumber(ARGV[1])
local function num(n) return string.format('%.0f', n) end
local function due_key(stage, team) return base .. ':d:' .. stage .. ':' .. team end
local function entry_key(stage, team) return base .. ':e:' .. stage .. ':' .. team end
local function lease_key(stage, team) return base .. ':l:' .. stage .. ':' .. team end
local function team_key(stage) return base .. ':t:' .. stage end

local function find(stage, team, id)
  local text = redis.call('HGET', entry_key(stage, team), id)
  if not text then return nil end
  local due, attempts, lease = string.match(text, '^(%d+) (%d+) (.*)$')
  return {due = tonumber(due), attempts = tonumber(attempts), lease = lease}
end

local function write(stage, team, id, entry, visible)
  redis.call('ZADD', due_key(stage, team), num(visible), id)
  redis.call('HSET', entry_key(stage, team), id, num(entry.due) .. ' ' .. num(entry.attempts) .. ' ' .. entry.lease)
  if entry.lease == '' then
    redis.call('ZREM', lease_key(stage, team), id)
  else
    redis.call('ZADD', lease_key(stage, team), num(visible), id)
  end
end

local function visible_of(stage, team, id) return tonumber(redis.call('ZSCORE', due_key(stage, team), id)) end

-- Brings the team's place among the teams in line with its entries.
local function settle(stage, team)
  local first = redis.call('ZRANGE', due_key(stage, team), 0, 0, 'WITHSCORES')
  if first[1] then
    redis.call('ZADD', team_key(stage), first[2], team)
  else
    redis.call('ZREM', team_key(stage), team)
  end
end

local function take(stage, team, id, entry, lease_us, lease_id)
  entry.attempts = entry.attempts + 1
  entry.lease = lease_id
  write(stage, team, id, entry, now + lease_us)
  return {team, id, lease_id, num(entry.due), num(now + lease_us), num(entry.attempts)}
end

local function held(stage, team, id, lease_id)
  local entry = find(stage, team, id)
  if entry and lease_id ~= '' and entry.lease == lease_id then return entry end
  return nil
end

-- Version and expiry of a record; nil when it is not there or has expired.
local function head(kind, id)
  local text = redis.call('GETRANGE', base .. ':r:' .. kind .. ':' .. id, 0, 40)
  if text == '' then return nil end
  local version, expires = string.match(text, '^(%d+) (%d*) ')
  if expires ~= '' and tonumber(expires) <= now then return nil end
  return tonumber(version)
end

local function drop(kind, id)
  redis.call('DEL', base .. ':r:' .. kind .. ':' .. id)
  redis.call('ZREM', base .. ':k:' .. kind, id)
  redis.call('ZREM', base .. ':x', kind .. ':' .. id)
end
)lua";

// ARGV: offset, commit_id, then five lists, each after its count (the fence is a list of none or one):
//   fence: stage team id lease_id · puts: kind id expected("" blind) has_value value expires("" never)
//   due: stage team id due("" removes) keep_attempts reserve_us · indexes: scope name member remove
//   counters: scope group name delta · events: team subject value
// Answer: {"OK" | "REPEATED", time} or {"ABORTED", why}.
constexpr const char* kCommit = R"lua(
local at = 2
local function arg() at = at + 1; return ARGV[at] end
local function list(fields)
  local items = {}
  for i = 1, tonumber(arg()) do
    local item = {}
    for _, field in ipairs(fields) do item[field] = arg() end
    items[i] = item
  end
  return items
end
local fences = list({'stage', 'team', 'id', 'lease'})
local puts = list({'kind', 'id', 'expected', 'has_value', 'value', 'expires'})
local dues = list({'stage', 'team', 'id', 'due', 'keep', 'reserve'})
local indexes = list({'scope', 'name', 'member', 'remove'})
local counters = list({'scope', 'group', 'name', 'delta'})
local events = list({'team', 'subject', 'value'})

local done_key = base .. ':q:' .. ARGV[2]
local done = redis.call('GET', done_key)
if done then return {'REPEATED', done} end
for _, fence in ipairs(fences) do
  if not held(fence.stage, fence.team, fence.id, fence.lease) then
    return {'ABORTED', 'the lease of due entry ' .. fence.id .. ' is no longer the caller\'s'}
  end
end
for _, put in ipairs(puts) do
  put.version = head(put.kind, put.id) or 0
  if put.expected ~= '' and num(put.version) ~= put.expected then
    return {'ABORTED', 'record ' .. put.id .. ' has version ' .. num(put.version) .. ', not ' .. put.expected}
  end
end

-- First a command that Redis refuses when memory or disk is full: after one write of a script it refuses no other.
redis.call('SET', done_key, num(now), 'EX', 7200)
for _, put in ipairs(puts) do
  if put.has_value == '1' then
    redis.call('SET', base .. ':r:' .. put.kind .. ':' .. put.id,
               num(put.version + 1) .. ' ' .. put.expires .. ' ' .. put.value)
    redis.call('ZADD', base .. ':k:' .. put.kind, 0, put.id)
    if put.expires ~= '' then
      redis.call('ZADD', base .. ':x', put.expires, put.kind .. ':' .. put.id)
    else
      redis.call('ZREM', base .. ':x', put.kind .. ':' .. put.id)
    end
  else
    drop(put.kind, put.id)
  end
end
for _, due in ipairs(dues) do
  if due.due == '' then
    redis.call('ZREM', due_key(due.stage, due.team), due.id)
    redis.call('HDEL', entry_key(due.stage, due.team), due.id)
    redis.call('ZREM', lease_key(due.stage, due.team), due.id)
  else
    local before = due.keep == '1' and find(due.stage, due.team, due.id)
    local entry = {due = tonumber(due.due), attempts = before and before.attempts or 0, lease = ''}
    local visible = entry.due
    if tonumber(due.reserve) > 0 then visible = math.max(visible, now + tonumber(due.reserve)) end
    write(due.stage, due.team, due.id, entry, visible)
  end
  settle(due.stage, due.team)
end
for _, index in ipairs(indexes) do
  local key = base .. ':i:' .. #index.scope .. ':' .. index.scope .. ':' .. index.name
  if index.remove == '1' then
    redis.call('ZREM', key, index.member)
  else
    redis.call('ZADD', key, 0, index.member)
  end
end
for _, counter in ipairs(counters) do
  redis.call('HINCRBY', base .. ':c:' .. #counter.scope .. ':' .. counter.scope .. ':' .. counter.group, counter.name,
             counter.delta)
end
for _, event in ipairs(events) do
  local revision = redis.call('HINCRBY', base .. ':n', event.team, 1)
  local key = base .. ':v:' .. event.team
  redis.call('XADD', key, num(revision) .. '-0', 't', num(now), 's', event.subject, 'v', event.value)
  if revision % 100 == 0 then redis.call('XTRIM', key, 'MAXLEN', '~', 10000) end
end
return {'OK', num(now)}
)lua";

// ARGV: offset, stage, max, lease_us, in_flight_max, the team served last, a prefix for lease ids.
// Answer: a list of {team, id, lease_id, due, expires, attempts}; the last one's team is the next cursor.
constexpr const char* kClaimDue = R"lua(
local stage, max, lease_us, cap, cursor = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]
local names = redis.call('ZRANGEBYSCORE', team_key(stage), '-inf', num(now), 'LIMIT', 0, 1024)
table.sort(names, function(a, b)
  if (a > cursor) ~= (b > cursor) then return a > cursor end
  return a < b
end)
local teams = {}
for _, name in ipairs(names) do
  local room = cap - redis.call('ZCOUNT', lease_key(stage, name), '(' .. num(now), '+inf')
  if room > 0 then teams[#teams + 1] = {name = name, room = room} end
  if #teams >= max then break end
end
local leases = {}
-- In rounds of equal shares, until all is dealt or nobody has more.
while #teams > 0 and #leases < max do
  local share = math.max(1, math.floor((max - #leases) / #teams))
  local more = {}
  for _, team in ipairs(teams) do
    local want = math.min(share, team.room, max - #leases)
    if want == 0 then break end
    local ids = redis.call('ZRANGEBYSCORE', due_key(stage, team.name), '-inf', num(now), 'LIMIT', 0, want)
    for _, id in ipairs(ids) do
      local entry = find(stage, team.name, id)
      leases[#leases + 1] = take(stage, team.name, id, entry, lease_us, ARGV[7] .. '.' .. (#leases + 1))
    end
    if #ids > 0 then settle(stage, team.name) end
    team.room = team.room - #ids
    if #ids == want and team.room > 0 then more[#more + 1] = team end
  end
  teams = more
end
return leases
)lua";

// ARGV: offset, stage, team, id, lease_us, lease_id. Answer: as one of ClaimDue, or {"NOT_FOUND", why}.
constexpr const char* kClaim = R"lua(
local stage, team, id = ARGV[2], ARGV[3], ARGV[4]
local entry = find(stage, team, id)
if not entry then return {'NOT_FOUND', 'no due entry ' .. id} end
if entry.due > now then return {'NOT_FOUND', 'due entry ' .. id .. ' is not due yet'} end
if entry.lease ~= '' and visible_of(stage, team, id) > now then
  return {'NOT_FOUND', 'due entry ' .. id .. ' is leased'}
end
local lease = take(stage, team, id, entry, tonumber(ARGV[5]), ARGV[6])
settle(stage, team)
return lease
)lua";

// ARGV: offset, stage, team, id, lease_id, duration_us. Answer: {expires}, or {} when the lease is not the newest.
constexpr const char* kExtend = R"lua(
local stage, team, id = ARGV[2], ARGV[3], ARGV[4]
local entry = held(stage, team, id, ARGV[5])
if not entry then return {} end
local expires = now + tonumber(ARGV[6])
write(stage, team, id, entry, expires)
settle(stage, team)
return {num(expires)}
)lua";

// ARGV: offset, stage, team, id, lease_id, due ("" keeps the old), uncount. Answer: 1, or 0 as Extend's {}.
constexpr const char* kRelease = R"lua(
local stage, team, id = ARGV[2], ARGV[3], ARGV[4]
local entry = held(stage, team, id, ARGV[5])
if not entry then return 0 end
if ARGV[6] ~= '' then entry.due = tonumber(ARGV[6]) end
if ARGV[7] == '1' then entry.attempts = math.max(0, entry.attempts - 1) end
entry.lease = ''
write(stage, team, id, entry, entry.due)
settle(stage, team)
return 1
)lua";

// ARGV: offset, stage. Answer: {waiting, leased, future, due time of the oldest waiting ("" for none), now}.
constexpr const char* kStats = R"lua(
local stage = ARGV[2]
local waiting, leased, total, oldest = 0, 0, 0, nil
local function look_at(team, ids)
  if #ids == 0 then return end
  for _, text in ipairs(redis.call('HMGET', entry_key(stage, team), unpack(ids))) do
    local due = text and tonumber(string.match(text, '^(%d+) '))
    if due and (not oldest or due < oldest) then oldest = due end
  end
end
for _, team in ipairs(redis.call('ZRANGE', team_key(stage), 0, -1)) do
  waiting = waiting + redis.call('ZCOUNT', due_key(stage, team), '-inf', num(now))
  leased = leased + redis.call('ZCOUNT', lease_key(stage, team), '(' .. num(now), '+inf')
  total = total + redis.call('ZCARD', due_key(stage, team))
  -- The first by claimable time, and those whose lease ran out, which were due long before they became claimable.
  look_at(team, redis.call('ZRANGEBYSCORE', due_key(stage, team), '-inf', num(now), 'LIMIT', 0, 200))
  look_at(team, redis.call('ZRANGEBYSCORE', lease_key(stage, team), '-inf', num(now), 'LIMIT', 0, 1000))
end
return {num(waiting), num(leased), num(total - waiting - leased), oldest and num(oldest) or '', num(now)}
)lua";

// ARGV: offset, kind, after, limit. Answer: id, version, value, id, version, value, …
constexpr const char* kList = R"lua(
local kind, after, limit = ARGV[2], ARGV[3], tonumber(ARGV[4])
local found = {}
while #found < limit * 3 do
  local from = after == '' and '-' or '(' .. after
  local ids = redis.call('ZRANGEBYLEX', base .. ':k:' .. kind, from, '+', 'LIMIT', 0, limit)
  if #ids == 0 then break end
  for _, id in ipairs(ids) do
    if #found >= limit * 3 then break end
    local version = head(kind, id)
    if version then
      local text = redis.call('GET', base .. ':r:' .. kind .. ':' .. id)
      found[#found + 1] = id
      found[#found + 1] = num(version)
      found[#found + 1] = string.match(text, '^%d+ %d* (.*)$')
    end
    after = id
  end
end
return found
)lua";

// ARGV: offset, max. Answer: how many expired records were removed.
constexpr const char* kSweep = R"lua(
local members = redis.call('ZRANGEBYSCORE', base .. ':x', '-inf', num(now), 'LIMIT', 0, ARGV[2])
for _, member in ipairs(members) do
  local kind, id = string.match(member, '^(%d+):(.*)$')
  drop(kind, id)
end
return #members
)lua";

}  // namespace

const std::array<std::string, kScripts>& ScriptSources() {
  static const auto* const sources = [] {
    auto* made = new std::array<std::string, kScripts>;
    const char* const bodies[kScripts] = {kCommit, kClaimDue, kClaim, kExtend, kRelease, kStats, kList, kSweep};
    for (int i = 0; i < kScripts; ++i) (*made)[i] = std::string(kPrelude) + bodies[i];
    return made;
  }();
  return *sources;
}

}  // namespace ringback::store
