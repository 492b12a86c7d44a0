-- Claims free slots of a run for a claimant, or repeats a claim it has not acknowledged.
--   KEYS[1] run       hash
--   KEYS[2] ledger    hash
--   KEYS[3] shards    hash
--   KEYS[4] released  set
--   KEYS[5] waiting   list
--   KEYS[6] open      sorted set
--   KEYS[7] claims    hash
--   KEYS[8] semaphores hash
--   KEYS[9] holders   hash
--   KEYS[10] ahead    set
--   ARGV[1] claimant
--   ARGV[2] shard id to put at the end of the waiting list first, or ''
-- Returns the claimed shard ids.
--- @include "ledger"
--- @include "slots"
--- @include "claim"
local id = ARGV[2]
if id ~= '' then
  local record = load_shard(KEYS[3], id)
  if record and record.status == 'waiting' and not redis.call('LPOS', KEYS[5], id) then
    redis.call('RPUSH', KEYS[5], id)
  end
end
return claim({ run = KEYS[1], ledger = KEYS[2], shards = KEYS[3], released = KEYS[4], waiting = KEYS[5], open = KEYS[6], claims = KEYS[7], semaphores = KEYS[8], holders = KEYS[9], ahead = KEYS[10] }, ARGV[1])
