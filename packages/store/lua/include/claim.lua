-- Most shards handed out in one claim: it must not hold Redis up.
local MOST_IN_CLAIM = 1024

-- Claims free slots for a claimant: first shards that wait for one, then new shards of the open phases
-- in declaration order. The claim is kept under the claimant's name until it is acknowledged, and asking
-- again before that gives the same shards: a claimant that died repeats exactly its own adds.
--   k: {run, ledger, shards, released, waiting, open, claims, semaphores, holders, ahead}
-- Returns shard ids in the order they were claimed; one that had been on its queue before is marked `~`. One that is
-- marked `!` is carried by the claimant's job (`complete_phase.lua`). A block is the id of its first shard with
-- `+<shards>`.
local function claim(k, claimant)
  if is_gone(k.run) then return {} end
  local kept = redis.call('HGET', k.claims, claimant)
  if kept then return cjson.decode(kept) end
  local free, run_cap = free_in_run(k.run)
  if is_stopped(k.run) then free = 0 end
  free = math.min(free, MOST_IN_CLAIM)
  local claimed, entries, blocked = {}, {}, {}
  local function entry_of(phase)
    if entries[phase] == nil then entries[phase] = load_entry(k.ledger, phase) or false end
    return entries[phase]
  end

  -- How many of the wanted shards of a phase may be handed out; a key that keeps it from more is waited for.
  local function room_in(entry, wanted)
    local room = math.min(wanted, free_in_phase(entry))
    if room <= 0 or not entry.key then return room end
    local of_key = free_in_key(k, entry)
    if of_key < room then blocked[entry.key] = entry.key_limit end
    return math.min(room, of_key)
  end

  -- A shard of a making that was begun anew: the numbers of its attempts go on, and their history stays.
  local function afresh(record)
    if not record then return {} end
    return { attempt = record.attempt, history = record.history }
  end

  local function hand_out(id, entry, record, mark)
    take_slot(k, entry, id)
    entry.unacked = entry.unacked + 1
    record.status = 'released'
    if mark == '~' and record.block then record.own_job = true end
    save_shard(k.shards, id, record)
    redis.call('SADD', k.released, id)
    claimed[#claimed + 1] = mark .. id
    free = free - 1
  end

  -- Shards that stand together, as one block.
  local function hand_out_block(ids, entry, first)
    local count = #ids
    local block = string.format('%d+%d', first, count)
    local fresh, fields = fresh_in_block(block), {}
    for i, id in ipairs(ids) do
      local before = entry.again and load_shard(k.shards, id)
      fields[2 * i - 1] = id
      fields[2 * i] = fresh
      if before then
        fields[2 * i] = cjson.encode({ status = 'released', block = block, attempt = before.attempt, history = before.history })
      end
    end
    entry.in_flight, entry.unacked, free = entry.in_flight + count, entry.unacked + count, free - count
    redis.call('HINCRBY', k.run, 'in_flight', count)
    redis.call('HSET', k.shards, unpack(fields))
    redis.call('SADD', k.released, unpack(ids))
    claimed[#claimed + 1] = ids[1] .. '+' .. string.format('%d', count)
  end

  -- New shards of an open phase, in blocks of even size.
  local function hand_out_fresh(phase, entry, room)
    local size = block_size(entry, run_cap)
    -- where no cap asks for it a full queue is not filled up bit by bit, which would make ever smaller blocks
    local has_cap = entry.max_parallel > 0 or run_cap > 0
    if size > 1 and not has_cap and room < math.min(size, to_hand_out(entry)) and entry.in_flight > BLOCKS_AHEAD / 2 * size then return end
    size = math.ceil(room / math.ceil(room / size))
    local ids, first = {}, 0
    local function flush()
      if #ids == 1 then
        hand_out(ids[1], entry, entry.again and afresh(load_shard(k.shards, ids[1])) or {}, '')
      elseif #ids > 1 then
        hand_out_block(ids, entry, first)
      end
      ids = {}
    end
    while room > 0 do
      local id = phase .. '.r' .. string.format('%d', entry.revision) .. '.' .. string.format('%d', entry.next)
      if pass(k.ahead, entry, id) then
        flush()
      else
        if #ids == 0 then first = entry.next end
        ids[#ids + 1] = id
        room = room - 1
      end
      entry.next = entry.next + 1
      if #ids >= size then flush() end
    end
    flush()
  end

  -- One that has to go on waiting keeps its place, and costs little: there may be many.
  local full = {}
  for _, id in ipairs(redis.call('LRANGE', k.waiting, 0, -1)) do
    if free <= 0 then break end
    local phase, revision, shard = parse_shard_id(id)
    if not full[phase] then
      local entry = entry_of(phase)
      local record = load_shard(k.shards, id)
      -- one that this making has not handed out yet waited in one that was given up
      local waits = entry and entry.revision == revision and shard < entry.next and record and record.status == 'waiting'
      if waits and room_in(entry, 1) <= 0 then
        full[phase] = true
      else
        redis.call('LREM', k.waiting, 1, id)
        if waits then
          entry.held = entry.held - 1
          hand_out(id, entry, record, '~')
        end
      end
    end
  end

  for _, phase in ipairs(redis.call('ZRANGE', k.open, 0, -1)) do
    if free <= 0 then break end
    local entry = entry_of(phase)
    if entry and entry.reusing ~= 1 then
      local room = (entry.tripped == 1 or entry.recalled == 1) and 0 or room_in(entry, math.min(free, to_hand_out(entry)))
      if room > 0 then hand_out_fresh(phase, entry, room) end
      pass_reused(entry)
      if entry.next >= entry.total or entry.tripped == 1 or entry.recalled == 1 then redis.call('ZREM', k.open, phase) end
    end
  end

  wait_for_keys(k, blocked)
  for phase, entry in pairs(entries) do
    if entry then save_entry(k.ledger, phase, entry) end
  end
  if #claimed > 0 then redis.call('HSET', k.claims, claimant, cjson.encode(claimed)) end
  return claimed
end
