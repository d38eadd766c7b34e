-- Keep who each player is: of all boards together, so that a new name is seen on every one.
--
-- KEYS  names (the last bucket's number, and prefix of the buckets)
-- ARGV  for each player: player, seq, user id and name (separated by NUL; without a name there is no NUL)
-- Of two names the one with the higher `seq` is newer, whatever the order they arrive in.

local highest = tonumber(redis.call('GET', KEYS[1]) or -1)
local last_bucket = highest

for i = 1, #ARGV, 3 do
  local key, field = entry_of(KEYS[1], ARGV[i])
  local text = ARGV[i + 1] .. '\0' .. ARGV[i + 2]
  local known = redis.call('HGET', key, field)
  if known ~= text and tonumber(known and string.match(known, '^%d+') or 0) <= tonumber(ARGV[i + 1]) then
    redis.call('HSET', key, field, text)
    last_bucket = math.max(last_bucket, bucket_of(ARGV[i]))
  end
end
if last_bucket > highest then
  redis.call('SET', KEYS[1], string.format('%.0f', last_bucket))
end
