-- revive: a conversation that failed at a turn given up by `dead` runs again with what was left of its clock; the
-- turn is asked for again, its record goes out of K:dead.
--
-- KEYS 1 K:conversation:<id>  2 K:transcript:<id>  3 K:request:<lane in the conversation's hash>  4 K:events
--      5 K:due  6 K:epoch  7 K:control  8 K:answer:<command>  9 K:dead
-- ARGV 1 id  2 token  3 control entry ('' none)  4 command ('' none)  5 valid_until (µs, '' none)
--      6 record (its entry id in K:dead)  7 reason
--
-- OK request   running; the new request's id
-- DUP          this command was carried out before
-- NO why       `late` (valid_until has passed), `record` (there is none of that id and conversation), `turn` (the
--              conversation is past that turn), `time` (nothing is left of its clock), or its state, or the reason
--              why it ended where that is not `failed`
-- GONE         no such conversation
-- STALE        the caller leads no longer: nothing was touched
-- All but STALE ack the control entry and push the answer (a repeated call: once).
-- Called by: the leader, for the command `retry`.
local call = redis.call
local id, entry, command, record = ARGV[1], ARGV[3], ARGV[4], ARGV[6]

if call('GET', KEYS[6]) ~= ARGV[2] then return {'STALE'} end
if entry ~= '' and #call('XPENDING', KEYS[7], 'managers', entry, entry, 1) == 0 then return {'DUP'} end
local state, phase, left_ms, patience_ms, next_turn, seat, issue, cast, max_turns, reason = unpack(call('HMGET', KEYS[1],
  'state', 'phase', 'left_ms', 'patience_ms', 'next', 'seat', 'issue', 'cast', 'max_turns', 'reason'))
local t = call('TIME')
local at, now = string.format('%d%06d', t[1], t[2]), t[1] * 1000000 + t[2]

local function settle(word, detail)
  if command ~= '' then
    call('RPUSH', KEYS[8], (detail or '') ~= '' and word .. ' ' .. detail or word)
    call('PEXPIRE', KEYS[8], 60000)
  end
  if entry ~= '' then call('XACK', KEYS[7], 'managers', entry) end
  return {word, detail}
end

local function fields_of(list)
  local field = {}
  for i = 1, #list, 2 do field[list[i]] = list[i + 1] end
  return field
end

if ARGV[5] ~= '' and now > tonumber(ARGV[5]) then return settle('NO', 'late') end
if not state then return settle('GONE') end
-- Not an id, or one beyond 64 bits: a script that fails leaves its command pending, to fail again.
local ms, seq = string.match(record, '^(%d+)%-(%d+)$')
if not ms or #ms > 19 or #seq > 19 then return settle('NO', 'record') end
local buried = call('XRANGE', KEYS[9], record, record)[1]
buried = buried and fields_of(buried[2])
if not buried or buried['conversation'] ~= id then return settle('NO', 'record') end
if state ~= 'ended' then return settle('NO', state) end
if reason ~= 'failed' then return settle('NO', reason) end
if phase ~= 'answered' or buried['turn'] ~= next_turn then return settle('NO', 'turn') end
if left_ms == '0' then return settle('NO', 'time') end

local deadline, due_ms = '', math.floor(now / 1000) + tonumber(patience_ms)
if left_ms ~= '' then
  local end_us = now + tonumber(left_ms) * 1000
  deadline, due_ms = string.format('%.0f', end_us), math.min(due_ms, math.floor(end_us / 1000))
end
issue = tonumber(issue) + 1
local window = call('HGET', KEYS[1], 'window:' .. seat) or ''
local last = call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1] or {'', {}}
local line, message = fields_of(last[2]), ''
if line['kind'] ~= 'story' and line['kind'] ~= 'persona' then message = line['message'] or '' end

local request = call('XADD', KEYS[3], '*', 'conversation', id, 'turn', next_turn, 'issue', issue, 'seat', seat,
  'cast', cast, 'upto', last[1], 'lines', call('XLEN', KEYS[2]), 'left_ms', left_ms, 'window', window,
  'closing', next_turn == max_turns and 1 or '', 'at', at, 'message', message)
call('HSET', KEYS[1], 'state', 'running', 'reason', '', 'ended_at', '', 'deadline', deadline, 'left_ms', '',
  'phase', 'asked', 'request', request, 'response', '', 'issue', issue, 'asked_at', at)
call('ZADD', KEYS[5], due_ms, id)
call('XDEL', KEYS[9], record)
call('XADD', KEYS[4], '*', 'id', id .. ':resume:' .. at, 'event', 'dialogue.resume', 'conversation', id, 'at', at,
  'turn', next_turn, 'transcript', '', 'state', 'running', 'reason', ARGV[7], 'summary', '')
return settle('OK', request)
