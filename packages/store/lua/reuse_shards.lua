-- Takes shards of a phase that is just being opened as done, with the outputs of earlier shards of the same
-- fingerprint. Taking one twice changes nothing. What an earlier making of the revision knew of its attempts stays.
--   KEYS[1] run       hash
--   KEYS[2] ledger    hash
--   KEYS[3] shards    hash
--   KEYS[4] journal   stream
--   KEYS[5] reuse     hash: fingerprint -> the shard that has the output
--   KEYS[6] ahead     set
--   ARGV[1] phase
--   ARGV[2] revision in the making
--   ARGV[3] now, Unix ms
--   ARGV[4…] for each shard: its index, its record (JSON), the data of its event (JSON), its fingerprint, and the
--            entry that makes it the shard to take the output from (JSON)
-- Returns how many shards were taken; none when the phase is not being opened, or its run was stopped or removed.
--- @include "journal"
--- @include "ledger"
local phase, revision = ARGV[1], tonumber(ARGV[2])
local entry = load_entry(KEYS[2], phase)
if not entry or entry.revision ~= revision or entry.reusing ~= 1 then return 0 end
if is_gone(KEYS[1]) or is_stopped(KEYS[1]) or entry.recalled == 1 then return 0 end
local taken = 0
for i = 4, #ARGV, 5 do
  local shard, record, data, fingerprint, source = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4]
  local id = phase .. '.r' .. ARGV[2] .. '.' .. shard
  if redis.call('SADD', KEYS[6], ahead_name(entry, id)) == 1 then
    local before = entry.again and load_shard(KEYS[3], id)
    if before then
      local own = cjson.decode(record)
      own.attempt, own.history = before.attempt, before.history
      record = cjson.encode(own)
    end
    redis.call('HSET', KEYS[3], id, record)
    redis.call('HSET', KEYS[5], fingerprint, source)
    emit(KEYS[1], KEYS[4], ARGV[3], 'shard_reused', phase, shard, '', data)
    taken = taken + 1
  end
end
entry.succeeded, entry.reused, entry.ahead = entry.succeeded + taken, entry.reused + taken, entry.ahead + taken
save_entry(KEYS[2], phase, entry)
return taken
