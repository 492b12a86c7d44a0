-- Claims free slots for a claimant: first shards that wait for one, then new shards of the open phases
-- in declaration order. The claim is kept under the claimant's name until it is acknowledged, and asking
-- again before that gives the same shards: a claimant that died repeats exactly its own adds.
--   k: {run, ledger, shards, released, waiting, open, claims, semaphores, holders, ahead}
-- Returns shard ids in the order they were claimed; one that had been on its queue before is marked `~`. One that is
-- marked `!` is carried by the claimant's job (`complete_phase.lua`).
local function claim(k, claimant)
  if is_gone(k.run) then return {} end
  local kept = redis.call('HGET', k.claims, claimant)
  if kept then return cjson.decode(kept) end
  local free = is_stopped(k.run) and 0 or free_in_run(k.run)
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
    save_shard(k.shards, id, record)
    redis.call('SADD', k.released, id)
    claimed[#claimed + 1] = mark .. id
    free = free - 1
  end

  for _ = 1, redis.call('LLEN', k.waiting) do
    if free <= 0 then break end
    local id = redis.call('LPOP', k.waiting)
    local phase, revision, shard = parse_shard_id(id)
    local entry = entry_of(phase)
    local record = load_shard(k.shards, id)
    -- one that this making has not handed out yet waited in one that was given up
    if entry and entry.revision == revision and shard < entry.next and record and record.status == 'waiting' then
      if room_in(entry, 1) > 0 then
        entry.held = entry.held - 1
        hand_out(id, entry, record, '~')
      else
        redis.call('RPUSH', k.waiting, id)
      end
    end
  end

  for _, phase in ipairs(redis.call('ZRANGE', k.open, 0, -1)) do
    if free <= 0 then break end
    local entry = entry_of(phase)
    if entry and entry.reusing ~= 1 then
      local room = (entry.tripped == 1 or entry.recalled == 1) and 0 or room_in(entry, math.min(free, to_hand_out(entry)))
      while room > 0 do
        local id = phase .. '.r' .. string.format('%d', entry.revision) .. '.' .. string.format('%d', entry.next)
        entry.next = entry.next + 1
        if not pass(k.ahead, entry, id) then
          hand_out(id, entry, entry.again and afresh(load_shard(k.shards, id)) or {}, '')
          room = room - 1
        end
      end
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
