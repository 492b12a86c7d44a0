-- Ends the attempt that completes a phase, commits the decision on its success, opens the phases that this starts, and
-- claims what may run: one hop of a run in one step. Where the decision cannot be committed, the attempt has ended all
-- the same.
--   KEYS[1] run         hash
--   KEYS[2] ledger      hash
--   KEYS[3] shards      hash
--   KEYS[4] released    set
--   KEYS[5] waiting     list
--   KEYS[6] open        sorted set
--   KEYS[7] claims      hash
--   KEYS[8] journal     stream
--   KEYS[9] cancelled   set
--   KEYS[10] semaphores hash
--   KEYS[11] holders    hash
--   KEYS[12] recalled   set
--   KEYS[13] started    set
--   KEYS[14] reuse      hash
--   KEYS[15] ahead      set
--   KEYS[16] phases     hash
--   KEYS[17] changed    sorted set
--   KEYS[18] outbox     hash
--   KEYS[19] live       set
--   KEYS[20] plan       string
--   KEYS[21] revisions  hash
--   KEYS[22] folds      hash
--   KEYS[23] source     string
--   KEYS[24] inputs     hash
--   KEYS[25] limited    set of the pools with a limit of their own
--   ARGV[1] shard id, as of `finish_shard.lua`
--   ARGV[2] fence, as of `finish_shard.lua`
--   ARGV[3] outcome, as of `finish_shard.lua`
--   ARGV[4] record, as of `finish_shard.lua`
--   ARGV[5] now, as of `finish_shard.lua`
--   ARGV[6] attempt, as of `finish_shard.lua`
--   ARGV[7] events, as of `finish_shard.lua`
--   ARGV[8] claimant, as of `finish_shard.lua`
--   ARGV[9] cost, as of `finish_shard.lua`
--   ARGV[10] fingerprint, as of `finish_shard.lua`
--   ARGV[11] entry of the reuse index, as of `finish_shard.lua`
--   ARGV[12] 1 when the attempt's end is recorded, and only the decision is tried again
--   ARGV[13] run id, as of `commit_decision.lua`
--   ARGV[14] version, as of `commit_decision.lua`
--   ARGV[15] now, as of `commit_decision.lua`
--   ARGV[16] change, as of `commit_decision.lua`
--   ARGV[17] budget, as of `commit_decision.lua`
--   ARGV[18] cost from which on it counts, as of `commit_decision.lua`
--   ARGV[19] plan, as of `commit_decision.lua`
--   ARGV[20] source, as of `commit_decision.lua`
--   ARGV[21] 1 when the job of another shard carries this one: that it was claimed for it is acknowledged
--   ARGV[22] opened phases the first shard of which the job may carry, if its pool has no limit: JSON list
--   ARGV[23] pool of the job
--   ARGV[24] worker
--   ARGV[25] most workers an attempt may lose before the shard fails
--   ARGV[26] token of this call, as of `start_shard.lua`
--   ARGV[27] number of phases that are opened, and for each of them 17 arguments as of `open_phase.lua`
-- Returns [verdict, state of the phase, seq of the last event, answer of the commit, shards of the run in flight, states
-- of the opened phases as JSON, record of the shard that the job carries now as JSON or '', claimed shard ids …]. Verdict
-- as of `finish_shard.lua`; the answer of the commit as of `commit_decision.lua`, '' when the phase is not complete, so
-- that nothing was to be committed. Of the claimed shards the one that is carried is marked `!`: its attempt is on, and it
-- stays claimed until that has ended.
--- @include "journal"
--- @include "ledger"
--- @include "slots"
--- @include "claim"
--- @include "finish"
--- @include "commit"
--- @include "open"
--- @include "start"
--- @include "carry"
local k = { run = KEYS[1], ledger = KEYS[2], shards = KEYS[3], released = KEYS[4], waiting = KEYS[5], open = KEYS[6], claims = KEYS[7], journal = KEYS[8], cancelled = KEYS[9], semaphores = KEYS[10], holders = KEYS[11], recalled = KEYS[12], started = KEYS[13], reuse = KEYS[14], ahead = KEYS[15], phases = KEYS[16], changed = KEYS[17], outbox = KEYS[18], live = KEYS[19], plan = KEYS[20], revisions = KEYS[21], folds = KEYS[22], source = KEYS[23], inputs = KEYS[24] }
local claimant = ARGV[8]
local phase = parse_shard_id(ARGV[1])

-- Starts one of the claimed shards, which the job then carries.
local function carry_opened(claimed)
  local wanted = {}
  for _, id in ipairs(cjson.decode(ARGV[22])) do wanted[id] = true end
  if next(wanted) == nil or redis.call('SISMEMBER', KEYS[25], ARGV[23]) == 1 then return '' end
  for i, text in ipairs(claimed) do
    if wanted[(parse_shard_id((string.gsub(text, '^!', ''))))] then
      return carry(k, { claimant = claimant, worker = ARGV[24], now = ARGV[5], loss_limit = ARGV[25], token = ARGV[26] }, claimed, i)
    end
  end
  return ''
end

if ARGV[21] == '1' then let_go(k, claimant, ARGV[1]) end
local ended, entry = { 'ok', '' }, load_entry(k.ledger, phase)
if ARGV[12] ~= '1' then
  ended, entry = finish(k, { id = ARGV[1], fence = ARGV[2], outcome = ARGV[3], record = ARGV[4], now = ARGV[5], attempt = ARGV[6], events = ARGV[7], cost = ARGV[9], fingerprint = ARGV[10], reuse_entry = ARGV[11] })
end
if not entry then return { 'refused', '', '', '', 0, '[]', '' } end
local committed, states = '', {}
if ended[1] == 'ok' and phase_state(entry, is_stopped(k.run)) == 'complete' then
  committed = commit(k, { run_id = ARGV[13], version = ARGV[14], now = ARGV[15], change = ARGV[16], budget = ARGV[17], budget_from = ARGV[18], plan = ARGV[19], source = ARGV[20] })
  for i = 1, committed > 0 and tonumber(ARGV[27]) or 0 do
    local at = 27 + (i - 1) * 17
    local opened = open_in_ledger(k, { phase = ARGV[at + 1], revision = ARGV[at + 2], now = ARGV[at + 4], order = ARGV[at + 5], total = ARGV[at + 6], max_parallel = ARGV[at + 7], window = ARGV[at + 8], inputs = ARGV[at + 9], started = ARGV[at + 10], tolerated = ARGV[at + 11], max_consecutive = ARGV[at + 12], key = ARGV[at + 13], key_limit = ARGV[at + 14], again = ARGV[at + 15], reuse = ARGV[at + 16], making = ARGV[at + 17] })
    states[i] = phase_state(opened, false)
  end
end
local claimed = claim(k, claimant)
local carried = #states > 0 and carry_opened(claimed) or ''
local state = phase_state(load_entry(k.ledger, phase), is_stopped(k.run))
local in_flight = redis.call('HGET', k.run, 'in_flight')
return { ended[1], state, ended[2], committed, in_flight, #states > 0 and cjson.encode(states) or '[]', carried, unpack(claimed) }
