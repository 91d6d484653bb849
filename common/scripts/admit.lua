-- admit: a call asks for a place at one of the model servers it may go to. Windows, breakers and retry budgets
-- are the fleet's; where there are more calls than places, the oldest turn comes first (docs/routing.md).
--
-- KEYS for each candidate, those preferred first, four:
--      E:<endpoint>  E:<endpoint>:held  E:<endpoint>:waiting  E:<endpoint>:alive
-- ARGV 1 call (its id)  2 mode: `ask`; `renew` keeps a place (one candidate); `leave` gives up place and waiting
--      3 asked_at of the turn (µs)  4 lease_ms of a place  5 spread (1: the first is left for one clearly less
--      busy, 0: they are taken in order)  6 budget: what the call adds to its server's retry budget; -1: a retry
--      7 cap: what all may cost in a day (UTC); 0: any  8.. for each candidate, five: group (not falling; a group is
--      asked when all before it are down), window (calls at once, 0: no limit), name, tier, capped (1: not asked
--      once the cap is reached)
--
-- OK n probe now_us    a place at candidate n (from 1); probe 1: the breaker is open, this call tries the server
-- CAP                  the cap is reached, with what runs counted at the mean so far, and some are capped: ask without
-- WAIT rank ms         no place; so many calls are before it; ask again after ms
-- DOWN ms why reason   the breakers of all are open; ask again after ms. why: `auth` where every server refused
--                      the key (waiting is no use: the call does not wait), else ''; reason: for people
-- BUDGET ms            a retry, and its server's retry budget is spent; ask again after ms
-- GONE                 to `leave`: neither a place nor waiting is left
-- Asked twice, a call that has a place is answered the same. Calls not heard of for their lease are dropped.
-- Called by: the router, before each model call and three times in a lease while it runs.
local call = redis.call
local ID, MODE, FIXED, EACH, ARGS_EACH = ARGV[1], ARGV[2], 7, 4, 5
local HASH, HELD, WAITING, ALIVE = 1, 2, 3, 4
local PURGE_MAX, KEEP_MS, KEEP_HASH_MS = 100, 60000, 172800000
local POLL_MS, POLL_MAX_MS, WAITER_MS = 20, 1000, 1000
local RAMP_MS, RAMP_STEP_MS, RAMP_FIRST = 1000, 100, 4
local OUTLIER, OUTLIER_MS, OUTLIER_EVERY_MS = 3, 20, 10000
local BUDGET_START, BUDGET_MAX = 2, 10
local asked_at, lease_ms, budget, cap = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[6]), tonumber(ARGV[7])
local spread, count = ARGV[5] == '1', #KEYS / EACH

if not (asked_at and lease_ms and budget and cap) or count < 1 or #KEYS % EACH ~= 0
  or #ARGV ~= FIXED + count * ARGS_EACH then
  return redis.error_reply('ERR admit: four keys and five arguments a candidate, four numbers before')
end
local t = call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)

local function key(i, which) return KEYS[(i - 1) * EACH + which] end
local function arg(i, which) return ARGV[FIXED + (i - 1) * ARGS_EACH + which] end
local function text(number) return string.format('%.0f', number) end
local function admitted(i, probe)
  return {'OK', text(i), probe and '1' or '0', text(t[1] * 1000000 + t[2])}
end
local function drop(i, id)
  for which = HELD, ALIVE do call('ZREM', key(i, which), id) end
end
local function keep(i, which, score, ms)
  call('ZADD', key(i, which), score, ID)
  call('ZADD', key(i, ALIVE), text(now + ms), ID)
  call('PEXPIRE', key(i, which), KEEP_MS)
  call('PEXPIRE', key(i, ALIVE), KEEP_MS)
end

if MODE == 'leave' then
  for i = 1, count do drop(i, ID) end
  return {'GONE'}
end
if MODE == 'renew' then
  -- A place that was dropped, or that Redis forgot, is taken again: the call runs, so it counts.
  keep(1, HELD, call('ZSCORE', key(1, HELD), ID) or text(now), lease_ms)
  return admitted(1, false)
end

-- What lies further ahead than it can be was written before the clock was set back.
local function past(stamp) return stamp <= now and stamp or 0 end
local function ahead(stamp, most_ms) return stamp <= now + most_ms and stamp or now end

