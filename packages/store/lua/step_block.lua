-- One step of a block: records how shards of it ended, starts the next of them or lets them leave it, and at its end
-- claims the next shards. Asking again, because the answer was lost, brings the same answer.
--   KEYS[1] run       hash
--   KEYS[2] ledger    hash
--   KEYS[3] shards    hash
--   KEYS[4] released  set
--   KEYS[5] waiting   list
--   KEYS[6] open      sorted set
--   KEYS[7] claims    hash
--   KEYS[8] journal   stream
--   KEYS[9] cancelled set
--   KEYS[10] semaphores hash
--   KEYS[11] holders   hash
--   KEYS[12] recalled  set
--   KEYS[13] started  set
--   KEYS[14] reuse    hash: fingerprint -> the shard that has the output
--   KEYS[15] ahead    set
--   ARGV[1] phase
--   ARGV[2] revision in the making
--   ARGV[3] block, `<first shard>+<shards>`
--   ARGV[4] worker
--   ARGV[5] now, Unix ms
--   ARGV[6] token of this call
--   ARGV[7] first shard that is looked at, or one behind the block: none is
--   ARGV[8] most shards to start, 0 when that is for the ledger to say; '' when all that are looked at leave
--   ARGV[9] claimant of the next shards, or '' while the block goes on
--   ARGV[10] how long each shard that ended took on average, ms, or ''
--   ARGV[11…] for each shard that ended: its index, and the arguments 2, 3, 4, 6, 7, 9, 10 and 11 of `finish_shard.lua`
-- Returns [state of the phase, or unknown when the ledger does not expect the block,
--          first shard that was not looked at,
--          [index, attempt, fence and record (JSON, '' for one without a past) of each shard that was started …],
--          [index and end of the backoff (Unix ms) of each that needs a job of its own, because the block does not run it …],
--          [index and verdict of each shard that ended …],
--          [claimed shards …]].
-- Shards that were started and not ended by a block whose worker died need jobs of their own, as do those that were
-- cancelled, or wait for a slot.
--- @include "journal"
--- @include "ledger"
--- @include "slots"
--- @include "claim"
--- @include "finish"
--- @include "block"
local k = { run = KEYS[1], ledger = KEYS[2], shards = KEYS[3], released = KEYS[4], waiting = KEYS[5], open = KEYS[6], claims = KEYS[7], journal = KEYS[8], cancelled = KEYS[9], semaphores = KEYS[10], holders = KEYS[11], recalled = KEYS[12], started = KEYS[13], reuse = KEYS[14], ahead = KEYS[15] }
local b = { phase = ARGV[1], revision = ARGV[2], block = ARGV[3], worker = ARGV[4], now = ARGV[5], token = ARGV[6], from = tonumber(ARGV[7]), most = ARGV[8] }
b.entry = load_entry(k.ledger, b.phase)
if is_gone(k.run) or not b.entry or b.entry.revision ~= tonumber(b.revision) then return { 'unknown', 0, {}, {}, {}, {} } end
local verdicts = end_in_block(k, b, ARGV, 11, tonumber(ARGV[10]))
local started, leaving, cursor = start_in_block(k, b)
save_entry(k.ledger, b.phase, b.entry)
local claimed = ARGV[9] == '' and {} or claim(k, ARGV[9])
local state = phase_state(load_entry(k.ledger, b.phase), is_stopped(k.run))
return { state, cursor, started, leaving, verdicts, claimed }
