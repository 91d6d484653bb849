-- say: puts a message into the transcript that nobody was asked for. It takes no turn and moves no clock; the
-- next request reads past it.
--
-- KEYS 1 K:conversation:<id>  2 K:transcript:<id>  3 K:events  4 K:control  5 K:answer:<command>
-- ARGV 1 id  2 control entry ('' none)  3 command (not empty: a repetition is known by its answer, and by its
--      entry, which is pending no more)
--      4 valid_until (µs)  5 number (the hash's `said` + 1, also in the message's id)
--      6 kind (event|whisper)  7 seat ('' none)  8 message (JSON)
--
-- OK transcript   the entry's id
-- DUP             this command was carried out before
-- NO why          `late` (valid_until has passed, or lies more than 50 s ahead), `kind`, `number` (another message
--                 came first: read `said` again), or the state that does not fit: preparing, ended
-- GONE            no such conversation
-- All but DUP push the answer (DUP finds it there, or it was taken) and ack the control entry. A `number`
-- refusal does neither, so that the same command may come again.
-- Called by: the leader for the command `say`, or a gateway itself.
local call = redis.call
local id, entry, command = ARGV[1], ARGV[2], ARGV[3]
local AHEAD_US = 50000000

if command == '' then return redis.error_reply('ERR say: a command id is needed') end
local repeated = call('EXISTS', KEYS[5]) == 1
  or entry ~= '' and #call('XPENDING', KEYS[4], 'managers', entry, entry, 1) == 0
local state, said = unpack(call('HMGET', KEYS[1], 'state', 'said'))
local t = call('TIME')
local at, now = string.format('%d%06d', t[1], t[2]), t[1] * 1000000 + t[2]
local valid_until, number = tonumber(ARGV[4]), tonumber(ARGV[5])

local function settle(word, detail)
  if detail == 'number' then return {word, detail} end
  if word ~= 'DUP' then
    call('RPUSH', KEYS[5], detail and word .. ' ' .. detail or word)
    call('PEXPIRE', KEYS[5], 60000)
  end
  if entry ~= '' then call('XACK', KEYS[4], 'managers', entry) end
  return {word, detail}
end

if repeated then return settle('DUP') end
-- The answer outlives valid_until: after it has expired the command is void, so no repetition gets through.
if not (valid_until and now <= valid_until and valid_until <= now + AHEAD_US) then return settle('NO', 'late') end
if not state then return settle('GONE') end
if state == 'preparing' or state == 'ended' then return settle('NO', state) end
if ARGV[6] ~= 'event' and ARGV[6] ~= 'whisper' then return settle('NO', 'kind') end
if number ~= tonumber(said) + 1 then return settle('NO', 'number') end

local line = call('XADD', KEYS[2], '*', 'kind', ARGV[6], 'turn', '', 'seat', ARGV[7], 'at', at, 'message', ARGV[8])
call('HSET', KEYS[1], 'said', number)
call('XADD', KEYS[3], '*', 'id', id .. ':' .. ARGV[6] .. ':' .. ARGV[5], 'event', 'dialogue.progress',
  'conversation', id, 'at', at, 'turn', '', 'transcript', line, 'state', state, 'reason', '', 'summary', '')
return settle('OK', line)
