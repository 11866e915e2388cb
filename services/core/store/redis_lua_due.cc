// The scripts on due sets: claims, leases, what is next.
#include "core/store/redis_lua.h"

namespace ringback::store::lua {

// KEYS: :t:STAGE of every shard, in their order. ARGV: offset, assure, again, stage, max, lease_us, in_flight_max, a prefix
// for lease ids, and packed: the shard served last, and of each shard the team served last.
// Answer: shard, team, id, lease_id, due, expires, attempts of each, in the order of the claims. `again` is "1" when the
// same call was sent before and its answer was lost: then what it leased is answered.
const char* const kClaimDue = R"lua(
local stage, max, lease_us, cap = ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local served = cmsgpack.unpack(ARGV[9])
local prefix, served_last = ARGV[8] .. '.', served[1]
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
        shards[#shards + 1] = {key = KEYS[at], base = string.sub(KEYS[at], 1, 7), cursor = served[1 + at]}
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
const char* const kNextDue = R"lua(
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
const char* const kClaim = R"lua(
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
const char* const kExtend = R"lua(
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
const char* const kRelease = R"lua(
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
const char* const kStats = R"lua(
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

}  // namespace ringback::store::lua
