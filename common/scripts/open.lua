-- open: enters a conversation that was asked for; its story is still to be written.
--
-- KEYS 1 K:conversation:<id>  2 K:cast:<id>  3 K:conversations  4 K:events  5 K:epoch  6 K:control
--      7 K:answer:<command>
-- ARGV 1 id  2 token  3 control entry ('' none)  4 command ('' none)  5 valid_until (µs, '' none)
--      6 nonce  7 wish (JSON)  8 max_turns ('' none)  9 duration_ms ('' none)  10 grace_ms
--      11 patience_ms  12 max_issues  13 on_failure (fail|pass)  14 seats
--
-- OK at      the conversation is `preparing`
-- DUP        it was opened before with this nonce
-- CLASH      the id is taken by another conversation
-- NO late    valid_until has passed: the command is void
-- STALE      the caller leads no longer: nothing was touched, the control entry stays pending
-- All but STALE ack the control entry and, where it was still pending, push the answer.
-- Called by: the leader, for the command `start`.
local call = redis.call
local id, entry, command = ARGV[1], ARGV[3], ARGV[4]

if call('GET', KEYS[5]) ~= ARGV[2] then return {'STALE'} end
local nonce = call('HGET', KEYS[1], 'nonce')
local t = call('TIME')
local at, now = string.format('%d%06d', t[1], t[2]), t[1] * 1000000 + t[2]

-- Only the call that acks the entry answers: a repetition must not push a second answer.
local function settle(word, detail)
  local first = entry == '' or call('XACK', KEYS[6], 'managers', entry) == 1
  if first and command ~= '' then
    call('RPUSH', KEYS[7], word .. ' ' .. (word == 'NO' and detail or id))
    call('PEXPIRE', KEYS[7], 60000)
  end
  return {word, detail}
end

if nonce then return settle(nonce == ARGV[6] and 'DUP' or 'CLASH') end
if ARGV[5] ~= '' and now > tonumber(ARGV[5]) then return settle('NO', 'late') end
for i = 8, 14 do
  local limit = tonumber(ARGV[i])
  local may_be_empty = i <= 9 and ARGV[i] == ''
  if i ~= 13 and not may_be_empty and not (limit and limit >= 0 and limit <= 1e12) then
    return redis.error_reply('ERR open: argument ' .. i .. ' is not a number in range')
  end
end

-- The fields each turn reads come first: a small hash is searched from its head.
call('HSET', KEYS[1], 'state', 'preparing', 'next', 1, 'phase', 'idle', 'request', '', 'response', '',
  'seat', '', 'issue', 0, 'asked_at', '', 'attempts', 0, 'call', '', 'called_at', '', 'caller', '', 'turns', 0, 'tokens', 0, 'max_turns', ARGV[8],
  'deadline', '', 'patience_ms', ARGV[11], 'reason', '', 'cast', 0, 'lane', '', 'failures', 0, 'said', 0,
  'nonce', ARGV[6], 'created_at', at, 'started_at', '', 'ended_at', '', 'duration_ms', ARGV[9],
  'left_ms', '', 'grace_ms', ARGV[10], 'max_issues', ARGV[12], 'on_failure', ARGV[13], 'seats', ARGV[14])
call('HSET', KEYS[2], 'wish', ARGV[7], 'version', 0)
call('ZADD', KEYS[3], math.floor(now / 1000), id)
call('XADD', KEYS[4], '*', 'id', id .. ':open', 'event', 'dialogue.open', 'conversation', id, 'at', at,
  'turn', '', 'transcript', '', 'state', 'preparing', 'reason', '', 'summary', '')
return settle('OK', at)
