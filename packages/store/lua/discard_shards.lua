-- Takes shards of a making that is begun anew out of every set that says what is to be done with them. Their records
-- stay: attempts and their history go on from there.
--   KEYS[1] ledger    hash
--   KEYS[2] released  set
--   KEYS[3] started   set
--   KEYS[4] cancelled set
--   KEYS[5] recalled  set
--   KEYS[6] progress  hash
--   ARGV[1] phase
--   ARGV[2] revision in the making
--   ARGV[3] first shard
--   ARGV[4] first shard that is not meant any more
-- Returns 1, or 0 when the phase is open again and nothing was changed.
--- @include "ledger"
local making = ARGV[1] .. '.r' .. ARGV[2]
local entry = load_entry(KEYS[1], ARGV[1])
if entry and entry.revision == tonumber(ARGV[2]) then return 0 end
redis.call('SREM', KEYS[5], making)
redis.call('HDEL', KEYS[6], making)
for shard = tonumber(ARGV[3]), tonumber(ARGV[4]) - 1 do
  local id = making .. '.' .. string.format('%d', shard)
  for key = 2, 5 do redis.call('SREM', KEYS[key], id) end
  redis.call('HDEL', KEYS[6], id)
end
return 1
