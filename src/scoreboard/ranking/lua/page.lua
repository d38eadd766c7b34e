-- A page of a board, in one step.
--
-- KEYS  head, order, rows (see apply.lua)
-- ARGV  the first and the last place, from 0
-- Gives {version, at_us, listed players, then of each entry: player, -score, reached_at_us}, all as text; nil where the
-- copy is not readable.

local head = redis.call('HMGET', KEYS[1], 'version', 'at_us', 'readable')
if head[3] ~= '1' then
  return false
end
local reply = {head[1], head[2], tostring(redis.call('ZCARD', KEYS[2]))}
local found = redis.call('ZRANGE', KEYS[2], ARGV[1], ARGV[2], 'WITHSCORES')
for i = 1, #found, 2 do
  local player = string.match(found[i], ':(%d+)$')
  local row = redis.call('HGET', entry_of(KEYS[3], player))
  reply[#reply + 1] = player
  reply[#reply + 1] = found[i + 1]
  reply[#reply + 1] = string.match(row, ' (%d+)$')
end
return reply
