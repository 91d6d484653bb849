-- reissue: the leader asks again for the turn awaited, where its answer failed or its request or answer is lost.
--
-- KEYS 1 K:conversation:<id>  2 K:transcript:<id>  3 K:request:<lane>  4 K:response:<lane>  5 K:due  6 K:epoch
--      7 K:events  (the lane in the conversation's hash)
-- ARGV 1 id  2 token  3 turn  4 failed response entry ('' none: look whether something is lost)
--      5 what the caller takes for Redis' time (µs)
--
-- Where a request or an answer was lost that nobody was done with, the event `message.trimmed` says so.
--
-- OK request issue   the new request's id and the number of this issue; '' and the old number when paused:
--                nothing is asked for, the turn waits for resume
-- NOTHING        all is well, or the turn is over; K:due is moved on where the turn is still awaited
-- NO issues      the failed response was the last of max_issues: end the conversation or route an empty turn
-- NO poison      the same, as the turn was given up by `dead`: it is not asked for again, whatever max_issues says
-- NO closing     after a deadline or a stop nothing is asked for: end the conversation
-- ENDED, GONE    the conversation ended, or does not exist: out of K:due
-- CLOCK          Redis' clock is over 5 s from ARGV[5]: nothing was touched, find out whether it jumped
-- STALE          the caller leads no longer
-- All but NO, CLOCK and STALE ack the failed response.
-- Called by: the leader, at a failed response and when K:due says so.
local call = redis.call
local id, turn, failed = ARGV[1], ARGV[3], ARGV[4]
local CLOCK_US = 5000000

if call('GET', KEYS[6]) ~= ARGV[2] then return {'STALE'} end
local state, next_turn, phase, request, response, seat, issue, deadline, patience_ms, max_issues, cast, max_turns =
  unpack(call('HMGET', KEYS[1], 'state', 'next', 'phase', 'request', 'response', 'seat', 'issue', 'deadline',
  'patience_ms', 'max_issues', 'cast', 'max_turns'))

local function ack()
  if failed ~= '' then call('XACK', KEYS[4], 'managers', failed) end
end

-- An entry neither pending nor still to be read will never be answered.
local function is_lost(key, group, entry)
  if #call('XPENDING', key, group, entry, entry, 1) > 0 then return false end
  if #call('XRANGE', key, entry, entry) == 0 then return true end
  for _, info in ipairs(call('XINFO', 'GROUPS', key)) do
    local field = {}
    for i = 1, #info, 2 do field[info[i]] = info[i + 1] end
    if field['name'] == group then
      local read_ms, read_seq = string.match(field['last-delivered-id'], '^(%d+)-(%d+)$')
      local ms, seq = string.match(entry, '^(%d+)-(%d+)$')
      read_ms, read_seq, ms, seq = tonumber(read_ms), tonumber(read_seq), tonumber(ms), tonumber(seq)
      return ms < read_ms or (ms == read_ms and seq <= read_seq)
    end
  end
  return true
end

-- The kind of its error; nil: the response is done, or not there.
local function error_of(entry)
  local fields, field = (call('XRANGE', KEYS[4], entry, entry)[1] or {entry, {}})[2], {}
  for i = 1, #fields, 2 do field[fields[i]] = fields[i + 1] end
  return field['status'] == 'failed' and field['error'] or nil
end

if not state or state == 'ended' then
  call('ZREM', KEYS[5], id)
  ack()
  return {state and 'ENDED' or 'GONE'}
end
if state == 'preparing' then ack() return {'NOTHING'} end

local t = call('TIME')
local at, now = string.format('%d%06d', t[1], t[2]), t[1] * 1000000 + t[2]
if math.abs(now - tonumber(ARGV[5])) > CLOCK_US then return {'CLOCK'} end
local due_ms, left_ms = math.floor(now / 1000) + tonumber(patience_ms), ''
if deadline ~= '' then
  local end_us = tonumber(deadline)
  left_ms = math.floor((end_us - now) / 1000)
  due_ms = math.min(due_ms, math.floor(end_us / 1000))
end
if turn ~= next_turn then
  if phase ~= 'idle' then call('ZADD', KEYS[5], due_ms, id) end
  ack()
  return {'NOTHING'}
end
issue, max_issues = tonumber(issue), tonumber(max_issues)

local wanted, trimmed, kind
if failed ~= '' then
  kind = error_of(failed)
  wanted = phase == 'answered' and response == failed and kind ~= nil
  -- Any other response given here is either over or for route to take: only the first is acked.
  if not wanted then
    if response ~= failed then ack() end
    return {'NOTHING'}
  end
elseif phase == 'asked' then
  wanted = is_lost(KEYS[3], 'workers', request)
  trimmed = wanted and 'request'
elseif phase == 'answered' then
  wanted = is_lost(KEYS[4], 'managers', response)
  trimmed = wanted and 'response'
else wanted = state == 'running'
end
if not wanted then
  if phase ~= 'idle' then call('ZADD', KEYS[5], due_ms, id) end
  return {'NOTHING'}
end
if state == 'closing' or (state == 'running' and left_ms ~= '' and left_ms <= 0) then return {'NO', 'closing'} end
if kind == 'poison' then return {'NO', 'poison'} end
if failed ~= '' and issue >= max_issues then return {'NO', 'issues'} end

if trimmed then
  call('XADD', KEYS[7], '*', 'id', string.format('%s:trimmed:%s/%d', id, turn, issue), 'event', 'message.trimmed',
    'conversation', id, 'at', at, 'turn', turn, 'transcript', '', 'state', state, 'reason', trimmed, 'summary', '')
end
if state == 'paused' then
  call('HSET', KEYS[1], 'phase', 'idle', 'request', '', 'response', '', 'asked_at', '')
  call('ZREM', KEYS[5], id)
  ack()
  return {'OK', '', string.format('%d', issue)}
end

local window = call('HGET', KEYS[1], 'window:' .. seat) or ''
local last = call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
local upto, message = '', ''
if last then
  upto = last[1]
  local field = {}
  for i = 1, #last[2], 2 do field[last[2][i]] = last[2][i + 1] end
  if field['kind'] ~= 'story' and field['kind'] ~= 'persona' then message = field['message'] or '' end
end
local asked = call('XADD', KEYS[3], '*', 'conversation', id, 'turn', turn, 'issue', issue + 1, 'seat', seat,
  'cast', cast, 'upto', upto, 'lines', call('XLEN', KEYS[2]), 'left_ms', left_ms, 'window', window,
  'closing', turn == max_turns and 1 or '', 'at', at, 'message', message)
call('HSET', KEYS[1], 'phase', 'asked', 'request', asked, 'response', '', 'issue', issue + 1, 'asked_at', at)
call('ZADD', KEYS[5], due_ms, id)
ack()
return {'OK', asked, string.format('%d', issue + 1)}
