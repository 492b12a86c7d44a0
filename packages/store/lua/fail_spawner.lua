-- Fails a shard for good that waits for children of which one did not succeed, or which must not be spawned. A retry
-- makes it wait for them again. Doing it twice changes nothing.
--   KEYS[1] run       hash
--   KEYS[2] ledger    hash
--   KEYS[3] shards    hash
--   KEYS[4] started   set
--   KEYS[5] journal   stream
--   ARGV[1] shard id
--   ARGV[2] attempt that spawned them
--   ARGV[3] failure, JSON object
--   ARGV[4] now, Unix ms
-- Returns 1 when the shard has failed now, 0 when it does not wait for them, or its run was stopped.
--- @include "journal"
--- @include "ledger"
local id = ARGV[1]
local phase, revision, shard = parse_shard_id(id)
local entry, record = load_entry(KEYS[2], phase), load_shard(KEYS[3], id)
if not entry or not record or entry.revision ~= revision or is_gone(KEYS[1]) or is_stopped(KEYS[1]) then return 0 end
-- one that this making has not handed out yet spawned in one that was given up
if shard >= entry.next or record.status ~= 'spawned' or record.attempt ~= tonumber(ARGV[2]) then return 0 end
record.status, record.failure = 'failed', cjson.decode(ARGV[3])
-- its job is still on a queue: the one start to come is not a hand retry
record.starts = (record.seen or 0) + 1
save_shard(KEYS[3], id, record)
redis.call('SREM', KEYS[4], id)
entry.held = entry.held - 1
count_failure(entry, shard)
save_entry(KEYS[2], phase, entry)
emit(KEYS[1], KEYS[5], ARGV[4], 'shard_failed', phase, shard, record.attempt, ARGV[3])
return 1
