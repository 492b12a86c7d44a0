-- Ends an attempt: records its outcome once (fenced), frees its slot, and claims the next shards. The job may go on with
-- one of them at once, of the same phase: it is started in this step.
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
--   KEYS[16] limited  set of the pools with a limit of their own
--   KEYS[17] jobs that wait on the pool's queue: list
--   KEYS[18] those of a priority: sorted set
--   KEYS[19] what is set for that queue: hash
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
--   ARGV[13] 1 when the claimant's job carries this shard: that it was claimed for it is acknowledged
--   ARGV[14] pool of the job, '' when it is not to go on
--   ARGV[15] worker
--   ARGV[16] most workers an attempt may lose before the shard fails
--   ARGV[17] token of this call, as of `start_shard.lua`
--   ARGV[18] what the ids of jobs of the phase begin with
-- Returns [verdict: ok | refused | stopped, state of the phase, seq of the last event, 1 when the gate of the phase may
-- go now, record of the shard that the job carries now as JSON or '', claimed shard ids …]. The shard that is carried is
-- marked `!`, and stays claimed until it has ended.
--   refused: another attempt has taken over; nothing was recorded.
--   stopped: the run was stopped, or the shard cancelled by hand, so instead of going on the shard was cancelled.
-- A shard that is given back is released again and keeps its slot: its job goes back onto its queue. While the run is
-- paused it waits for a slot instead, and holds none.
--- @include "journal"
--- @include "ledger"
--- @include "slots"
--- @include "claim"
--- @include "finish"
--- @include "start"
--- @include "carry"
local k = { run = KEYS[1], ledger = KEYS[2], shards = KEYS[3], released = KEYS[4], waiting = KEYS[5], open = KEYS[6], claims = KEYS[7], journal = KEYS[8], cancelled = KEYS[9], semaphores = KEYS[10], holders = KEYS[11], recalled = KEYS[12], started = KEYS[13], reuse = KEYS[14], ahead = KEYS[15] }
local claimant, pool, token = ARGV[8], ARGV[14], ARGV[17]
local phase = parse_shard_id(ARGV[1])

-- Whether the job may go on: not where another phase has the next turn on the queue, nor where that is paused, or jobs are
-- counted, so that each shard is to be one.
local function may_go_on()
  if redis.call('SISMEMBER', KEYS[16], pool) == 1 or redis.call('HEXISTS', KEYS[19], 'paused') == 1 then return false end
  if redis.call('LLEN', KEYS[17]) > 0 then return false end
  local first = redis.call('ZRANGE', KEYS[18], 0, 0)[1]
  return not first or string.find(string.gsub(first, '^block%.', ''), ARGV[18], 1, true) == 1
end

-- Starts a shard of the phase that was claimed just now and never was on a queue.
local function carry_next(claimed)
  for i, text in ipairs(claimed) do
    if string.find(text, '^[^~!][^+]*$') and parse_shard_id(text) == phase then
      if not may_go_on() then return '' end
      return carry(k, { claimant = claimant, worker = ARGV[15], now = ARGV[5], loss_limit = ARGV[16], token = token }, claimed, i)
    end
  end
  return ''
end

-- What a call that is repeated, because its answer was lost, has started.
local function find_carried(claimed)
  for _, text in ipairs(claimed) do
    local record = string.sub(text, 1, 1) == '!' and load_shard(k.shards, string.sub(text, 2))
    if record and record.start_token == token then return cjson.encode(record) end
  end
  return ''
end

keep_entries()
local was_carried = ARGV[13] == '1' and let_go(k, claimant, ARGV[1])
local ended, entry = finish(k, { id = ARGV[1], fence = ARGV[2], outcome = ARGV[3], record = ARGV[4], now = ARGV[5], attempt = ARGV[6], events = ARGV[7], cost = ARGV[9], fingerprint = ARGV[10], reuse_entry = ARGV[11], duration = ARGV[12] })
if not entry then
  write_entries(k.ledger)
  return { 'refused', '', '', '0', '' }
end
local is_repeated = redis.call('HEXISTS', k.claims, claimant) == 1
local claimed = claim(k, claimant)
local carried = ''
if pool ~= '' and ended[1] == 'ok' then carried = is_repeated and find_carried(claimed) or not is_repeated and carry_next(claimed) or '' end
entry = load_entry(k.ledger, phase)
write_entries(k.ledger)
local is_last = was_carried and entry.next >= entry.total and entry.unacked <= 0
return { ended[1], phase_state(entry, is_stopped(k.run)), ended[2], is_last and '1' or '0', carried, unpack(claimed) }
