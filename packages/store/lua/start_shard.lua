-- Starts an attempt of a shard, or says why it may not. A shard found running has lost its worker.
--   KEYS[1] run       hash
--   KEYS[2] ledger    hash
--   KEYS[3] shards    hash
--   KEYS[4] released  set
--   KEYS[5] cancelled set
--   KEYS[6] journal   stream
--   KEYS[7] semaphores hash
--   KEYS[8] holders   hash
--   KEYS[9] recalled  set
--   KEYS[10] started  set
--   ARGV[1] shard id
--   ARGV[2] worker
--   ARGV[3] now, Unix ms
--   ARGV[4] how often this job was started other than after a stall; tells a hand retry from a repetition
--   ARGV[5] 1 when the run was re-opened for a hand retry of this shard
--   ARGV[6] most workers an attempt may lose before the shard fails
--   ARGV[7] token of this call: one that is sent again, because its answer was lost with the connection, is answered
--           again and starts nothing
-- Returns [verdict, record as JSON or '', state of the phase, seq of the last event or '']:
--   run        the attempt is on; record has attempt, fence, tries, losses
--   done       it had succeeded already
--   ended      it had failed or was cancelled already, or is now
--   reopen     a hand retry: re-open the phase and ask again
--   no_slot    it now waits for a slot
--   spawned    it waits for phases it spawned
--   unknown    the ledger has no such shard in this revision, or the run is being removed
--- @include "journal"
--- @include "ledger"
--- @include "slots"
local k = { run = KEYS[1], semaphores = KEYS[7], holders = KEYS[8] }
local id, worker, now, starts = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local phase, revision, shard = parse_shard_id(id)
local entry = load_entry(KEYS[2], phase)
local record = load_shard(KEYS[3], id)
if not entry or entry.revision ~= revision or not record or is_gone(KEYS[1]) then
  return { 'unknown', '', '', '' }
end
local stopped = is_stopped(KEYS[1])
local recalled = entry.recalled == 1 or redis.call('SISMEMBER', KEYS[9], id) == 1
local seq = ''

local function reply(verdict)
  save_entry(KEYS[2], phase, entry)
  save_shard(KEYS[3], id, record)
  return { verdict, cjson.encode(record), phase_state(entry, stopped), seq }
end

local function cancel(counter)
  record.status, record.starts = 'cancelled', starts
  redis.call('SREM', KEYS[10], id)
  if counter == 'slot' then free_slot(k, entry, id) else entry.held = entry.held - 1 end
  entry.cancelled = entry.cancelled + 1
  redis.call('SADD', KEYS[5], id)
  seq = emit(KEYS[1], KEYS[6], ARGV[3], 'shard_cancelled', phase, shard, record.attempt, cjson.encode(cancel_cause(stopped, entry, record)))
  record.recalled_by = nil
  return reply('ended')
end

local function lose()
  record.losses = (record.losses or 0) + 1
  record.history = record.history or {}
  table.insert(record.history, {
    attempt = record.attempt, status = 'lost', worker = record.worker,
    started_at_ms = record.started_at_ms, finished_at_ms = now,
  })
  local data = cjson.encode({ worker = record.worker, duration_ms = now - record.started_at_ms })
  seq = emit(KEYS[1], KEYS[6], ARGV[3], 'shard_lost', phase, shard, record.attempt, data)
end

local function fail_lost()
  local why = 'its worker was lost ' .. record.losses .. ' times, last ' .. record.worker
  local next_action = 'look for crashes or out-of-memory kills on the workers, then: fanfold retry'
  record.status, record.starts = 'failed', starts
  record.failure = { error_code = 'WORKER_LOST', why = why, next_action = next_action }
  redis.call('SREM', KEYS[10], id)
  free_slot(k, entry, id)
  count_failure(entry, shard)
  seq = emit(KEYS[1], KEYS[6], ARGV[3], 'shard_failed', phase, shard, record.attempt, cjson.encode(record.failure))
  return reply('ended')
end

if record.status == 'running' and record.start_token == ARGV[7] then return reply('run') end
record.seen = starts
local status = record.status
if status == 'succeeded' then return { 'done', '', phase_state(entry, stopped), '' } end
if status == 'failed' or status == 'cancelled' then
  -- one fewer: its worker died when it had given the shard back, and the run was stopped before the job moved
  if status == 'cancelled' and record.starts == starts + 1 then record.starts = starts end
  if record.starts == starts then return reply('ended') end
  if ARGV[5] ~= '1' then return { 'reopen', '', '', '' } end
  entry[status] = entry[status] - 1
  entry.held = entry.held + 1
  entry.excused = entry.failed
  take_up(record)
  redis.call('SREM', KEYS[5], id)
  redis.call('SREM', KEYS[9], id)
elseif status == 'running' then
  lose()
  if stopped or recalled then return cancel('slot') end
  if record.losses > tonumber(ARGV[6]) then return fail_lost() end
elseif stopped or recalled then
  if status == 'released' then
    redis.call('SREM', KEYS[4], id)
    return cancel('slot')
  end
  return cancel('held')
end

if record.status == 'spawned' then
  redis.call('SADD', KEYS[10], id)
  return reply('spawned')
end
if (record.status == 'running' or record.status == 'released') and is_paused(KEYS[1]) then
  redis.call('SREM', KEYS[4], id)
  free_slot(k, entry, id)
  entry.held = entry.held + 1
  record.status = 'waiting'
end
if record.status == 'backoff' or record.status == 'waiting' then
  if free_in_run(KEYS[1]) <= 0 or free_in_phase(entry) <= 0 or free_in_key(k, entry) <= 0 then
    record.status = 'waiting'
    return reply('no_slot')
  end
  entry.held = entry.held - 1
  take_slot(k, entry, id)
end
redis.call('SREM', KEYS[4], id)
redis.call('SADD', KEYS[10], id)
record.status, record.worker, record.started_at_ms, record.starts = 'running', worker, now, starts
record.attempt = (record.attempt or 0) + 1
record.start_token = ARGV[7]
record.recalled_by = nil
record.fence = redis.call('HINCRBY', KEYS[1], 'fence', 1)
seq = emit(KEYS[1], KEYS[6], ARGV[3], 'shard_started', phase, shard, record.attempt, cjson.encode({ worker = worker, revision = revision }))
return reply('run')
