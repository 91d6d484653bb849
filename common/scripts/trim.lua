-- trim: cuts off what every reader is done with. Never an entry that is pending or unread in any group.
-- A stream is cut up to its oldest pending entry or, where none is pending, up to the last delivered one, which
-- itself stays; with several groups the earliest counts. A kept stream (events, calls, dead) moreover keeps what is
-- younger than its keep_ms, and at most max_len entries unless a group still needs more.
--
-- KEYS 1 K:epoch  2.. streams (at most 64 in a call)
-- ARGV 1 token  2 max_len of a kept stream  3.. for each stream its keep_ms, or '' for a lane
--
-- OK count   entries cut off
-- STALE      the caller leads no longer
-- Called by: the leader, every second or so, a few streams at a time.
local call = redis.call

if call('GET', KEYS[1]) ~= ARGV[1] then return {'STALE'} end
local max_len, t = tonumber(ARGV[2]), call('TIME')
local now_ms = t[1] * 1000 + math.floor(t[2] / 1000)
if not max_len or #ARGV ~= #KEYS + 1 or #KEYS > 65 then
  return redis.error_reply('ERR trim: max_len, and one keep_ms for each of at most 64 streams')
end

-- Both halves of an id fit a double: milliseconds, and entries within one.
local function is_earlier(a, b)
  local a_ms, a_seq = string.match(a, '^(%d+)-(%d+)$')
  local b_ms, b_seq = string.match(b, '^(%d+)-(%d+)$')
  a_ms, b_ms = tonumber(a_ms), tonumber(b_ms)
  return a_ms < b_ms or (a_ms == b_ms and tonumber(a_seq) < tonumber(b_seq))
end

-- The first id some group still needs (nil: no groups), and whether max_len entries would be enough for all.
local function needed(key)
  local first, enough = nil, true
  local groups = redis.pcall('XINFO', 'GROUPS', key)
  if groups.err then return nil, false end
  for _, info in ipairs(groups) do
    local group = {}
    for i = 1, #info, 2 do group[info[i]] = info[i + 1] end
    local id = group['last-delivered-id']
    if group['pending'] > 0 then id = call('XPENDING', key, group['name'], '-', '+', 1)[1][1] end
    if not first or is_earlier(id, first) then first = id end
    enough = enough and group['pending'] == 0 and group['lag'] and group['lag'] <= max_len
  end
  return first, enough
end

local count = 0
for i = 2, #KEYS do
  local keep_ms = tonumber(ARGV[i + 1])
  local first, enough = needed(KEYS[i])
  if keep_ms then
    local oldest = string.format('%.0f-0', math.max(0, now_ms - keep_ms))
    if not first or is_earlier(oldest, first) then first = oldest end
  end
  if first then count = count + call('XTRIM', KEYS[i], 'MINID', '=', first) end
  if keep_ms and enough then count = count + call('XTRIM', KEYS[i], 'MAXLEN', '=', max_len) end
end
return {'OK', string.format('%d', count)}
