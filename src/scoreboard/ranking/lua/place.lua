-- The rank of a player.
--
-- KEYS  head, order, rows (see apply.lua)
-- ARGV  player
-- Gives the rank from 1, or 0 where the player is not listed; nil where the copy is not readable.

if redis.call('HGET', KEYS[1], 'readable') ~= '1' then
  return false
end
local row = redis.call('HGET', entry_of(KEYS[3], ARGV[1]))
local reached = row and string.match(row, '^%d+ (%d+) ')
local rank = reached and redis.call('ZRANK', KEYS[2], member_of(reached, ARGV[1]))
return rank and rank + 1 or 0
