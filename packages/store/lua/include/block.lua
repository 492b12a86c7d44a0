-- Shards of a block, many at a time.
--   b: {phase, revision, block, worker, now, token, entry, from, most}: the arguments of `step_block.lua`, as texts but
--      for `from`, and the phase's entry, which the caller saves
local FIELDS = 9

local function id_in(b, shard)
  return b.phase .. '.r' .. b.revision .. '.' .. string.format('%d', shard)
end

-- Emits one event for each shard, as one step of the journal's counter.
local function emit_all(k, now, event, phase, list)
  if #list == 0 then return end
  local seq = redis.call('HINCRBY', k.run, 'seq', #list) - #list
  for i, one in ipairs(list) do
    redis.call('XADD', k.journal, string.format('%d-0', seq + i), 't', now, 'e', event, 'p', phase, 's', one[1], 'a', one[2], 'd', one[3])
  end
end

-- How the record of a shard without a past begins once it was started in its block.
local function begun_in_block(block, attempt, fence)
  return '{"status":"running","block":"' .. block .. '","attempt":' .. attempt .. ',"fence":' .. fence .. ','
end

-- Records the ends of shards, in their order: those that succeeded together, each other one as if it came alone.
--   args, at: where they are in the script's arguments   mean: how long each took, ms, or nil
-- Returns [index, verdict …].
local function end_in_block(k, b, args, at, mean)
  local count = (#args - at + 1) / FIELDS
  local verdicts, ids = {}, {}
  if count == 0 then return verdicts end
  for i = 1, count do ids[i] = id_in(b, args[at + (i - 1) * FIELDS]) end
  local before = redis.call('HMGET', k.shards, unpack(ids))
  local fields, done, events, timed = {}, {}, {}, 0

  local function flush()
    if #done == 0 then return end
    redis.call('HSET', k.shards, unpack(fields))
    redis.call('SREM', k.started, unpack(done))
    redis.call('HINCRBY', k.run, 'in_flight', -#done)
    b.entry.in_flight, b.entry.succeeded, b.entry.consecutive = b.entry.in_flight - #done, b.entry.succeeded + #done, 0
    emit_all(k, b.now, 'shard_succeeded', b.phase, events)
    fields, done, events = {}, {}, {}
  end

  local function succeed(i, a)
    fields[#fields + 1], fields[#fields + 2] = ids[i], a.record
    done[#done + 1] = ids[i]
    events[#events + 1] = { a.shard, a.attempt, a.events }
    timed = timed + 1
    if a.cost ~= '0' then redis.call('HINCRBYFLOAT', k.run, 'cost_usd', a.cost) end
    if a.fingerprint ~= '' then redis.call('HSET', k.reuse, a.fingerprint, a.reuse_entry) end
    return 'ok'
  end

  local function end_otherwise(a)
    flush()
    save_entry(k.ledger, b.phase, b.entry)
    local verdict = finish(k, a)[1]
    b.entry = load_entry(k.ledger, b.phase)
    return verdict
  end

  for i = 1, count do
    local o = at + (i - 1) * FIELDS
    local a = { id = ids[i], shard = args[o], fence = args[o + 1], outcome = args[o + 2], record = args[o + 3], attempt = args[o + 4], events = args[o + 5], cost = args[o + 6], fingerprint = args[o + 7], reuse_entry = args[o + 8], now = b.now, duration = '' }
    local verdict = 'refused'
    local opening = begun_in_block(b.block, a.attempt, a.fence)
    -- most have the record they were started with
    local is_begun = before[i] and string.sub(before[i], 1, #opening) == opening
    local current = not is_begun and before[i] and read_shard(before[i])
    if is_begun and a.outcome == 'succeeded' then
      verdict = succeed(i, a)
    elseif is_begun then
      verdict = end_otherwise(a)
    elseif current and current.fence == tonumber(a.fence) then
      if a.outcome == 'succeeded' and current.status == 'running' then
        verdict = succeed(i, a)
      elseif a.outcome == 'succeeded' then
        verdict = current.status == 'cancelled' and 'stopped' or 'ok'
      else
        verdict = end_otherwise(a)
      end
    end
    verdicts[#verdicts + 1], verdicts[#verdicts + 2] = a.shard, verdict
  end
  flush()
  if mean then note_times(b.entry, timed, timed * mean) end
  return verdicts
end

-- How many shards are started at once: what fits into half a block's time, one while nobody knows how long they take.
local function most_at_once(entry)
  if (entry.timed or 0) == 0 then return 1 end
  return math.max(1, math.floor(BLOCK_MS / 2 / math.max(entry.timed_ms / entry.timed, 0.05)))
end

-- Starts shards that are still the block's, and finds those that need a job of their own.
-- Returns what `step_block.lua` says of both, and the first shard that was not looked at.
local function start_in_block(k, b)
  local first, size = string.match(b.block, '^(%d+)%+(%d+)$')
  local behind = tonumber(first) + tonumber(size)
  local started, leaving, ids = {}, {}, {}
  if b.from >= behind then return started, leaving, behind end
  for shard = b.from, behind - 1 do ids[#ids + 1] = id_in(b, shard) end
  local records = redis.call('HMGET', k.shards, unpack(ids))
  local most = tonumber(b.most) or 0
  if b.most == '0' then most = most_at_once(b.entry) end
  local is_plain = b.most ~= '' and not is_stopped(k.run) and not is_paused(k.run) and b.entry.recalled ~= 1
  local has_recalls = is_plain and redis.call('EXISTS', k.recalled) == 1
  local fresh, fields, begun, events, marks = fresh_in_block(b.block), {}, {}, {}, {}
  local worker, data = cjson.encode(b.worker), cjson.encode({ b.worker, tonumber(b.revision) })
  local fence, taken, cursor = 0, 0, behind

  local function next_fence()
    if taken == 0 then fence = redis.call('HINCRBY', k.run, 'fence', #ids) - #ids end
    taken = taken + 1
    return fence + taken
  end

  local function tell(shard, attempt, own_fence, text)
    local n = #started
    started[n + 1], started[n + 2], started[n + 3], started[n + 4] = shard, attempt, own_fence, text
  end

  local function run(shard, id, text, past)
    local attempt, own_fence = ((past and past.attempt) or 0) + 1, next_fence()
    if past then
      past.status, past.worker, past.started_at_ms, past.starts, past.seen = 'running', b.worker, tonumber(b.now), 1, 1
      past.attempt, past.fence, past.start_token = attempt, own_fence, b.token
      text = cjson.encode(past)
    else
      text = begun_in_block(b.block, attempt, string.format('%d', own_fence))
        .. string.format('"worker":%s,"started_at_ms":%s,"start_token":"%s","starts":1,"seen":1}', worker, b.now, b.token)
    end
    fields[#fields + 1], fields[#fields + 2] = id, text
    begun[#begun + 1] = id
    events[#events + 1] = { shard, attempt, data }
    tell(shard, attempt, own_fence, past and text or '')
  end

  local function leave(shard, id, record)
    if record.status == 'released' and not record.own_job then
      record.own_job = true
      marks[#marks + 1], marks[#marks + 2] = id, cjson.encode(record)
    end
    leaving[#leaving + 1], leaving[#leaving + 2] = shard, record.until_ms or 0
  end

  for i, id in ipairs(ids) do
    local shard, text = b.from + i - 1, records[i]
    local is_fresh = text == fresh
    if #started / 4 >= most and b.most ~= '' then
      cursor = shard
      break
    end
    if is_fresh and is_plain and not has_recalls then
      run(shard, id)
    elseif text then
      local record = read_shard(text)
      local is_ours = record.status == 'released' and record.block == b.block and not record.own_job
      if record.status == 'running' and record.start_token == b.token then
        tell(shard, record.attempt, record.fence, text)
      elseif is_ours and is_plain and not (has_recalls and redis.call('SISMEMBER', k.recalled, id) == 1) then
        run(shard, id, text, record)
      elseif record.status ~= 'succeeded' then
        leave(shard, id, record)
      end
    end
  end
  if #begun > 0 then
    redis.call('HSET', k.shards, unpack(fields))
    redis.call('SREM', k.released, unpack(begun))
    redis.call('SADD', k.started, unpack(begun))
    emit_all(k, b.now, 'shard_started', b.phase, events)
  end
  if #marks > 0 then redis.call('HSET', k.shards, unpack(marks)) end
  return started, leaving, cursor
end
