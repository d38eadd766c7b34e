-- Who players are, where they lie on another server than the board.
--
-- KEYS  names
-- ARGV  players
-- Gives the name of each, or nil of one that is not known.

local reply = {}
for i, player in ipairs(ARGV) do
  reply[i] = name_of(KEYS[1], player)
end
return reply
