-- beat: takes or keeps a member's name and tells how the member is. Drops members not heard of for a minute.
--
-- KEYS 1 K:member:<name>:lock  2 K:member:<name>  3 K:members
-- ARGV 1 name  2 nonce  3 ttl_ms of the lock
--      4 heir_of (nonce of a holder that is known to be dead: the name is taken from it at once; '' none)
--      5.. field, value, ... for the member's hash (may be none)
--
-- OK at    the name is the caller's for ttl_ms; at is Redis' time (µs)
-- HELD nonce host pid space   the name belongs to another process: its nonce, and where it said it runs ('' untold)
-- Called by: every worker, manager and bridge, at start and then every second or so.
local call = redis.call
local KEEP_MS, DROP_MAX = 60000, 8

local holder = call('GET', KEYS[1])
if holder and holder ~= ARGV[2] and holder ~= ARGV[4] then
  local host, pid, space = unpack(call('HMGET', KEYS[2], 'host', 'pid', 'space'))
  return {'HELD', holder, host or '', pid or '', space or ''}
end
local ttl_ms = tonumber(ARGV[3])
if not (ttl_ms and ttl_ms >= 1) or #ARGV < 4 or #ARGV % 2 == 1 then
  return redis.error_reply('ERR beat: ttl_ms must be positive, heir_of be there, fields come in pairs')
end
local t = call('TIME')
local at = string.format('%d%06d', t[1], t[2])
local now_ms = t[1] * 1000 + math.floor(t[2] / 1000)
local gone = call('ZRANGE', KEYS[3], '-inf', now_ms - KEEP_MS, 'BYSCORE', 'LIMIT', 0, DROP_MAX)
-- No beat lies ahead of now but one before the clock was set back: who lives beats again.
local ahead = call('ZRANGE', KEYS[3], now_ms + 1000, '+inf', 'BYSCORE', 'LIMIT', 0, DROP_MAX)

call('SET', KEYS[1], ARGV[2], 'PX', ttl_ms)
call('HSET', KEYS[2], 'at', at, unpack(ARGV, 5))
call('PEXPIRE', KEYS[2], math.max(KEEP_MS, ttl_ms))
call('ZADD', KEYS[3], now_ms, ARGV[1])
for _, names in ipairs({gone, ahead}) do
  for _, name in ipairs(names) do
    if name ~= ARGV[1] then call('ZREM', KEYS[3], name) end
  end
end
return {'OK', at}
