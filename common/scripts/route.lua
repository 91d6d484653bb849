-- route: the leader takes a turn into the transcript and, in the same step, asks for the next one, waits, or
-- ends the conversation. The one script on every turn's way besides commit: keep its calls few.
--
-- KEYS 1 K:conversation:<id>  2 K:transcript:<id>  3 K:response:<lane of this turn>
--      4 K:request:<lane of the next turn>  5 K:events  6 K:due  7 K:epoch
-- ARGV 1 id  2 token  3 response entry  4 turn  5 tokens ('' unknown)  6 seat and 7 lane of the next turn
--      8 message (JSON, completed)  9 what the caller takes for Redis' time (µs)
--
-- K:due is not touched while it runs: an early look finds all well and moves it on (reissue).
--
-- OK transcript request state reason at   the turn's transcript id; the next request's id ('' none); the state
--            after; the reason if that is `ended`, else ''; the transcript entry's `at` (µs)
-- DUP        the turn was routed before
-- GAP        the response is not the one awaited
-- GONE       no such conversation
-- ENDED      the conversation ended without this turn
-- CLOCK      Redis' clock is over 5 s from ARGV[9]: the response stays pending; find out whether it jumped
-- STALE      the caller leads no longer: the response stays pending
-- All but CLOCK and STALE ack the response.
-- Called by: the leader.
local call, format = redis.call, string.format
local id, entry, turn = ARGV[1], ARGV[3], tonumber(ARGV[4])
local CLOCK_US = 5000000

if call('GET', KEYS[7]) ~= ARGV[2] then return {'STALE'} end
local state, next_turn, phase, response, seat, turns, tokens, max_turns, deadline, reason, cast, window =
  unpack(call('HMGET', KEYS[1], 'state', 'next', 'phase', 'response', 'seat', 'turns', 'tokens', 'max_turns',
  'deadline', 'reason', 'cast', 'window:' .. ARGV[6]))
local over
if not state then
  over = 'GONE'
else
  next_turn = tonumber(next_turn)
  if turn < next_turn then over = 'DUP'
  elseif state == 'ended' then over = 'ENDED'
  elseif turn > next_turn or phase ~= 'answered' or response ~= entry then over = 'GAP'
  end
end
if over then
  call('XACK', KEYS[3], 'managers', entry)
  return {over}
end

local t = call('TIME')
local at, now = format('%d%06d', t[1], t[2]), t[1] * 1000000 + t[2]
if math.abs(now - tonumber(ARGV[9])) > CLOCK_US then return {'CLOCK'} end
turns = tonumber(turns) + 1
local added = tonumber(ARGV[5])
-- The comparison also drops nan, which tonumber lets through.
if added and added >= 0 and added <= 1e9 then tokens = tonumber(tokens) + math.floor(added) end
local left_ms = ''
if deadline ~= '' then
  local end_us = tonumber(deadline)
  left_ms = math.floor((end_us - now) / 1000)
end
local ending
if state == 'closing' then ending = reason
elseif max_turns ~= '' and turn >= tonumber(max_turns) then ending = 'turns'
elseif state == 'running' and left_ms ~= '' and left_ms <= 0 then ending = 'duration'
end
local after = ending and 'ended' or state

local said = call('XADD', KEYS[2], '*', 'kind', 'turn', 'turn', ARGV[4], 'seat', seat, 'at', at, 'message', ARGV[8])
call('XADD', KEYS[5], '*', 'id', id .. ':' .. ARGV[4], 'event', 'dialogue.progress', 'conversation', id, 'at', at,
  'turn', ARGV[4], 'transcript', said, 'state', after, 'reason', '', 'summary', '')
local request = ''
if after == 'running' then
  request = call('XADD', KEYS[4], '*', 'conversation', id, 'turn', turn + 1, 'issue', 1, 'seat', ARGV[6],
    'cast', cast, 'upto', said, 'lines', call('XLEN', KEYS[2]), 'left_ms', left_ms,
    'window', window or '', 'closing', max_turns ~= '' and turn + 1 >= tonumber(max_turns) and 1 or '',
    'at', at, 'message', ARGV[8])
  call('HSET', KEYS[1], 'next', turn + 1, 'phase', 'asked', 'request', request, 'response', '', 'seat', ARGV[6],
    'issue', 1, 'asked_at', at, 'turns', turns, 'tokens', tokens, 'lane', ARGV[7], 'attempts', 0)
else
  local fields = {'next', turn + 1, 'phase', 'idle', 'request', '', 'response', '', 'seat', ARGV[6],
    'issue', 0, 'asked_at', '', 'turns', turns, 'tokens', tokens, 'lane', ARGV[7], 'attempts', 0}
  if ending then
    -- With the others: where only half of this step is kept, no turn beyond the last may be asked for.
    for _, field in ipairs({'state', 'ended', 'reason', ending, 'ended_at', at, 'deadline', '', 'left_ms', ''}) do
      fields[#fields + 1] = field
    end
  end
  call('HSET', KEYS[1], unpack(fields))
  call('ZREM', KEYS[6], id)
end
if ending then
  call('XADD', KEYS[5], '*', 'id', id .. ':resolve', 'event', 'dialogue.resolve', 'conversation', id, 'at', at,
    'turn', ARGV[4], 'transcript', said, 'state', 'ended', 'reason', ending,
    'summary', format('{"turns":%d,"tokens":%d}', turns, tokens))
end
call('XACK', KEYS[3], 'managers', entry)
return {'OK', said, request, after, ending or '', at}
