-- Delete the names of all players.
--
-- KEYS  names

drop_buckets(KEYS[1], tonumber(redis.call('GET', KEYS[1]) or -1))
redis.call('UNLINK', KEYS[1])
