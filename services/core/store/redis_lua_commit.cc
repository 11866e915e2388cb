// The script that commits.
#include "core/store/redis_lua.h"

namespace ringback::store::lua {

// KEYS: the shards' bases. ARGV: offset, assure, again, then commits to the end, those of a shard together, each:
//   number of its shard's key, and packed: fingerprint of the commit_id, then six lists, each after its count (the fence
//   is a list of none or one):
//   fence: place id lease_id · puts: kind id expected("" blind) has_value value expires("" never)
//   due: place id due("" removes) keep_attempts reserve_us lease_id("" none) · indexes: key-suffix member remove
//   counters: key-suffix name delta · events: team subject value
// Answer: two texts per commit: "OK" or "REPEATED" and the time; "ABORTED" and why; "ERROR" and Redis's error, when
// nothing was written; "DATA_LOSS" and Redis's error, when it came in the middle.
const char* const kCommit = R"lua(
local kMarks = 32  -- of a record; what is more goes to the hashes of the hours
local hour = math.floor(now / kHour)
local hour_start = hour * kHour
local hour_text, hour_before_text = num(hour), num(hour - 1)
local mark_time = format('%016d', now)
local begun = {}  -- shards whose hash of this hour is there

-- A commit that puts a value is remembered by the first record it puts, its anchor; any other, and what an anchor has no
-- room for, by the hash of the hour.
local function hour_key(text) return base .. ':q:' .. text end

local function in_hours(fingerprint)
  local here = call('HGET', hour_key(hour_text), fingerprint)
  if here then return hour_start + tonumber(here) end
  local before = call('HGET', hour_key(hour_before_text), fingerprint)
  return before and hour_start - kHour + tonumber(before)
end

local function begin_hour()
  if not begun[base] and call('HLEN', hour_key(hour_text)) == 1 then
    call('EXPIRE', hour_key(hour_text), 10800)
    call('UNLINK', hour_key(num(hour - 2)))
  end
  begun[base] = true
end

-- When the commit was made, if its anchor remembers it.
local function time_in(anchor, fingerprint)
  local marks = anchor.marks
  for p = 1, #marks, kMarkBytes do
    if sub(marks, p, p + 13) == fingerprint then return tonumber(sub(marks, p + 14, p + 29)) end
  end
  return #marks >= kMarks * kMarkBytes and in_hours(fingerprint) or nil
end

-- The marks with this commit's, and the oldest one if there is no room for it any more.
local function with_mark(marks, fingerprint)
  marks = live(marks)
  local full = #marks >= kMarks * kMarkBytes
  return (full and sub(marks, kMarkBytes + 1) or marks) .. fingerprint .. mark_time, full and sub(marks, 1, kMarkBytes)
end

local function keep_in_hour(mark)
  call('HSET', hour_key(hour_text), sub(mark, 1, 14), num(tonumber(sub(mark, 15)) - hour_start))
  begin_hour()
end

local function error_text(problem) return type(problem) == 'table' and problem.err or tostring(problem) end

local parts  -- of the commit that is worked on
local fence_place, fence_id, fence_entry

-- Why the fence at `at` does not hold, or nil; and whether the commit ends the lease that holds: then it is surely none
-- that was committed before, because a lease ends once and its id never comes again.
local function fence(at, puts_at)
  fence_place = nil
  if parts[at] ~= 1 then return nil, false end
  fence_place, fence_id = parts[at + 1], parts[at + 2]
  fence_entry = held(fence_place, fence_id, parts[at + 3])
  if not fence_entry then return 'the lease of due entry ' .. fence_id .. ' is no longer the caller\'s', false end
  local due = puts_at + 1 + 6 * parts[puts_at]
  for p = due + 1, due + 6 * parts[due], 6 do
    if parts[p] == fence_place and parts[p + 1] == fence_id then return nil, true end
  end
  return nil, false
end

-- Why the record's version is not the one that the put at `p` expects, or nil.
local function misfit(p, found)
  local expected = parts[p + 2]
  if expected == '' or num(found.version) == expected then return nil end
  return 'record ' .. parts[p + 1] .. ' has version ' .. num(found.version) .. ', not ' .. expected
end

local function note_expiry(p, found)
  if parts[p + 5] ~= '' then
    call('ZADD', base .. ':x', parts[p + 5], parts[p] .. ':' .. parts[p + 1])
  elseif found and found.expires ~= '' then
    call('ZREM', base .. ':x', parts[p] .. ':' .. parts[p + 1])
  end
end

local function change_due(p)
  local place, id, due_text = parts[p], parts[p + 1], parts[p + 2]
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
  if parts[p + 3] == '1' then
    before = before or noted(place, id) or false
    attempts = before and before.attempts or 0
  end
  local visible, reserve, lease = due, parts[p + 4], parts[p + 5]
  if reserve > 0 then visible = math.max(visible, now + reserve) end
  if due > now then lease = '' end
  if lease ~= '' then attempts = attempts + 1 end
  write(place, id, {due = due, attempts = attempts, lease = lease}, visible, before)
end

-- All but the puts; `at` is behind them.
local function apply(at)
  local count = parts[at]
  for i = 1, count do change_due(at + i * 6 - 5) end
  at = at + 1 + count * 6
  count = parts[at]
  for p = at + 1, at + count * 3, 3 do
    if parts[p + 2] == '1' then
      call('ZREM', base .. ':i:' .. parts[p], parts[p + 1])
    else
      call('ZADD', base .. ':i:' .. parts[p], 0, parts[p + 1])
    end
  end
  at = at + 1 + count * 3
  count = parts[at]
  for p = at + 1, at + count * 3, 3 do call('HINCRBY', base .. ':c:' .. parts[p], parts[p + 1], parts[p + 2]) end
  at = at + 1 + count * 3
  count = parts[at]
  for p = at + 1, at + count * 3, 3 do
    local team, subject = parts[p], parts[p + 1]
    local events = base .. ':v:' .. team
    if call('RPUSH', events, now_text .. ' ' .. #subject .. ' ' .. subject .. parts[p + 2]) > 10100 then
      call('LTRIM', events, 100, -1)
      call('HINCRBY', base .. ':n', team, 100)
    end
  end
end

-- State of the commit that is worked on: its fingerprint, where its puts are, the first of them with a value, what the
-- records said before (nil: not looked at), when it was made before, why it is refused, how to take back what was put.
local fingerprint, puts_at, anchor, heads, done, why, undo, dirty

local function place(i) return puts_at + i * 6 - 5 end

-- Redis may refuse a commit's first write; then its error is answered. It refuses none after that.
local function guarded(...)
  if dirty then return call(...) end
  local result = redis.pcall(...)
  if type(result) == 'table' and result.err then return nil, result.err end
  dirty = true
  return result
end

local function put_value(i, found)
  local p = place(i)
  local key, id = base .. ':r:' .. parts[p], parts[p + 1]
  local marks, pushed_out = found.marks, nil
  if i == anchor then marks, pushed_out = with_mark(marks, fingerprint) elseif marks ~= '' then marks = live(marks) end
  undo[#undo + 1] = {key = key, id = id, text = found.text}
  local _, problem = guarded('HSET', key, id, record_text(found.version + 1, parts[p + 5], marks, parts[p + 4]))
  if problem then return problem end
  if pushed_out then keep_in_hour(pushed_out) end
  note_expiry(p, found)
  return nil
end

-- Puts a record that must not be there.
local function create(i)
  local p = place(i)
  local key, id = base .. ':r:' .. parts[p], parts[p + 1]
  local marks = i == anchor and fingerprint .. mark_time or ''
  local added, problem = guarded('HSETNX', key, id, record_text(1, parts[p + 5], marks, parts[p + 4]))
  if problem then return problem end
  if added == 1 then
    undo[#undo + 1] = {key = key, id = id}
    if parts[p + 5] ~= '' then note_expiry(p) end
    return nil
  end
  local found = head(parts[p], id)
  if i == anchor then done = time_in(found, fingerprint) end
  why = misfit(p, found)
  if not done and not why then put_value(i, found) end
end

local function remember()
  undo[1] = {key = hour_key(hour_text), id = fingerprint}
  local _, problem = guarded('HSET', undo[1].key, fingerprint, num(now - hour_start))
  if not problem then begin_hour() end
  return problem
end

local function take_back()
  for _, each in ipairs(undo) do
    if each.text then call('HSET', each.key, each.id, each.text) else call('HDEL', each.key, each.id) end
  end
  begun[base] = nil  -- with its last field the hash of the hour goes, and its expiry
end

-- What is left to do after the write that remembers the commit. May end early with a reason to refuse it.
local function finish()
  local count = parts[puts_at]
  for i = 1, count do
    if not heads[i] and i ~= anchor then create(i) end
    if why then return end
  end
  for i = 1, count do
    local p = place(i)
    if parts[p + 3] ~= '1' then
      drop(parts[p], parts[p + 1], heads[i])
    elseif heads[i] and i ~= anchor then
      put_value(i, heads[i])
    end
  end
  apply(puts_at + 1 + 6 * count)
end

-- One commit: reads and judges, then makes the write that remembers it, which Redis may refuse, then all others.
local function commit()
  fingerprint, puts_at = parts[1], 3 + 3 * parts[2]
  anchor, heads, done, why, undo, dirty = nil, {}, nil, nil, {}, false
  local surely_new
  why, surely_new = fence(2, puts_at)
  for i = 1, parts[puts_at] do
    local p = place(i)
    if not anchor and parts[p + 3] == '1' then anchor = i end
    -- Whether one is there that must not be is found out when it is written.
    if parts[p + 2] ~= '0' or parts[p + 3] ~= '1' then
      heads[i] = head(parts[p], parts[p + 1])
      why = why or misfit(p, heads[i])
    end
  end
  if anchor then
    local found = heads[anchor] or why and head(parts[place(anchor)], parts[place(anchor) + 1])
    done = found and time_in(found, fingerprint)
  elseif not surely_new then
    done = in_hours(fingerprint)
  end
  if done then return 'REPEATED', num(done), false end
  if why then return 'ABORTED', why, false end

  local problem
  if not anchor then
    problem = remember()
  elseif heads[anchor] then
    problem = put_value(anchor, heads[anchor])
  else
    problem = create(anchor)
  end
  if problem then return 'ERROR', problem, false end
  if done then return 'REPEATED', num(done), false end
  if not why then finish() end
  if not why then return 'OK', now_text, true end
  take_back()
  return 'ABORTED', why, true
end

local answers, wrote, at = {}, false, 4
while ARGV[at] do
  enter(KEYS[tonumber(ARGV[at])])
  parts = cmsgpack.unpack(ARGV[at + 1])
  local fine, word, text, did = pcall(commit)
  if not fine then  -- by a damaged record or key; those beside it go on
    text, did = error_text(word), dirty
    if dirty then take_back() end
    word = dirty and 'DATA_LOSS' or 'ERROR'
  end
  answers[#answers + 1] = word
  answers[#answers + 1] = text
  wrote = wrote or did
  at = at + 2
end
settle()
if not wrote then assure() end
return answers
)lua";

}  // namespace ringback::store::lua
