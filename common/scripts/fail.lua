-- fail: a worker tells that it could not make the turn it was asked for. What calls it made is told before.
--
-- KEYS 1 K:conversation:<id>  2 K:request:<lane>  3 K:response:<lane>
-- ARGV 1 id  2 name  3 request entry  4 deliveries  5 turn  6 tokens spent ('' unknown)
--      7 error (its kind, one word)  8 text (for people)
--
-- OK response at, DUP, GAP, GONE, ENDED, FENCED: as commit; all but FENCED ack the request.
-- Called by: the worker.
local call = redis.call
local entry, turn = ARGV[3], tonumber(ARGV[5]) or 0

local state, next_turn, phase, request, seat, issue, asked_at, failures, attempts = unpack(call('HMGET', KEYS[1],
  'state', 'next', 'phase', 'request', 'seat', 'issue', 'asked_at', 'failures', 'attempts'))
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
failures = tonumber(failures) + 1
local response = call('XADD', KEYS[3], '*', 'conversation', ARGV[1], 'turn', ARGV[5], 'issue', issue, 'seat', seat,
  'request', entry, 'at', at, 'status', 'failed', 'error', ARGV[7], 'text', ARGV[8], 'tokens', ARGV[6],
  'asked_at', asked_at, 'attempts', attempts, 'message', '')
call('HSET', KEYS[1], 'phase', 'answered', 'response', response, 'failures', failures, 'call', '')
call('XACK', KEYS[2], 'workers', entry)
return {'OK', response, at}
