-- Apply a change to the copy of a board, atomically and only in order (ports.ranking.Ranking.apply).
--
-- KEYS  head, order, rows, and names if they are on the same server
-- ARGV  kind, from_version, to_version, at_us, channel, id of the expected copy ("*": any), id for a new copy,
--       then for each standing: player, -score, reached_version, reached_at_us, version, listed (1 or 0),
--       name_version, user id and name (see layout.lua)
-- Returns {version, readable, moved, rank of each standing's player or 0 …}

local FIRST, STRIDE = 8, 8

local head_key, order, rows, names = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local kind, from, to, expected = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[6]
local head = redis.call('HMGET', head_key, 'version', 'readable', 'last_bucket', 'copy', 'listed')
if not is_whole(order, head[5]) then
  drop_copy(head_key, order, rows)
  head = {false, false, false, false, false}
end
local version, readable = tonumber(head[1] or 0), head[2] == '1'
local last_bucket = tonumber(head[3] or 0)
local copy = head[4] or ''

local gap = version < from or (kind == 'step' and not readable) or (expected ~= '*' and expected ~= copy)
local ends = kind == 'last page' and not readable
local known = version > to or (version == to and not ends)

local reply = {version, readable and 1 or 0, 0}
if gap and not known then
  return reply
end

local follows = kind == 'step' and version == from and not known
if not known then
  for i = FIRST, #ARGV, STRIDE do
    local player, reached = ARGV[i], ARGV[i + 2]
    if names then
      -- Before the board changes: every player on it has a name.
      keep_name(names, player, ARGV[i + 6], ARGV[i + 7])
    end
    local key, field = entry_of(rows, player)
    local old_version, old_reached = 0, false
    local row = redis.call('HGET', key, field)
    if row then
      old_version, old_reached = string.match(row, '^(%d+) (%S+) ')
    end
    if tonumber(old_version) <= tonumber(ARGV[i + 4]) then
      local listed = ARGV[i + 5] == '1'
      if old_reached and old_reached ~= '-' and (not listed or old_reached ~= reached) then
        redis.call('ZREM', order, member_of(old_reached, player))
      end
      if listed then
        redis.call('ZADD', order, ARGV[i + 1], member_of(reached, player))
      end
      redis.call('HSET', key, field, ARGV[i + 4] .. ' ' .. (listed and reached or '-') .. ' ' .. ARGV[i + 3])
      last_bucket = math.max(last_bucket, bucket_of(player))
    end
    if follows then
      local rank = ARGV[i + 5] == '1' and redis.call('ZRANK', order, member_of(reached, player))
      reply[#reply + 1] = rank and rank + 1 or 0
    end
  end
  readable = kind ~= 'page'
  redis.call('HSET', head_key, 'version', ARGV[3], 'at_us', ARGV[4], 'readable', readable and '1' or '0',
             'copy', copy == '' and ARGV[7] or copy, 'listed', redis.call('ZCARD', order),
             'last_bucket', string.format('%.0f', last_bucket))
  reply[1], reply[2], reply[3] = to, readable and 1 or 0, 1
  if readable then
    redis.call('SPUBLISH', ARGV[5], ARGV[3])
  end
end
if readable and not follows then
  for i = FIRST, #ARGV, STRIDE do
    reply[#reply + 1] = (rank_of(order, rows, ARGV[i]))
  end
end
return reply
