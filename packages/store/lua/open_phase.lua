-- Opens a phase in the ledger, tells the journal its shard plan, and claims the first shards. Opening it
-- again changes nothing and repeats the claim.
--   KEYS[1] run       hash
--   KEYS[2] ledger    hash
--   KEYS[3] shards    hash
--   KEYS[4] released  set
--   KEYS[5] waiting   list
--   KEYS[6] open      sorted set
--   KEYS[7] claims    hash
--   KEYS[8] journal   stream
--   KEYS[9] inputs    hash
--   KEYS[10] semaphores hash
--   KEYS[11] holders   hash
--   KEYS[12] recalled  set
--   KEYS[13] ahead     set
--   ARGV[1] phase
--   ARGV[2] revision in the making
--   ARGV[3] claimant
--   ARGV[4] now, Unix ms
--   ARGV[5] position in declaration order
--   ARGV[6] number of shards
--   ARGV[7] max_parallel, 0 for none
--   ARGV[8] window: most shards on the queue at once where no cap is lower
--   ARGV[9] where the input records and the shard plan are, JSON
--   ARGV[10] data of the phase_started event, JSON object
--   ARGV[11] failed shards that are tolerated
--   ARGV[12] shards failing in a row that trip the phase, 0 for none
--   ARGV[13] concurrency key, '' for none
--   ARGV[14] limit the plan gives the key
--   ARGV[15] 1 when the phase is run again: its shards may have attempts of a making that failed
--   ARGV[16] begin: hands out nothing yet, for shards are about to be reused (`reuse_shards.lua`); end: that is done;
--            '' where nothing is reused
--   ARGV[17] turn of the run in which the phase is made: tells makings of one revision apart
-- Returns [state of the phase: complete | tolerable | busy | drained, claimed shard ids …], or [gone] when there is
-- no such run or it is being removed.
--- @include "journal"
--- @include "ledger"
--- @include "slots"
--- @include "claim"
local phase, revision = ARGV[1], tonumber(ARGV[2])
if is_gone(KEYS[1]) then return { 'gone' } end
local entry = load_entry(KEYS[2], phase)
if not entry or entry.revision ~= revision then
  entry = {
    revision = revision, total = tonumber(ARGV[6]), next = 0, in_flight = 0, held = 0,
    succeeded = 0, failed = 0, cancelled = 0, unacked = 0, excused = 0,
    max_parallel = tonumber(ARGV[7]), window = tonumber(ARGV[8]),
    tolerated = tonumber(ARGV[11]), max_consecutive = tonumber(ARGV[12]), consecutive = 0, tripped = 0,
  }
  if ARGV[15] == '1' then entry.again = 1 end
  if ARGV[13] ~= '' then entry.key, entry.key_limit = ARGV[13], tonumber(ARGV[14]) end
  if ARGV[16] == 'begin' then entry.reusing, entry.reused, entry.ahead, entry.making = 1, 0, 0, tonumber(ARGV[17]) end
  if redis.call('SISMEMBER', KEYS[12], phase .. '.r' .. ARGV[2]) == 1 then entry.recalled = 1 end
  save_entry(KEYS[2], phase, entry)
  redis.call('HSET', KEYS[9], phase .. '.r' .. ARGV[2], ARGV[9])
  if entry.total > 0 then redis.call('ZADD', KEYS[6], ARGV[5], phase) end
  if not is_stopped(KEYS[1]) then
    emit(KEYS[1], KEYS[8], ARGV[4], 'phase_started', phase, '', '', ARGV[10])
  end
end
if ARGV[16] == 'end' and entry.reusing == 1 then
  entry.reusing = nil
  pass_reused(entry)
  if entry.next >= entry.total then redis.call('ZREM', KEYS[6], phase) end
  save_entry(KEYS[2], phase, entry)
end
if ARGV[16] == 'begin' and entry.reusing == 1 then return { phase_state(entry, is_stopped(KEYS[1])) } end
local k = { run = KEYS[1], ledger = KEYS[2], shards = KEYS[3], released = KEYS[4], waiting = KEYS[5], open = KEYS[6], claims = KEYS[7], semaphores = KEYS[10], holders = KEYS[11], ahead = KEYS[13] }
local claimed = claim(k, ARGV[3])
local state = phase_state(load_entry(KEYS[2], phase), is_stopped(KEYS[1]))
return { state, unpack(claimed) }
