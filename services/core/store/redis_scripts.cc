#include "core/store/redis_scripts.h"

#include "absl/strings/str_cat.h"

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
local format, match = string.format, string.match
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

-- Goes on to another shard; true when it is another one.
local function enter(shard_base)
  if shard_base == base then return false end
  settle()
  base = shard_base
  return true
end

local function held(place, id, lease_id)
  local entry = noted(place, id)
  if entry and lease_id ~= '' and entry.lease == lease_id then return entry end
  return nil
end

-- Version and expiry ("" for never) of a record; nil when it is not there or has expired.
local function head(kind, id)
  local text = call('HGET', base .. ':r:' .. kind, id)
  if not text then return nil end
  local version, expires = match(text, '^(%d+) (%d*) ')
  if expires ~= '' and tonumber(expires) <= now then return nil end
  return tonumber(version), expires
end

local function drop(kind, id)
  call('HDEL', base .. ':r:' .. kind, id)
  call('ZREM', base .. ':x', kind .. ':' .. id)
end

-- WAIT looks at the last write before it, so an answer that wrote nothing, but rests on what others wrote, writes this.
local function assure()
  if ARGV[2] == '1' then redis.pcall('SET', base .. ':w', '') end
end
)lua";

// KEYS: the shards' bases. ARGV: offset, assure, again, then commits to the end, those of a shard together, each:
//   number of its shard's key, how many arguments follow, fingerprint of the commit_id, then six lists, each after its
//   count (the fence is a list of none or one):
//   fence: place id lease_id · puts: kind id expected("" blind) has_value value expires("" never)
//   due: place id due("" removes) keep_attempts reserve_us · indexes: key-suffix member remove
//   counters: key-suffix name delta · events: team subject value
// Answer: two texts per commit: "OK" or "REPEATED" and the time; "ABORTED" and why; "ERROR" and Redis's error, when
// nothing was written; "DATA_LOSS" and Redis's error, when it came in the middle.
constexpr const char* kCommit = R"lua(
local kHour = 3600000000
local hour = math.floor(now / kHour)
local hour_start = hour * kHour
local hour_text, hour_before_text = num(hour), num(hour - 1)
local done_key
local begun = {}  -- shards whose hash of this hour is there

-- Remembers the commit. Answers when it had been committed before, nil when it is new, or Redis's error. It is the first
-- write of a commit, since Redis refuses none after it: when it may not write at all, this says so.
local function remember(fingerprint, surely_new)
  if not surely_new then
    local before = call('HGET', base .. ':q:' .. hour_before_text, fingerprint)
    if before then return hour_start - kHour + tonumber(before) end
  end
  local added = redis.pcall('HSETNX', done_key, fingerprint, num(now - hour_start))
  if type(added) == 'table' then return nil, added end
  if added == 0 then return hour_start + tonumber(call('HGET', done_key, fingerprint)) end
  if not begun[base] and call('HLEN', done_key) == 1 then
    call('EXPIRE', done_key, 10800)
    call('UNLINK', base .. ':q:' .. num(hour - 2))
  end
  begun[base] = true
  return nil
end

local function forget(fingerprint)
  call('HDEL', done_key, fingerprint)
  begun[base] = nil  -- with its last field the hash goes, and its expiry
end

local versions, expiries = {}, {}
local fence_place, fence_id, fence_entry

-- Why the fence at `at` does not hold, or nil; and whether the commit ends the lease that holds: then it is surely none
-- that was committed before, because a lease ends once and its id never comes again.
local function fence(at)
  fence_place = nil
  if ARGV[at] ~= '1' then return nil, false end
  fence_place, fence_id = ARGV[at + 1], ARGV[at + 2]
  fence_entry = held(fence_place, fence_id, ARGV[at + 3])
  if not fence_entry then return 'the lease of due entry ' .. fence_id .. ' is no longer the caller\'s', false end
  local due = at + 5 + 6 * tonumber(ARGV[at + 4])
  for p = due + 1, due + 5 * tonumber(ARGV[due]), 5 do
    if ARGV[p] == fence_place and ARGV[p + 1] == fence_id then return nil, true end
  end
  return nil, false
end

