-- Read the rank of a player.
--
-- KEYS  head, order, rows
-- ARGV  player
-- Returns the rank, from 1; 0 if the player is not listed; nil if the copy is not readable.

if redis.call('HGET', KEYS[1], 'readable') ~= '1' then
  return false
end
return rank_of(KEYS[2], KEYS[3], ARGV[1])
