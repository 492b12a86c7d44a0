-- Cancels shards of a stopped run that are on a queue and have not been started, some hundred at a time, and says which
-- phases have nothing left that runs. Doing it twice changes nothing.
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
-- Returns [1 when there may be more to cancel, else 0, ids `<phase>.r<revision>` of drained phases …]; none when the run is
-- not stopped (any more).
--- @include "journal"
--- @include "ledger"
--- @include "slots"
-- Most shards cancelled in one call: it must not hold Redis up.
local MOST = 500
if not is_stopped(KEYS[1]) then return { 0 } end
local k = { run = KEYS[1], semaphores = KEYS[9], holders = KEYS[10] }
local entries = {}
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
end
local released = redis.call('SPOP', KEYS[4], MOST)
for _, id in ipairs(released) do cancel(id, 'slot') end
local waiting = #released < MOST and redis.call('LPOP', KEYS[7], MOST) or {}
for _, id in ipairs(waiting) do cancel(id, 'held') end
-- what was not handed out stays so until its phase is resumed, even if another one is retried first
redis.call('DEL', KEYS[8])
for phase, entry in pairs(entries) do save_entry(KEYS[2], phase, entry) end
if #released == MOST or #waiting == MOST then return { 1 } end
local found = { 0 }
local all = redis.call('HGETALL', KEYS[2])
for i = 1, #all, 2 do
  local entry = cjson.decode(all[i + 1])
  if phase_state(entry, true) == 'drained' then
    found[#found + 1] = all[i] .. '.r' .. string.format('%d', entry.revision)
  end
end
return found
