-- Commits a decision if the run is still at the version it was decided on, and within its budget where the decision
-- lets it go on: all or nothing.
--   k: {run, phases, changed, journal, outbox, live, plan, revisions, ledger, open, folds, source}
--   a: {run_id, version, now, change, budget, budget_from, plan, source}: the arguments of `commit_decision.lua`
-- Returns what that script returns.
local function commit(k, a)
  local version = redis.call('HGET', k.run, 'version')
  if not version or redis.call('HEXISTS', k.run, 'removing') == 1 then return -2 end
  local change = cjson.decode(a.change)
  if version ~= a.version then
    return redis.call('HGET', k.run, 'commit') == change.token and tonumber(version) or -1
  end
  if a.budget ~= '' then
    local spent = (tonumber(redis.call('HGET', k.run, 'cost_usd') or '') or 0) - tonumber(a.budget_from)
    if spent > 0 and spent >= tonumber(a.budget) then return -1 end
  end
  for _, d in ipairs(change.discards) do
    local entry = load_entry(k.ledger, d[1])
    if entry and entry.revision == d[2] and entry.in_flight + entry.unacked > 0 then return -3 end
  end
  for _, d in ipairs(change.discards) do
    remove_entry(k.ledger, d[1])
    redis.call('ZREM', k.open, d[1])
    redis.call('HDEL', k.folds, d[1] .. '.r' .. string.format('%d', d[2]))
  end
  redis.call('HSET', k.run, 'commit', change.token)
  for field, value in pairs(change.run) do redis.call('HSET', k.run, field, value) end
  for id, record in pairs(change.phases) do redis.call('HSET', k.phases, id, record) end
  for id, record in pairs(change.revisions) do redis.call('HSET', k.revisions, id, record) end
  if a.plan ~= '' then redis.call('SET', k.plan, a.plan) end
  if a.source ~= '' then redis.call('SET', k.source, a.source) end
  for id, effect in pairs(change.effects) do redis.call('HSET', k.outbox, id, effect) end
  for _, e in ipairs(change.events) do emit(k.run, k.journal, a.now, e[1], e[2], e[3], e[4], e[5]) end
  if change.live == 1 then redis.call('SADD', k.live, a.run_id) end
  if change.live == 0 then redis.call('SREM', k.live, a.run_id) end
  local new_version = redis.call('HINCRBY', k.run, 'version', 1)
  for id in pairs(change.phases) do redis.call('ZADD', k.changed, new_version, id) end
  return new_version
end
