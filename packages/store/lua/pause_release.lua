-- Takes back every shard of a paused run that is on a queue and has not been started: it waits for a slot and
-- holds none. Its job, when a worker takes it, is told so. Doing it twice changes nothing.
--   KEYS[1] run       hash
--   KEYS[2] ledger    hash
--   KEYS[3] shards    hash
--   KEYS[4] released  set
--   KEYS[5] waiting   list
--   KEYS[6] semaphores hash
--   KEYS[7] holders   hash
-- Returns the number of shards taken back; 0 when the run is not paused (any more).
--- @include "ledger"
--- @include "slots"
if not is_paused(KEYS[1]) then return 0 end
local k = { run = KEYS[1], semaphores = KEYS[6], holders = KEYS[7] }
local entries, count = {}, 0
local released = redis.call('SMEMBERS', KEYS[4])
table.sort(released)
for _, id in ipairs(released) do
  local phase, revision = parse_shard_id(id)
  entries[phase] = entries[phase] or load_entry(KEYS[2], phase)
  local entry, record = entries[phase], load_shard(KEYS[3], id)
  if entry and record and entry.revision == revision and record.status == 'released' then
    free_slot(k, entry, id)
    entry.held = entry.held + 1
    record.status = 'waiting'
    save_shard(KEYS[3], id, record)
    redis.call('RPUSH', KEYS[5], id)
    count = count + 1
  end
end
redis.call('DEL', KEYS[4])
for phase, entry in pairs(entries) do save_entry(KEYS[2], phase, entry) end
return count
