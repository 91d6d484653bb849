-- end: the leader ends a conversation: it failed, its grace is over, or its story could not be written. One that
-- failed keeps what was left of its clock, for `revive`.
--
-- KEYS 1 K:conversation:<id>  2 K:events  3 K:due  4 K:epoch  5 K:response:<lane> (of the response given)
-- ARGV 1 id  2 token  3 reason ('' the one a closing conversation has, else `duration`)
--      4 summary (JSON, '' for the plain one)  5 response entry ('' none)
--
-- OK       ended
-- DUP      ended before: reason and summary stay as they were
-- GONE     no such conversation
-- STALE    the caller leads no longer: nothing was touched
-- All but STALE ack the response given.
-- Called by: the leader.
local call = redis.call
local id, entry = ARGV[1], ARGV[5]

if call('GET', KEYS[4]) ~= ARGV[2] then return {'STALE'} end
local state, turns, tokens, reason, deadline, left_ms = unpack(call('HMGET', KEYS[1], 'state', 'turns', 'tokens',
  'reason', 'deadline', 'left_ms'))

local function settle(word)
  if entry ~= '' then call('XACK', KEYS[5], 'managers', entry) end
  return {word}
end

if not state then return settle('GONE') end
if state == 'ended' then return settle('DUP') end
local t = call('TIME')
local at, summary = string.format('%d%06d', t[1], t[2]), ARGV[4]
if summary == '' then summary = string.format('{"turns":%d,"tokens":%d}', turns, tokens) end
if ARGV[3] ~= '' then reason = ARGV[3] elseif reason == '' then reason = 'duration' end

if reason ~= 'failed' or state == 'closing' then
  left_ms = ''
elseif deadline ~= '' then
  left_ms = string.format('%d', math.max(0, math.floor((tonumber(deadline) - t[1] * 1000000 - t[2]) / 1000)))
end

call('HSET', KEYS[1], 'state', 'ended', 'reason', reason, 'ended_at', at, 'deadline', '', 'left_ms', left_ms)
call('ZREM', KEYS[3], id)
call('XADD', KEYS[2], '*', 'id', id .. ':resolve', 'event', 'dialogue.resolve', 'conversation', id, 'at', at,
  'turn', turns, 'transcript', '', 'state', 'ended', 'reason', reason, 'summary', summary)
return settle('OK')
