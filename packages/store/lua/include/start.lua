-- Starts an attempt of a shard, or says why it may not. A shard found running has lost its worker.
--   k: {run, ledger, shards, released, cancelled, journal, semaphores, holders, recalled, started}
--   a: {id, worker, now, starts, reopened, loss_limit, token}: the arguments of `start_shard.lua`, as texts; carrier: the
--      job that carries the shard, where that is not its own
-- Returns what that script returns.
local function start(k, a)
  local id, worker, now, starts = a.id, a.worker, tonumber(a.now), tonumber(a.starts)
  local phase, revision, shard = parse_shard_id(id)
  local entry = load_entry(k.ledger, phase)
  local record = load_shard(k.shards, id)
  if not entry or entry.revision ~= revision or not record or is_gone(k.run) then
    return { 'unknown', '', '', '' }
  end
  local stopped = is_stopped(k.run)
  local recalled = entry.recalled == 1 or redis.call('SISMEMBER', k.recalled, id) == 1
  local seq = ''

  local function reply(verdict)
    save_entry(k.ledger, phase, entry)
    save_shard(k.shards, id, record)
    return { verdict, cjson.encode(record), phase_state(entry, stopped), seq }
  end

  local function cancel(counter)
    record.status, record.starts = 'cancelled', starts
    redis.call('SREM', k.started, id)
    if counter == 'slot' then free_slot(k, entry, id) else entry.held = entry.held - 1 end
    entry.cancelled = entry.cancelled + 1
    redis.call('SADD', k.cancelled, id)
    seq = emit(k.run, k.journal, a.now, 'shard_cancelled', phase, shard, record.attempt, cjson.encode(cancel_cause(stopped, entry, record)))
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
    seq = emit(k.run, k.journal, a.now, 'shard_lost', phase, shard, record.attempt, data)
  end

  local function fail_lost()
    local why = 'its worker was lost ' .. record.losses .. ' times, last ' .. record.worker
    local next_action = 'look for crashes or out-of-memory kills on the workers, then: fanfold retry'
    record.status, record.starts = 'failed', starts
    record.failure = { error_code = 'WORKER_LOST', why = why, next_action = next_action }
    redis.call('SREM', k.started, id)
    free_slot(k, entry, id)
    count_failure(entry, shard)
    seq = emit(k.run, k.journal, a.now, 'shard_failed', phase, shard, record.attempt, cjson.encode(record.failure))
    return reply('ended')
  end

  if record.status == 'running' and record.start_token == a.token then return reply('run') end
  record.seen = starts
  local status = record.status
  if status == 'succeeded' then return { 'done', '', phase_state(entry, stopped), '' } end
  if status == 'failed' or status == 'cancelled' then
    -- one fewer: its worker died when it had given the shard back, and the run was stopped before the job moved
    if status == 'cancelled' and record.starts == starts + 1 then record.starts = starts end
    if record.starts == starts then return reply('ended') end
    if a.reopened ~= '1' then return { 'reopen', '', '', '' } end
    entry[status] = entry[status] - 1
    entry.held = entry.held + 1
    entry.excused = entry.failed
    take_up(record)
    redis.call('SREM', k.cancelled, id)
    redis.call('SREM', k.recalled, id)
  elseif status == 'running' then
    lose()
    if stopped or recalled then return cancel('slot') end
    if record.losses > tonumber(a.loss_limit) then return fail_lost() end
  elseif stopped or recalled then
    if status == 'released' then
      redis.call('SREM', k.released, id)
      return cancel('slot')
    end
    return cancel('held')
  end

  if record.status == 'spawned' then
    redis.call('SADD', k.started, id)
    return reply('spawned')
  end
  if (record.status == 'running' or record.status == 'released') and is_paused(k.run) then
    redis.call('SREM', k.released, id)
    free_slot(k, entry, id)
    entry.held = entry.held + 1
    record.status = 'waiting'
  end
  if record.status == 'backoff' or record.status == 'waiting' then
    if free_in_run(k.run) <= 0 or free_in_phase(entry) <= 0 or free_in_key(k, entry) <= 0 then
      record.status = 'waiting'
      return reply('no_slot')
    end
    entry.held = entry.held - 1
    take_slot(k, entry, id)
  end
  redis.call('SREM', k.released, id)
  redis.call('SADD', k.started, id)
  record.status, record.worker, record.started_at_ms, record.starts = 'running', worker, now, starts
  record.attempt = (record.attempt or 0) + 1
  record.start_token = a.token
  record.recalled_by = nil
  record.carrier = a.carrier
  record.fence = redis.call('HINCRBY', k.run, 'fence', 1)
  seq = emit(k.run, k.journal, a.now, 'shard_started', phase, shard, record.attempt, cjson.encode({ worker, revision }))
  return reply('run')
end
