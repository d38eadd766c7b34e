-- Answer a query about a board in a period, atomically.
--
-- KEYS  head, order, rows, and names if they are on the same server
-- ARGV  period or the kind of an open one, key_width, tied_width (empty if no ranks are shared), then the query:
--       "page", the first and the last index, from 0
--       "after", the first order value and the key of a row, the number of rows
--       "around", player, the number of rows
--       "players", players …
--       "at ranks", ranks in ascending order …
-- Returns {version, at_us, listed players, {member …}, {first order value …}, {reached_at_us …}, {name …},
-- {rank …}, index of the first row, period}, the names only if they are on this server. Consecutive rows have only the
-- rank of the first one. Returns nil if the copy is not readable, and 0 if a part of it was lost, and it is now deleted.

local head_key, order, rows, names = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local key_width, tied_width = tonumber(ARGV[2]), tonumber(ARGV[3])
local period = open_period(head_key, ARGV[1])
local own_order, own_rows, suffix = view_of(order, rows, period)
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

local listed = tonumber(head[4])
local members, scores, reached_ats_us, ranks = {}, {}, {}, {}

local function add(score, member)
  members[#members + 1], scores[#scores + 1] = member, score
end

-- Add consecutive rows. Return the index of the first one.
local function add_page(first, last)
  local found = redis.call('ZRANGE', own_order, first, last, 'WITHSCORES')
  for i = 1, #found, 2 do
    add(found[i + 1], found[i])
  end
  if #members > 0 then
    ranks[1] = rank_at(own_order, tonumber(first), scores[1], members[1], tied_width)
  end
  return tonumber(first)
end

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

-- Return the index of the first row after a position.
local function index_after(score, key)
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

local queries = {}

queries['page'] = function()
  return add_page(ARGV[5], ARGV[6])
end

queries['after'] = function()
  local first = index_after(ARGV[5], ARGV[6])
  return add_page(first, first + tonumber(ARGV[7]) - 1)
end

-- The first row is that of `domain.queries.first_index_around`.
queries['around'] = function()
  local index, limit = find(own_order, own_rows, ARGV[5], key_width), tonumber(ARGV[6])
  if not index then
    return 0
  end
  local first = math.max(0, math.min(index - math.floor((limit - 1) / 2), listed - limit))
  return add_page(first, first + limit - 1)
end

queries['players'] = function()
  for i = 5, #ARGV do
    local index, score, member, reached_at_us = find(own_order, own_rows, ARGV[i], key_width)
    if index then
      add(score, member)
      reached_ats_us[#members] = reached_at_us
      ranks[#members] = rank_at(own_order, index, score, member, tied_width)
    end
  end
  return 0
end

queries['at ranks'] = function()
  for i = 5, #ARGV do
    local index = tonumber(ARGV[i]) - 1
    local found = redis.call('ZRANGE', own_order, index, index, 'WITHSCORES')
    if found[1] then
      add(found[2], found[1])
      ranks[#members] = rank_at(own_order, index, found[2], found[1], tied_width)
    end
  end
  return 0
end

local first_index = queries[ARGV[4]]()
local known_names = {}
for i, member in ipairs(members) do
  local player = string.sub(member, key_width + 2)
  if not reached_ats_us[i] then
    local _, key, reached_at_us = parse_row(redis.call('HGET', entry_of(own_rows, player)))
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
return {head[1], head[2], head[4], members, scores, reached_ats_us, known_names, ranks, first_index, period}
