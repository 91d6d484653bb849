-- shift: Redis' clock was set: the leader moves what hangs on it, so that conversations have as much time left as
-- before and requests in flight as much of their lease.
--
-- KEYS 1 K:meta  2 K:epoch  3 K:due  4.. K:conversation:<id> of the ids, then K:request:<lane> (any number of both)
-- ARGV 1 token  2 delta (µs, how far the clock was set)  3 since (µs; stamps from there to now are of the new time)
--      4.. ids
--
-- OK moved   so many conversations were moved; one that this jump has moved before is left alone
-- STALE      the caller leads no longer: nothing was touched
-- Called by: the leader, when Redis' time and its own monotonic clock part by over 5 s.
local call = redis.call
local NEAR_DELTA_US, NEAR_SINCE_US, PENDING_MAX, RELEASED_MS = 1000000, 10000000, 1000, 43200000

if call('GET', KEYS[2]) ~= ARGV[1] then return {'STALE'} end
local delta, since, ids = tonumber(ARGV[2]), tonumber(ARGV[3]), #ARGV - 3
if not (delta and since) or #KEYS < 3 + ids then
  return redis.error_reply('ERR shift: delta, since, and a key for each id')
end
local t = call('TIME')
local now = t[1] * 1000000 + t[2]
local function text(number) return string.format('%.0f', number) end

-- Two managers measure one jump not quite alike: the first one's word for it is taken.
local jump = call('HGET', KEYS[1], 'jump') or ''
local was_delta, was_since = string.match(jump, '^(-?%d+):(%d+)$')
if not was_delta or math.abs(was_delta - delta) > NEAR_DELTA_US or math.abs(was_since - since) > NEAR_SINCE_US then
  jump = text(delta) .. ':' .. text(since)
  call('HSET', KEYS[1], 'jump', jump)
else
  delta, since = tonumber(was_delta), tonumber(was_since)
end

local function is_new(stamp) return stamp >= since and stamp <= now end

local moved = 0
for i = 1, ids do
  local key = KEYS[3 + i]
  local state, deadline, started_at, asked_at, patience_ms, duration_ms, grace_ms, shifted = unpack(call('HMGET', key,
    'state', 'deadline', 'started_at', 'asked_at', 'patience_ms', 'duration_ms', 'grace_ms', 'jump'))
  if state and state ~= 'ended' and state ~= 'preparing' and shifted ~= jump then
    local due_ms = now / 1000 + tonumber(patience_ms)
    if deadline ~= '' then
      -- What was set between the jump and now is right already: never further away than it can be.
      local most_ms = tonumber(state == 'closing' and grace_ms or duration_ms)
      local end_us = tonumber(deadline)
      if not is_new(tonumber(started_at)) then end_us = math.min(end_us + delta, now + most_ms * 1000) end
      deadline, due_ms = text(end_us), math.min(due_ms, end_us / 1000)
    end
    if asked_at ~= '' and not is_new(tonumber(asked_at)) then asked_at = text(tonumber(asked_at) + delta) end
    call('HSET', key, 'deadline', deadline, 'asked_at', asked_at, 'jump', jump)
    if call('ZSCORE', KEYS[3], ARGV[3 + i]) then call('ZADD', KEYS[3], math.floor(due_ms), ARGV[3 + i]) end
    moved = moved + 1
  end
end

-- Leases begin anew; what was handed back stays free.
for i = 4 + ids, #KEYS do
  for _, held in ipairs(call('XPENDING', KEYS[i], 'workers', '-', '+', PENDING_MAX)) do
    if held[3] < RELEASED_MS then
      call('XCLAIM', KEYS[i], 'workers', held[2], 0, held[1], 'IDLE', 0, 'JUSTID')
    end
  end
end
return {'OK', text(moved)}
