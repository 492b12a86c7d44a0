-- Lets a shard go on whose children have all succeeded: it waits for a slot again. Claims the next shards. Doing it
-- twice changes nothing and repeats the claim.
--   KEYS[1] run       hash
--   KEYS[2] ledger    hash
--   KEYS[3] shards    hash
--   KEYS[4] released  set
--   KEYS[5] waiting   list
--   KEYS[6] open      sorted set
--   KEYS[7] claims    hash
--   KEYS[8] semaphores hash
--   KEYS[9] holders   hash
--   KEYS[10] started  set
--   KEYS[11] journal  stream
--   KEYS[12] ahead    set
--   ARGV[1] shard id
--   ARGV[2] attempt whose children have succeeded
--   ARGV[3] claimant
--   ARGV[4] now, Unix ms
--   ARGV[5] data of the event, JSON object
-- Returns the claimed shard ids.
--- @include "journal"
--- @include "ledger"
--- @include "slots"
--- @include "claim"
local id = ARGV[1]
local phase, revision, shard = parse_shard_id(id)
local entry, record = load_entry(KEYS[2], phase), load_shard(KEYS[3], id)
-- one that this making has not handed out yet spawned in one that was given up
if entry and record and entry.revision == revision and shard < entry.next and not is_gone(KEYS[1])
  and record.status == 'spawned' and record.attempt == tonumber(ARGV[2]) then
  record.status, record.awaits_children = 'waiting', nil
  save_shard(KEYS[3], id, record)
  redis.call('SREM', KEYS[10], id)
  redis.call('RPUSH', KEYS[5], id)
  emit(KEYS[1], KEYS[11], ARGV[4], 'shard_resumed', phase, shard, record.attempt, ARGV[5])
end
return claim({ run = KEYS[1], ledger = KEYS[2], shards = KEYS[3], released = KEYS[4], waiting = KEYS[5], open = KEYS[6], claims = KEYS[7], semaphores = KEYS[8], holders = KEYS[9], ahead = KEYS[12] }, ARGV[3])
