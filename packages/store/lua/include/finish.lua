-- Ends an attempt: records its outcome once (fenced) and frees its slot.
--   k: {run, ledger, shards, waiting, released, journal, cancelled, semaphores, holders, recalled, started, reuse}
--   a: {id, fence, outcome, record, now, attempt, events, cost, fingerprint, reuse_entry, duration}: the arguments of
--      `finish_shard.lua`, as texts
-- Returns [verdict, seq of the last event or ''], and the phase's entry; no entry when the verdict is `refused`. An end
-- that was recorded before is found again, and writes nothing.
local function finish(k, a)
  local phase, _, shard = parse_shard_id(a.id)
  local entry = load_entry(k.ledger, phase)
  local current = load_shard(k.shards, a.id)
  if not entry or not current or current.fence ~= tonumber(a.fence) then return { 'refused', '' }, nil end
  local outcome = a.outcome
  if current.status ~= 'running' then
    -- this very end was recorded before, and its answer was lost with the connection
    return { current.status == 'cancelled' and outcome ~= 'cancelled' and 'stopped' or 'ok', '' }, entry
  end
  local verdict, text, events = 'ok', a.record, cjson.decode(a.events)
  local stopped = is_stopped(k.run)
  local recalled = entry.recalled == 1 or redis.call('SISMEMBER', k.recalled, a.id) == 1
  if (stopped or recalled) and (outcome == 'backoff' or outcome == 'given_back' or outcome == 'spawned') then
    verdict, outcome = 'stopped', 'cancelled'
    local record = cjson.decode(text)
    record.status = 'cancelled'
    text = cjson.encode(record)
    local ended = cjson.decode(events[#events][2])
    local data = { duration_ms = ended.duration_ms, usage = ended.usage }
    events = { { 'shard_cancelled', cjson.encode(data) } }
  end
  if outcome == 'cancelled' and (stopped or recalled) then
    local data = cjson.decode(events[#events][2])
    for name, value in pairs(cancel_cause(stopped, entry, current)) do data[name] = value end
    events[#events][2] = cjson.encode(data)
  end
  if outcome == 'given_back' and is_paused(k.run) then
    outcome = 'put_off'
    local record = cjson.decode(text)
    record.status = 'waiting'
    text = cjson.encode(record)
  end
  redis.call('HSET', k.shards, a.id, text)
  if outcome ~= 'backoff' and outcome ~= 'spawned' then redis.call('SREM', k.started, a.id) end
  if outcome == 'given_back' then redis.call('SADD', k.released, a.id) else free_slot(k, entry, a.id) end
  if outcome == 'succeeded' then
    entry.succeeded, entry.consecutive = entry.succeeded + 1, 0
    if (a.duration or '') ~= '' then note_times(entry, 1, tonumber(a.duration)) end
    if a.fingerprint ~= '' and not is_gone(k.run) then redis.call('HSET', k.reuse, a.fingerprint, a.reuse_entry) end
  elseif outcome == 'failed' then count_failure(entry, shard)
  elseif outcome == 'cancelled' then
    entry.cancelled = entry.cancelled + 1
    redis.call('SADD', k.cancelled, a.id)
  elseif outcome == 'backoff' or outcome == 'spawned' then entry.held = entry.held + 1
  elseif outcome == 'put_off' then
    entry.held = entry.held + 1
    redis.call('RPUSH', k.waiting, a.id)
  end
  save_entry(k.ledger, phase, entry)
  if a.cost ~= '0' then redis.call('HINCRBYFLOAT', k.run, 'cost_usd', a.cost) end
  local seq = ''
  for _, e in ipairs(events) do seq = emit(k.run, k.journal, a.now, e[1], phase, shard, a.attempt, e[2]) end
  return { verdict, seq }, entry
end
