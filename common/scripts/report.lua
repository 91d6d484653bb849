-- report: a call is over: its place is free, its outcome is booked once, and the server's breaker may open or
-- close (docs/routing.md).
--
-- KEYS 1 E:<endpoint>  2 E:<endpoint>:held  3 E:<endpoint>:alive  4.. E:<endpoint> of the others the call may go to
-- ARGV 1 call (its id)  2 outcome: `ok` (the server works), `bad` (what went wrong speaks against it), `auth` (it
--      refuses the key), `none` (says nothing of it: cancelled)  3 error (its kind, '' none)  4 duration_ms (''
--      not to be learned from)  5 retry_after_ms the server asked for ('' nothing)  6 cost ('' unknown)
--      7 jitter (0 to 1)  8 reason (for people)  9 since_ms: the turn's last attempt, or a probe, failed. Where none
--      of the servers has given anybody a good answer since then, it is not the prompt: the breaker opens ('' else)
--
-- OK state ms now_us well    booked; the breaker is now `closed`, `open` or `half` (a probe is on its way); ms until
--                the next probe is due (0 when closed); the time; well 1: one of the servers answered well since then
-- DUP state ms now_us well   the call has no place there: booked before, or dropped; nothing was written
-- Called by: the router, after each model call.
local call = redis.call
local OPEN_AFTER, RECENT, OPEN_SHARE = 5, 20, 0.5
-- No prompt makes a server refuse a connection or be overloaded: such a failure counts for two.
local COUNTS_FOR = {refused = 2, busy = 2}
local BACKOFF_MS, BACKOFF_MAX_MS, RETRY_AFTER_MAX_MS, AUTH_MS = 1000, 5000, 60000, 60000
local RISE, REASON_MAX, KEEP_HASH_MS = 0.2, 200, 172800000
local ID, outcome = ARGV[1], ARGV[2]
local duration, retry_after, cost, jitter = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])

if not (jitter and ARGV[8]) or not (outcome == 'ok' or outcome == 'bad' or outcome == 'auth' or outcome == 'none') then
  return redis.error_reply('ERR report: an outcome, a jitter and a reason are needed')
end
local since = tonumber(ARGV[9])
local t = call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local state, fails, recent, retry_at, backoff, probe, latency, spent, paid, day = unpack(call('HMGET', KEYS[1],
  'state', 'fails', 'recent', 'retry_at', 'backoff_ms', 'probe', 'latency_ms', 'spent', 'paid', 'day'))
state, recent, probe, latency = state or 'closed', recent or '', probe or '', tonumber(latency)
fails, retry_at, backoff = tonumber(fails) or 0, tonumber(retry_at) or 0, tonumber(backoff) or 0
-- Further ahead than it can be: the clock was set back since.
if retry_at > now + RETRY_AFTER_MAX_MS then retry_at = now end
local function text(number) return string.format('%.0f', number) end
-- What lies ahead of now was written before the clock was set back.
local well = false
for i = 1, since and #KEYS or 0 do
  local ok_at = (i == 1 or i > 3) and tonumber(call('HGET', KEYS[i], 'ok_at')) or 0
  well = well or (ok_at > since and ok_at <= now)
end
local function answer(word)
  return {word, state, state == 'closed' and '0' or text(math.max(0, retry_at - now)),
    text(t[1] * 1000000 + t[2]), well and '1' or '0'}
end
if not call('ZSCORE', KEYS[2], ID) then return answer('DUP') end

local is_probe = state == 'half' and probe == ID
local set = {}
local function put(field, value)
  set[#set + 1] = field
  set[#set + 1] = value
end
local function open(until_ms, why)
  state, probe, retry_at = 'open', '', math.max(retry_at, now + until_ms)
  put('why', why)
  put('reason', string.sub(ARGV[8], 1, REASON_MAX))
  put('opened_at', text(now))
end
local function back_off(ms)
  backoff = math.min(BACKOFF_MAX_MS, ms)
  return backoff * (0.75 + 0.25 * jitter)
end

if outcome == 'ok' then
  fails, recent = 0, string.sub(recent .. '1', -RECENT)
  if ARGV[3] == '' then put('ok_at', text(now)) end
  if is_probe then
    state, probe, recent, retry_at, backoff = 'closed', '', '1', 0, 0
    put('why', '')
    put('reason', '')
    put('closed_at', text(now))
    put('came', '0')
  end
elseif outcome == 'auth' then
  open(AUTH_MS, 'auth')
elseif outcome == 'bad' then
  fails, recent = fails + (COUNTS_FOR[ARGV[3]] or 1), string.sub(recent .. '0', -RECENT)
  local _, bad = string.gsub(recent, '0', '')
  if is_probe then
    retry_at = 0
    open(back_off(math.max(BACKOFF_MS, backoff * 2)), ARGV[3])
  elseif state == 'closed' and (fails >= OPEN_AFTER or (#recent == RECENT and bad >= RECENT * OPEN_SHARE)
    or (since and not well)) then
    open(back_off(BACKOFF_MS), ARGV[3])
  end
  if retry_after and retry_after > 0 then open(math.min(RETRY_AFTER_MAX_MS, retry_after), ARGV[3]) end
elseif is_probe then
  -- It found nothing out: the next one may try at once.
  state, probe, retry_at = 'open', '', now
end
if duration and duration >= 0 then
  -- Bad news raises the mean bit by bit; a server that is fast again is so at once.
  local slower = latency and duration >= latency / 2
  put('latency_ms', string.format('%.1f', slower and latency + RISE * (duration - latency) or duration))
end
if cost and cost > 0 then
  local today = text(math.floor(t[1] / 86400))
  put('spent', string.format('%.6f', cost + (day == today and tonumber(spent) or 0)))
  put('paid', text(1 + (day == today and tonumber(paid) or 0)))
  put('day', today)
end
if ARGV[3] ~= '' then put('error', ARGV[3]) end

call('ZREM', KEYS[2], ID)
call('ZREM', KEYS[3], ID)
call('HSET', KEYS[1], 'state', state, 'fails', text(fails), 'recent', recent, 'retry_at', text(retry_at), 'backoff_ms',
  text(backoff), 'probe', probe, 'reported_at', text(now), unpack(set))
if outcome ~= 'none' then call('HINCRBY', KEYS[1], ARGV[3] == '' and 'ok' or 'failed', 1) end
call('PEXPIRE', KEYS[1], KEEP_HASH_MS)
return answer('OK')
