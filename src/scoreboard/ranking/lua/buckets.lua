-- Stands before each script. What is kept of each player lies in hashes of 128 players, which Redis packs tightly
-- (hash-max-listpack-entries): together they take a third of the memory of one large hash.

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

-- A member of the order: versions are padded, so that text sorts as numbers do.
local function member_of(reached_version, player)
  return string.rep('0', 16 - #reached_version) .. reached_version .. ':' .. player
end

local function drop_buckets(prefix, last_bucket)
  for bucket = 0, last_bucket do
    redis.call('UNLINK', bucket_key(prefix, bucket))
  end
end