-- Spent today, and what those that run will cost.
local function cost_of(i, running)
  local spent, paid, day = unpack(call('HMGET', key(i, HASH), 'spent', 'paid', 'day'))
  if day ~= text(math.floor(t[1] / 86400)) then return 0 end
  return (tonumber(spent) or 0) * (1 + running / math.max(1, tonumber(paid) or 1))
end

local at = {}
local cost, capped = 0, false
for i = 1, count do
  for _, id in ipairs(call('ZRANGE', key(i, ALIVE), text(now + KEEP_MS), '+inf', 'BYSCORE', 'LIMIT', 0, PURGE_MAX)) do
    call('ZADD', key(i, ALIVE), text(now + lease_ms), id)
  end
  for _, id in ipairs(call('ZRANGE', key(i, ALIVE), '-inf', now, 'BYSCORE', 'LIMIT', 0, PURGE_MAX)) do drop(i, id) end
  local state, retry_at, probe, latency, closed_at, came, tokens, tokens_at, admitted_at, why, reason = unpack(
    call('HMGET', key(i, HASH), 'state', 'retry_at', 'probe', 'latency_ms', 'closed_at', 'came', 'tokens', 'tokens_at',
    'admitted_at', 'why', 'reason'))
  if call('ZSCORE', key(i, HELD), ID) then
    keep(i, HELD, call('ZSCORE', key(i, HELD), ID), lease_ms)
    return admitted(i, probe == ID and state == 'half')
  end
  local one = {state = state or 'closed', retry_at = ahead(tonumber(retry_at) or 0, KEEP_MS),
    latency = tonumber(latency) or 0,
    closed_at = past(tonumber(closed_at) or 0), came = tonumber(came) or 0,
    admitted_at = past(tonumber(admitted_at) or 0),
    why = why or '', reason = reason or '', group = tonumber(arg(i, 1)), window = tonumber(arg(i, 2)) or 0}
  one.held = call('ZCARD', key(i, HELD))
  capped = capped or arg(i, 5) == '1'
  if cap > 0 then cost = cost + cost_of(i, one.held) end
  -- Once registered, calls of the same moment have an order too.
  one.older = call('ZRANK', key(i, WAITING), ID) or call('ZCOUNT', key(i, WAITING), '-inf', asked_at)
  one.tokens = tonumber(tokens) or BUDGET_START
  if one.state == 'closed' then
    tokens_at = tonumber(tokens_at) or now
    one.tokens = math.min(BUDGET_MAX, one.tokens + math.max(0, now - tokens_at) / 1000)
    if tokens_at > now then call('HSET', key(i, HASH), 'tokens_at', text(now)) end
  end
  one.probing = probe and one.state == 'half' and call('ZSCORE', key(i, HELD), probe)
  one.due = one.state ~= 'closed' and now >= one.retry_at and not one.probing and one.older == 0
  local free = one.window > 0 and one.window - one.held or math.huge
  if now - one.closed_at < RAMP_MS then
    free = math.min(free, RAMP_FIRST * 2 ^ math.floor((now - one.closed_at) / RAMP_STEP_MS) - one.came)
  end
  one.ahead = math.max(0, one.older - math.max(0, free))
  one.room = one.state == 'closed' and free > one.older
  at[i] = one
end

-- How slow a server is: its calls of late, or the oldest that runs, where that is slower.
local function slowness(i)
  local oldest = call('ZRANGE', key(i, HELD), 0, 0, 'WITHSCORES')
  return math.max(at[i].latency, oldest[2] and now - tonumber(oldest[2]) or 0)
