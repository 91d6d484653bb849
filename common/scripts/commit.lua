-- commit: a worker hands in the turn it was asked for.
--
-- KEYS 1 K:conversation:<id>  2 K:request:<lane>  3 K:response:<lane>
-- ARGV 1 id  2 name  3 request entry  4 deliveries  5 turn  6 tokens ('' unknown)
--      7 window (transcript id from which this seat's next prompt begins, '' unchanged)  8 message (JSON)
--
-- OK response at   the response's entry id and its `at` (µs)
-- DUP      this turn was answered before
-- GAP      the conversation awaits an earlier turn (Redis went back in time)
-- GONE     no such conversation, or this request is no longer the one awaited
-- ENDED    the conversation ended: the turn is thrown away
-- FENCED   the entry belongs to another worker or another delivery: left alone
-- All but FENCED ack the request.
-- Called by: the worker.
local call = redis.call
local entry, turn = ARGV[3], tonumber(ARGV[5]) or 0

local state, next_turn, phase, request, seat, issue, asked_at, attempts = unpack(call('HMGET', KEYS[1], 'state', 'next',
  'phase', 'request', 'seat', 'issue', 'asked_at', 'attempts'))
local over
if not state then
  over = 'GONE'
else
  next_turn = tonumber(next_turn)
  if turn < next_turn or (turn == next_turn and request == entry and phase == 'answered') then over = 'DUP'
  elseif state == 'ended' then over = 'ENDED'
  elseif turn > next_turn then over = 'GAP'
  elseif request ~= entry or phase ~= 'asked' then over = 'GONE'
  end
end
if over then
  call('XACK', KEYS[2], 'workers', entry)
  return {over}
end
local held = call('XPENDING', KEYS[2], 'workers', entry, entry, 1)[1]
if not held or held[2] ~= ARGV[2] or held[4] ~= tonumber(ARGV[4]) then return {'FENCED'} end

local t = call('TIME')
local at = string.format('%d%06d', t[1], t[2])
local response = call('XADD', KEYS[3], '*', 'conversation', ARGV[1], 'turn', ARGV[5], 'issue', issue, 'seat', seat,
  'request', entry, 'at', at, 'status', 'done', 'error', '', 'text', '', 'tokens', ARGV[6], 'asked_at', asked_at,
  'attempts', attempts, 'message', ARGV[8])
if ARGV[7] == '' then
  call('HSET', KEYS[1], 'phase', 'answered', 'response', response)
else
  call('HSET', KEYS[1], 'phase', 'answered', 'response', response, 'window:' .. seat, ARGV[7])
end
call('XACK', KEYS[2], 'workers', entry)
return {'OK', response, at}
