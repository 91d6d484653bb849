-- pause: stops a running conversation's clock; no further turn is asked for until resume.
-- The turn in flight is finished and committed, unless it is to be cancelled.
--
-- KEYS 1 K:conversation:<id>  2 K:events  3 K:due  4 K:epoch  5 K:control  6 K:answer:<command>
-- ARGV 1 id  2 token  3 control entry ('' none)  4 command ('' none)  5 valid_until (µs, '' none)
--      6 cancel (1: the turn in flight is dropped and asked for again at resume)  7 reason
--
-- OK left_ms   paused; what is left of the clock, '' without a limit
-- DUP          paused already, and no turn in flight that is to be dropped
-- NO why       `late` (valid_until has passed), or the state that does not fit: preparing, closing, ended
-- GONE         no such conversation
-- STALE        the caller leads no longer: nothing was touched
-- All but STALE ack the control entry and push the answer (a repeated call: once).
-- Called by: the leader, for the command `pause`.
local call = redis.call
local id, entry, command = ARGV[1], ARGV[3], ARGV[4]

if call('GET', KEYS[4]) ~= ARGV[2] then return {'STALE'} end
if entry ~= '' and #call('XPENDING', KEYS[5], 'managers', entry, entry, 1) == 0 then return {'DUP'} end
local state, phase, deadline, patience_ms, next_turn, left_ms = unpack(call('HMGET', KEYS[1], 'state', 'phase',
  'deadline', 'patience_ms', 'next', 'left_ms'))
local t = call('TIME')
local at, now = string.format('%d%06d', t[1], t[2]), t[1] * 1000000 + t[2]

local function settle(word, detail)
  if command ~= '' then
    call('RPUSH', KEYS[6], (detail or '') ~= '' and word .. ' ' .. detail or word)
    call('PEXPIRE', KEYS[6], 60000)
  end
  if entry ~= '' then call('XACK', KEYS[5], 'managers', entry) end
  return {word, detail}
end

if ARGV[5] ~= '' and now > tonumber(ARGV[5]) then return settle('NO', 'late') end
if not state then return settle('GONE') end
local drops = ARGV[6] == '1' and phase == 'asked'
if state == 'paused' and not drops then return settle('DUP') end
if state ~= 'running' and state ~= 'paused' then return settle('NO', state) end

if deadline ~= '' then left_ms = string.format('%d', math.max(0, math.floor((tonumber(deadline) - now) / 1000))) end
local due_ms = math.floor(now / 1000) + tonumber(patience_ms)
if drops then phase = 'idle' end

call('HSET', KEYS[1], 'state', 'paused', 'left_ms', left_ms, 'deadline', '')
if phase == 'idle' then
  -- Without its id in the hash the request in flight is GONE at the worker's next renew.
  call('HSET', KEYS[1], 'phase', 'idle', 'request', '', 'asked_at', '')
  call('ZREM', KEYS[3], id)
else
  call('ZADD', KEYS[3], due_ms, id)
end
call('XADD', KEYS[2], '*', 'id', id .. ':pause:' .. at, 'event', 'dialogue.pause', 'conversation', id, 'at', at,
  'turn', next_turn, 'transcript', '', 'state', 'paused', 'reason', ARGV[7], 'summary', '')
return settle('OK', left_ms)
