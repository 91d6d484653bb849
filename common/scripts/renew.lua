-- renew: a worker keeps its lease on a request, and learns whether the turn is still wanted.
--
-- KEYS 1 K:conversation:<id>  2 K:request:<lane>
-- ARGV 1 name  2 request entry  3 deliveries  4 turn
--      5 call (its id: the first renew of a call counts it in `attempts`; '' none has begun)
--
-- OK left_ms   the lease is renewed; left_ms to the deadline (of the grace when closing), '' where no clock runs
-- CANCEL       the conversation ended: acked
-- GONE         no such conversation, or this request is no longer the one awaited: acked
-- FENCED       the entry belongs to another worker or another delivery: left alone
-- Called by: the worker, before a call's first byte and then every half second. All but OK: drop the model call.
local call = redis.call
local FRESH_MS = 100
local name, entry, call_id = ARGV[1], ARGV[2], ARGV[5]

if not call_id then return redis.error_reply('ERR renew: the id of the call is needed') end

local state, next_turn, phase, request, deadline, attempts, counted = unpack(call('HMGET', KEYS[1], 'state', 'next',
  'phase', 'request', 'deadline', 'attempts', 'call'))
if state ~= 'ended' and request == entry and phase == 'asked' and next_turn == ARGV[4] then
  local held = call('XPENDING', KEYS[2], 'workers', entry, entry, 1)[1]
  if not held or held[2] ~= name or held[4] ~= tonumber(ARGV[3]) then return {'FENCED'} end
  local left_ms = ''
  if deadline ~= '' then
    local t = call('TIME')
    local left = (tonumber(deadline) - t[1] * 1000000 - t[2]) / 1000
    left_ms = string.format('%d', math.max(0, math.floor(left)))
  end
  attempts = tonumber(attempts) + 1
  -- A lease that has only just begun needs no write. JUSTID keeps the delivery count, half of the fence.
  if held[3] >= FRESH_MS then call('XCLAIM', KEYS[2], 'workers', name, 0, entry, 'JUSTID') end
  if call_id ~= '' and counted ~= call_id then call('HSET', KEYS[1], 'attempts', attempts, 'call', call_id) end
  return {'OK', left_ms}
end
call('XACK', KEYS[2], 'workers', entry)
return {state == 'ended' and 'CANCEL' or 'GONE'}
