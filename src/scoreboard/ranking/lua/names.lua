-- Who players are.
--
-- KEYS  names (see keep_names.lua)
-- ARGV  players
-- Gives of each "seq NUL user id", with another NUL and the name where there is one; nil of one that is not known.

local reply = {}
for i, player in ipairs(ARGV) do
  reply[i] = redis.call('HGET', entry_of(KEYS[1], player))
end
return reply
