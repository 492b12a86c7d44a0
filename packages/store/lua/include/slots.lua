-- Slots. A shard in flight holds one of its run, one of its phase, and one of its phase's concurrency key, which
-- counts over all runs.
--   k: {run, semaphores, holders}
--   semaphores  hash: key → {in_use, declared, limit?, waiters}; `declared` is the limit the plan named last,
--               `limit` the one set for the deployment, `waiters` the runs that wait, first come first served
--   holders     hash: `<key> <run>/<shard id>` → 1

local UNLIMITED = 1000000000

-- Work that a block should be, and the least of it that is worth a job, in ms.
local BLOCK_MS, LEAST_BLOCK_MS = 50, 5
-- Shards that take longer than this go one by one, in ms.
local SLOW_MS = 10
-- Most shards of a block, and most while nobody knows how long they take.
local MOST_IN_BLOCK, FIRST_IN_BLOCK = 50, 32
-- Share of the phase that a block is at most, and blocks that are kept on the queue.
local SHARES, BLOCKS_AHEAD = 40, 48
-- Most shards of a phase in flight in blocks.
local MOST_IN_BLOCKS = 2000
-- Durations that are remembered.
local TIMES = 500

-- How many shards of a phase go into one block: 1 for a job of their own. They run one after another there, so where a
-- cap is low a block takes a part of it only, and where it is very low a job goes on from one shard to the next.
local function block_size(entry, run_cap)
  if entry.blocks ~= 1 then return 1 end
  local size = math.min(FIRST_IN_BLOCK, entry.total / SHARES)
  if (entry.timed or 0) > 0 then
    local mean = math.max(entry.timed_ms / entry.timed, 0.05)
    if mean >= SLOW_MS then return 1 end
    local fair = (entry.total - entry.next - (entry.ahead or 0)) / SHARES
    size = math.min(MOST_IN_BLOCK, BLOCK_MS / mean, math.max(LEAST_BLOCK_MS / mean, fair))
  end
  for _, cap in ipairs({ entry.max_parallel, run_cap or 0 }) do
    if cap > 0 then size = math.min(size, cap < 64 and 1 or cap / 4) end
  end
  return math.max(1, math.floor(size))
end

-- Takes note of how long shards took.
local function note_times(entry, count, ms)
  if entry.blocks ~= 1 or count == 0 then return end
  entry.timed, entry.timed_ms = (entry.timed or 0) + count, (entry.timed_ms or 0) + ms
  if entry.timed > TIMES then entry.timed, entry.timed_ms = entry.timed / 2, entry.timed_ms / 2 end
end

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
-- Returns its cap, too, 0 for none.
local function free_in_run(run)
  local v = redis.call('HMGET', run, 'max_concurrency', 'in_flight', 'paused')
  local cap = tonumber(v[1] or '') or 0
  if v[3] == '1' then return 0, cap end
  return (cap == 0 and UNLIMITED or cap) - (tonumber(v[2] or '') or 0), cap
end

-- Free slots of a phase. `window` bounds what waits on the queue where no cap does; in blocks it may be more.
local function free_in_phase(entry)
  local cap, window = entry.max_parallel, entry.window
  if entry.blocks == 1 then window = math.max(window, math.min(MOST_IN_BLOCKS, BLOCKS_AHEAD * block_size(entry))) end
  if cap == 0 or cap > window then cap = window end
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
