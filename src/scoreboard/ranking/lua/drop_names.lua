-- Forget who all players are.
--
-- KEYS  names (see keep_names.lua)

drop_buckets(KEYS[1], tonumber(redis.call('GET', KEYS[1]) or -1))
redis.call('UNLINK', KEYS[1])
