-- Stands before each script: how the copy of a board lies in Redis, and who the players are.
--
-- head   hash: version, at_us, readable (1 or 0), copy (names this very copy), listed (how many), last_bucket
-- order  sorted set: member "reached_version:player" with the negated score, so that Redis's own order (score, then
--        member) is the board's
-- rows   what is needed to find and to show a player: "version reached_version reached_at_us", with "-" for one that is
--        not listed
-- names  of all boards together, so that a new name is seen on every one: "seq NUL user id", with another NUL and the
--        name where there is one; the key itself says the last bucket
--
-- Rows and names lie in hashes of 128 players, which Redis packs tightly (hash-max-listpack-entries): together they take
-- a third of the memory of one large hash. Numbers come as text made by the sender and stay text: Lua would print large
-- ones with an exponent.

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

-- A member of the order: versions are padded, so that text sorts as numbers do.
local function member_of(reached_version, player)
  return string.rep('0', 16 - #reached_version) .. reached_version .. ':' .. player
end

-- The rank of a player, from 1; 0 where it is not listed.
local function rank_of(order, rows, player)
  local row = redis.call('HGET', entry_of(rows, player))
  local reached = row and string.match(row, '^%d+ (%d+) ')
  local rank = reached and redis.call('ZRANK', order, member_of(reached, player))
  return rank and rank + 1 or 0
end

-- Whether the order is all there: under an eviction policy Redis may have thrown it away.
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

-- Of two names the one with the higher `seq` is newer, whatever the order they arrive in.
local function keep_name(names, player, seq, who)
  local key, field = entry_of(names, player)
  local text = seq .. '\0' .. who
  local known = redis.call('HGET', key, field)
  if known ~= text and tonumber(known and string.match(known, '^%d+') or 0) <= tonumber(seq) then
    redis.call('HSET', key, field, text)
    if not known and bucket_of(player) > tonumber(redis.call('GET', names) or -1) then
      redis.call('SET', names, string.format('%.0f', bucket_of(player)))
    end
  end
end

