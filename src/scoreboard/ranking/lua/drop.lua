-- Forget the copy of a board, in one step.
--
-- KEYS  head, order, rows (see apply.lua)

drop_buckets(KEYS[3], tonumber(redis.call('HGET', KEYS[1], 'last_bucket') or -1))
redis.call('UNLINK', KEYS[1], KEYS[2])
