-- begin: a conversation whose story is written starts to run: the clock starts and the first turn is asked for.
--
-- KEYS 1 K:conversation:<id>  2 K:cast:<id>  3 K:transcript:<id>  4 K:events  5 K:due  6 K:conversations
--      7 K:epoch  8 K:request:<lane of the first turn>
-- ARGV 1 id  2 token  3 seat and 4 lane of the first turn  5 story message (JSON)
--      6.. for each seat from 1 on, two: its cast entry (JSON), its persona message (JSON)
--
-- OK request upto deadline   the first request's id, the transcript id it reads up to, deadline (µs, '' none)
-- DUP      it began before
-- ENDED    it was stopped while its story was being written
-- GONE     no such conversation
-- STALE    the caller leads no longer
-- Called by: the leader.
local call = redis.call
local id = ARGV[1]

if call('GET', KEYS[7]) ~= ARGV[2] then return {'STALE'} end
local state, duration_ms, patience_ms, issue, max_turns = unpack(call('HMGET', KEYS[1], 'state', 'duration_ms',
  'patience_ms', 'issue', 'max_turns'))
if not state then return {'GONE'} end
if state == 'ended' then return {'ENDED'} end
if state ~= 'preparing' then return {'DUP'} end
local seats = (#ARGV - 5) / 2
if seats < 1 or seats > 64 or seats % 1 ~= 0 then
  return redis.error_reply('ERR begin: 1 to 64 seats, two arguments each')
end

local t = call('TIME')
local at, now = string.format('%d%06d', t[1], t[2]), t[1] * 1000000 + t[2]
local deadline, left_ms = '', duration_ms
local due_ms = math.floor(now / 1000) + tonumber(patience_ms)
if duration_ms ~= '' then
  local end_us = now + tonumber(duration_ms) * 1000
  deadline, due_ms = string.format('%.0f', end_us), math.min(due_ms, math.floor(end_us / 1000))
end
issue = tonumber(issue) + 1

local cast = {'version', 1, 'story', ARGV[5]}
local upto = call('XADD', KEYS[3], '*', 'kind', 'story', 'turn', '', 'seat', '', 'at', at, 'message', ARGV[5])
for seat = 1, seats do
  cast[#cast + 1] = 'seat:' .. seat
  cast[#cast + 1] = ARGV[4 + 2 * seat]
  upto = call('XADD', KEYS[3], '*', 'kind', 'persona', 'turn', '', 'seat', seat, 'at', at,
    'message', ARGV[5 + 2 * seat])
end
call('HSET', KEYS[2], unpack(cast))
call('XADD', KEYS[4], '*', 'id', id .. ':initiate', 'event', 'dialogue.initiate', 'conversation', id, 'at', at,
  'turn', '', 'transcript', upto, 'state', 'running', 'reason', '', 'summary', '')
local request = call('XADD', KEYS[8], '*', 'conversation', id, 'turn', 1, 'issue', issue, 'seat', ARGV[3], 'cast', 1,
  'upto', upto, 'lines', seats + 1, 'left_ms', left_ms, 'window', '', 'closing', max_turns == '1' and 1 or '',
  'at', at, 'message', '')
call('HSET', KEYS[1], 'state', 'running', 'started_at', at, 'deadline', deadline, 'cast', 1, 'seats', seats, 'next', 1,
  'seat', ARGV[3], 'lane', ARGV[4], 'phase', 'asked', 'request', request, 'issue', issue, 'asked_at', at)
call('ZADD', KEYS[5], due_ms, id)
call('ZADD', KEYS[6], math.floor(now / 1000), id)
return {'OK', request, upto, deadline}
