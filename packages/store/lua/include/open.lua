-- Opens a phase in the ledger, tells the journal its shard plan. Opening it again changes nothing.
--   k: {run, ledger, inputs, open, recalled, journal}
--   a: {phase, revision, now, order, total, max_parallel, window, inputs, started, tolerated, max_consecutive, key,
--      key_limit, again, reuse, making, blocks}: the arguments of `open_phase.lua`, as texts
-- Returns the phase's entry, or nil when there is no such run or it is being removed.
local function open_in_ledger(k, a)
  if is_gone(k.run) then return nil end
  local phase, revision = a.phase, tonumber(a.revision)
  local entry = load_entry(k.ledger, phase)
  if not entry or entry.revision ~= revision then
    entry = {
      revision = revision, total = tonumber(a.total), next = 0, in_flight = 0, held = 0,
      succeeded = 0, failed = 0, cancelled = 0, unacked = 0, excused = 0,
      max_parallel = tonumber(a.max_parallel), window = tonumber(a.window),
      tolerated = tonumber(a.tolerated), max_consecutive = tonumber(a.max_consecutive), consecutive = 0, tripped = 0,
    }
    if a.again == '1' then entry.again = 1 end
    if a.blocks and a.blocks ~= '0' then entry.blocks = tonumber(a.blocks) end
    if a.key ~= '' then entry.key, entry.key_limit = a.key, tonumber(a.key_limit) end
    if a.reuse == 'begin' then entry.reusing, entry.reused, entry.ahead, entry.making = 1, 0, 0, tonumber(a.making) end
    local id = phase .. '.r' .. a.revision
    if redis.call('SISMEMBER', k.recalled, id) == 1 then entry.recalled = 1 end
    save_entry(k.ledger, phase, entry)
    redis.call('HSET', k.inputs, id, a.inputs)
    if entry.total > 0 then redis.call('ZADD', k.open, a.order, phase) end
    if not is_stopped(k.run) then emit(k.run, k.journal, a.now, 'phase_started', phase, '', '', a.started) end
  end
  if a.reuse == 'end' and entry.reusing == 1 then
    entry.reusing = nil
    pass_reused(entry)
    if entry.next >= entry.total then redis.call('ZREM', k.open, phase) end
    save_entry(k.ledger, phase, entry)
  end
  return entry
end
