-- Read a page of a board, atomically.
--
-- KEYS  head, order, rows, and names if they are on the same server
-- ARGV  the first and the last index, from 0
-- Returns {version, at_us, listed players, {player …}, {-score …}, {reached_at_us …}, {name …}}, all as text, the names
-- only if they are on this server; nil if the copy is not readable; 0 if a part of it was lost, and it is now deleted.

local head_key, order, rows, names = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local head = redis.call('HMGET', head_key, 'version', 'at_us', 'readable', 'listed')
if head[3] ~= '1' then
  return false
end

local function lost()
  drop_copy(head_key, order, rows)
  return 0
end

if not is_whole(order, head[4]) then
  return lost()
end
local players, scores, reached_ats_us, known_names = {}, {}, {}, {}
local found = redis.call('ZRANGE', order, ARGV[1], ARGV[2], 'WITHSCORES')
for i = 1, #found, 2 do
  local member, player = found[i], string.match(found[i], ':(%d+)$')
  local row = redis.call('HGET', entry_of(rows, player))
  local reached, reached_at_us = string.match(row or '', '^%d+ (%d+) (%d+)$')
  local name = not names or name_of(names, player)
  if not reached or member_of(reached, player) ~= member or not name then
    return lost()
  end
  local index = #players + 1
  players[index], scores[index], reached_ats_us[index] = player, found[i + 1], reached_at_us
  if names then
    known_names[index] = name
  end
end
return {head[1], head[2], tostring(redis.call('ZCARD', order)), players, scores, reached_ats_us, known_names}
