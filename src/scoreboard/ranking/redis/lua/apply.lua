-- Apply a change to the copy of a board, atomically and only in order (ports.ranking.Ranking.apply).
--
-- KEYS  head, order, rows, and names if they are on the same server
-- ARGV  kind, from_version, to_version, at_us, channel, id of the expected copy ("*": any), id for a new copy, layout (see
--       layout.lua), open periods: empty if "all" is the only one, otherwise "period standings period standings …"; then
--       for each standing, period by period: player, first order value, key, reached_at_us, version, listed (1 or 0),
--       name_version, user id and name (see layout.lua; empty if another standing of this change has them)
-- Returns {version, readable, moved, rank of each standing's player or 0 …}

local FIRST, STRIDE = 10, 8

local head_key, order, rows, names = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local kind, from, to, expected = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[6]
local key_width, tied_width = parse_layout(ARGV[8])
local head = redis.call('HMGET', head_key, 'version', 'readable', 'last_bucket', 'copy', 'listed', 'periods')

local whole = is_whole(order, head[5])
if head[6] then
  for period in string.gmatch(head[6], '%S+') do
    local own_order, _, suffix = view_of(order, rows, period)
    whole = whole and is_whole(own_order, redis.call('HGET', head_key, 'listed' .. suffix))
  end
end
if not whole then
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

local follows = kind == 'step' and version == from and not known

-- The open periods and the numbers of their standings.
local periods, counts = {ALL_TIME}, {(#ARGV - FIRST + 1) / STRIDE}
if ARGV[9] ~= '' then
  periods, counts = {}, {}
  for period, count in string.gmatch(ARGV[9], '(%S+) (%d+)') do
    periods[#periods + 1], counts[#counts + 1] = period, tonumber(count)
  end
end

if not known and (head[6] or #periods > 1) then
  open_periods(head_key, order, rows, head[6] or '', periods)
end

local first = FIRST
local fields = {}
for number, period in ipairs(periods) do
  local own_order, own_rows, suffix = view_of(order, rows, period)
  local last = first + STRIDE * counts[number] - 1
  if not known then
    local last_bucket = suffix == '' and head[3] or redis.call('HGET', head_key, 'last_bucket' .. suffix)
    last_bucket = tonumber(last_bucket or 0)
    for i = first, last, STRIDE do
      local player, reached = ARGV[i], ARGV[i + 2]
      if names and ARGV[i + 6] ~= '' then
        -- Before the board changes: every player on it has a name.
        keep_name(names, player, ARGV[i + 6], ARGV[i + 7])
      end
      local key, field = entry_of(own_rows, player)
      local old_version, old_reached = parse_row(redis.call('HGET', key, field), key_width)
      local listed = ARGV[i + 5] == '1'
      local member = listed and member_of(reached, player, key_width)
      if tonumber(old_version or 0) <= tonumber(ARGV[i + 4]) then
        if old_reached and old_reached ~= '-' and (not listed or old_reached ~= reached) then
          redis.call('ZREM', own_order, member_of(old_reached, player, key_width))
        end
        if listed then
          redis.call('ZADD', own_order, ARGV[i + 1], member)
        end
        redis.call('HSET', key, field, ARGV[i + 4] .. ' ' .. (listed and reached or '-') .. ' ' .. ARGV[i + 3])
        last_bucket = math.max(last_bucket, bucket_of(player))
      end
      if follows then
        local index = listed and redis.call('ZRANK', own_order, member)
        if index and tied_width then
          index = shared_rank(own_order, index, ARGV[i + 1], member, tied_width) - 1
        end
        reply[#reply + 1] = index and index + 1 or 0
      end
    end
    fields[#fields + 1] = 'listed' .. suffix
    fields[#fields + 1] = redis.call('ZCARD', own_order)
    fields[#fields + 1] = 'last_bucket' .. suffix
    fields[#fields + 1] = string.format('%.0f', last_bucket)
  end
  if not follows and (known and readable or not known and kind ~= 'page') then
    for i = first, last, STRIDE do
      local index, score, member = find(own_order, own_rows, ARGV[i], key_width)
      if index and tied_width then
        index = shared_rank(own_order, index, score, member, tied_width) - 1
      end
      reply[#reply + 1] = index and index + 1 or 0
    end
  end
  first = last + 1
end

if not known then
  readable = kind ~= 'page'
  redis.call('HSET', head_key, 'version', ARGV[3], 'at_us', ARGV[4], 'readable', readable and '1' or '0',
             'copy', copy == '' and ARGV[7] or copy, unpack(fields))
  reply[1], reply[2], reply[3] = to, readable and 1 or 0, 1
  if readable then
    redis.call('SPUBLISH', ARGV[5], ARGV[3])
  end
end
return reply
