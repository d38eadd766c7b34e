-- Read the states of copies.
--
-- KEYS  the heads
-- Returns {{version, readable, at_us, copy} …}

local reply = {}
for i, head in ipairs(KEYS) do
  reply[i] = redis.call('HMGET', head, 'version', 'readable', 'at_us', 'copy')
end
return reply
