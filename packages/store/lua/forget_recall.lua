-- Takes back that a phase, or shards of it, were cancelled by hand. What was cancelled stays so until it is requeued.
--   KEYS[1] ledger    hash
--   KEYS[2] recalled  set
--   ARGV[1] phase
--   ARGV[2] revision in the making
-- Returns the number of cancellations taken back.
--- @include "ledger"
local name, count = ARGV[1] .. '.r' .. ARGV[2], 0
for _, what in ipairs(redis.call('SMEMBERS', KEYS[2])) do
  local phase, revision = parse_shard_id(what)
  if what == name or (phase == ARGV[1] and revision == tonumber(ARGV[2])) then
    count = count + redis.call('SREM', KEYS[2], what)
  end
end
local entry = load_entry(KEYS[1], ARGV[1])
if entry and (entry.recalled or entry.recalled_by) then
  entry.recalled, entry.recalled_by = nil, nil
  save_entry(KEYS[1], ARGV[1], entry)
end
return count
