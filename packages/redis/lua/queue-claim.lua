-- Takes over jobs whose worker was not heard of for a lease, or whose time to be tried again has come; gives up those that were tried often enough,
-- and forgets workers who are gone and have none. XPENDING and XCLAIM, since XAUTOCLAIM does not say how often a job was tried.
-- KEYS[1] queue, stream  [2] dead letters, stream   ARGV[1] worker  [2] most jobs to take  [3] lease, ms  [4] tries  [5] most dead letters
-- [6] ms to keep the keys from now on  [7] ms after which a silent worker is forgotten   Returns {number given up, {{id, try, job}, …}}
local taken, dead = {}, 0
-- A hundred at a look, since the server does nothing else meanwhile: what is left comes at the next.
for _, pending in ipairs(redis.call('XPENDING', KEYS[1], 'workers', 'IDLE', ARGV[3], '-', '+', 100)) do
  local id, tries = pending[1], pending[4]
  local entry = redis.call('XRANGE', KEYS[1], id, id)[1]
  if not entry then
    redis.call('XACK', KEYS[1], 'workers', id)
  elseif tries >= tonumber(ARGV[4]) then
    redis.call('XADD', KEYS[2], 'MAXLEN', ARGV[5], '*', 'm', entry[2][2], 'tries', tries, 'why', 'crashed')
    redis.call('PEXPIRE', KEYS[2], ARGV[6])
    redis.call('XACK', KEYS[1], 'workers', id)
    redis.call('XDEL', KEYS[1], id)
    dead = dead + 1
  elseif #taken < tonumber(ARGV[2]) then
    redis.call('XCLAIM', KEYS[1], 'workers', ARGV[1], ARGV[3], id)
    taken[#taken + 1] = {id, tries + 1, entry[2][2]}
  end
end
for _, worker in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], 'workers')) do
  local about = {}
  for i = 1, #worker, 2 do
    about[worker[i]] = worker[i + 1]
  end
  if about.pending == 0 and about.idle > tonumber(ARGV[7]) and about.name ~= ARGV[1] then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], 'workers', about.name)
  end
end
redis.call('PEXPIRE', KEYS[1], ARGV[6])
return {dead, taken}
