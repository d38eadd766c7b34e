-- Store names of players, if they are on another server than the board.
--
-- KEYS  names
-- ARGV  for each player: player, name_version, user id and name (see layout.lua)

for i = 1, #ARGV, 3 do
  keep_name(KEYS[1], ARGV[i], ARGV[i + 1], ARGV[i + 2])
end
