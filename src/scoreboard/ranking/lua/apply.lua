-- Apply a change to the copy of a board, in one step and only in order (interfaces.Ranking.apply).
--
-- KEYS  head (hash: version, at_us, readable, last_bucket), order (sorted set), rows (prefix of buckets)
-- ARGV  kind, from_version, to_version, at_us, channel, then for each standing:
--       player, -score, reached_version, reached_at_us, version, listed (1 or 0)
-- Gives {version, readable, moved, rank of each standing's player or 0 …}
--
-- In `order` a member is "reached_version:player" with the negated score, so that Redis's own order (score, then member)
-- is the board's. A row says what is needed to find and to show it: "version reached_version reached_at_us", with "-" for
-- one that is not listed.
-- Numbers come as text made by the sender and stay text: Lua would print large ones with an exponent.

local function rank_of(player)
  local row = redis.call('HGET', entry_of(KEYS[3], player))
  local reached = row and string.match(row, '^%d+ (%d+) ')
  local rank = reached and redis.call('ZRANK', KEYS[2], member_of(reached, player))
  return rank and rank + 1 or 0
end

local kind, from, to = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local head = redis.call('HMGET', KEYS[1], 'version', 'readable', 'last_bucket')
local version, readable = tonumber(head[1] or 0), head[2] == '1'
local last_bucket = tonumber(head[3] or 0)

local gap = version < from or (kind == 'step' and not readable)
local ends = kind == 'last page' and not readable
local known = version > to or (version == to and not ends)

local reply = {version, readable and 1 or 0, 0}
if gap and not known then
  return reply
end

local follows = kind == 'step' and version == from and not known
if not known then
  for i = 6, #ARGV, 6 do
    local player, reached = ARGV[i], ARGV[i + 2]
    local key, field = entry_of(KEYS[3], player)
    local old_version, old_reached = 0, false
    local row = redis.call('HGET', key, field)
    if row then
      old_version, old_reached = string.match(row, '^(%d+) (%S+) ')
    end
    if tonumber(old_version) <= tonumber(ARGV[i + 4]) then
      local listed = ARGV[i + 5] == '1'
      if old_reached and old_reached ~= '-' and (not listed or old_reached ~= reached) then
        redis.call('ZREM', KEYS[2], member_of(old_reached, player))
      end
      if listed then
        redis.call('ZADD', KEYS[2], ARGV[i + 1], member_of(reached, player))
      end
      redis.call('HSET', key, field, ARGV[i + 4] .. ' ' .. (listed and reached or '-') .. ' ' .. ARGV[i + 3])
      last_bucket = math.max(last_bucket, bucket_of(player))
    end
    if follows then
      local rank = ARGV[i + 5] == '1' and redis.call('ZRANK', KEYS[2], member_of(reached, player))
      reply[#reply + 1] = rank and rank + 1 or 0
    end
  end
  readable = kind ~= 'page'
  redis.call('HSET', KEYS[1], 'version', ARGV[3], 'at_us', ARGV[4], 'readable', readable and '1' or '0',
             'last_bucket', string.format('%.0f', last_bucket))
  reply[1], reply[2], reply[3] = to, readable and 1 or 0, 1
  if readable then
    redis.call('SPUBLISH', ARGV[5], ARGV[3])
  end
end
if readable and not follows then
  for i = 6, #ARGV, 6 do
    reply[#reply + 1] = rank_of(ARGV[i])
  end
end
return reply
