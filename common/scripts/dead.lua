-- dead: a worker gives up a request that was delivered too often: it may be what kills the workers.
--
-- KEYS 1 K:conversation:<id>  2 K:request:<lane>  3 K:response:<lane>  4 K:dead
-- ARGV 1 id  2 name  3 request entry  4 deliveries  5 turn  6 max_deliveries  7 text (for people)
--
-- OK response at   a record stands in K:dead, and a failed response of kind `poison` was written
-- NO               not delivered more than max_deliveries times: nothing was touched
-- DUP, GAP, GONE, ENDED, FENCED: as commit; all but NO and FENCED ack the request.
-- Called by: the worker, after a claim or a read that shows the high delivery count.
local call = redis.call
local RECORDS_MAX = 10000
local entry, turn = ARGV[3], tonumber(ARGV[5]) or 0

local state, next_turn, phase, request, seat, issue, asked_at, failures, lane, attempts = unpack(call('HMGET', KEYS[1],
  'state', 'next', 'phase', 'request', 'seat', 'issue', 'asked_at', 'failures', 'lane', 'attempts'))
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
if held[4] <= tonumber(ARGV[6]) then return {'NO'} end

local t = call('TIME')
local at = string.format('%d%06d', t[1], t[2])
failures = tonumber(failures) + 1
call('XADD', KEYS[4], 'MAXLEN', '~', RECORDS_MAX, '*', 'conversation', ARGV[1], 'turn', ARGV[5], 'issue', issue, 'seat', seat, 'lane', lane,
  'request', entry, 'deliveries', ARGV[4], 'worker', ARGV[2], 'at', at, 'error', 'poison', 'text', ARGV[7])
local response = call('XADD', KEYS[3], '*', 'conversation', ARGV[1], 'turn', ARGV[5], 'issue', issue, 'seat', seat,
  'request', entry, 'at', at, 'status', 'failed', 'error', 'poison', 'text', ARGV[7], 'tokens', '',
  'asked_at', asked_at, 'attempts', attempts, 'message', '')
call('HSET', KEYS[1], 'phase', 'answered', 'response', response, 'failures', failures, 'call', '')
call('XACK', KEYS[2], 'workers', entry)
return {'OK', response, at}
