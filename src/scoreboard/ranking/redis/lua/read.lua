-- Answer a query about a board, atomically.
--
-- KEYS  head, order, rows, and names if they are on the same server
-- ARGV  "page", the first and the last index, from 0; or "players" and the players
-- Returns {version, at_us, listed players, {player …}, {-score …}, {reached_at_us …}, {name …}, {rank …}}, the names only
-- if they are on this server; nil if the copy is not readable; 0 if a part of it was lost, and it is now deleted.

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
local members, scores, ranks = {}, {}, {}
if ARGV[1] == 'page' then
  local found = redis.call('ZRANGE', order, ARGV[2], ARGV[3], 'WITHSCORES')
  for i = 1, #found, 2 do
    local index = #members + 1
    members[index], scores[index], ranks[index] = found[i], found[i + 1], tonumber(ARGV[2]) + index
  end
else
  for i = 2, #ARGV do
    local rank, member = rank_of(order, rows, ARGV[i])
    if rank > 0 then
      local index = #members + 1
      members[index], scores[index], ranks[index] = member, redis.call('ZSCORE', order, member), rank
    end
  end
end
local players, reached_ats_us, known_names = {}, {}, {}
for i, member in ipairs(members) do
  local player = string.match(member, ':(%d+)$')
  local row = redis.call('HGET', entry_of(rows, player))
  local reached, reached_at_us = string.match(row or '', '^%d+ (%d+) (%d+)$')
  local name = not names or name_of(names, player)
  if not reached or member_of(reached, player) ~= member or not name then
    return lost()
  end
  players[i], reached_ats_us[i] = player, reached_at_us
  if names then
    known_names[i] = name
  end
end
local listed = tostring(redis.call('ZCARD', order))
return {head[1], head[2], listed, players, scores, reached_ats_us, known_names, ranks}
