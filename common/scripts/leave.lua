-- leave: gives a member's name back, so that another may have it at once.
--
-- KEYS 1 K:member:<name>:lock  2 K:member:<name>  3 K:members
-- ARGV 1 name  2 nonce
--
-- OK     the name is free, the member is no longer listed
-- DUP    nobody holds the name: left before, or the lock ran out
-- HELD   the name belongs to another process by now: nothing was touched
-- Called by: every member on its way out.
local call = redis.call

local holder = call('GET', KEYS[1])
if not holder then return {'DUP'} end
if holder ~= ARGV[2] then return {'HELD'} end
call('DEL', KEYS[1], KEYS[2])
call('ZREM', KEYS[3], ARGV[1])
return {'OK'}
