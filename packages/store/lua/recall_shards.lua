-- Cancels a phase, or one shard of it, by hand: nothing more of it starts. What waits, for a slot or for
-- phases it spawned, or is on a queue becomes cancelled at once; what runs is left to its worker, which is told; what is in backoff or not yet released is
-- cancelled when its time comes. A retry takes it back. Doing it twice changes nothing.
--   KEYS[1] run       hash
--   KEYS[2] ledger    hash
--   KEYS[3] shards    hash
--   KEYS[4] released  set
--   KEYS[5] waiting   list
--   KEYS[6] open      sorted set
--   KEYS[7] cancelled set
--   KEYS[8] journal   stream
--   KEYS[9] recalled  set
--   KEYS[10] semaphores hash
--   KEYS[11] holders   hash
--   KEYS[12] started   set
--   ARGV[1] phase
--   ARGV[2] revision in the making
--   ARGV[3] shard, or '' for the whole phase
--   ARGV[4] now, Unix ms
--   ARGV[5] who cancels it
-- Returns the state of the phase: complete | tolerable | busy | drained; unopened when the ledger does not have it
-- yet; over when the shard is.
--- @include "journal"
--- @include "ledger"
--- @include "slots"
local k = { run = KEYS[1], semaphores = KEYS[10], holders = KEYS[11] }
local phase, revision, only = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local name = phase .. '.r' .. ARGV[2]
local what = only == '' and name or name .. '.' .. only
local entry = load_entry(KEYS[2], phase)
if not entry or entry.revision ~= revision then
  redis.call('SADD', KEYS[9], what)
  return 'unopened'
end
if entry.succeeded >= entry.total then return 'complete' end

local function cancel(id, counter)
  local _, of, shard = parse_shard_id(id)
  local record = load_shard(KEYS[3], id)
  if not record or of ~= revision then return end
  if counter == 'slot' then free_slot(k, entry, id) else entry.held = entry.held - 1 end
  entry.cancelled = entry.cancelled + 1
  -- its job is still on a queue: the one start to come is not a hand retry
  record.status, record.starts = 'cancelled', (record.seen or 0) + 1
  save_shard(KEYS[3], id, record)
  redis.call('SREM', KEYS[4], id)
  redis.call('LREM', KEYS[5], 0, id)
  redis.call('SREM', KEYS[12], id)
  redis.call('SADD', KEYS[7], id)
  emit(KEYS[1], KEYS[8], ARGV[4], 'shard_cancelled', phase, shard, record.attempt,
    cjson.encode({ reason = 'cancelled by hand', actor = ARGV[5] }))
end

local function concerns(id)
  local of = parse_shard_id(id)
  return of == phase
end

-- One that found a slot by itself is still in line, and runs.
local function is_now(id, status)
  local record = load_shard(KEYS[3], id)
  return concerns(id) and record and record.status == status
end

entry.recalled_by = ARGV[5]
if only == '' then
  entry.recalled = 1
  redis.call('ZREM', KEYS[6], phase)
  for _, id in ipairs(redis.call('SMEMBERS', KEYS[4])) do if concerns(id) then cancel(id, 'slot') end end
  for _, id in ipairs(redis.call('LRANGE', KEYS[5], 0, -1)) do if is_now(id, 'waiting') then cancel(id, 'held') end end
  for _, id in ipairs(redis.call('SMEMBERS', KEYS[12])) do if is_now(id, 'spawned') then cancel(id, 'held') end end
else
  local record = load_shard(KEYS[3], what)
  local status = record and record.status
  if status == 'succeeded' or status == 'failed' then return 'over' end
  if status == 'released' then cancel(what, 'slot') end
  if status == 'waiting' or status == 'backoff' or status == 'spawned' then cancel(what, 'held') end
  if status == 'running' then
    record.recalled_by = ARGV[5]
    save_shard(KEYS[3], what, record)
  end
end
redis.call('SADD', KEYS[9], what)
save_entry(KEYS[2], phase, entry)
return phase_state(entry, is_stopped(KEYS[1]))
