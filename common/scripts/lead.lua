-- lead: takes, renews or gives back the leadership of a shard. A new leadership also makes the lanes,
-- their groups and K:meta, so that a fresh or flushed Redis is put in order by whoever leads it next.
--
-- KEYS 1 K:leader  2 K:epoch  3 K:meta  4 K:control
--      5.. pairs of K:request:<lane>, K:response:<lane>  (lanes 1 to 16)
-- ARGV 1 ttl_ms (0 gives the leadership back)  2 name  3 nonce
--      4 heir_of (token of a leader that is known to be dead: its leadership is taken at once; '' none)
--
-- OK token new at   the leader is the caller; new is 1 if the leadership was just given, else 0; at is Redis'
--                   time (µs)
-- HELD token at     another leads
-- LAYOUT version    K:meta bears another layout version: nothing was touched
-- Where a lane or a group is missing the leader is given a new leadership: it looks at everything anew.
-- Called by: every manager, every second or so; a standby more often.
local call, pcall_redis = redis.call, redis.pcall
local ttl_ms, mine = tonumber(ARGV[1]), ARGV[2] .. ':' .. ARGV[3]
local LAYOUT = '1'

local t = call('TIME')
local at = string.format('%d%06d', t[1], t[2])
local leader, epoch = call('GET', KEYS[1]), call('GET', KEYS[2])
local is_mine = leader and string.match(leader, '^%d+:(.*)$') == mine

local function group_of(i) return i % 2 == 1 and 'workers' or 'managers' end
local function has_group(key, group)
  local groups = pcall_redis('XINFO', 'GROUPS', key)
  if groups.err then return false end
  for _, info in ipairs(groups) do
    for i = 1, #info, 2 do
      if info[i] == 'name' and info[i + 1] == group then return true end
    end
  end
  return false
end
local function is_whole()
  for i = 4, #KEYS do
    if not has_group(KEYS[i], group_of(i)) then return false end
  end
  return true
end

if leader and not is_mine and leader ~= ARGV[4] then return {'HELD', leader, at} end
if ttl_ms <= 0 then
  if leader then call('DEL', KEYS[1]) end
  return {'OK', leader or '', '0', at}
end
if is_mine and leader == epoch and is_whole() then
  call('PEXPIRE', KEYS[1], ttl_ms)
  return {'OK', leader, '0', at}
end

local layout = call('HGET', KEYS[3], 'layout')
if layout and layout ~= LAYOUT then return {'LAYOUT', layout} end
local number = tonumber(string.match(epoch or '', '^(%d+):')) or 0
local token = string.format('%d:%s', number + 1, mine)

-- Groups come before the token: a key of a wrong type stops the script while nobody leads yet.
for i = 4, #KEYS do
  local made = pcall_redis('XGROUP', 'CREATE', KEYS[i], group_of(i), '0', 'MKSTREAM')
  if made.err and not string.find(made.err, 'BUSYGROUP', 1, true) then return made end
end
call('HSET', KEYS[3], 'layout', LAYOUT)
call('SET', KEYS[2], token)
call('SET', KEYS[1], token, 'PX', ttl_ms)
return {'OK', token, '1', at}
