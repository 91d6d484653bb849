-- claim: a worker takes over what others of its lane left behind (and what it left or was given unseen itself).
--
-- KEYS 1 K:request:<lane>  2 K:member:<name>:lock
-- ARGV 1 name  2 nonce  3 lease_ms  4 n, the caller's free slots  5 own (1: also its own, however fresh)
--      6 alone (from this delivery on an entry is taken only by who has nothing else in hand, and nothing with it)
--      7.. entries the caller has in hand: these are left alone
--
-- OK entry ...   each entry is an array {id, deliveries, {field, value, ...}}; an entry that was pending but
--                is no longer in the stream is {id, 0, {}}: it is pending no more and counts for no slot; one that
--                must be alone while the caller has others in hand is {id, -1, {}} (the first of them): left where it is
-- HELD           the name is not (or no longer) the caller's: nothing was touched
-- Called by: the worker, at start, then every second or so, and after a read whose answer was lost.
local call = redis.call
local SCAN_MAX, HANDS_FROM = 100, 7
local name, free, alone = ARGV[1], tonumber(ARGV[4]), tonumber(ARGV[6])

if call('GET', KEYS[2]) ~= ARGV[2] then return {'HELD'} end
if not alone then return redis.error_reply('ERR claim: alone must be a number') end
local answer, hands, taken, waits = {'OK'}, #ARGV - HANDS_FROM + 1, 0, false

local in_hand = {}
for i = HANDS_FROM, #ARGV do in_hand[ARGV[i]] = true end

local function take(pending)
  local id, deliveries = pending[1], pending[4] + 1
  if deliveries >= alone and hands + taken > 0 then
    if not waits then answer[#answer + 1] = {id, '-1', {}} end
    waits = true
    return
  end
  local got = call('XCLAIM', KEYS[1], 'workers', name, 0, id)[1]
  if got then
    taken = taken + 1
    if deliveries >= alone then free = 0 end
    answer[#answer + 1] = {id, string.format('%d', deliveries), got[2]}
  else
    answer[#answer + 1] = {id, '0', {}}
  end
end

if ARGV[5] == '1' then
  for _, pending in ipairs(call('XPENDING', KEYS[1], 'workers', '-', '+', SCAN_MAX + free + #ARGV, name)) do
    if taken < free and not in_hand[pending[1]] then take(pending) end
  end
end
for _, pending in ipairs(call('XPENDING', KEYS[1], 'workers', 'IDLE', ARGV[3], '-', '+', SCAN_MAX)) do
  if taken < free and pending[2] ~= name then take(pending) end
end
return answer
