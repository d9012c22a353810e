-- Decides questions, one after the other, each of limits that are asked together: charges all of them, or refuses and charges none.
-- Twin of algorithms/*.ts and stores/memory.ts
-- KEYS[i] state of limit i, string; all of one slot
-- ARGV[1] decide, refund, or renew (concurrency); then for each limit seven: [1] algorithm  [2] limit  [3] window, ms  [4] capacity  [5] cost  [6] when it was charged, ms (refund); with concurrency the number of the slot
--      ban, after the limit whose refusals it counts: [2] refusals that ban  [3] their window, ms  [4] first ban, ms  [5] factor  [6] longest, ms
--      [7] '' | with the last limit of a question what it is: take | peek
-- Clock   redis TIME. Returns {server's ms, then for each limit: remaining, wait ms (0 admitted, -1 never), reset ms; for a ban: bans so far, ms left (0 none), ms of the ban that this has begun}; of a refund or renewal nothing

local FIELDS = 7
local time = redis.call('TIME')
local nowUs = time[1] * 1000000 + time[2]
local nowMs = math.floor(nowUs / 1000)
-- Of the limit that is being looked at.
local value, limit, windowMs, capacity, slot, longestMs

-- Each state begins with a byte that names its algorithm: what another one has left, or foreign bytes, count as nothing.
local FIXED, LOG, COUNTER, GCRA, HELD, BLOCK, BAN = '\1', '\2', '\3', '\4', '\5', '\6', '\7'

-- Redis writes a number of Lua with all the care that a fraction needs.
local function whole (n)
  return string.format('%d', n)
end

-- What a stranger has put there, of whatever type, counts as nothing, and is written over.
local function stateOf (key)
  local state = redis.pcall('GET', key)
  return type(state) == 'string' and state or false
end

local function fits (mark, length)
  return value and #value == length and string.sub(value, 1, 1) == mark
end

-- Each algorithm has two functions. `read` makes a state of the value, with what it says: remaining, wait for this cost, reset;
-- `known` when the value was its own, `changed` when the clock was set back or the rule is another, so that it is stored even if refused, `stored` when the value needs no change. `write` charges a cost, 0 to store alone.

-- fixed-window: start ms, count, window ms; it begins with what it counts first
local function readFixed (cost)
  local s = {start = nowMs, count = 0}
  if fits(FIXED, 19) then
    local window
    s.start, s.count, window = struct.unpack('>I6I6I6', value, 2)
    s.known, s.stored = true, window == windowMs
  end
  if s.start > nowMs then
    s.start, s.changed, s.stored = nowMs, true, false
  elseif s.count == 0 or nowMs >= s.start + windowMs then
    s.start, s.count, s.stored = nowMs, 0, false
  end
  local left = s.start + windowMs - nowMs
  s.remaining = math.max(0, limit - s.count)
  s.wait = cost <= limit - s.count and 0 or left
  s.reset = s.count == 0 and 0 or left
  return s
end

local function writeFixed (key, s, cost)
  s.count = s.count + cost
  s.reset = s.count == 0 and 0 or s.start + windowMs - nowMs
  if s.stored then
    redis.call('SETRANGE', key, '7', struct.pack('>I6', s.count))
  else
    redis.call('SET', key, FIXED .. struct.pack('>I6I6I6', s.start, s.count, windowMs), 'PX', whole(s.start + windowMs - nowMs))
  end
end

-- sliding-log: capacity, head, then a ring of stamps, ms, in the order of time from head on; what was never written is free
local RING = 10

local function stampAt (s, i)
  local slot = (s.head + i) % s.capacity
  if slot >= s.written then
    return 0
  end
  return (struct.unpack('>I6', s.value, RING + slot * 6))
end

-- Looks at what is written alone: foreign bytes may tell of a capacity of billions.
local function ordered (s)
  local stamps = {}
  for i = 0, s.written - 1 do
    local stamp = struct.unpack('>I6', s.value, RING + (s.head + i) % s.written * 6)
    if stamp > 0 then
      stamps[#stamps + 1] = stamp
    end
  end
  return stamps
end

-- Lays stamps out anew, each `earlier` by so many ms; the newest stay when there are too many.
local function lay (s, stamps, earlier)
  local from = math.max(0, #stamps - limit)
  local packed = {}
  for i = from + 1, #stamps do
    packed[i - from] = struct.pack('>I6', math.max(0, stamps[i] - earlier))
  end
  s.capacity, s.head, s.written, s.stored = limit, #packed % limit, #packed, false
  s.value = LOG .. struct.pack('>I4I4', s.capacity, s.head) .. table.concat(packed)
end

local function readLog (cost)
  local s = {value = LOG .. '\0\0\0\0\0\0\0\0', capacity = limit, head = 0, written = 0}
  if value and #value >= RING - 1 and string.sub(value, 1, 1) == LOG then
    local size, head = struct.unpack('>I4I4', value, 2)
    local written = (#value - RING + 1) / 6
    if size > 0 and head < size and written <= size and written == math.floor(written) then
      s.value, s.capacity, s.head, s.written, s.known, s.stored = value, size, head, written, true, true
    end
  end
  if s.capacity ~= limit then
    lay(s, ordered(s), 0)
    s.changed = true
  end
  local newest = stampAt(s, limit - 1)
  if newest > nowMs then
    lay(s, ordered(s), newest - nowMs)
    s.changed, newest = true, nowMs
  end
  -- Stamps that no longer count come first.
  local low, high, past = 0, s.capacity, nowMs - windowMs
  while low < high do
    local middle = math.floor((low + high) / 2)
    if stampAt(s, middle) <= past then
      low = middle + 1
    else
      high = middle
    end
  end
  s.remaining = low
  -- Of stamps in order none makes anybody wait longer than a window; of foreign bytes one might.
  s.wait = cost <= capacity and math.max(0, math.min(windowMs, stampAt(s, cost - 1) - past)) or 0
  s.reset = math.max(0, newest - past)
  return s
end

-- What was laid out anew is written whole; else only what changed, for the sake of replicas and the append-only file.
local function writeLog (key, s, cost)
  local stamp = struct.pack('>I6', nowMs)
  local first = math.min(cost, limit - s.head)
  local head = struct.pack('>I4I4', limit, (s.head + cost) % limit)
  if s.stored then
    redis.call('SETRANGE', key, whole(RING - 1 + s.head * 6), string.rep(stamp, first))
    if cost > first then
      redis.call('SETRANGE', key, whole(RING - 1), string.rep(stamp, cost - first))
    end
    redis.call('SETRANGE', key, '1', head)
    redis.call('PEXPIRE', key, whole(windowMs))
  else
    local ring = string.sub(s.value, RING)
    ring = string.sub(ring, 1, s.head * 6) .. string.rep(stamp, first) .. string.sub(ring, (s.head + first) * 6 + 1)
    ring = string.rep(stamp, cost - first) .. string.sub(ring, (cost - first) * 6 + 1)
    redis.call('SET', key, LOG .. head .. ring, 'PX', whole(windowMs))
  end
  if cost > 0 then
    s.reset = windowMs
  end
end

-- sliding-counter: width of a sub-window ms, number of the newest, count of the 15 older ones together, of the newest, then of each older one
local OLDER = 15
local SLOTS = OLDER + 1
local COUNTS = '>I6I6I6I6I6I6I6I6I6I6I6I6I6I6I6'

local function leaves (s, age)
  return (s.index - age + SLOTS) * s.width - nowMs
end

-- Each count goes where its sub-window is now, or, of another width, where it ended: so it counts no shorter than it must.
local function moved (s, width, index, newest)
  s.older, s.newest, s.counts, s.stored = 0, 0, {}, false
  for age = 1, OLDER do
    s.counts[age] = 0
  end
  local current = math.floor(nowMs / width)
  s.changed = index > current or width ~= s.width
  index = math.min(index, current)
  local old = {struct.unpack(COUNTS, value, 26)}
  old[0] = newest
  for age = 0, OLDER do
    local to = age + current - index
    if to <= OLDER and width ~= s.width then
      to = math.max(0, s.index - math.floor(((index - age + 1) * width - 1) / s.width))
    end
    if to == 0 then
      s.newest = s.newest + old[age]
    elseif to <= OLDER then
      s.counts[to] = s.counts[to] + old[age]
      s.older = s.older + old[age]
    end
  end
end

local function counted (s)
  s.counts = s.counts or {struct.unpack(COUNTS, value, 26)}
  s.counts[0] = s.newest
  return s.counts
end

local function readCounter (cost)
  local width = math.ceil(windowMs / OLDER)
  local s = {width = width, index = math.floor(nowMs / width), older = 0, newest = 0}
  if fits(COUNTER, 115) then
    local oldWidth, oldIndex, older, newest = struct.unpack('>I6I6I6I6', value, 2)
    s.known = oldWidth > 0
    if oldWidth == width and oldIndex == s.index then
      s.older, s.newest, s.stored = older, newest, true
    elseif s.known then
      moved(s, oldWidth, oldIndex, newest)
    end
  end
  local missing = cost - (limit - s.older - s.newest)
  s.remaining = math.max(0, limit - s.older - s.newest)
  s.wait, s.reset = 0, 0
  if missing > 0 and cost <= capacity then
    local counts, age = counted(s), SLOTS
    while missing > 0 and age > 0 do
      age = age - 1
      missing = missing - counts[age]
    end
    s.wait = leaves(s, age)
  end
  if s.newest > 0 then
    s.reset = leaves(s, 0)
  elseif s.older > 0 then
    local counts, age = counted(s), 1
    while counts[age] == 0 and age < OLDER do
      age = age + 1
    end
    s.reset = leaves(s, age)
  end
  return s
end

-- A value of this sub-window expires when it should, whenever in it it was written.
local function writeCounter (key, s, cost)
  s.newest = s.newest + cost
  if s.newest > 0 then
    s.reset = leaves(s, 0)
  end
  if s.stored then
    redis.call('SETRANGE', key, '19', struct.pack('>I6', s.newest))
    return
  end
  local counts = s.counts and struct.pack(COUNTS, unpack(s.counts, 1, OLDER)) or string.rep('\0', OLDER * 6)
  redis.call('SET', key, COUNTER .. struct.pack('>I6I6I6I6', s.width, s.index, s.older, s.newest) .. counts, 'PX', whole(leaves(s, 0)))
end

-- gcra: theoretical arrival time, µs
local function readGcra (cost)
  local s = {tat = nowUs, interval = math.ceil(windowMs * 1000 / limit)}
  if fits(GCRA, 9) then
    s.tat, s.known = struct.unpack('>I8', value, 2), true
  end
  local latest = nowUs + capacity * s.interval
  s.changed = s.tat > latest
  s.tat = math.max(nowUs, math.min(s.tat, latest))
  s.remaining = math.floor((latest - s.tat) / s.interval)
  s.wait = math.ceil(math.max(0, s.tat + cost * s.interval - latest) / 1000)
  s.reset = math.ceil((s.tat - nowUs) / 1000)
  return s
end

local function writeGcra (key, s, cost)
  s.tat = s.tat + cost * s.interval
  s.reset = math.ceil((s.tat - nowUs) / 1000)
  redis.call('SET', key, GCRA .. struct.pack('>I8', s.tat), 'PX', whole(math.max(1, math.floor((s.tat - nowUs) / 1000) + 1)))
end

-- concurrency: units in flight, earliest and latest expiry ms, then of each slot its number, its expiry ms and its units.
-- The sums spare the look at each slot: none has ended before the earliest expiry.
local SUMS, SLOT = 19, 16
-- Nobody knows when a request ends: ms after which to ask again.
local AGAIN = 1000

-- Leaves out what has ended. No slot lies further ahead than one that is held now: that is another clock, or another rule.
local function sweep (s)
  local kept, furthest, slots = {}, nowMs + windowMs, s.slots
  s.units, s.earliest, s.latest = 0, furthest, 0
  for at = 1, #slots, SLOT do
    local number, expiry, units = struct.unpack('>I6I6I4', slots, at)
    if expiry > nowMs then
      s.changed = s.changed or expiry > furthest
      expiry = math.min(expiry, furthest)
      s.units, s.earliest, s.latest = s.units + units, math.min(s.earliest, expiry), math.max(s.latest, expiry)
      kept[#kept + 1] = struct.pack('>I6I6I4', number, expiry, units)
    end
  end
  s.slots = table.concat(kept)
end

local function readSlots (cost)
  local s = {units = 0, earliest = 0, latest = 0, slots = ''}
  if value and #value >= SUMS and (#value - SUMS) % SLOT == 0 and string.sub(value, 1, 1) == HELD then
    s.units, s.earliest, s.latest = struct.unpack('>I6I6I6', value, 2)
    s.slots, s.known = string.sub(value, SUMS + 1), true
    if s.earliest <= nowMs or s.latest > nowMs + windowMs then
      sweep(s)
    end
  end
  s.remaining = math.max(0, limit - s.units)
  s.wait = cost <= limit - s.units and 0 or AGAIN
  s.reset = s.units == 0 and 0 or AGAIN
  return s
end

local function freeSlot (s)
  local packed = struct.pack('>I6', slot)
  local at = string.find(s.slots, packed, 1, true)
  while at and at % SLOT ~= 1 do
    at = string.find(s.slots, packed, at + 1, true)
  end
  if at then
    s.units = s.units - struct.unpack('>I4', s.slots, at + 12)
    s.slots = string.sub(s.slots, 1, at - 1) .. string.sub(s.slots, at + SLOT)
  end
end

local function writeSlots (key, s, cost)
  if cost > 0 then
    freeSlot(s)
    s.latest = nowMs + windowMs
    s.earliest = s.slots == '' and s.latest or math.min(s.earliest, s.latest)
    s.units = s.units + cost
    s.slots = s.slots .. struct.pack('>I6I6I4', slot, s.latest, cost)
    s.reset = AGAIN
  end
  if s.slots == '' then
    redis.call('DEL', key)
  else
    redis.call('SET', key, HELD .. struct.pack('>I6I6I6', math.max(0, s.units), s.earliest, s.latest) .. s.slots, 'PX', whole(math.max(1, s.latest - nowMs)))
  end
end

-- Ms for which a block of lua/block.lua refuses the subject; one that has ended is taken off the state.
local function blockedFor (key)
  if not value or string.sub(value, 1, 1) ~= BLOCK or #value < 7 then
    return 0
  end
  local left = struct.unpack('>I6', value, 2) - nowMs
  if left <= 0 then
    value = string.sub(value, 8)
    redis.call('SET', key, value, 'KEEPTTL')
  end
  return math.max(0, left)
end

-- ban: start of the window ms, refusals in it, bans, end of the last ms. It is charged nothing, and counts refusals of the limit before it.
local MOST_BANS = 200

local function readBan ()
  local s = {ban = true, start = nowMs, strikes = 0, bans = 0, ends = 0}
  if fits(BAN, 18) then
    s.start, s.strikes, s.bans, s.ends = struct.unpack('>I6I4I1I6', value, 2)
  end
  s.ends = math.min(s.ends, nowMs + longestMs)
  if s.start > nowMs or nowMs >= s.start + windowMs then
    s.start, s.strikes = nowMs, 0
  end
  if nowMs >= s.ends + longestMs then
    s.bans = 0
  end
  s.remaining, s.wait, s.reset = s.bans, math.max(0, s.ends - nowMs), 0
  return s
end

local function strike (key, s, factor)
  s.strikes = s.strikes + 1
  if s.strikes >= limit then
    local ms = math.min(capacity, longestMs)
    for _ = 1, s.bans do
      ms = math.min(longestMs, math.floor(ms * factor))
    end
    s.bans, s.start, s.strikes, s.ends = math.min(MOST_BANS, s.bans + 1), nowMs, 0, nowMs + ms
    s.remaining, s.wait, s.reset = s.bans, ms, ms
  end
  local life = math.max(s.start + windowMs - nowMs, s.bans == 0 and 0 or s.ends + longestMs - nowMs)
  redis.call('SET', key, BAN .. struct.pack('>I6I4I1I6', s.start, s.strikes, s.bans, s.ends), 'PX', whole(life))
end

-- Turns to limit i: its functions, its cost, and when that was charged.
local function turnTo (i)
  local at = 2 + (i - 1) * FIELDS
  local algorithm = ARGV[at]
  limit, windowMs, capacity = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  local cost = tonumber(ARGV[at + 4])
  if algorithm == 'sliding-log' then
    return readLog, writeLog, cost
  elseif algorithm == 'sliding-counter' then
    return readCounter, writeCounter, cost
  elseif algorithm == 'fixed-window' then
    return readFixed, writeFixed, cost
  elseif algorithm == 'concurrency' then
    slot = tonumber(ARGV[at + 5])
    return readSlots, writeSlots, cost
  elseif algorithm == 'ban' then
    longestMs = tonumber(ARGV[at + 5])
    return readBan, strike, cost
  end
  return readGcra, writeGcra, cost
end

if ARGV[1] == 'refund' then
  local refunds = {}

  refunds[readFixed] = function (s, cost, at)
    if at >= s.start then
      s.count = math.max(0, s.count - cost)
    end
  end

  refunds[readLog] = function (s, cost, at)
    local kept = {}
    for _, stamp in ipairs(ordered(s)) do
      if stamp == at and cost > 0 then
        cost = cost - 1
      else
        kept[#kept + 1] = stamp
      end
    end
    lay(s, kept, 0)
  end

  refunds[readCounter] = function (s, cost, at)
    local counts, age = counted(s), s.index - math.floor(at / s.width)
    s.stored = false
    if age == 0 then
      s.newest = math.max(0, s.newest - cost)
    elseif age > 0 and age <= OLDER then
      local back = math.min(cost, counts[age])
      counts[age], s.older = counts[age] - back, s.older - back
    end
  end

  -- What has leaked since is not given back: else a late refund would admit more than the burst.
  refunds[readGcra] = function (s, cost, at)
    local leaked = math.max(0, nowUs - at * 1000)
    s.tat = math.max(nowUs, s.tat - math.max(0, cost * s.interval - leaked))
  end

  refunds[readSlots] = freeSlot

  for i = 1, #KEYS do
    local read, write, cost = turnTo(i)
    value = stateOf(KEYS[i])
    -- Of who is blocked nothing is given back: it ends with its time.
    if value and capacity > 0 and blockedFor(KEYS[i]) == 0 then
      local s = read(1)
      if s.known then
        refunds[read](s, cost, tonumber(ARGV[i * FIELDS]))
        write(KEYS[i], s, 0)
      end
    end
  end
  return {}
end

if ARGV[1] == 'renew' then
  for i = 1, #KEYS do
    local read, write, cost = turnTo(i)
    value = stateOf(KEYS[i])
    if capacity > 0 and blockedFor(KEYS[i]) == 0 then
      write(KEYS[i], read(cost), cost)
    end
  end
  return {}
end

local answer = {nowMs}
local states, refused, first = {}, false, 1
local read, write, cost

-- The question of the limits from `first` to `last` has been read: charges them, or none.
local function finish (last, taking)
  local charging = taking and not refused
  for i = first, last do
    local s = states[i]
    if first < last then
      read, write, cost = turnTo(i)
    end
    if s.ban then
      if taking and s.wait == 0 and states[i - 1].wait ~= 0 then
        write(KEYS[i], s, cost)
      end
    elseif charging then
      s.remaining = s.remaining - cost
      write(KEYS[i], s, cost)
    elseif s.changed then
      write(KEYS[i], s, 0)
    end
    local at = 2 + (i - 1) * 3
    answer[at], answer[at + 1], answer[at + 2] = s.remaining, s.wait, s.reset
  end
end

for i = 1, #KEYS do
  read, write, cost = turnTo(i)
  local s = {remaining = 0, wait = -1, reset = 0}
  if capacity > 0 then
    value = stateOf(KEYS[i])
    local blocked = blockedFor(KEYS[i])
    if blocked == 0 then
      s = read(cost)
    else
      s.wait, s.reset = blocked, blocked
    end
    if cost > capacity and not s.ban then
      s.wait = -1
    end
  end
  states[i] = s
  refused = refused or s.wait ~= 0
  local what = ARGV[1 + i * FIELDS]
  if what ~= '' then
    finish(i, what == 'take')
    first, refused = i + 1, false
  end
end
return answer