-- Why a version does not fit, or nil.
local function misfit(at)
  at = at + 1 + 3 * tonumber(ARGV[at])
  for i = 1, tonumber(ARGV[at]) do
    local p = at + i * 6 - 5
    local version, expires = head(ARGV[p], ARGV[p + 1])
    version = version or 0
    local expected = ARGV[p + 2]
    if expected ~= '' and num(version) ~= expected then
      return 'record ' .. ARGV[p + 1] .. ' has version ' .. num(version) .. ', not ' .. expected
    end
    versions[i], expiries[i] = version, expires
  end
  return nil
end

local function put(p, version, old_expires)
  local kind, id, expires = ARGV[p], ARGV[p + 1], ARGV[p + 5]
  if ARGV[p + 3] ~= '1' then return drop(kind, id) end
  call('HSET', base .. ':r:' .. kind, id, num(version + 1) .. ' ' .. expires .. ' ' .. ARGV[p + 4])
  if expires ~= '' then
    call('ZADD', base .. ':x', expires, kind .. ':' .. id)
  elseif old_expires ~= '' then
    -- It had an expiry, or it is new and one that expired may not have been swept yet.
    call('ZREM', base .. ':x', kind .. ':' .. id)
  end
end

local function change_due(p)
  local place, id, due_text = ARGV[p], ARGV[p + 1], ARGV[p + 2]
  local before = nil
  if place == fence_place and id == fence_id then before = fence_entry end
  if due_text == '' then
    if call('ZREM', due_key(place), id) == 0 then return end
    if call('HDEL', entry_key(place), id) == 1 and (not before or before.lease ~= '') then
      call('ZREM', lease_key(place), id)
    end
    return
  end
  local due = tonumber(due_text)
  local attempts = 0
  if ARGV[p + 3] == '1' then
    before = before or noted(place, id) or false
    attempts = before and before.attempts or 0
  end
  local visible, reserve = due, tonumber(ARGV[p + 4])
  if reserve > 0 then visible = math.max(visible, now + reserve) end
  write(place, id, {due = due, attempts = attempts, lease = ''}, visible, before)
end

