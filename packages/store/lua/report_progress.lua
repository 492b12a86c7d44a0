-- Keeps what a running shard reported of its metrics, and tells the journal the phase's sums now and then.
-- Sums and amounts follow the same rules as `addReport` and `amountOfSum` of the core.
--   KEYS[1] run       hash
--   KEYS[2] progress  hash: phase revision → sums; shard id → what it reported last
--   KEYS[3] journal   stream
--   KEYS[4] ledger    hash
--   ARGV[1] shard id
--   ARGV[2] metrics, JSON: {key: {unit, completed, total}}; the total is missing while it is not known
--   ARGV[3] now, Unix ms
--   ARGV[4] shortest time between two events of a phase, ms
-- Returns 1 when an event was emitted, else 0.
--- @include "journal"
--- @include "ledger"
local phase, revision = parse_shard_id(ARGV[1])
local entry = load_entry(KEYS[4], phase)
if not entry or entry.revision ~= revision then return 0 end
local field = phase .. '.r' .. string.format('%d', revision)
local function load(name, default)
  local text = redis.call('HGET', KEYS[2], name)
  return text and cjson.decode(text) or default
end
local function knows_total(report) return report and report.total and 1 or 0 end

local kept = load(field, { at = 0, sums = {} })
local before = load(ARGV[1], {})
for key, report in pairs(cjson.decode(ARGV[2])) do
  local sum = kept.sums[key] or { completed = 0, total = 0, shards = 0, known = 0 }
  local was = before[key]
  sum.unit = report.unit
  sum.completed = sum.completed + report.completed - (was and was.completed or 0)
  sum.total = sum.total + (report.total or 0) - (was and was.total or 0)
  sum.shards = sum.shards + (was and 0 or 1)
  sum.known = sum.known + knows_total(report) - knows_total(was)
  kept.sums[key], before[key] = sum, report
end
local now = tonumber(ARGV[3])
local due = now - kept.at >= tonumber(ARGV[4])
if due then kept.at = now end
redis.call('HSET', KEYS[2], ARGV[1], cjson.encode(before), field, cjson.encode(kept))
if not due then return 0 end

local function amount(key, sum)
  local told = { metric_key = key, unit = sum.unit, completed = sum.completed, total = cjson.null, total_status = 'unknown' }
  if sum.known == 0 then return told end
  told.total, told.total_status = sum.total, 'locked'
  if sum.known < sum.shards then
    told.total, told.total_status = math.max(sum.total, sum.completed), 'discovering'
  elseif sum.shards < entry.total then
    told.total, told.total_status = math.ceil(sum.total * entry.total / sum.shards), 'estimated'
  end
  return told
end
local metrics = {}
for key, sum in pairs(kept.sums) do metrics[#metrics + 1] = amount(key, sum) end
table.sort(metrics, function(a, b) return a.metric_key < b.metric_key end)
emit(KEYS[1], KEYS[3], ARGV[3], 'phase_progress', phase, '', '', cjson.encode({ revision = revision, metrics = metrics }))
return 1
