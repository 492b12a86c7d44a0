-- Ends the attempts that complete phases of a run, commits the one decision on their success, opens the phases that this
-- starts, and claims what may run: one hop of a run in one step. Each end is taken or refused by itself. Where one of them
-- completes no phase, or the decision cannot be committed, the attempts have ended all the same, and nothing is claimed.
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
--   ARGV[1] now, Unix ms
--   ARGV[2] claimant of what may run, in whose job an end is; where that end is refused, it is the job of another end
--   ARGV[3] run id, as of `commit_decision.lua`
--   ARGV[4] version, as of `commit_decision.lua`
--   ARGV[5] now, as of `commit_decision.lua`
--   ARGV[6] change, as of `commit_decision.lua`
--   ARGV[7] budget, as of `commit_decision.lua`
--   ARGV[8] cost from which on it counts, as of `commit_decision.lua`
--   ARGV[9] plan, as of `commit_decision.lua`
--   ARGV[10] source, as of `commit_decision.lua`
--   ARGV[11] opened phases the first shards of which the claimant's job may carry, if its pool has no limit: JSON list
--   ARGV[12] most shards it may carry
--   ARGV[13] pool of the job
--   ARGV[14] worker
--   ARGV[15] most workers an attempt may lose before the shard fails
--   ARGV[16] token of this call, as of `start_shard.lua`
--   ARGV[17] number of ends, and for each of them 13 arguments: the 11 of `finish_shard.lua`, where the claimant is the job
--            that runs the attempt; 1 when the attempt's end is recorded, and only the decision is tried again; 1 when the
--            job of another shard carries this one: that it was claimed for it is acknowledged
--   ARGV[18 + 13 x ends] number of phases that are opened, and for each of them 17 arguments as of `open_phase.lua`
-- Returns [answer of the commit, claimant, shards of the run in flight, states of the opened phases as JSON, id and
-- record of each shard that the job carries from now on as a JSON list of texts, then for each end verdict, state of the
-- phase, seq of the last event, and then the claimed shard ids ...]. Verdict as of `finish_shard.lua`; the answer of the commit as of
-- `commit_decision.lua`, '' when nothing was to be committed. Of the claimed shards those that are carried are marked `!`:
-- their attempts are on, and they stay claimed until those have ended.
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
local FIRST_END, PER_END, PER_OPENING = 17, 13, 17
local ends = tonumber(ARGV[FIRST_END])
local first_opening = FIRST_END + ends * PER_END + 1

-- Starts some of the claimed shards, which the job then carries. Returns their ids and records in turn.
local function carry_opened(claimant, claimed)
  local wanted, room, records = {}, tonumber(ARGV[12]), {}
  for _, phase in ipairs(cjson.decode(ARGV[11])) do wanted[phase] = true end
  if next(wanted) == nil or redis.call('SISMEMBER', KEYS[25], ARGV[13]) == 1 then return records end
  local c = { claimant = claimant, worker = ARGV[14], now = ARGV[1], loss_limit = ARGV[15], token = ARGV[16] }
  for i, text in ipairs(claimed) do
    local id = string.gsub(text, '^!', '')
    local phase = parse_shard_id(id)
    -- one that it carries already is started again only if this very call was sent before
    local is_free = text == id or load_shard(k.shards, id).start_token == ARGV[16]
    if room > 0 and wanted[phase] and is_free then
      local record = begin_carried(k, c, claimed, i)
      if record ~= '' then
        room = room - 1
        records[#records + 1] = id
        records[#records + 1] = record
      end
    end
  end
  if #records > 0 then redis.call('HSET', k.claims, claimant, cjson.encode(claimed)) end
  return records
end

keep_entries()
local stopped = is_stopped(k.run)
local verdicts, claimant, completes = {}, nil, true
for i = 1, ends do
  local at = FIRST_END + (i - 1) * PER_END
  local id, job = ARGV[at + 1], ARGV[at + 8]
  if ARGV[at + 13] == '1' then let_go(k, job, id) end
  local ended, entry = { 'ok', '' }, nil
  if ARGV[at + 12] == '1' then
    entry = load_entry(k.ledger, (parse_shard_id(id)))
  else
    ended, entry = finish(k, { id = id, fence = ARGV[at + 2], outcome = ARGV[at + 3], record = ARGV[at + 4], now = ARGV[at + 5], attempt = ARGV[at + 6], events = ARGV[at + 7], cost = ARGV[at + 9], fingerprint = ARGV[at + 10], reuse_entry = ARGV[at + 11] })
  end
  if not entry then ended = { 'refused', '' } end
  local state = entry and phase_state(entry, stopped) or ''
  completes = completes and ended[1] == 'ok' and state == 'complete'
  if entry and (not claimant or job == ARGV[2]) then claimant = job end
  for _, value in ipairs({ ended[1], state, ended[2] }) do verdicts[#verdicts + 1] = value end
end

local committed, states, claimed, records = '', {}, {}, {}
if completes then
  committed = commit(k, { run_id = ARGV[3], version = ARGV[4], now = ARGV[5], change = ARGV[6], budget = ARGV[7], budget_from = ARGV[8], plan = ARGV[9], source = ARGV[10] })
  if committed > 0 then
    for i = 1, tonumber(ARGV[first_opening]) do
      local at = first_opening + (i - 1) * PER_OPENING
      local opened = open_in_ledger(k, { phase = ARGV[at + 1], revision = ARGV[at + 2], now = ARGV[at + 4], order = ARGV[at + 5], total = ARGV[at + 6], max_parallel = ARGV[at + 7], window = ARGV[at + 8], inputs = ARGV[at + 9], started = ARGV[at + 10], tolerated = ARGV[at + 11], max_consecutive = ARGV[at + 12], key = ARGV[at + 13], key_limit = ARGV[at + 14], again = ARGV[at + 15], reuse = ARGV[at + 16], making = ARGV[at + 17] })
      states[i] = phase_state(opened, false)
    end
    claimed = claim(k, claimant)
    if #states > 0 and claimant == ARGV[2] then records = carry_opened(claimant, claimed) end
  end
end
write_entries(k.ledger)
local reply = { committed, claimant or '', redis.call('HGET', k.run, 'in_flight'), #states > 0 and cjson.encode(states) or '[]', #records > 0 and cjson.encode(records) or '[]' }
for _, value in ipairs(verdicts) do reply[#reply + 1] = value end
for _, id in ipairs(claimed) do reply[#reply + 1] = id end
return reply
