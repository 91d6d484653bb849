-- forget: removes what Redis has of a conversation that has ended.
--
-- KEYS 1 K:conversation:<id>  2 K:cast:<id>  3 K:transcript:<id>  4 K:live:<id>  5 K:conversations  6 K:due
--      7 K:asked:<id>
-- ARGV 1 id
--
-- OK         it is gone; what a lane still has of it is answered GONE
-- NO state   it goes on: nothing was touched
-- GONE       it was gone before; what may have been left of it is gone, too
-- Called by: clients (`parley clean`), once they have exported it.
local call = redis.call
local state = call('HGET', KEYS[1], 'state')

if state and state ~= 'ended' then return {'NO', state} end
call('UNLINK', KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[7])
call('ZREM', KEYS[5], ARGV[1])
call('ZREM', KEYS[6], ARGV[1])
return {state and 'OK' or 'GONE'}
