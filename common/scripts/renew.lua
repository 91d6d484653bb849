-- renew: a worker keeps its lease on a request, and learns whether the turn is still wanted. Also tells of a call
-- that an earlier delivery of the turn has left without an entry in K:calls: who made it died.
--
-- KEYS 1 K:conversation:<id>  2 K:request:<lane>  3 K:calls
-- ARGV 1 name  2 request entry  3 deliveries  4 turn
--      5 call (its id: the first renew of a call counts it in `attempts`; '' none runs)  6 id  7 issue
--
-- OK left_ms   the lease is renewed; left_ms to the deadline (of the grace when closing), '' where no clock runs
-- CANCEL       the conversation ended: acked
-- GONE         no such conversation, or this request is no longer the one awaited: acked
-- FENCED       the entry belongs to another worker or another delivery: left alone
-- To OK (after left_ms), CANCEL and GONE the id of a call is added that was told as lost: its place can be freed.
-- Called by: the worker, before a call's first byte and then every half second. All but OK: drop the model call.
local call = redis.call
local FRESH_MS, CALLS_MAX = 100, 100000
local name, entry, deliveries, turn, call_id, id, issue = unpack(ARGV)

if not issue then return redis.error_reply('ERR renew: id of the call, id and issue are needed') end

local state, next_turn, phase, request, deadline, attempts, last, called_at, caller, seat = unpack(call('HMGET', KEYS[1],
  'state', 'next', 'phase', 'request', 'deadline', 'attempts', 'call', 'called_at', 'caller', 'seat'))
local t = call('TIME')
local at = string.format('%d%06d', t[1], t[2])

-- The last call of this turn: its issue and delivery; nil where the last call was another turn's.
local last_issue, last_delivery
if last and string.sub(last, 1, #id + #turn + 2) == id .. ':' .. turn .. '/' then
  last_issue, last_delivery = string.match(last, '^(%d+)%.(%d+)%-', #id + #turn + 3)
end
local is_own = last_issue == issue and last_delivery == deliveries

-- Days since 1970 as a date: civil_from_days of https://howardhinnant.github.io/date_algorithms.html
local function utc(micros)
  local floor, us = math.floor, tonumber(micros)
  local seconds = floor(us / 1000000)
  local shifted = floor(seconds / 86400) + 719468
  local era = floor(shifted / 146097)
  local day_of_era = shifted - era * 146097
  local year = floor((day_of_era - floor(day_of_era / 1460) + floor(day_of_era / 36524)
    - floor(day_of_era / 146096)) / 365)
  local day_of_year = day_of_era - (365 * year + floor(year / 4) - floor(year / 100))
  local month = floor((5 * day_of_year + 2) / 153)
  local day = day_of_year - floor((153 * month + 2) / 5) + 1
  month = month < 10 and month + 3 or month - 9
  return string.format('%04d-%02d-%02dT%02d:%02d:%02d.%06dZ', year + era * 400 + (month <= 2 and 1 or 0), month, day,
    floor(seconds / 3600) % 24, floor(seconds / 60) % 60, seconds % 60, us % 1000000)
end

local function tell_lost(answer)
  call('XADD', KEYS[3], 'MAXLEN', '~', CALLS_MAX, '*', 'conversation', id, 'turn', turn, 'issue', last_issue,
    'delivery', last_delivery, 'call', last, 'seat', seat, 'attempt', string.match(last, '~(%d+)$') or '1',
    'started_at', utc(called_at), 'ended_at', utc(at), 'outcome', 'lost', 'worker', caller)
  answer[#answer + 1] = last
end

if state ~= 'ended' and request == entry and phase == 'asked' and next_turn == turn then
  local held = call('XPENDING', KEYS[2], 'workers', entry, entry, 1)[1]
  if not held or held[2] ~= name or held[4] ~= tonumber(deliveries) then return {'FENCED'} end
  local left_ms = ''
  if deadline ~= '' then
    local left = (tonumber(deadline) - t[1] * 1000000 - t[2]) / 1000
    left_ms = string.format('%d', math.max(0, math.floor(left)))
  end
  attempts = tonumber(attempts) + 1
  local answer = {'OK', left_ms}
  if last_issue and not is_own then tell_lost(answer) end
  -- A lease that has only just begun needs no write. JUSTID keeps the delivery count, half of the fence.
  if held[3] >= FRESH_MS then call('XCLAIM', KEYS[2], 'workers', name, 0, entry, 'JUSTID') end
  if call_id ~= '' and last ~= call_id then
    call('HSET', KEYS[1], 'attempts', attempts, 'call', call_id, 'called_at', at, 'caller', name)
  elseif call_id == '' and last_issue then
    call('HSET', KEYS[1], 'call', '')
  end
  return answer
end
local answer = {state == 'ended' and 'CANCEL' or 'GONE'}
-- The caller tells of its own call itself; of another issue's that issue's worker does.
if last_issue == issue and tonumber(last_delivery) <= tonumber(deliveries) then
  if not is_own then tell_lost(answer) end
  call('HSET', KEYS[1], 'call', '')
end
call('XACK', KEYS[2], 'workers', entry)
return answer
