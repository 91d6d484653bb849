-- resume: a paused conversation runs again with what was left of its clock; the next turn is asked for if none is
-- in flight.
--
-- KEYS 1 K:conversation:<id>  2 K:transcript:<id>  3 K:request:<lane in the conversation's hash>  4 K:events
--      5 K:due  6 K:epoch  7 K:control  8 K:answer:<command>
-- ARGV 1 id  2 token  3 control entry ('' none)  4 command ('' none)  5 valid_until (µs, '' none)  6 reason
--      7 the lane KEYS[3] is of
--
-- OK request   running; the new request's id, '' if a turn is still in flight (or no time is left)
-- DUP          running already
-- NO why       `late` (valid_until has passed), or the state that does not fit: preparing, closing, ended
-- GONE         no such conversation
-- LANE lane    the next turn is another lane's: nothing was touched, call again with that one
-- STALE        the caller leads no longer: nothing was touched
-- All but LANE and STALE ack the control entry and push the answer (a repeated call: once).
-- Called by: the leader, for the command `resume`.
local call = redis.call
local id, entry, command = ARGV[1], ARGV[3], ARGV[4]

if call('GET', KEYS[6]) ~= ARGV[2] then return {'STALE'} end
if entry ~= '' and #call('XPENDING', KEYS[7], 'managers', entry, entry, 1) == 0 then return {'DUP'} end
local state, phase, left_ms, patience_ms, next_turn, seat, issue, cast, max_turns, lane =
  unpack(call('HMGET', KEYS[1], 'state', 'phase', 'left_ms', 'patience_ms', 'next', 'seat', 'issue', 'cast',
  'max_turns', 'lane'))
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

if ARGV[5] ~= '' and now > tonumber(ARGV[5]) then return settle('NO', 'late') end
if not state then return settle('GONE') end
if state == 'running' then return settle('DUP') end
if state ~= 'paused' then return settle('NO', state) end
if phase == 'idle' and lane ~= ARGV[7] then return {'LANE', lane} end

local deadline, due_ms = '', math.floor(now / 1000) + tonumber(patience_ms)
if left_ms ~= '' then
  local end_us = now + tonumber(left_ms) * 1000
  deadline, due_ms = string.format('%.0f', end_us), math.min(due_ms, math.floor(end_us / 1000))
end
local request = ''
local ask = phase == 'idle' and left_ms ~= '0'
local window, last, message = '', nil, ''
if ask then
  issue = tonumber(issue) + 1
  window = call('HGET', KEYS[1], 'window:' .. seat) or ''
  last = call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1] or {'', {}}
  local field = {}
  for i = 1, #last[2], 2 do field[last[2][i]] = last[2][i + 1] end
  if field['kind'] ~= 'story' and field['kind'] ~= 'persona' then message = field['message'] or '' end
end

if ask then
  request = call('XADD', KEYS[3], '*', 'conversation', id, 'turn', next_turn, 'issue', issue, 'seat', seat,
    'cast', cast, 'upto', last[1], 'lines', call('XLEN', KEYS[2]), 'left_ms', left_ms, 'window', window,
    'closing', next_turn == max_turns and 1 or '', 'at', at, 'message', message)
  call('HSET', KEYS[1], 'phase', 'asked', 'request', request, 'response', '', 'issue', issue, 'asked_at', at)
end
call('HSET', KEYS[1], 'state', 'running', 'deadline', deadline, 'left_ms', '')
call('ZADD', KEYS[5], due_ms, id)
call('XADD', KEYS[4], '*', 'id', id .. ':resume:' .. at, 'event', 'dialogue.resume', 'conversation', id, 'at', at,
  'turn', next_turn, 'transcript', '', 'state', 'running', 'reason', ARGV[6], 'summary', '')
return settle('OK', request)
