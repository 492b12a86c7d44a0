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
--   ARGV[18] most shards of a block while nobody knows how long they take, 0 when each is a job of its own
-- Returns [state of the phase: complete | tolerable | busy | drained, claimed shard ids …], or [gone] when there is
-- no such run or it is being removed.
--- @include "journal"
--- @include "ledger"
--- @include "slots"
--- @include "claim"
--- @include "open"
local k = { run = KEYS[1], ledger = KEYS[2], shards = KEYS[3], released = KEYS[4], waiting = KEYS[5], open = KEYS[6], claims = KEYS[7], journal = KEYS[8], inputs = KEYS[9], semaphores = KEYS[10], holders = KEYS[11], recalled = KEYS[12], ahead = KEYS[13] }
local entry = open_in_ledger(k, { phase = ARGV[1], revision = ARGV[2], now = ARGV[4], order = ARGV[5], total = ARGV[6], max_parallel = ARGV[7], window = ARGV[8], inputs = ARGV[9], started = ARGV[10], tolerated = ARGV[11], max_consecutive = ARGV[12], key = ARGV[13], key_limit = ARGV[14], again = ARGV[15], reuse = ARGV[16], making = ARGV[17], blocks = ARGV[18] })
if not entry then return { 'gone' } end
if ARGV[16] == 'begin' and entry.reusing == 1 then return { phase_state(entry, is_stopped(KEYS[1])) } end
local claimed = claim(k, ARGV[3])
return { phase_state(load_entry(k.ledger, ARGV[1]), is_stopped(k.run)), unpack(claimed) }
