-- Takes from a concurrency key what is of no use to it: a run that waits and does not want a slot any more, or a
-- slot whose shard is not in flight.
--   KEYS[1] semaphores hash
--   KEYS[2] holders    hash
--   KEYS[3] shards     hash of the run
--   ARGV[1] key
--   ARGV[2] run id
--   ARGV[3] shard id that holds the slot, or '' for the run that waits
-- Returns 1 when something was taken, else 0.
--- @include "ledger"
--- @include "slots"
local s = load_semaphore(KEYS[1], ARGV[1])
local before = s.in_use + #s.waiters
if ARGV[3] == '' then leave_queue(s, ARGV[2])
else
  local record = load_shard(KEYS[3], ARGV[3])
  if record and (record.status == 'released' or record.status == 'running') then return 0 end
  s.in_use = s.in_use - redis.call('HDEL', KEYS[2], ARGV[1] .. ' ' .. ARGV[2] .. '/' .. ARGV[3])
end
save_semaphore(KEYS[1], ARGV[1], s)
return before == s.in_use + #s.waiters and 0 or 1
