-- The rank of a player.
--
-- KEYS  head, order, rows
-- ARGV  player
-- Gives the rank from 1, or 0 where the player is not listed; nil where the copy is not readable.

if redis.call('HGET', KEYS[1], 'readable') ~= '1' then
  return false
end
return rank_of(KEYS[2], KEYS[3], ARGV[1])
