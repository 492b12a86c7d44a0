-- Ends an attempt: records its outcome once (fenced), frees its slot, and claims the next shards.
--   KEYS[1] run       hash
--   KEYS[2] ledger    hash
--   KEYS[3] shards    hash
--   KEYS[4] released  set
--   KEYS[5] waiting   list
--   KEYS[6] open      sorted set
--   KEYS[7] claims    hash
--   KEYS[8] journal   stream
--   KEYS[9] cancelled set
--   KEYS[10] semaphores hash
--   KEYS[11] holders   hash
--   KEYS[12] recalled  set
--   KEYS[13] started  set
--   KEYS[14] reuse    hash: fingerprint -> the shard that has the output
--   KEYS[15] ahead    set
--   ARGV[1] shard id
--   ARGV[2] fence the attempt was given
--   ARGV[3] outcome: succeeded | backoff | failed | cancelled | given_back (by a worker that stops) | spawned (what it
--           asked for comes first)
--   ARGV[4] record of the shard from now on, JSON
--   ARGV[5] now, Unix ms
--   ARGV[6] attempt
--   ARGV[7] events, JSON: [[event, data], …]
--   ARGV[8] claimant of the next shards
--   ARGV[9] cost of the attempt in USD, 0 when unknown
--   ARGV[10] fingerprint under which the output may be reused, '' when it may not
--   ARGV[11] what is kept under the fingerprint, JSON
-- Returns [verdict: ok | refused | stopped, state of the phase, seq of the last event, claimed shard ids …].
--   refused: another attempt has taken over; nothing was recorded.
--   stopped: the run was stopped, or the shard cancelled by hand, so instead of going on the shard was cancelled.
-- A shard that is given back is released again and keeps its slot: its job goes back onto its queue. While the run is
-- paused it waits for a slot instead, and holds none.
--- @include "journal"
--- @include "ledger"
--- @include "slots"
--- @include "claim"
local k = { run = KEYS[1], ledger = KEYS[2], shards = KEYS[3], released = KEYS[4], waiting = KEYS[5], open = KEYS[6], claims = KEYS[7], semaphores = KEYS[10], holders = KEYS[11], ahead = KEYS[15] }
local id, outcome = ARGV[1], ARGV[3]
local phase, _, shard = parse_shard_id(id)
local entry = load_entry(KEYS[2], phase)
local current = load_shard(KEYS[3], id)
if not entry or not current or current.fence ~= tonumber(ARGV[2]) then return { 'refused', '', '' } end
if current.status ~= 'running' then
  -- this very end was recorded before, and its answer was lost with the connection
  local again = current.status == 'cancelled' and outcome ~= 'cancelled' and 'stopped' or 'ok'
  return { again, phase_state(entry, is_stopped(KEYS[1])), '', unpack(claim(k, ARGV[8])) }
end
local verdict, text, events = 'ok', ARGV[4], cjson.decode(ARGV[7])
local stopped = is_stopped(KEYS[1])
local recalled = entry.recalled == 1 or redis.call('SISMEMBER', KEYS[12], id) == 1
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
if outcome == 'given_back' and is_paused(KEYS[1]) then
  outcome = 'put_off'
  local record = cjson.decode(text)
  record.status = 'waiting'
  text = cjson.encode(record)
end
redis.call('HSET', KEYS[3], id, text)
if outcome ~= 'backoff' and outcome ~= 'spawned' then redis.call('SREM', KEYS[13], id) end
if outcome == 'given_back' then redis.call('SADD', KEYS[4], id) else free_slot(k, entry, id) end
if outcome == 'succeeded' then
  entry.succeeded, entry.consecutive = entry.succeeded + 1, 0
  if ARGV[10] ~= '' and not is_gone(KEYS[1]) then redis.call('HSET', KEYS[14], ARGV[10], ARGV[11]) end
elseif outcome == 'failed' then count_failure(entry, shard)
elseif outcome == 'cancelled' then
  entry.cancelled = entry.cancelled + 1
  redis.call('SADD', KEYS[9], id)
elseif outcome == 'backoff' or outcome == 'spawned' then entry.held = entry.held + 1
elseif outcome == 'put_off' then
  entry.held = entry.held + 1
  redis.call('RPUSH', KEYS[5], id)
end
save_entry(KEYS[2], phase, entry)
if ARGV[9] ~= '0' then redis.call('HINCRBYFLOAT', KEYS[1], 'cost_usd', ARGV[9]) end
local seq = ''
for _, e in ipairs(events) do seq = emit(KEYS[1], KEYS[8], ARGV[5], e[1], phase, shard, ARGV[6], e[2]) end
local claimed = claim(k, ARGV[8])
local state = phase_state(load_entry(KEYS[2], phase), stopped)
return { verdict, state, seq, unpack(claimed) }
