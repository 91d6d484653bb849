-- drop: takes the record of a turn given up out of K:dead. The conversation stays as it is.
--
-- KEYS 1 K:epoch  2 K:control  3 K:answer:<command>  4 K:dead
-- ARGV 1 token  2 control entry ('' none)  3 command ('' none)  4 valid_until (µs, '' none)
--      5 record (its entry id in K:dead)
--
-- OK           the record is gone
-- DUP          this command was carried out before
-- NO why       `late` (valid_until has passed), `record` (there is none of that id)
-- STALE        the caller leads no longer: nothing was touched
-- All but STALE ack the control entry and push the answer (a repeated call: once).
-- Called by: the leader, for the command `drop`.
local call = redis.call
local entry, command, record = ARGV[2], ARGV[3], ARGV[5]

if call('GET', KEYS[1]) ~= ARGV[1] then return {'STALE'} end
if entry ~= '' and #call('XPENDING', KEYS[2], 'managers', entry, entry, 1) == 0 then return {'DUP'} end
local t = call('TIME')

local function settle(word, detail)
  if command ~= '' then
    call('RPUSH', KEYS[3], detail and word .. ' ' .. detail or word)
    call('PEXPIRE', KEYS[3], 60000)
  end
  if entry ~= '' then call('XACK', KEYS[2], 'managers', entry) end
  return {word, detail}
end

if ARGV[4] ~= '' and t[1] * 1000000 + t[2] > tonumber(ARGV[4]) then return settle('NO', 'late') end
-- Not an id, or one beyond 64 bits: a script that fails leaves its command pending, to fail again.
local ms, seq = string.match(record, '^(%d+)%-(%d+)$')
if not ms or #ms > 19 or #seq > 19 or call('XDEL', KEYS[4], record) == 0 then return settle('NO', 'record') end
return settle('OK')
