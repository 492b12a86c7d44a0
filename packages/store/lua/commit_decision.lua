-- Commits a decision if the run is still at the version it was decided on, and within its budget where the
-- decision lets it go on: all or nothing.
--   KEYS[1] run       hash
--   KEYS[2] phases    hash
--   KEYS[3] journal   stream
--   KEYS[4] outbox    hash
--   KEYS[5] live      set of the runs that are not over
--   KEYS[6] plan      string
--   KEYS[7] revisions hash
--   KEYS[8] ledger    hash
--   KEYS[9] open      sorted set
--   KEYS[10] folds    hash
--   KEYS[11] source   string
--   ARGV[1] run id
--   ARGV[2] version the decision was made on
--   ARGV[3] now, Unix ms
--   ARGV[4] JSON: {run: {field: text}, phases: {id: text}, revisions: {id: text}, events: [[event, phase, shard, attempt, data]],
--           effects: {id: text}, live: 0 | 1 | -1 (leave the live set as it is), token: text,
--           discards: [[phase, revision]]: makings that are begun anew}; the token tells a
--           commit that is sent again, because its answer was lost with the connection, from another one
--   ARGV[5] budget in USD that the decision takes to be not spent; '' when it does not matter to it
--   ARGV[6] cost in USD from which on the budget counts
--   ARGV[7] plan, JSON, that takes the place of the run's own; '' to leave it
--   ARGV[8] what that plan was compiled from, JSON; '' to leave what is there
-- Returns the new version, -1 when the run has moved on or its budget is spent meanwhile, -2 when there is no such run
-- or it is being removed, -3 when a making that is to be discarded is still at work.
--- @include "journal"
--- @include "ledger"
local version = redis.call('HGET', KEYS[1], 'version')
if not version or redis.call('HEXISTS', KEYS[1], 'removing') == 1 then return -2 end
local change = cjson.decode(ARGV[4])
if version ~= ARGV[2] then
  return redis.call('HGET', KEYS[1], 'commit') == change.token and tonumber(version) or -1
end
if ARGV[5] ~= '' then
  local spent = (tonumber(redis.call('HGET', KEYS[1], 'cost_usd') or '') or 0) - tonumber(ARGV[6])
  if spent > 0 and spent >= tonumber(ARGV[5]) then return -1 end
end
for _, d in ipairs(change.discards) do
  local entry = load_entry(KEYS[8], d[1])
  if entry and entry.revision == d[2] and entry.in_flight + entry.unacked > 0 then return -3 end
end
for _, d in ipairs(change.discards) do
  redis.call('HDEL', KEYS[8], d[1])
  redis.call('ZREM', KEYS[9], d[1])
  redis.call('HDEL', KEYS[10], d[1] .. '.r' .. string.format('%d', d[2]))
end
redis.call('HSET', KEYS[1], 'commit', change.token)
for field, value in pairs(change.run) do redis.call('HSET', KEYS[1], field, value) end
for id, record in pairs(change.phases) do redis.call('HSET', KEYS[2], id, record) end
for id, record in pairs(change.revisions) do redis.call('HSET', KEYS[7], id, record) end
if ARGV[7] ~= '' then redis.call('SET', KEYS[6], ARGV[7]) end
if ARGV[8] ~= '' then redis.call('SET', KEYS[11], ARGV[8]) end
for id, effect in pairs(change.effects) do redis.call('HSET', KEYS[4], id, effect) end
for _, e in ipairs(change.events) do emit(KEYS[1], KEYS[3], ARGV[3], e[1], e[2], e[3], e[4], e[5]) end
if change.live == 1 then redis.call('SADD', KEYS[5], ARGV[1]) end
if change.live == 0 then redis.call('SREM', KEYS[5], ARGV[1]) end
return redis.call('HINCRBY', KEYS[1], 'version', 1)
