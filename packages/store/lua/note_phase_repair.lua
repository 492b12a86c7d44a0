-- Says that jobs of a phase that somebody had removed are put back, if its run is going on.
--   KEYS[1] run       hash
--   KEYS[2] ledger    hash
--   KEYS[3] journal   stream
--   ARGV[1] phase
--   ARGV[2] revision in the making
--   ARGV[3] now, Unix ms
--   ARGV[4] why
-- Returns 1 when the event was emitted, else 0.
--- @include "journal"
--- @include "ledger"
local entry = load_entry(KEYS[2], ARGV[1])
if not entry or entry.revision ~= tonumber(ARGV[2]) then return 0 end
if redis.call('HGET', KEYS[1], 'status') ~= 'running' then return 0 end
emit(KEYS[1], KEYS[3], ARGV[3], 'phase_repaired', ARGV[1], '', '', cjson.encode({ reason = ARGV[4] }))
return 1
