-- Decides questions, one after the other, each of limits that are asked together: charges all of them, or refuses and charges none.
-- Twin of algorithms/*.ts and stores/memory.ts; asked by stores/limit-call.ts
-- KEYS    states, strings, of the limits of the first question, then of the second; all of one slot
-- ARGV[1] decide, refund, or renew (concurrency)  [2] a character for each question: which shape it has, '0' the first
--      then the shapes: [1] take | peek | '' (not decide)  [2] how many limits, then for each seven: [1] algorithm  [2] limit  [3] window, ms  [4] capacity  [5] cost  [6] when it was charged, ms (refund); with concurrency the number of the slot; of a lease units wanted/nodes/strict lifetime, ms/units given back/when those were charged, ms  [7] units that must be free: the cost, and headroom that is not charged
--      ban, after the limit whose refusals it counts: [2] refusals that ban  [3] their window, ms  [4] first ban, ms  [5] factor  [6] longest, ms
-- Clock   redis TIME. Returns {server's ms, then for each limit: remaining, wait ms (0 admitted, -1 never), reset ms; for a ban: bans so far, ms left (0 none), ms of the ban that this has begun; then for each lease: units charged, 0 refused}; of a refund or renewal nothing

-- A global is looked up twice for each use.
local call, byte, sub, rep, pack, parse = redis.call, string.byte, string.sub, string.rep, struct.pack, struct.unpack
local floor, ceil, max, min = math.floor, math.ceil, math.max, math.min
-- A number as Redis writes one of Lua takes all the care that a fraction needs.
local format, WHOLE = string.format, '%d'
local time = call('TIME')
local nowUs = time[1] * 1000000 + time[2]
local nowMs = floor(nowUs / 1000)
-- Of the limit that is being looked at: its value with the byte that this begins with, and its rule.
local value, mark, limit, windowMs, capacity, slot, longestMs

-- Each state begins with a byte that names its algorithm: what another one has left, or foreign bytes, count as nothing.
local FIXED, LOG, COUNTER, GCRA, HELD, BLOCK, BAN = 1, 2, 3, 4, 5, 6, 7

-- What a stranger has put there, of whatever type, counts as nothing, and is written over.
local function turnToKey (key)
  local state = redis.pcall('GET', key)
  value = type(state) == 'string' and state or false
  mark = value and byte(value)
end

-- Each algorithm is made where a limit has it, since to make a function costs as much as to call it: three functions. `read` makes a state of the value, with what it says: remaining, wait for this cost, reset;
-- `known` when the value was its own, `changed` when the clock was set back or the rule is another, so that it is stored even if refused, `stored` when the value needs no change. `write` charges a cost, 0 to store alone.
-- `refund` takes back a cost that was charged at a time.

-- The limits of each shape, in one pass: a caller alone waits for each step.
local uses, leases, shapes, at = {}, false, {}, 3
while ARGV[at] do
  local shape, count = {takes = ARGV[at] == 'take'}, ARGV[at + 1]
  at = at + 2
  for i = 1, count do
    local algorithm, limit, window, capacity, cost, last, asked = unpack(ARGV, at, at + 6)
    -- To add to a text is the shortest way to its number.
    local one = {
      algorithm = algorithm, limit = limit + 0, window = window + 0, capacity = capacity + 0, cost = cost + 0, last = tonumber(last), asked = asked + 0, lease = false
    }
    if not one.last then
      local want, nodes, strictMs, back, since = string.match(last, '^(%d+)/(%d+)/(%d+)/(%d+)/(%d+)$')
      one.lease = want and {want = tonumber(want), nodes = tonumber(nodes), strictUs = strictMs * 1000, back = tonumber(back), since = tonumber(since)}
      leases = true
    end
    uses[algorithm], shape[i] = true, one
    at = at + 7
  end
  shapes[#shapes + 1] = shape
end

local algorithms = {}

-- fixed-window: start ms, count, window ms; it begins with what it counts first
if uses['fixed-window'] then
  local function read (cost)
    local start, count, window, known, changed, stored = nowMs, 0, windowMs, false, false, false
    if mark == FIXED and #value == 19 then
      start, count, window = parse('>I6I6I6', value, 2)
      known, changed, stored = true, window ~= windowMs, window == windowMs
    end
    if start > nowMs then
      start, changed, stored = nowMs, true, false
    elseif count == 0 or nowMs >= start + min(window, windowMs) then
      start, count, stored = nowMs, 0, false
    end
    local left, free = start + windowMs - nowMs, limit - count
    return {
      start = start, count = count, known = known, changed = changed, stored = stored,
      remaining = free > 0 and free or 0, wait = cost <= free and 0 or left, reset = count == 0 and 0 or left
    }
  end

  local function write (key, s, cost)
    local left = s.start + windowMs - nowMs
    s.count = s.count + cost
    s.reset = s.count == 0 and 0 or left
    if s.stored then
      call('SETRANGE', key, '7', pack('>I6', s.count))
    else
      call('SET', key, '\1' .. pack('>I6I6I6', s.start, s.count, windowMs), 'PX', format(WHOLE, left))
    end
  end

  local function refund (s, cost, at)
    if at >= s.start then
      s.count = max(0, s.count - cost)
    end
  end

  algorithms['fixed-window'] = {read = read, write = write, refund = refund}
end

-- sliding-log: capacity, head, when the key expires ms, then a ring of stamps, ms. Until the ring is full its oldest is the first and `head` says nothing; then both are at `head`
if uses['sliding-log'] then
  local RING = 16

  -- The i-th oldest that is written, from 0.
  local function stampAt (s, i)
    return (parse('>I6', s.value, RING + (s.oldest + i) % s.capacity * 6))
  end

  -- Lays the stamps out anew, each `earlier` by so many ms, without so many units of a time; the newest stay when there are too many.
  local function lay (s, earlier, units, time)
    local stamps = {}
    for i = 0, s.written - 1 do
      local stamp = stampAt(s, i)
      if stamp == time and units > 0 then
        units = units - 1
      elseif stamp > 0 then
        stamps[#stamps + 1] = pack('>I6', max(0, stamp - earlier))
      end
    end
    local from = max(0, #stamps - limit)
    s.capacity, s.oldest, s.written, s.stored = limit, 0, #stamps - from, false
    s.value = rep('\0', RING - 1) .. table.concat(stamps, '', from + 1)
  end

  local function read (cost)
    -- Not exactly a window, so that not every charge has to prolong it.
    local life = windowMs + max(1000, ceil(windowMs / 15))
    local s = {
      value = false, capacity = limit, oldest = 0, written = 0, known = false, changed = false, stored = false, ended = false, life = life,
      remaining = 0, wait = 0, reset = 0
    }
    if mark == LOG and #value >= RING - 1 then
      local size, head, expires = parse('>I4I4I6', value, 2)
      local written = (#value - RING + 1) / 6
      if size > 0 and head < size and written <= size and written == floor(written) then
        s.value, s.capacity, s.oldest, s.written, s.known = value, size, written == size and head or 0, written, true
        s.stored = expires >= nowMs + windowMs and expires <= nowMs + life
      end
    end
    if s.capacity ~= limit then
      lay(s, 0)
      s.changed = true
    end
    local newest, past = s.written > 0 and stampAt(s, s.written - 1) or 0, nowMs - windowMs
    if newest > nowMs then
      lay(s, newest - nowMs)
      s.changed, newest = true, nowMs
    end
    s.ended = newest <= past
    -- Stamps that no longer count come first in the order of time.
    local low, high = 0, 0
    if s.written > 0 and stampAt(s, 0) <= past then
      low, high = 1, s.written
      while low < high do
        local middle = floor((low + high) / 2)
        if stampAt(s, middle) <= past then
          low = middle + 1
        else
          high = middle
        end
      end
    end
    local unwritten = limit - s.written
    s.remaining = s.ended and limit or unwritten + low
    s.reset = s.ended and 0 or newest - past
    if cost > s.remaining and cost <= capacity then
      -- Of stamps in order none makes anybody wait longer than a window; of foreign bytes one might.
      s.wait = max(0, min(windowMs, stampAt(s, cost - 1 - unwritten) - past))
    end
    return s
  end

  -- Where the value can stay only what changed is written, for the sake of replicas and the append-only file.
  local function write (key, s, cost)
    local stamps = rep(pack('>I6', nowMs), cost)
    if cost > 0 then
      s.reset = windowMs
      if s.ended then
        s.value, s.oldest, s.written, s.stored = false, 0, 0, false
      end
    end
    local written = s.written + cost
    if s.stored and written <= limit then
      call('APPEND', key, stamps)
      return
    end
    -- Where the next one goes.
    local head = s.written < limit and s.written or s.oldest
    local first = min(cost, limit - head)
    local nextHead = written < limit and 0 or (head + cost) % limit
    if s.stored then
      call('SETRANGE', key, format(WHOLE, RING - 1 + head * 6), sub(stamps, 1, first * 6))
      if cost > first then
        call('SETRANGE', key, format(WHOLE, RING - 1), sub(stamps, first * 6 + 1))
      end
      call('SETRANGE', key, '5', pack('>I4', nextHead))
    else
      local ring, life = s.value and sub(s.value, RING) or '', s.life
      ring = sub(ring, 1, head * 6) .. sub(stamps, 1, first * 6) .. sub(ring, (head + first) * 6 + 1)
      ring = sub(stamps, first * 6 + 1) .. sub(ring, (cost - first) * 6 + 1)
      call('SET', key, '\2' .. pack('>I4I4I6', limit, nextHead, nowMs + life) .. ring, 'PX', format(WHOLE, life))
    end
  end

  local function refund (s, cost, at)
    lay(s, 0, cost, at)
  end

  algorithms['sliding-log'] = {read = read, write = write, refund = refund}
end

-- sliding-counter: width of a sub-window ms, number of the newest, count of the 15 older ones together, of the newest, then of each older one
if uses['sliding-counter'] then
  local OLDER = 15
  local SLOTS = OLDER + 1
  local COUNTS = '>I6I6I6I6I6I6I6I6I6I6I6I6I6I6I6'
  local FIRST = 26
  local NONE = rep('\0', OLDER * 6)

  local function leaves (s, age)
    return (s.index - age + SLOTS) * s.width - nowMs
  end

  -- Time has passed, and nothing else: what is so old that it counts no more falls off the end.
  local function passed (s, older, newest)
    if s.by <= OLDER then
      for age = OLDER - s.by + 1, OLDER do
        older = older - parse('>I6', value, FIRST + (age - 1) * 6)
      end
      s.older, s.before = max(0, older + newest), newest
    end
  end

  -- The older counts of a value that began so many sub-windows ago. Redis hashes every byte of a string that is made.
  local function packed (s)
    if not s.value or s.by > OLDER then
      return NONE
    elseif s.by == 0 then
      return sub(s.value, FIRST)
    end
    return rep('\0', (s.by - 1) * 6) .. pack('>I6', s.before) .. sub(s.value, FIRST, FIRST - 1 + (OLDER - s.by) * 6)
  end

  -- Each count goes where its sub-window is now, or, of another width, where it ended: so it counts no shorter than it must.
  local function moved (s, oldWidth, oldIndex, newest)
    s.counts = {}
    for age = 1, OLDER do
      s.counts[age] = 0
    end
    local current = floor(nowMs / oldWidth)
    s.changed = true
    local index = min(oldIndex, current)
    local counts = {parse(COUNTS, value, FIRST)}
    counts[0] = newest
    for age = 0, OLDER do
      local to = age + current - index
      if to <= OLDER and oldWidth ~= s.width then
        to = max(0, s.index - floor(((index - age + 1) * oldWidth - 1) / s.width))
      end
      if to == 0 then
        s.newest = s.newest + counts[age]
      elseif to <= OLDER then
        s.counts[to] = s.counts[to] + counts[age]
        s.older = s.older + counts[age]
      end
    end
  end

  local function counted (s)
    s.counts = s.counts or {parse(COUNTS, packed(s))}
    s.counts[0] = s.newest
    return s.counts
  end

  local function read (cost)
    local width = ceil(windowMs / OLDER)
    local s = {
      width = width, index = floor(nowMs / width), older = 0, newest = 0, value = false, by = 0, before = 0, counts = false, known = false, changed = false, stored = false,
      remaining = 0, wait = 0, reset = 0
    }
    if mark == COUNTER and #value == 115 then
      local oldWidth, index, older, newest = parse('>I6I6I6I6', value, 2)
      s.known = oldWidth > 0
      if oldWidth == width and index == s.index then
        s.older, s.newest, s.value, s.stored = older, newest, value, true
      elseif oldWidth == width and index < s.index then
        s.value, s.by = value, s.index - index
        passed(s, older, newest)
      elseif s.known then
        moved(s, oldWidth, index, newest)
      end
    end
    local free = limit - s.older - s.newest
    local missing = cost - free
    s.remaining = free > 0 and free or 0
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
  local function write (key, s, cost)
    s.newest = s.newest + cost
    if s.newest > 0 then
      s.reset = leaves(s, 0)
    end
    if s.stored then
      call('SETRANGE', key, '19', pack('>I6', s.newest))
      return
    end
    local counts = s.counts and pack(COUNTS, unpack(s.counts, 1, OLDER)) or packed(s)
    call('SET', key, '\3' .. pack('>I6I6I6I6', s.width, s.index, s.older, s.newest) .. counts, 'PX', format(WHOLE, leaves(s, 0)))
  end

  local function refund (s, cost, at)
    local counts, age = counted(s), s.index - floor(at / s.width)
    s.stored = false
    if age == 0 then
      s.newest = max(0, s.newest - cost)
    elseif age > 0 and age <= OLDER then
      local back = min(cost, counts[age])
      counts[age], s.older = counts[age] - back, s.older - back
    end
  end

  algorithms['sliding-counter'] = {read = read, write = write, refund = refund}
end

-- gcra: theoretical arrival time, µs
if uses['gcra'] then
  local function read (cost)
    local s = {tat = nowUs, interval = ceil(windowMs * 1000 / limit)}
    if mark == GCRA and #value == 9 then
      s.tat, s.known = parse('>I8', value, 2), true
    end
    local latest = nowUs + capacity * s.interval
    s.changed = s.tat > latest
    s.tat = max(nowUs, min(s.tat, latest))
    s.remaining = floor((latest - s.tat) / s.interval)
    s.wait = ceil(max(0, s.tat + cost * s.interval - latest) / 1000)
    s.reset = ceil((s.tat - nowUs) / 1000)
    return s
  end

  local function write (key, s, cost)
    s.tat = s.tat + cost * s.interval
    s.reset = ceil((s.tat - nowUs) / 1000)
    call('SET', key, '\4' .. pack('>I8', s.tat), 'PX', format(WHOLE, max(1, floor((s.tat - nowUs) / 1000) + 1)))
  end

  -- What has leaked since is not given back: else a late refund would admit more than the burst.
  local function refund (s, cost, at)
    local leaked = max(0, nowUs - at * 1000)
    s.tat = max(nowUs, s.tat - max(0, cost * s.interval - leaked))
  end

  algorithms['gcra'] = {read = read, write = write, refund = refund}
end

-- concurrency: units in flight, earliest and latest expiry ms, then of each slot its number, its expiry ms and its units.
-- The sums spare the look at each slot: none has ended before the earliest expiry.
if uses['concurrency'] then
  local SUMS, SLOT = 19, 16
  -- Nobody knows when a request ends: ms after which to ask again.
  local AGAIN = 1000

  -- Leaves out what has ended. No slot lies further ahead than one that is held now: that is another clock, or another rule.
  local function sweep (s)
    local kept, furthest, slots = {}, nowMs + windowMs, s.slots
    s.units, s.earliest, s.latest = 0, furthest, 0
    for at = 1, #slots, SLOT do
      local number, expiry, units = parse('>I6I6I4', slots, at)
      if expiry > nowMs then
        s.changed = s.changed or expiry > furthest
        expiry = min(expiry, furthest)
        s.units, s.earliest, s.latest = s.units + units, min(s.earliest, expiry), max(s.latest, expiry)
        kept[#kept + 1] = pack('>I6I6I4', number, expiry, units)
      end
    end
    s.slots = table.concat(kept)
  end

  local function read (cost)
    local s = {units = 0, earliest = 0, latest = 0, slots = ''}
    if mark == HELD and #value >= SUMS then
      local count = floor((#value - SUMS) / SLOT)
      s.units, s.earliest, s.latest = parse('>I6I6I6', value, 2)
      -- Of a slot that was cut off, or of bytes behind the last, the sums know better until they end.
      s.slots, s.known = sub(value, SUMS + 1, SUMS + count * SLOT), true
      if s.earliest <= nowMs or s.earliest > s.latest or s.latest > nowMs + windowMs or s.units < count then
        sweep(s)
      end
    end
    s.remaining = max(0, limit - s.units)
    s.wait = cost <= limit - s.units and 0 or AGAIN
    s.reset = s.units == 0 and 0 or AGAIN
    return s
  end

  local function free (s)
    local packed = pack('>I6', slot)
    local at = string.find(s.slots, packed, 1, true)
    while at and at % SLOT ~= 1 do
      at = string.find(s.slots, packed, at + 1, true)
    end
    if at then
      s.units = s.units - parse('>I4', s.slots, at + 12)
      s.slots = sub(s.slots, 1, at - 1) .. sub(s.slots, at + SLOT)
    end
  end

  local function write (key, s, cost)
    if cost > 0 then
      free(s)
      s.latest = nowMs + windowMs
      s.earliest = s.slots == '' and s.latest or min(s.earliest, s.latest)
      s.units = s.units + cost
      s.slots = s.slots .. pack('>I6I6I4', slot, s.latest, cost)
      s.reset = AGAIN
    end
    if s.slots == '' then
      call('DEL', key)
    else
      call('SET', key, '\5' .. pack('>I6I6I6', max(0, s.units), s.earliest, s.latest) .. s.slots, 'PX', format(WHOLE, max(1, s.latest - nowMs)))
    end
  end

  algorithms['concurrency'] = {read = read, write = write, refund = free}
end

-- ban: start of the window ms, refusals in it, bans, end of the last ms. It is charged nothing, and counts refusals of the limit before it.
if uses['ban'] then
  local MOST_BANS = 200

  local function read ()
    local s = {ban = true, start = nowMs, strikes = 0, bans = 0, ends = 0}
    if mark == BAN and #value == 18 then
      s.start, s.strikes, s.bans, s.ends = parse('>I6I4I1I6', value, 2)
    end
    s.ends = min(s.ends, nowMs + longestMs)
    if s.start > nowMs or nowMs >= s.start + windowMs then
      s.start, s.strikes = nowMs, 0
    end
    if nowMs >= s.ends + longestMs then
      s.bans = 0
    end
    s.remaining, s.wait, s.reset = s.bans, max(0, s.ends - nowMs), 0
    return s
  end

  local function strike (key, s, factor)
    s.strikes = s.strikes + 1
    if s.strikes >= limit then
      local ms = min(capacity, longestMs)
      for _ = 1, s.bans do
        ms = min(longestMs, floor(ms * factor))
      end
      s.bans, s.start, s.strikes, s.ends = min(MOST_BANS, s.bans + 1), nowMs, 0, nowMs + ms
      s.remaining, s.wait, s.reset = s.bans, ms, ms
    end
    local life = max(s.start + windowMs - nowMs, s.bans == 0 and 0 or s.ends + longestMs - nowMs)
    call('SET', key, '\7' .. pack('>I6I4I1I6', s.start, s.strikes, s.bans, s.ends), 'PX', format(WHOLE, life))
  end

  algorithms['ban'] = {read = read, write = strike}
end

local function turnTo (one)
  limit, windowMs, capacity, slot, longestMs = one.limit, one.window, one.capacity, one.last, one.last
end

-- Ms for which a block of lua/block.lua refuses the subject; one that has ended is taken off the state.
local function blockedFor (key)
  if mark ~= BLOCK or #value < 7 then
    return 0
  end
  local left = parse('>I6', value, 2) - nowMs
  if left <= 0 then
    value = sub(value, 8)
    mark = byte(value)
    call('SET', key, value, 'KEEPTTL')
    return 0
  end
  return left
end

if ARGV[1] ~= 'decide' then
  local refunding = ARGV[1] == 'refund'
  for i, key in ipairs(KEYS) do
    local one = shapes[1][i]
    local algorithm = algorithms[one.algorithm]
    turnTo(one)
    turnToKey(key)
    -- Of who is blocked nothing is given back: it ends with its time.
    if capacity > 0 and blockedFor(key) == 0 then
      local s = algorithm.read(refunding and 1 or one.cost)
      if not refunding then
        algorithm.write(key, s, one.cost)
      elseif s.known then
        algorithm.refund(s, one.cost, one.last)
        algorithm.write(key, s, 0)
      end
    end
  end
  return {}
end

-- All values at once: of several commands most is what they have around them. What a question has written is read again.
local values, written, order = call('MGET', unpack(KEYS)), {}, ARGV[2]
local answer, states, before = {nowMs}, {}, 0
-- Units charged of limits that are leased, in their order.
local granted = {}
local giveBack, batchOf

if leases then
  -- What the process no longer spends, before it takes anew.
  giveBack = function (one, key)
    local algorithm = algorithms[one.algorithm]
    local s = one.lease.back > 0 and value and algorithm.read(1)
    if s and s.known then
      algorithm.refund(s, one.lease.back, one.lease.since)
      algorithm.write(key, s, 0)
      written[key] = true
      turnToKey(key)
    end
  end

  -- Units to charge for a cost that has room: a batch, or the cost alone, which is then a direct admission. Twin of leases/batch.ts
  batchOf = function (s, one)
    local cost, lease = one.cost, one.lease
    local free, tat = s.remaining, nil
    if lease.strictUs > 0 and s.tat then
      tat = max(s.tat, nowUs + lease.strictUs)
      free = floor((nowUs + capacity * s.interval - tat) / s.interval)
    end
    local units = min(free, max(cost, min(floor(free / (2 * lease.nodes)), lease.want)))
    if units <= cost then
      return cost
    end
    s.tat, s.remaining = tat or s.tat, free
    return units
  end
end

for question = 1, #order do
  local shape = shapes[byte(order, question) - 47]
  local limits, charging = #shape, shape.takes
  for i = 1, limits do
    local one, key, s = shape[i], KEYS[before + i], nil
    turnTo(one)
    if capacity == 0 then
      s = {remaining = 0, wait = -1, reset = 0}
    else
      if written[key] then
        turnToKey(key)
      else
        value = values[before + i]
        mark = value and byte(value)
      end
      local blocked = mark == BLOCK and blockedFor(key) or 0
      if blocked > 0 then
        s = {remaining = 0, wait = blocked, reset = blocked}
      else
        if one.lease then
          giveBack(one, key)
        end
        s = algorithms[one.algorithm].read(one.asked)
        s.shed = one.asked > one.cost and s.wait ~= 0 and one.cost <= s.remaining
      end
      if one.cost > capacity and not s.ban then
        s.wait = -1
      end
    end
    states[i] = s
    charging = charging and s.wait == 0
  end
  for i = 1, limits do
    local s, one, key = states[i], shape[i], KEYS[before + i]
    if limits > 1 then
      turnTo(one)
    end
    if s.ban then
      if shape.takes and s.wait == 0 and states[i - 1].wait ~= 0 and not states[i - 1].shed then
        algorithms.ban.write(key, s, one.cost)
        written[key] = true
      end
    elseif charging then
      local units = one.lease and batchOf(s, one) or one.cost
      s.remaining, s.charged = s.remaining - units, units
      algorithms[one.algorithm].write(key, s, units)
      written[key] = true
    elseif s.changed then
      algorithms[one.algorithm].write(key, s, 0)
      written[key] = true
    end
    if one.lease then
      granted[#granted + 1] = s.charged or 0
    end
    local to = 2 + (before + i - 1) * 3
    answer[to], answer[to + 1], answer[to + 2] = s.remaining, s.wait, s.reset
  end
  before = before + limits
end
for i = 1, #granted do
  answer[#answer + 1] = granted[i]
end
return answer
