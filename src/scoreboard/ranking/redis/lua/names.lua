-- Read names of players, if they are on another server than the board.
--
-- KEYS  names
-- ARGV  players
-- Returns the name of each player, or nil if it is unknown.

local reply = {}
for i, player in ipairs(ARGV) do
  reply[i] = name_of(KEYS[1], player)
end
return reply