end
-- Marks those much slower than the others of their group that are known; the fastest of these never is.
local function mark_slow(first, last)
  local sorted = {}
  for i = first, last do
    local one = at[i]
    one.slowness = one.state == 'closed' and slowness(i) or 0
    if one.slowness > 0 and one.latency > 0 then sorted[#sorted + 1] = one.slowness end
  end
  table.sort(sorted)
  for i = first, last do
    local own, others = #sorted + 1, #sorted
    if at[i].slowness > 0 and at[i].latency > 0 then
      own, others = 1, others - 1
      while sorted[own] < at[i].slowness do own = own + 1 end
    end
    local function other(n) return sorted[n < own and n or n + 1] end
    if others > 0 then
      local median = (other(math.floor((others + 1) / 2)) + other(math.floor(others / 2) + 1)) / 2
      at[i].slow = at[i].slowness > math.max(OUTLIER * median, median + OUTLIER_MS)
    end
  end
end
local function usable(i)
  local one = at[i]
  if not one.room then return false end
  if budget < 0 and one.tokens < 1 then
    one.spent = true
    return false
  end
  return not one.slow or now - one.admitted_at >= OUTLIER_EVERY_MS
end

local function take(i, probe)
  local one = at[i]
  keep(i, HELD, text(now), lease_ms)
  for j = 1, count do
    call('ZREM', key(j, WAITING), ID)
    if j ~= i then call('ZREM', key(j, ALIVE), ID) end
  end
  local tokens = probe and one.tokens or math.min(BUDGET_MAX, one.tokens + budget)
  call('HSET', key(i, HASH), 'name', arg(i, 3), 'tier', arg(i, 4), 'window', arg(i, 2), 'admitted_at', text(now),
    'tokens', string.format('%.3f', tokens), 'tokens_at', text(now))
  if probe then
    call('HSET', key(i, HASH), 'state', 'half', 'probe', ID)
  elseif now - one.closed_at < RAMP_MS then
    call('HSET', key(i, HASH), 'came', text(one.came + 1))
  end
  call('PEXPIRE', key(i, HASH), KEEP_HASH_MS)
  return admitted(i, probe)
end
local function wait(first, last, ms)
  for i = 1, count do
    if i >= first and i <= last then
      keep(i, WAITING, ARGV[3], ms + WAITER_MS)
    else
      call('ZREM', key(i, WAITING), ID)
      call('ZREM', key(i, ALIVE), ID)
    end
  end
end

-- A place in the group, or nothing. Spread out, the first one that will do is the favourite.
local function choose(first, last)
  if at[first].due then return first, true end
  if last > first then mark_slow(first, last) end
  local favourite, best
  for i = first, last do
    if usable(i) then
      if not spread then return i, false end
      favourite = favourite or i
      if not best or at[i].held < at[best].held then best = i end
    end
  end
  if best then return at[favourite].held < 2 * at[best].held + 2 and favourite or best, false end
  for i = first, last do
    if at[i].due then return i, true end
  end
end

if capped and cap > 0 and cost >= cap then
  wait(0, 0, 0)
  return {'CAP'}
end
local first = 1
while first <= count do
  local last, up = first, false
  while last < count and at[last + 1].group == at[first].group do last = last + 1 end
  local chosen, probe = choose(first, last)
  if chosen then return take(chosen, probe) end
  local ahead, ms, lacking = math.huge, POLL_MAX_MS, math.huge
  for i = first, last do
    local one = at[i]
    if one.state == 'closed' then
      up = true
      -- Where there is room and no leave to take it, all that wait are equally near.
      if one.room then one.ahead = one.older end
      ahead = math.min(ahead, one.ahead)
      -- Half of what the calls before it will take, so that a turn comes up between two looks.
      local half = one.latency > 0 and (one.ahead + 1) * one.latency / math.max(1, one.window) / 2 or POLL_MAX_MS
      ms = math.min(ms, math.max(POLL_MS, half), POLL_MS * (1 + one.ahead))
      if one.spent then lacking = math.min(lacking, math.ceil((1 - one.tokens) * 1000)) end
    end
  end
  if up then
    if lacking < math.huge then
      ms = math.max(POLL_MS, lacking)
      wait(0, 0, 0)
      return {'BUDGET', text(ms)}
    end
    ms = math.ceil(ms)
    wait(first, last, ms)
    return {'WAIT', text(ahead), text(ms)}
  end
  first = last + 1
end

-- All are down. The oldest asks again when the next probe is due.
local ms, why, reason = POLL_MAX_MS, 'auth', ''
for i = 1, count do
  local one = at[i]
  local left = one.retry_at > now and one.retry_at - now or 0
  ms = math.min(ms, math.max(left + POLL_MS * one.older, POLL_MS * (1 + one.older)))
  if one.why ~= 'auth' then why = '' end
  if reason == '' then reason = one.reason end
end
if why == 'auth' then
  wait(0, 0, 0)
else
  wait(1, count, ms)
end
return {'DOWN', text(ms), why, reason}
