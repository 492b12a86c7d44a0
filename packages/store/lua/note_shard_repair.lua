-- Says that the job of a shard is put back on its queue, if the shard should have one. A shard that was put back
-- a moment ago is left alone: its job may just be on its way.
--   KEYS[1] run       hash
--   KEYS[2] ledger    hash
--   KEYS[3] shards    hash
--   KEYS[4] started   set
--   KEYS[5] journal   stream
--   ARGV[1] shard id
--   ARGV[2] now, Unix ms
--   ARGV[3] why: `its job was removed` or `its job had ended`
--   ARGV[4] time in which a shard is put back once, ms
--   ARGV[5] 1 when the job that is gone is that of its block: it may have left that meanwhile
-- Returns [status: released | running | backoff | waiting | spawned, or '' when nothing is to be done,
--          end of the backoff in Unix ms, or 0].
--- @include "journal"
--- @include "ledger"
local id, now = ARGV[1], tonumber(ARGV[2])
local phase, revision, shard = parse_shard_id(id)
local entry, record = load_entry(KEYS[2], phase), load_shard(KEYS[3], id)
local status = record and record.status
local is_open = status == 'released' or status == 'running' or status == 'backoff' or status == 'waiting' or status == 'spawned'
if not entry or entry.revision ~= revision or not is_open then
  redis.call('SREM', KEYS[4], id)
  return { '', 0 }
end
if ARGV[5] == '1' and record.own_job then return { '', 0 } end
if status == 'waiting' then return { status, 0 } end
if now - (record.repaired_at_ms or 0) < tonumber(ARGV[4]) then return { '', 0 } end
record.repaired_at_ms = now
if record.block then record.own_job = true end
-- a new job counts its starts from 1 again
record.seen = 0
save_shard(KEYS[3], id, record)
emit(KEYS[1], KEYS[5], ARGV[2], 'shard_repaired', phase, shard, record.attempt, cjson.encode({ reason = ARGV[3] }))
return { status, record.until_ms or 0 }
