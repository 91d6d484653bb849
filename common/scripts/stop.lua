-- stop: ends a conversation, at once or after the turn in flight. The leader also uses it at a deadline, with
-- `grace` and the reason `duration`.
--
-- KEYS 1 K:conversation:<id>  2 K:events  3 K:due  4 K:epoch  5 K:control  6 K:answer:<command>
-- ARGV 1 id  2 token  3 control entry ('' none)  4 command ('' none)  5 valid_until (µs, '' none)
--      6 mode (now|grace)  7 reason
--
-- OK state   `ended`, or `closing`: the turn in flight has the grace; with nothing in flight grace ends at once
-- DUP        ended already, or closing already and asked with grace
-- NO late    valid_until has passed: the command is void
-- GONE       no such conversation
-- STALE      the caller leads no longer: nothing was touched
-- All but STALE ack the control entry and push the answer (a repeated call: once).
-- Called by: the leader, for the command `stop` and at a deadline.
local call = redis.call
local id, entry, command, mode = ARGV[1], ARGV[3], ARGV[4], ARGV[6]

if call('GET', KEYS[4]) ~= ARGV[2] then return {'STALE'} end
if mode ~= 'now' and mode ~= 'grace' then return redis.error_reply('ERR stop: mode is now or grace') end
if entry ~= '' and #call('XPENDING', KEYS[5], 'managers', entry, entry, 1) == 0 then return {'DUP'} end
local state, phase, grace_ms, next_turn, turns, tokens = unpack(call('HMGET', KEYS[1], 'state', 'phase', 'grace_ms',
  'next', 'turns', 'tokens'))
local t = call('TIME')
local at, now = string.format('%d%06d', t[1], t[2]), t[1] * 1000000 + t[2]

local function settle(word, detail)
  if command ~= '' then
    call('RPUSH', KEYS[6], detail and word .. ' ' .. detail or word)
    call('PEXPIRE', KEYS[6], 60000)
  end
  if entry ~= '' then call('XACK', KEYS[5], 'managers', entry) end
  return {word, detail}
end

if ARGV[5] ~= '' and now > tonumber(ARGV[5]) then return settle('NO', 'late') end
if not state then return settle('GONE') end
if state == 'ended' or (state == 'closing' and mode == 'grace') then return settle('DUP') end

if mode == 'grace' and phase ~= 'idle' then
  local end_us = now + tonumber(grace_ms) * 1000
  call('HSET', KEYS[1], 'state', 'closing', 'reason', ARGV[7], 'deadline', string.format('%.0f', end_us), 'left_ms', '')
  call('ZADD', KEYS[3], math.floor(end_us / 1000), id)
  call('XADD', KEYS[2], '*', 'id', id .. ':closing', 'event', 'dialogue.closing', 'conversation', id, 'at', at,
    'turn', next_turn, 'transcript', '', 'state', 'closing', 'reason', ARGV[7], 'summary', '')
  return settle('OK', 'closing')
end
local summary = string.format('{"turns":%d,"tokens":%d}', turns, tokens)
call('HSET', KEYS[1], 'state', 'ended', 'reason', ARGV[7], 'ended_at', at, 'deadline', '', 'left_ms', '')
call('ZREM', KEYS[3], id)
call('XADD', KEYS[2], '*', 'id', id .. ':resolve', 'event', 'dialogue.resolve', 'conversation', id, 'at', at,
  'turn', turns, 'transcript', '', 'state', 'ended', 'reason', ARGV[7], 'summary', summary)
return settle('OK', 'ended')
