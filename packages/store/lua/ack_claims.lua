-- Acknowledges that every shard of a claim is on its queue. Once all shards of a phase are handed out and
-- acknowledged its gate may go. Acknowledging twice counts once.
--   KEYS[1] ledger    hash
--   KEYS[2] claims    hash
--   ARGV[1] claimant
--   ARGV[2] 1 when the shards that the claimant's job carries, marked `!`, are kept: they have no jobs of their own
--   ARGV[3] a shard id: of those that it carries only this one is not kept; '' for all
-- Returns the ids `<phase>.r<revision>` whose gates may be removed.
--- @include "ledger"
local kept = redis.call('HGET', KEYS[2], ARGV[1])
if not kept then return {} end
local open_gates, entries, carried = {}, {}, {}
for _, id in ipairs(cjson.decode(kept)) do
  local phase, revision, _, count = parse_claim(id)
  local entry = entries[phase] or load_entry(KEYS[1], phase)
  local is_kept = ARGV[2] == '1' or (ARGV[3] ~= '' and id ~= '!' .. ARGV[3])
  if is_kept and string.sub(id, 1, 1) == '!' then
    carried[#carried + 1] = id
  elseif entry and entry.revision == revision then
    entry.unacked = entry.unacked - count
    entries[phase] = entry
  end
end
if #carried > 0 then
  redis.call('HSET', KEYS[2], ARGV[1], cjson.encode(carried))
else
  redis.call('HDEL', KEYS[2], ARGV[1])
end
for phase, entry in pairs(entries) do
  save_entry(KEYS[1], phase, entry)
  if entry.next >= entry.total and entry.unacked <= 0 then
    open_gates[#open_gates + 1] = phase .. '.r' .. string.format('%d', entry.revision)
  end
end
return open_gates
