-- Ends an attempt: records its outcome once (fenced), frees its slot, and claims the next shards.
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
--   ARGV[1] shard id
--   ARGV[2] fence the attempt was given
--   ARGV[3] outcome: succeeded | backoff | failed | cancelled | given_back (by a worker that stops) | spawned (what it
--           asked for comes first)
--   ARGV[4] record of the shard from now on, JSON
--   ARGV[5] now, Unix ms
--   ARGV[6] attempt
--   ARGV[7] events, JSON: [[event, data], …]
--   ARGV[8] claimant of the next shards
--   ARGV[9] cost of the attempt in USD, 0 when unknown
--   ARGV[10] fingerprint under which the output may be reused, '' when it may not
--   ARGV[11] what is kept under the fingerprint, JSON
--   ARGV[12] how long the attempt took, ms, or ''
-- Returns [verdict: ok | refused | stopped, state of the phase, seq of the last event, claimed shard ids …].
--   refused: another attempt has taken over; nothing was recorded.
--   stopped: the run was stopped, or the shard cancelled by hand, so instead of going on the shard was cancelled.
-- A shard that is given back is released again and keeps its slot: its job goes back onto its queue. While the run is
-- paused it waits for a slot instead, and holds none.
--- @include "journal"
--- @include "ledger"
--- @include "slots"
--- @include "claim"
--- @include "finish"
local k = { run = KEYS[1], ledger = KEYS[2], shards = KEYS[3], released = KEYS[4], waiting = KEYS[5], open = KEYS[6], claims = KEYS[7], journal = KEYS[8], cancelled = KEYS[9], semaphores = KEYS[10], holders = KEYS[11], recalled = KEYS[12], started = KEYS[13], reuse = KEYS[14], ahead = KEYS[15] }
local ended, entry = finish(k, { id = ARGV[1], fence = ARGV[2], outcome = ARGV[3], record = ARGV[4], now = ARGV[5], attempt = ARGV[6], events = ARGV[7], cost = ARGV[9], fingerprint = ARGV[10], reuse_entry = ARGV[11], duration = ARGV[12] })
if not entry then return { 'refused', '', '' } end
local claimed = claim(k, ARGV[8])
local phase = parse_shard_id(ARGV[1])
return { ended[1], phase_state(load_entry(k.ledger, phase), is_stopped(k.run)), ended[2], unpack(claimed) }
