-- Cancels every shard of a stopped run that is on a queue and has not been started, and says which phases
-- have nothing left that runs. Doing it twice changes nothing.
--   KEYS[1] run       hash
--   KEYS[2] ledger    hash
--   KEYS[3] shards    hash
--   KEYS[4] released  set
--   KEYS[5] cancelled set
--   KEYS[6] journal   stream
--   KEYS[7] waiting   list
--   KEYS[8] open      sorted set
--   KEYS[9] semaphores hash
--   KEYS[10] holders   hash
--   ARGV[1] now, Unix ms
-- Returns [[ids `<phase>.r<revision>` of drained phases], [ids of cancelled shards]]; both empty when the
-- run is not stopped (any more).
--- @include "journal"
--- @include "ledger"
--- @include "slots"
if not is_stopped(KEYS[1]) then return { {}, {} } end
local k = { run = KEYS[1], semaphores = KEYS[9], holders = KEYS[10] }
local entries, cancelled = {}, {}
local function cancel(id, counter)
  local phase, revision, shard = parse_shard_id(id)
  entries[phase] = entries[phase] or load_entry(KEYS[2], phase)
  local entry, record = entries[phase], load_shard(KEYS[3], id)
  if not entry or not record or entry.revision ~= revision then return end
  -- one that found a slot by itself is still in line, and runs
  if record.status ~= (counter == 'slot' and 'released' or 'waiting') then return end
  if counter == 'slot' then free_slot(k, entry, id) else entry.held = entry.held - 1 end
  entry.cancelled = entry.cancelled + 1
  -- its job is still on a queue: the one start to come is not a hand retry
  record.status, record.starts = 'cancelled', (record.seen or 0) + 1
  save_shard(KEYS[3], id, record)
  redis.call('SADD', KEYS[5], id)
  emit(KEYS[1], KEYS[6], ARGV[1], 'shard_cancelled', phase, shard, record.attempt, '{"reason":"run stopped"}')
  cancelled[#cancelled + 1] = id
end
for _, id in ipairs(redis.call('SMEMBERS', KEYS[4])) do cancel(id, 'slot') end
redis.call('DEL', KEYS[4])
for _, id in ipairs(redis.call('LRANGE', KEYS[7], 0, -1)) do cancel(id, 'held') end
redis.call('DEL', KEYS[7])
-- what was not handed out stays so until its phase is resumed, even if another one is retried first
redis.call('DEL', KEYS[8])
for phase, entry in pairs(entries) do save_entry(KEYS[2], phase, entry) end
local drained = {}
local all = redis.call('HGETALL', KEYS[2])
for i = 1, #all, 2 do
  local entry = cjson.decode(all[i + 1])
  if phase_state(entry, true) == 'drained' then
    drained[#drained + 1] = all[i] .. '.r' .. string.format('%d', entry.revision)
  end
end
return { drained, cancelled }
