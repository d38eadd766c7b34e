-- Prepended to each script: the layout of a board's copy and of the players' names.
--
-- head   hash: version, at_us, readable (1 or 0), copy (id of this copy), periods (the open ones besides "all",
--        separated by spaces; absent if there are none), and for each open period:
--        listed:PERIOD (number of players) and last_bucket:PERIOD, without ":PERIOD" for "all"
-- order  sorted set of each period, order:PERIOD or order for "all": the score is the first order value, the member is
--        "key:player", so that Redis's order (score, then member) is the order of the board
-- rows   one text per player and period: "version key reached_at_us", with "-" as the key if it is not listed
-- names  one text per player, shared by all boards, so that a new name is visible on every board:
--        "name_version NUL user id", or "name_version NUL user id NUL name"; the key without a bucket number is a string: the last bucket
--
-- Keys have the same width on all rows of a board, so that they sort as bytes like the row. members.py encodes them, and
-- reached_at_us. Those of a board without columns are the reached_version: 16 digits, but without leading zeros in rows.
--
-- Rows and names are kept in buckets: hashes of 128 players, which Redis stores compactly (hash-max-listpack-entries).
-- They take a third of the memory of one large hash. Numbers arrive as text and stay text: Lua would print large numbers
-- with an exponent.

local PLAYERS_A_BUCKET = 128
local BUCKETS_A_CALL = 1000

local ALL_TIME = 'all'

-- The width of keys that are not binary.
local DIGITS = 16

-- Return the width of keys, and if players with equal values share a rank, the number of their bytes with the columns.
-- The layout of the default definition is empty.
local function parse_layout(layout)
  if layout == '' then
    return DIGITS, nil
  end
  local key_width, tied_width = string.match(layout, '^(%d+) (%d*)$')
  return tonumber(key_width), tonumber(tied_width)
end

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
  for first = 0, last_bucket, BUCKETS_A_CALL do
    local keys = {}
    for bucket = first, math.min(first + BUCKETS_A_CALL - 1, last_bucket) do
      keys[#keys + 1] = bucket_key(prefix, bucket)
    end
    redis.call('UNLINK', unpack(keys))
  end
end

-- Return the order and the rows of a period, and the end of the names of its fields in the head.
local function view_of(order, rows, period)
  if period == ALL_TIME then
    return order, rows, ''
  end
  return order .. ':' .. period, rows .. ':' .. period, ':' .. period
end

-- Return the open period of a kind, or the argument if it is no kind or there is none.
local function open_period(head, period_or_kind)
  if period_or_kind == ALL_TIME then
    return ALL_TIME
  end
  local patterns = { day = '^%d+%-%d+%-%d+$', week = '^%d+%-W%d+$', month = '^%d+%-%d+$' }
  local pattern = patterns[period_or_kind]
  if pattern then
    for period in string.gmatch(redis.call('HGET', head, 'periods') or '', '%S+') do
      if string.match(period, pattern) then
        return period
      end
    end
  end
  return period_or_kind
end

local function member_of(key, player, key_width)
  return string.rep('0', key_width - #key) .. key .. ':' .. player
end

-- Return the version, the key and reached_at_us of a row. A binary key may contain any byte.
local function parse_row(row, key_width)
  return string.match(row or '', key_width == DIGITS and '^(%d+) (%S+) (%d+)$' or '^(%d+) (.+) (%w+)$')
end

-- Return the rank of the row at an index if players with equal values share a rank: 1 + the number of players with better
-- values. `tied_width` is the number of bytes of the member with the columns.
local function shared_rank(order, index, score, member, tied_width)
  local low, high = redis.call('ZCOUNT', order, '-inf', '(' .. score), index
  if tied_width == 0 then
    return low + 1
  end
  local columns = string.sub(member, 1, tied_width)
  local function is_equal(other)
    return string.sub(redis.call('ZRANGE', order, other, other)[1], 1, tied_width) == columns
  end
  -- The first of the equal rows is between both. Most rows have few equals, so look for it close to the row first.
  local step = 1
  while low < high do
    local middle = math.max(low, high - step)
    if not is_equal(middle) then
      low = middle + 1
      break
    end
    high, step = middle, step * 16
  end
  while low < high do
    local middle = math.floor((low + high) / 2)
    if is_equal(middle) then
      high = middle
    else
      low = middle + 1
    end
  end
  return high + 1
end

-- Return the index, the score, the member and reached_at_us of a player, or nil if it is not listed.
local function find(order, rows, player, key_width)
  local _, key, reached_at_us = parse_row(redis.call('HGET', entry_of(rows, player)), key_width)
  if not key or key == '-' then
    return nil
  end
  local member = member_of(key, player, key_width)
  local index = redis.call('ZRANK', order, member)
  if index then
    return index, redis.call('ZSCORE', order, member), member, reached_at_us
  end
end

-- Return true if the order is complete: with an eviction policy, Redis may have deleted it.
local function is_whole(order, listed)
  return redis.call('ZCARD', order) == tonumber(listed or 0)
end

local function drop_view(head, order, rows, period)
  local own_order, own_rows, suffix = view_of(order, rows, period)
  drop_buckets(own_rows, tonumber(redis.call('HGET', head, 'last_bucket' .. suffix) or -1))
  redis.call('UNLINK', own_order)
  redis.call('HDEL', head, 'listed' .. suffix, 'last_bucket' .. suffix)
end

local function drop_copy(head, order, rows)
  for period in string.gmatch(redis.call('HGET', head, 'periods') or '', '%S+') do
    drop_view(head, order, rows, period)
  end
  drop_view(head, order, rows, ALL_TIME)
  redis.call('UNLINK', head)
end

-- Drop the periods that are no longer open, and begin new ones. `before` has the periods of the head.
local function open_periods(head, order, rows, before, periods)
  local begun, further = {}, {}
  for _, period in ipairs(periods) do
    if period ~= ALL_TIME then
      begun[period] = true
      further[#further + 1] = period
    end
  end
  local after = table.concat(further, ' ')
  if after == before then
    return
  end
  for period in string.gmatch(before, '%S+') do
    if not begun[period] then
      drop_view(head, order, rows, period)
    end
    begun[period] = nil
  end
  for period in pairs(begun) do
    redis.call('UNLINK', (view_of(order, rows, period)))
  end
  redis.call('HSET', head, 'periods', after)
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

