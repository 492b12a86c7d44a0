-- The ledger of a run: per phase the counts of the revision in the making. Who is where:
--   next        shards handed out so far (indexes 0 … next-1)
--   in_flight   released or running: each holds a slot of the run and of the phase
--   held        in backoff, waiting for a slot, or for phases they spawned: hold none
--   succeeded, failed, cancelled: done with
--   tolerated   failed shards the phase may have and still be complete
--   tripped     1 when too many shards failed in a row: no new shard is released
--   key         concurrency key of the phase, where it has one, and `key_limit`, its limit in the plan
--   recalled_by who cancelled the phase, or a shard of it, by hand
--   recalled    1 when the phase was cancelled by hand: nothing more of it starts until it is retried
--   reused      shards whose output was taken from an earlier run: they are among `succeeded` and never have a job
--   ahead       those of them with an index from `next` on: they are passed over
--   making      turn of the run in which the phase is made, where shards of it may be reused
--   reusing     1 while it is found out which shards are reused: none is handed out before that
--   again       1 when the phase is run again, so that its shards may have earlier attempts
--   excused     failed shards that had their effect on the run before it was re-opened
--   blocks      most fresh shards of a block while nobody knows how long they take, where they go in blocks; `timed` of
--               them took `timed_ms` in all, the latest count most
-- next + ahead = in_flight + held + succeeded + failed + cancelled, always.

-- Entries that a script keeps until it calls `write_entries`, because it moves the same ones several times: phase → entry.
-- Nil in a script that does not.
local kept_entries, changed_entries

local function keep_entries()
  kept_entries, changed_entries = {}, {}
end

local function load_entry(ledger, phase)
  if kept_entries and kept_entries[phase] then return kept_entries[phase] end
  local text = redis.call('HGET', ledger, phase)
  if not text then return nil end
  local entry = cjson.decode(text)
  if kept_entries then kept_entries[phase] = entry end
  return entry
end

local function save_entry(ledger, phase, entry)
  if kept_entries then
    kept_entries[phase], changed_entries[phase] = entry, true
  else
    redis.call('HSET', ledger, phase, cjson.encode(entry))
  end
end

local function remove_entry(ledger, phase)
  if kept_entries then kept_entries[phase], changed_entries[phase] = nil, nil end
  redis.call('HDEL', ledger, phase)
end

local function write_entries(ledger)
  for phase in pairs(changed_entries) do redis.call('HSET', ledger, phase, cjson.encode(kept_entries[phase])) end
end

-- Splits `<phase>.r<revision>.<shard>`.
local function parse_shard_id(id)
  local phase, revision, shard = string.match(id, '^(.+)%.r(%d+)%.(%d+)$')
  return phase, tonumber(revision), tonumber(shard)
end

-- Splits what a claim says: a shard, or a block of shards. Returns their phase, revision, first shard, and number.
local function parse_claim(text)
  local id, count = string.match(text, '^[~!]?(.+)%+(%d+)$')
  local phase, revision, shard = parse_shard_id(id or (string.gsub(text, '^[~!]', '')))
  return phase, revision, shard, tonumber(count or 1)
end

-- Record of a shard that was handed out in a block and has no past.
local function fresh_in_block(block)
  return '{"status":"released","block":"' .. block .. '"}'
end

-- Reads the record of a shard. One that just succeeded is an array: attempt, fence, worker, started_at_ms, ms from there
-- to finished_at_ms, consumed or '', the output (a text that is kept inline, or where it is), and its other fields.
local function read_shard(text)
  local value = cjson.decode(text)
  if string.sub(text, 1, 1) ~= '[' then return value end
  local record = value[8] or {}
  record.status, record.attempt, record.fence, record.worker = 'succeeded', value[1], value[2], value[3]
  record.started_at_ms, record.finished_at_ms = value[4], value[4] + value[5]
  if value[6] ~= '' then record.consumed = value[6] end
  record.result = { output = type(value[7]) == 'string' and { inline = value[7] } or value[7] }
  return record
end

local function load_shard(shards, id)
  local text = redis.call('HGET', shards, id)
  if not text then return nil end
  return read_shard(text)
end

local function save_shard(shards, id, record)
  redis.call('HSET', shards, id, cjson.encode(record))
end

-- Whether the run was removed, or is just being: nothing may be written for it any more. A script is about one run.
local gone
local function is_gone(run)
  if gone == nil then gone = redis.call('EXISTS', run) == 0 or redis.call('HEXISTS', run, 'removing') == 1 end
  return gone
end

local function is_stopped(run)
  local stop = redis.call('HGET', run, 'stop')
  return stop ~= false and stop ~= ''
end

-- Why a shard is cancelled, for its event: the run was stopped, or somebody cancelled it or its phase by hand. Who that
-- was is in the shard's record where only the shard was meant, else in the entry of its phase.
local function cancel_cause(stopped, entry, record)
  if stopped then return { reason = 'run stopped' } end
  return { reason = 'cancelled by hand', actor = record.recalled_by or entry.recalled_by }
end

local function is_paused(run)
  return redis.call('HGET', run, 'paused') == '1'
end

-- A phase is complete when every shard succeeded, tolerable when all are done with and few enough failed,
-- drained when it cannot become either by itself.
local function phase_state(entry, stopped)
  if entry.succeeded >= entry.total then return 'complete' end
  if entry.in_flight > 0 then return 'busy' end
  if entry.succeeded + entry.failed >= entry.total and entry.failed <= entry.tolerated then return 'tolerable' end
  if stopped or entry.recalled == 1 then return 'drained' end
  if entry.held == 0 and (entry.next >= entry.total or entry.tripped == 1) then return 'drained' end
  return 'busy'
end

-- Lets a shard be tried again, from one that is done with: it waits for a slot, or for the children of its latest
-- attempt.
local function take_up(record)
  record.status = record.awaits_children and 'spawned' or 'waiting'
  record.tries, record.losses, record.failure = 0, 0, nil
end

-- Shards of a phase that are still to be handed out.
local function to_hand_out(entry)
  return entry.total - entry.next - (entry.ahead or 0)
end

-- Name of a reused shard among those ahead. A making of a revision that failed may have left its own.
local function ahead_name(entry, id)
  return id .. '#' .. string.format('%d', entry.making or 0)
end

-- Passes over a shard if it is one that was reused.
local function pass(ahead, entry, id)
  if (entry.ahead or 0) == 0 or redis.call('SREM', ahead, ahead_name(entry, id)) == 0 then return false end
  entry.ahead = entry.ahead - 1
  return true
end

-- Once nothing but reused shards is left, the phase has handed out all it has to.
local function pass_reused(entry)
  if not entry.ahead or entry.ahead == 0 or to_hand_out(entry) > 0 then return end
  entry.next, entry.ahead = entry.total, 0
end

-- Counts a shard that failed for good, and trips the phase's circuit breaker after too many in a row.
local function count_failure(entry, shard)
  entry.failed, entry.failed_shard = entry.failed + 1, shard
  entry.consecutive = entry.consecutive + 1
  if entry.max_consecutive > 0 and entry.consecutive >= entry.max_consecutive then entry.tripped = 1 end
end
