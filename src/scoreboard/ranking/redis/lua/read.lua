-- Answer a query about a board in a period, atomically.
--
-- KEYS  head, order, rows, and names if they are on the same server
-- ARGV  layout (see layout.lua), period or the kind of an open one, then the query:
--       "page", the first and the last index, from 0
--       "after", the first order value and the key of a row, the number of rows
--       "around", player, the number of rows
--       "players", players …
--       "at ranks", ranks in ascending order …
-- Returns {version, at_us, listed players, {member, first order value …}, {reached_at_us …}, {name …}, {rank …}, index of
-- the first row, period}, the names only if they are on this server. Consecutive rows have no ranks, or only that of the
-- first one if ranks are shared. Returns nil if the copy is not readable, and 0 if a part of it was lost, and it is now deleted.

local head_key, order, rows, names = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local key_width, tied_width = parse_layout(ARGV[1])
local period = open_period(head_key, ARGV[2])
local own_order, own_rows, suffix = view_of(order, rows, period)
local query = ARGV[3]
local head = redis.call('HMGET', head_key, 'version', 'at_us', 'readable', 'listed' .. suffix)
if head[3] ~= '1' or not head[4] then
  return false
end

local function lost()
  drop_copy(head_key, order, rows)
  return 0
end

if not is_whole(own_order, head[4]) then
  return lost()
end

-- Return the index of the first row after a position.
local function index_after(score, key)
  -- Compare bytes: Lua's own comparison depends on the server's locale.
  local function is_before(one, other)
    for i = 1, math.min(#one, #other) do
      local a, b = string.byte(one, i), string.byte(other, i)
      if a ~= b then
        return a < b
      end
    end
    return #one < #other
  end
  local low = redis.call('ZCOUNT', own_order, '-inf', '(' .. score)
  local high = redis.call('ZCOUNT', own_order, '-inf', score)
  while low < high do
    local middle = math.floor((low + high) / 2)
    local member = redis.call('ZRANGE', own_order, middle, middle)[1]
    if is_before(key, string.sub(member, 1, key_width)) then
      high = middle
    else
      low = middle + 1
    end
  end
  return low
end

local found, reached_ats_us, ranks = {}, {}, {}

local function add(index, score, member)
  found[#found + 1] = member
  found[#found + 1] = score
  ranks[#ranks + 1] = tied_width and shared_rank(own_order, index, score, member, tied_width) or index + 1
end

local first, last
if query == 'page' then
  first, last = ARGV[4], ARGV[5]
elseif query == 'after' then
  first = index_after(ARGV[4], ARGV[5])
  last = first + tonumber(ARGV[6]) - 1
elseif query == 'around' then
  local index, limit = find(own_order, own_rows, ARGV[4], key_width), tonumber(ARGV[5])
  if index then
    -- As `domain.queries.first_index_around`.
    first = math.max(0, math.min(index - math.floor((limit - 1) / 2), tonumber(head[4]) - limit))
    last = first + limit - 1
  end
elseif query == 'players' then
  for i = 4, #ARGV do
    local index, score, member, reached_at_us = find(own_order, own_rows, ARGV[i], key_width)
    if index then
      add(index, score, member)
      reached_ats_us[#ranks] = reached_at_us
    end
  end
elseif query == 'at ranks' then
  for i = 4, #ARGV do
    local index = tonumber(ARGV[i]) - 1
    local row = redis.call('ZRANGE', own_order, index, index, 'WITHSCORES')
    if row[1] then
      add(index, row[2], row[1])
    end
  end
end
if first then
  found = redis.call('ZRANGE', own_order, first, last, 'WITHSCORES')
  if tied_width and found[1] then
    ranks[1] = shared_rank(own_order, tonumber(first), found[2], found[1], tied_width)
  end
end

local known_names = {}
for i = 1, #found / 2 do
  local member = found[2 * i - 1]
  local player = string.sub(member, key_width + 2)
  if not reached_ats_us[i] then
    local _, key, reached_at_us = parse_row(redis.call('HGET', entry_of(own_rows, player)), key_width)
    if not key or member_of(key, player, key_width) ~= member then
      return lost()
    end
    reached_ats_us[i] = reached_at_us
  end
  if names then
    known_names[i] = name_of(names, player)
    if not known_names[i] then
      return lost()
    end
  end
end
return {head[1], head[2], head[4], found, reached_ats_us, known_names, ranks, tonumber(first or 0), period}
