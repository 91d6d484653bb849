-- release: a worker on its way out hands an unfinished request back; the delivery does not count.
--
-- KEYS 1 K:request:<lane>  2 K:conversation:<id>
-- ARGV 1 name  2 request entry  3 deliveries  4 call (the last one made, whose end is told; '' none)
--
-- OK       the entry looks idle for a day: a lane mate's next claim takes it
-- FENCED   it was not the caller's: nothing was touched
-- Called by: the worker, on SIGTERM.
local call = redis.call
local IDLE_MS = 86400000
local name, entry, deliveries, call_id = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]

if not call_id then return redis.error_reply('ERR release: the id of the call is needed') end
local held = call('XPENDING', KEYS[1], 'workers', entry, entry, 1)[1]
if not held or held[2] ~= name or held[4] ~= deliveries then return {'FENCED'} end
local settled = call_id ~= '' and call('HGET', KEYS[2], 'call') == call_id
call('XCLAIM', KEYS[1], 'workers', name, 0, entry, 'IDLE', IDLE_MS, 'RETRYCOUNT', math.max(0, deliveries - 1), 'JUSTID')
if settled then call('HSET', KEYS[2], 'call', '') end
return {'OK'}