local function apply(at)
  at = at + 1 + 3 * tonumber(ARGV[at])
  local count = tonumber(ARGV[at])
  for i = 1, count do put(at + i * 6 - 5, versions[i], expiries[i]) end
  at = at + 1 + count * 6
  count = tonumber(ARGV[at])
  for i = 1, count do change_due(at + i * 5 - 4) end
  at = at + 1 + count * 5
  count = tonumber(ARGV[at])
  for p = at + 1, at + count * 3, 3 do
    if ARGV[p + 2] == '1' then
      call('ZREM', base .. ':i:' .. ARGV[p], ARGV[p + 1])
    else
      call('ZADD', base .. ':i:' .. ARGV[p], 0, ARGV[p + 1])
    end
  end
  at = at + 1 + count * 3
  count = tonumber(ARGV[at])
  for p = at + 1, at + count * 3, 3 do call('HINCRBY', base .. ':c:' .. ARGV[p], ARGV[p + 1], ARGV[p + 2]) end
  at = at + 1 + count * 3
  count = tonumber(ARGV[at])
  for p = at + 1, at + count * 3, 3 do
    local team, subject = ARGV[p], ARGV[p + 1]
    local count = call('RPUSH', base .. ':v:' .. team, now_text .. ' ' .. #subject .. ' ' .. subject .. ARGV[p + 2])
    if count > 10100 then
      call('LTRIM', base .. ':v:' .. team, 100, -1)
      call('HINCRBY', base .. ':n', team, 100)
    end
  end
end

local function error_text(problem) return type(problem) == 'table' and problem.err or tostring(problem) end

local function commit(at)
  local fingerprint = ARGV[at]
  done_key = base .. ':q:' .. hour_text
  local why, surely_new = fence(at + 1)
  local done, problem = remember(fingerprint, surely_new)
  if done then return 'REPEATED', num(done), false end
  if problem then return 'ERROR', error_text(problem), false end
  why = why or misfit(at + 1)
  if why then
    forget(fingerprint)
    return 'ABORTED', why, true
  end
  local fine
  fine, problem = pcall(apply, at + 1)
  if fine then return 'OK', now_text, true end
  forget(fingerprint)
  return 'DATA_LOSS', error_text(problem), true
end

local answers, wrote, at = {}, false, 4
while ARGV[at] do
  enter(KEYS[tonumber(ARGV[at])])
  local word, text, did = commit(at + 2)
  answers[#answers + 1] = word
  answers[#answers + 1] = text
  wrote = wrote or did
  at = at + 2 + tonumber(ARGV[at + 1])
end
settle()
if not wrote then assure() end
return answers
)lua";

// KEYS: :t:STAGE of every shard, in their order. ARGV: offset, assure, again, stage, max, lease_us, in_flight_max, a prefix
// for lease ids, the shard served last, and of each shard the team served last.
// Answer: shard, team, id, lease_id, due, expires, attempts of each, in the order of the claims. `again` is "1" when the
// same call was sent before and its answer was lost: then what it leased is answered.
constexpr const char* kClaimDue = R"lua(
local stage, max, lease_us, cap = ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local prefix, served_last = ARGV[8] .. '.', tonumber(ARGV[9])
local answer, taken = {}, 0
local function give(team, id, lease, due, expires, attempts)
  local n = #answer
  answer[n + 1], answer[n + 2], answer[n + 3], answer[n + 4], answer[n + 5], answer[n + 6], answer[n + 7] =
      string.sub(base, 5, 6), team, id, lease, due, expires, attempts
  taken = taken + 1
end

if ARGV[3] == '1' then
  for _, teams_key in ipairs(KEYS) do
    enter(string.sub(teams_key, 1, 7))
    for _, team in ipairs(call('ZRANGE', teams_key, 0, -1)) do
      local place = stage .. ':' .. team
      local leased = call('ZRANGEBYSCORE', lease_key(place), '(' .. now_text, '+inf', 'WITHSCORES')
      for i = 1, #leased, 2 do
        local entry = noted(place, leased[i])
        if entry and string.sub(entry.lease, 1, #prefix) == prefix then
          give(team, leased[i], entry.lease, num(entry.due), leased[i + 1], num(entry.attempts))
        end
      end
    end
  end
  if taken > 0 then
    assure()
    return answer
  end
end

-- The shards with something due, in turn. Most stages of a quiet store are empty, so eight are asked for at once.
local shards = {}
for first = 1, #KEYS, 8 do
  local numbers, keys = {}, {}
  for i = first, math.min(first + 7, #KEYS) do
    local at = (served_last + i) % #KEYS + 1
    numbers[#numbers + 1], keys[#keys + 1] = at, KEYS[at]
  end
  if call('EXISTS', unpack(keys)) > 0 then
    for _, at in ipairs(numbers) do
      if #call('ZRANGEBYSCORE', KEYS[at], '-inf', now_text, 'LIMIT', 0, 1) > 0 then
        shards[#shards + 1] = {key = KEYS[at], base = string.sub(KEYS[at], 1, 7), cursor = ARGV[9 + at]}
      end
    end
  end
end

-- The teams of a shard that may be served, in turn: those behind the one served last, then from the beginning. All of
-- them are looked at, so that teams at their cap hide nobody.
local function teams_of(shard)
  local behind, before = {}, {}
  for _, name in ipairs(call('ZRANGEBYSCORE', shard.key, '-inf', now_text)) do
    if name > shard.cursor then behind[#behind + 1] = name else before[#before + 1] = name end
  end
  local teams = {}
  for _, names in ipairs({behind, before}) do
    if #teams < max then
      table.sort(names)
      for _, name in ipairs(names) do
        local place = stage .. ':' .. name
        local room = cap - call('ZCOUNT', lease_key(place), '(' .. now_text, '+inf')
        if room > 0 then teams[#teams + 1] = {name = name, place = place, room = room} end
        if #teams >= max then break end
      end
    end
  end
  return teams
end

local expires = num(now + lease_us)
local function take(team, want)
  local found = call('ZRANGEBYSCORE', due_key(team.place), '-inf', now_text, 'WITHSCORES', 'LIMIT', 0, want)
  local count = #found / 2
  if count == 0 then
    mend(stage, team.name)
    return 0
  end
  local ids = {}
  for i = 1, count do ids[i] = found[i * 2 - 1] end
  local noted_texts = call('HMGET', entry_key(team.place), unpack(ids))
  local scores, texts = {}, {}
  for i = 1, count do
    local due, attempts = found[i * 2], 0
    if noted_texts[i] then
      due, attempts = match(noted_texts[i], '^(%d+) (%d+) ')
      attempts = tonumber(attempts)
    end
    local lease = prefix .. (taken + 1)
    scores[i * 2 - 1], scores[i * 2] = expires, ids[i]
    texts[i * 2 - 1], texts[i * 2] = ids[i], due .. ' ' .. (attempts + 1) .. ' ' .. lease
    give(team.name, ids[i], lease, due, expires, attempts + 1)
  end
  call('ZADD', due_key(team.place), unpack(scores))
  call('ZADD', lease_key(team.place), unpack(scores))
  call('HSET', entry_key(team.place), unpack(texts))
  if count < want then mend(stage, team.name) end
  return count
end

-- Serves up to `want` of a shard's entries, teams in rounds of equal shares; how many it were.
local function serve(shard, want)
  enter(shard.base)
  shard.teams = shard.teams or teams_of(shard)
  local served = 0
  while #shard.teams > 0 and served < want do
    local share = math.max(1, math.floor((want - served) / #shard.teams))
    local next_round, more = {}, {}
    for _, team in ipairs(shard.teams) do
      local size = math.min(share, team.room, want - served, 500)
      if size == 0 then
        next_round[#next_round + 1] = team  -- its turn is still to come
      else
        local count = take(team, size)
        served = served + count
        team.room = team.room - count
        if count == size and team.room > 0 then more[#more + 1] = team end
      end
    end
    for _, team in ipairs(more) do next_round[#next_round + 1] = team end
    shard.teams = next_round
  end
  return served
end

-- Shards in rounds of equal shares, until all is dealt or nobody has more.
while #shards > 0 and taken < max do
  local share = math.max(1, math.floor((max - taken) / #shards))
  local more = {}
  for _, shard in ipairs(shards) do
    local want = math.min(share, max - taken)
    if want == 0 then break end
    if serve(shard, want) == want then more[#more + 1] = shard end
  end
  shards = more
end
settle()
return answer
)lua";

// KEYS: :t:STAGE of every shard. ARGV: offset, stage. Answer: when the first entry can be claimed, or nothing.
constexpr const char* kNextDue = R"lua(
if call('EXISTS', unpack(KEYS)) == 0 then return {} end
local firsts = {}
local function look(teams_key)
  local found = call('ZRANGE', teams_key, 0, 0, 'WITHSCORES')
  firsts[teams_key] = found[2] and {team = found[1], time = tonumber(found[2]), text = found[2]}
end
for _, teams_key in ipairs(KEYS) do look(teams_key) end
while true do
  local first_key, first = nil, nil
  for teams_key, each in pairs(firsts) do
    if each and (not first or each.time < first.time) then first_key, first = teams_key, each end
  end
  if not first then return {} end
  base = string.sub(first_key, 1, 7)
  local entry = call('ZRANGE', due_key(ARGV[2] .. ':' .. first.team), 0, 0, 'WITHSCORES')[2]
  if entry == first.text then return {entry} end
  mend(ARGV[2], first.team)
  look(first_key)
end
)lua";

// ARGV: offset, assure, again, place, team, id, lease_us, lease_id. Answer: as one of ClaimDue, or "NOT_FOUND" and why.
constexpr const char* kClaim = R"lua(
local place, team, id, lease_id = ARGV[4], ARGV[5], ARGV[6], ARGV[8]
local entry = find(place, id)
local function refuse(why)
  assure()
  return {'NOT_FOUND', why}
end
if not entry then return refuse('no due entry ' .. id) end
if entry.due > now then return refuse('due entry ' .. id .. ' is not due yet') end
local expires = now + tonumber(ARGV[7])
if entry.lease == lease_id then
  expires = tonumber(call('ZSCORE', due_key(place), id))
  assure()
else
  if entry.lease ~= '' and tonumber(call('ZSCORE', due_key(place), id)) > now then
    return refuse('due entry ' .. id .. ' is leased')
  end
  local before = entry.noted and {lease = entry.lease} or false
  entry.attempts = entry.attempts + 1
  entry.lease = lease_id
  write(place, id, entry, expires, before)
  settle()
end
return {team, id, lease_id, num(entry.due), num(expires), num(entry.attempts)}
)lua";

// ARGV: offset, assure, again, place, id, lease_id, duration_us. Answer: the new end, or nothing when the lease is not
// the newest.
constexpr const char* kExtend = R"lua(
local place, id = ARGV[4], ARGV[5]
local entry = held(place, id, ARGV[6])
if not entry then
  assure()
  return {}
end
local expires = now + tonumber(ARGV[7])
write(place, id, entry, expires, entry)
settle()
return {num(expires)}
)lua";

// ARGV: offset, assure, again, place, id, lease_id, due ("" keeps the old), uncount. Answer: "OK", or nothing as Extend.
constexpr const char* kRelease = R"lua(
local place, id = ARGV[4], ARGV[5]
local before = held(place, id, ARGV[6])
if not before then
  assure()
  return {}
end
local entry = {due = before.due, attempts = before.attempts, lease = ''}
if ARGV[7] ~= '' then entry.due = tonumber(ARGV[7]) end
if ARGV[8] == '1' then entry.attempts = math.max(0, entry.attempts - 1) end
write(place, id, entry, entry.due, before)
settle()
return {'OK'}
)lua";

// ARGV: offset, stage. Answer: waiting, leased, future, due time of the oldest waiting ("" for none), now.
constexpr const char* kStats = R"lua(
local stage = ARGV[2]
local waiting, leased, total, oldest = 0, 0, 0, nil
local function look_at(place, found)
  if #found == 0 then return end
  local ids = {}
  for i = 1, #found, 2 do ids[#ids + 1] = found[i] end
  for i, text in ipairs(call('HMGET', entry_key(place), unpack(ids))) do
    local due = tonumber(text and match(text, '^(%d+) ') or found[i * 2])
    if not oldest or due < oldest then oldest = due end
  end
end
for _, team in ipairs(call('ZRANGE', base .. ':t:' .. stage, 0, -1)) do
  local place = stage .. ':' .. team
  waiting = waiting + call('ZCOUNT', due_key(place), '-inf', now_text)
  leased = leased + call('ZCOUNT', lease_key(place), '(' .. now_text, '+inf')
  total = total + call('ZCARD', due_key(place))
  -- The first by claimable time, and those whose lease ran out, which were due long before they became claimable.
  look_at(place, call('ZRANGEBYSCORE', due_key(place), '-inf', now_text, 'WITHSCORES', 'LIMIT', 0, 200))
  look_at(place, call('ZRANGEBYSCORE', lease_key(place), '-inf', now_text, 'WITHSCORES', 'LIMIT', 0, 1000))
end
return {num(waiting), num(leased), num(total - waiting - leased), oldest and num(oldest) or '', now_text}
)lua";

// ARGV: offset, then of each kind: kind, number of ids, the ids. Answer: what is stored of each, or nothing for it.
constexpr const char* kGet = R"lua(
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
constexpr const char* kChanges = R"lua(
local events = base .. ':v:' .. ARGV[2]
local trimmed = tonumber(call('HGET', base .. ':n', ARGV[2]) or 0)
local from = math.max(0, tonumber(ARGV[3]) - trimmed)
local found = call('LRANGE', events, num(from), num(from + tonumber(ARGV[4]) - 1))
return {num(trimmed + call('LLEN', events)), num(trimmed + from), found}
)lua";

// ARGV: offset, assure, again, max. Answer: how many expired records were removed.
constexpr const char* kSweep = R"lua(
local members = call('ZRANGEBYSCORE', base .. ':x', '-inf', now_text, 'LIMIT', 0, ARGV[4])
for _, member in ipairs(members) do
  local kind, id = match(member, '^(%d+):(.*)$')
  drop(kind, id)
end
return {num(#members)}
)lua";

}  // namespace

const std::array<std::string, kScripts>& ScriptSources() {
  static const auto* const sources = [] {
    const auto plain = [](const char* body) { return absl::StrCat(kPrelude, body); };
    const auto full = [](const char* body) { return absl::StrCat(kAllowFull, kPrelude, body); };
    return new std::array<std::string, kScripts>{plain(kCommit),  full(kCommit),  full(kClaimDue),
                                                 full(kClaim),    full(kExtend),  full(kRelease),
                                                 plain(kStats),   full(kSweep),   full(kNextDue),
                                                 full(kGet),      full(kChanges)};
  }();
  return *sources;
}

}  // namespace ringback::store
