-- Keep who players are, where they lie on another server than the board.
--
-- KEYS  names
-- ARGV  for each player: player, seq, who it is (user id, and NUL and the name where there is one)

for i = 1, #ARGV, 3 do
  keep_name(KEYS[1], ARGV[i], ARGV[i + 1], ARGV[i + 2])
end
