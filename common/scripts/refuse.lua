-- refuse: the leader turns a command down that makes no sense (unknown, or its arguments cannot be read).
--
-- KEYS 1 K:epoch  2 K:control  3 K:answer:<command>
-- ARGV 1 token  2 control entry  3 why (for people)
--
-- OK       the command is acked and answered `NO <why>`
-- DUP      it was settled before
-- STALE    the caller leads no longer: nothing was touched
-- Called by: the leader.
local call = redis.call

if call('GET', KEYS[1]) ~= ARGV[1] then return {'STALE'} end
if #call('XPENDING', KEYS[2], 'managers', ARGV[2], ARGV[2], 1) == 0 then return {'DUP'} end
call('RPUSH', KEYS[3], 'NO ' .. ARGV[3])
call('PEXPIRE', KEYS[3], 60000)
call('XACK', KEYS[2], 'managers', ARGV[2])
return {'OK'}
