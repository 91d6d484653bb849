-- sweep: removes what members that are gone for good left in the groups of the lanes: consumers that are no member's,
-- idle for long, with nothing pending. Looked at and removed in one step: nothing pending is ever lost with one.
--
-- KEYS 1 K:epoch  2 K:members  3.. the streams of the lanes and K:control
-- ARGV 1 token  2 idle_ms
--
-- OK count   consumers removed
-- STALE      the caller leads no longer
-- Called by: the leader, every minute.
local call = redis.call
local idle_ms = tonumber(ARGV[2])
local REMOVE_MAX = 200

if call('GET', KEYS[1]) ~= ARGV[1] then return {'STALE'} end
if not idle_ms then return redis.error_reply('ERR sweep: idle_ms is a number') end

local count = 0
local function sweep(key, group)
  for _, info in ipairs(call('XINFO', 'CONSUMERS', key, group)) do
    local consumer = {}
    for i = 1, #info, 2 do consumer[info[i]] = info[i + 1] end
    if consumer['pending'] == 0 and consumer['idle'] >= idle_ms and count < REMOVE_MAX
      and not call('ZSCORE', KEYS[2], consumer['name']) then
      call('XGROUP', 'DELCONSUMER', key, group, consumer['name'])
      count = count + 1
    end
  end
end

for i = 3, #KEYS do
  local groups = redis.pcall('XINFO', 'GROUPS', KEYS[i])
  for _, info in ipairs(groups.err and {} or groups) do
    for f = 1, #info, 2 do
      if info[f] == 'name' then sweep(KEYS[i], info[f + 1]) end
    end
  end
end
return {'OK', string.format('%d', count)}
