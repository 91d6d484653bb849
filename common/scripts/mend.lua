-- mend: takes out of a transcript what half a step left there. Redis may come back with the first commands of a script
-- and not the others; `route` and `begin` write the transcript before the hash, so the half of one is a line too many.
-- It was written again in full since (the earlier one goes), or is about to be (a turn not behind the one awaited).
--
-- KEYS 1 K:conversation:<id>  2 K:transcript:<id>  3 K:events  4 K:epoch
-- ARGV 1 id  2 token
--
-- Where something was taken out the event `history.mended` says so.
--
-- OK count   so many lines were taken out
-- NOTHING    the transcript has no more lines than the hash says
-- NO count   so many are too many, and which ones cannot be told: nothing was touched
-- GONE       no such conversation
-- STALE      the caller leads no longer
-- Called by: the leader, before it looks at a conversation it does not know yet.
local call = redis.call
local id = ARGV[1]

if call('GET', KEYS[4]) ~= ARGV[2] then return {'STALE'} end
local state, cast, seats, turns, said, next_turn = unpack(call('HMGET', KEYS[1], 'state', 'cast', 'seats', 'turns',
  'said', 'next'))
if not state then return {'GONE'} end
-- Before it began it has none, whether it is still being prepared or was stopped then.
local began = (tonumber(cast) or 0) > 0
local right = began and 1 + tonumber(seats) + tonumber(turns) + tonumber(said) or 0
local surplus = call('XLEN', KEYS[2]) - right
if surplus <= 0 then return {'NOTHING'} end

local last, extra, turn = {}, {}, ''
for _, entry in ipairs(call('XRANGE', KEYS[2], '-', '+')) do
  local field = {}
  for i = 1, #entry[2], 2 do field[entry[2][i]] = entry[2][i + 1] end
  local kind = field['kind']
  if not began then
    extra[#extra + 1] = entry[1]
  elseif kind == 'turn' and tonumber(field['turn']) >= tonumber(next_turn) then
    extra[#extra + 1], turn = entry[1], field['turn']
  elseif kind == 'turn' or kind == 'story' or kind == 'persona' then
    local name = kind == 'turn' and 'turn:' .. field['turn'] or kind .. ':' .. field['seat']
    if last[name] then extra[#extra + 1], turn = last[name], field['turn'] end
    last[name] = entry[1]
  end
end
if #extra ~= surplus then return {'NO', string.format('%d', surplus)} end

for i = 1, #extra do call('XDEL', KEYS[2], extra[i]) end
local t = call('TIME')
local at = string.format('%d%06d', t[1], t[2])
call('XADD', KEYS[3], '*', 'id', id .. ':history.mended:' .. at, 'event', 'history.mended', 'conversation', id,
  'at', at, 'turn', turn, 'transcript', '', 'state', state, 'reason', string.format('%d taken out', surplus),
  'summary', '')
return {'OK', string.format('%d', surplus)}
