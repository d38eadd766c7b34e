-- Read the states of copies.
--
-- KEYS  the heads
-- Returns {"version readable at_us copy" …}, or "" without a copy

local reply = {}
for i, head in ipairs(KEYS) do
  local fields = redis.call('HMGET', head, 'version', 'readable', 'at_us', 'copy')
  reply[i] = fields[1] and table.concat(fields, ' ') or ''
end
return reply
