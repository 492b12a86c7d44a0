-- Slots. A shard in flight holds one of its run, one of its phase, and one of its phase's concurrency key, which
-- counts over all runs.
--   k: {run, semaphores, holders}
--   semaphores  hash: key → {in_use, declared, limit?, waiters}; `declared` is the limit the plan named last,
--               `limit` the one set for the deployment, `waiters` the runs that wait, first come first served
--   holders     hash: `<key> <run>/<shard id>` → 1

local UNLIMITED = 1000000000

local function run_id(k)
  k.id = k.id or redis.call('HGET', k.run, 'run_id') or ''
  return k.id
end

local function load_semaphore(semaphores, name)
  local text = redis.call('HGET', semaphores, name)
  return text and cjson.decode(text) or { in_use = 0, declared = 1, waiters = {} }
end

local function save_semaphore(semaphores, name, s)
  if s.in_use <= 0 and #s.waiters == 0 and not s.limit then
    redis.call('HDEL', semaphores, name)
  else
    redis.call('HSET', semaphores, name, cjson.encode(s))
  end
end

-- Place of a run among those that wait, or their number plus one.
local function place_in_queue(s, run)
  for i, id in ipairs(s.waiters) do if id == run then return i end end
  return #s.waiters + 1
end

local function leave_queue(s, run)
  local i = place_in_queue(s, run)
  if s.waiters[i] then table.remove(s.waiters, i) end
end

-- Free slots of the run as a whole: none while it is paused.
local function free_in_run(run)
  local v = redis.call('HMGET', run, 'max_concurrency', 'in_flight', 'paused')
  if v[3] == '1' then return 0 end
  local cap = tonumber(v[1] or '') or UNLIMITED
  return cap - (tonumber(v[2] or '') or 0)
end

-- Free slots of a phase. `window` bounds what waits on the queue where no cap does.
local function free_in_phase(entry)
  local cap = entry.max_parallel
  if cap == 0 or cap > entry.window then cap = entry.window end
  return cap - entry.in_flight
end

-- Slots of the phase's concurrency key that this run may take: each run that waits longer has one reserved.
local function free_in_key(k, entry)
  if not entry.key then return UNLIMITED end
  local s = load_semaphore(k.semaphores, entry.key)
  return (s.limit or entry.key_limit) - s.in_use - (place_in_queue(s, run_id(k)) - 1)
end

-- Takes the slots of one shard. A run that gets a slot of a key has had its turn.
local function take_slot(k, entry, id)
  entry.in_flight = entry.in_flight + 1
  redis.call('HINCRBY', k.run, 'in_flight', 1)
  if not entry.key then return end
  local s = load_semaphore(k.semaphores, entry.key)
  s.declared = entry.key_limit
  s.in_use = s.in_use + redis.call('HSETNX', k.holders, entry.key .. ' ' .. run_id(k) .. '/' .. id, 1)
  leave_queue(s, run_id(k))
  save_semaphore(k.semaphores, entry.key, s)
end

local function free_slot(k, entry, id)
  entry.in_flight = entry.in_flight - 1
  redis.call('HINCRBY', k.run, 'in_flight', -1)
  if not entry.key then return end
  local s = load_semaphore(k.semaphores, entry.key)
  s.in_use = s.in_use - redis.call('HDEL', k.holders, entry.key .. ' ' .. run_id(k) .. '/' .. id)
  save_semaphore(k.semaphores, entry.key, s)
end

-- Lets the run wait for the keys that keep it from releasing more, and for no others.
--   blocked: key → its limit in the plan
local function wait_for_keys(k, blocked)
  local before = redis.call('HGET', k.run, 'waits_for') or ''
  if before == '' and next(blocked) == nil then return end
  for name in string.gmatch(before, '%S+') do
    if not blocked[name] then
      local s = load_semaphore(k.semaphores, name)
      leave_queue(s, run_id(k))
      save_semaphore(k.semaphores, name, s)
    end
  end
  local names = {}
  for name, limit in pairs(blocked) do
    local s = load_semaphore(k.semaphores, name)
    s.declared = limit
    s.waiters[place_in_queue(s, run_id(k))] = run_id(k)
    save_semaphore(k.semaphores, name, s)
    names[#names + 1] = name
  end
  redis.call('HSET', k.run, 'waits_for', table.concat(names, ' '))
end
