-- Makes shards of a phase that failed or were cancelled wait for a slot again, or for what they spawned, with a full
-- retry budget, and
-- lets the phase release its remaining shards. Doing it twice changes nothing.
--   KEYS[1] run       hash
--   KEYS[2] ledger    hash
--   KEYS[3] shards    hash
--   KEYS[4] released  set
--   KEYS[5] waiting   list
--   KEYS[6] open      sorted set
--   KEYS[7] claims    hash
--   KEYS[8] cancelled set
--   KEYS[9] semaphores hash
--   KEYS[10] holders   hash
--   KEYS[11] recalled  set
--   KEYS[12] ahead     set
--   KEYS[13] started   set
--   ARGV[1] phase
--   ARGV[2] revision in the making
--   ARGV[3] claimant
--   ARGV[4] position in declaration order
--   ARGV[5] shard ids, JSON array
-- Returns the claimed shard ids.
--- @include "ledger"
--- @include "slots"
--- @include "claim"
local phase, revision = ARGV[1], tonumber(ARGV[2])
local entry = load_entry(KEYS[2], phase)
if not entry or entry.revision ~= revision then return {} end
for _, id in ipairs(cjson.decode(ARGV[5])) do
  redis.call('SREM', KEYS[11], id)
  local record = load_shard(KEYS[3], id)
  local status = record and record.status
  if status == 'failed' or status == 'cancelled' then
    entry[status] = entry[status] - 1
    entry.held = entry.held + 1
    take_up(record)
    save_shard(KEYS[3], id, record)
    redis.call('SREM', KEYS[8], id)
    if record.status == 'spawned' then redis.call('SADD', KEYS[13], id) else redis.call('RPUSH', KEYS[5], id) end
  end
end
entry.tripped, entry.consecutive = 0, 0
-- a stop came while it was found out what is reused: what is not reused by now runs
entry.reusing = nil
pass_reused(entry)
entry.excused = entry.failed
save_entry(KEYS[2], phase, entry)
if entry.next < entry.total then redis.call('ZADD', KEYS[6], ARGV[4], phase) end
return claim({ run = KEYS[1], ledger = KEYS[2], shards = KEYS[3], released = KEYS[4], waiting = KEYS[5], open = KEYS[6], claims = KEYS[7], semaphores = KEYS[9], holders = KEYS[10], ahead = KEYS[12] }, ARGV[3])
