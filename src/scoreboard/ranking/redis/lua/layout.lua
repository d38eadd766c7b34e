-- Prepended to each script: the layout of a board's copy and of the players' names.
--
-- head   hash: version, at_us, readable (1 or 0), copy (id of this copy), listed (number of players), last_bucket
-- order  sorted set: member "reached_version:player" with the negated score, so that Redis's order (score, then member)
--        is the order of the board
-- rows   one text per player: "version reached_version reached_at_us", with "-" as reached_version if it is not listed
-- names  one text per player, shared by all boards, so that a new name is visible on every board:
--        "name_version NUL user id", or "name_version NUL user id NUL name"; the key without a bucket number is a string: the last bucket
--
-- Rows and names are kept in buckets: hashes of 128 players, which Redis stores compactly (hash-max-listpack-entries).
-- They take a third of the memory of one large hash. Numbers arrive as text and stay text: Lua would print large numbers
-- with an exponent.

local PLAYERS_A_BUCKET = 128

local function bucket_of(player)
  return math.floor(tonumber(player) / PLAYERS_A_BUCKET)
end

local function bucket_key(prefix, bucket)
  return prefix .. ':' .. string.format('%.0f', bucket)
end

local function entry_of(prefix, player)
  return bucket_key(prefix, bucket_of(player)), tonumber(player) % PLAYERS_A_BUCKET
end

local function drop_buckets(prefix, last_bucket)
  for bucket = 0, last_bucket do
    redis.call('UNLINK', bucket_key(prefix, bucket))
  end
end

-- Return a member of the order. Versions are padded, so that they sort as text like numbers.
local function member_of(reached_version, player)
  return string.rep('0', 16 - #reached_version) .. reached_version .. ':' .. player
end

-- Return the rank of a player, from 1, or 0 if it is not listed; and its member of the order.
local function rank_of(order, rows, player)
  local row = redis.call('HGET', entry_of(rows, player))
  local reached = row and string.match(row, '^%d+ (%d+) ')
  local member = reached and member_of(reached, player)
  local rank = member and redis.call('ZRANK', order, member)
  return rank and rank + 1 or 0, member
end

-- Return true if the order is complete: with an eviction policy, Redis may have deleted it.
local function is_whole(order, listed)
  return redis.call('ZCARD', order) == tonumber(listed or 0)
end

local function drop_copy(head, order, rows)
  drop_buckets(rows, tonumber(redis.call('HGET', head, 'last_bucket') or -1))
  redis.call('UNLINK', head, order)
end

local function name_of(names, player)
  return redis.call('HGET', entry_of(names, player))
end

-- Store a name unless a newer one is known: one with a higher `name_version`, in whatever order they arrive.
local function keep_name(names, player, name_version, user_id_and_name)
  local key, field = entry_of(names, player)
  local text = name_version .. '\0' .. user_id_and_name
  local known = redis.call('HGET', key, field)
  if known ~= text and tonumber(known and string.match(known, '^%d+') or 0) <= tonumber(name_version) then
    redis.call('HSET', key, field, text)
    if not known and bucket_of(player) > tonumber(redis.call('GET', names) or -1) then
      redis.call('SET', names, string.format('%.0f', bucket_of(player)))
    end
  end
end

