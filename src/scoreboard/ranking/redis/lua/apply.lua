-- Apply a change to the copy of a board, atomically and only in order (ports.ranking.Ranking.apply).
--
-- KEYS  head, order, rows, and names if they are on the same server
-- ARGV  kind, from_version, to_version, at_us, channel, id of the expected copy ("*": any), id for a new copy, key_width,
--       tied_width (empty if no ranks are shared), number of open periods; then for each of them its name and the
--       number of its standings; then for each standing, period by period: player, first order value, key,
--       reached_at_us, version, listed (1 or 0), name_version, user id and name (see layout.lua; empty if another
--       standing of this change has them)
-- Returns {version, readable, moved, rank of each standing's player or 0 …}

local FIRST_PERIOD, STRIDE = 11, 8

local head_key, order, rows, names = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local kind, from, to, expected = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[6]
local key_width, tied_width = tonumber(ARGV[8]), tonumber(ARGV[9])
local first_standing = FIRST_PERIOD + 2 * tonumber(ARGV[10])
local head = redis.call('HMGET', head_key, 'version', 'readable', 'last_bucket', 'copy', 'listed', 'periods')

local function is_copy_whole()
  for period in string.gmatch(head[6] or '', '%S+') do
    local own_order, _, suffix = view_of(order, rows, period)
    if not is_whole(own_order, redis.call('HGET', head_key, 'listed' .. suffix)) then
      return false
    end
  end
  return is_whole(order, head[5])
end

if not is_copy_whole() then
  drop_copy(head_key, order, rows)
  head = {false, false, false, false, false, false}
end
local version, readable = tonumber(head[1] or 0), head[2] == '1'
local copy = head[4] or ''

local gap = version < from or (kind == 'step' and not readable) or (expected ~= '*' and expected ~= copy)
local ends = kind == 'last page' and not readable
local known = version > to or (version == to and not ends)

local reply = {version, readable and 1 or 0, 0}
if gap and not known then
  return reply
end

-- Call a function for each period of the change, with its order, rows and suffix, and its first and last standing.
local function for_each_period(visit)
  local first = first_standing
  for i = FIRST_PERIOD, first_standing - 1, 2 do
    local own_order, own_rows, suffix = view_of(order, rows, ARGV[i])
    local last = first + STRIDE * tonumber(ARGV[i + 1]) - 1
    visit(own_order, own_rows, suffix, first, last)
    first = last + 1
  end
end

-- Drop the periods that are no longer open, and begin new ones.
local function open_periods()
  local open, further = {}, {}
  for i = FIRST_PERIOD, first_standing - 1, 2 do
    if ARGV[i] ~= ALL_TIME then
      open[ARGV[i]] = true
      further[#further + 1] = ARGV[i]
    end
  end
  local periods = table.concat(further, ' ')
  if periods == (head[6] or '') then
    return
  end
  for period in string.gmatch(head[6] or '', '%S+') do
    if open[period] then
      open[period] = nil
    else
      drop_view(head_key, order, rows, period)
    end
  end
  for period in pairs(open) do
    redis.call('UNLINK', (view_of(order, rows, period)))
  end
  redis.call('HSET', head_key, 'periods', periods)
end

local follows = kind == 'step' and version == from and not known

-- Move the players of one period.
local function move(own_order, own_rows, suffix, first, last)
  local last_bucket = suffix == '' and head[3] or redis.call('HGET', head_key, 'last_bucket' .. suffix)
  last_bucket = tonumber(last_bucket or 0)
  for i = first, last, STRIDE do
    local player, reached = ARGV[i], ARGV[i + 2]
    if names and ARGV[i + 6] ~= '' then
      -- Before the board changes: every player on it has a name.
      keep_name(names, player, ARGV[i + 6], ARGV[i + 7])
    end
    local key, field = entry_of(own_rows, player)
    local old_version, old_reached = parse_row(redis.call('HGET', key, field))
    local listed = ARGV[i + 5] == '1'
    if tonumber(old_version or 0) <= tonumber(ARGV[i + 4]) then
      if old_reached and old_reached ~= '-' and (not listed or old_reached ~= reached) then
        redis.call('ZREM', own_order, member_of(old_reached, player, key_width))
      end
      if listed then
        redis.call('ZADD', own_order, ARGV[i + 1], member_of(reached, player, key_width))
      end
      redis.call('HSET', key, field, ARGV[i + 4] .. ' ' .. (listed and reached or '-') .. ' ' .. ARGV[i + 3])
      last_bucket = math.max(last_bucket, bucket_of(player))
    end
    if follows then
      local member = member_of(reached, player, key_width)
      local index = listed and redis.call('ZRANK', own_order, member)
      reply[#reply + 1] = index and rank_at(own_order, index, ARGV[i + 1], member, tied_width) or 0
    end
  end
  redis.call('HSET', head_key, 'listed' .. suffix, redis.call('ZCARD', own_order),
             'last_bucket' .. suffix, string.format('%.0f', last_bucket))
end

local function add_ranks(own_order, own_rows, _, first, last)
  for i = first, last, STRIDE do
    local index, score, member = find(own_order, own_rows, ARGV[i], key_width)
    reply[#reply + 1] = index and rank_at(own_order, index, score, member, tied_width) or 0
  end
end

if not known then
  open_periods()
  for_each_period(move)
  readable = kind ~= 'page'
  redis.call('HSET', head_key, 'version', ARGV[3], 'at_us', ARGV[4], 'readable', readable and '1' or '0',
             'copy', copy == '' and ARGV[7] or copy)
  reply[1], reply[2], reply[3] = to, readable and 1 or 0, 1
  if readable then
    redis.call('SPUBLISH', ARGV[5], ARGV[3])
  end
end
if readable and not follows then
  for_each_period(add_ranks)
end
return reply
