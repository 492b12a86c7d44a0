-- Keeps what a running shard reported of its metrics, and tells the journal the phase's sums now and then.
--   KEYS[1] run       hash
--   KEYS[2] progress  hash
--   KEYS[3] journal   stream
--   ARGV[1] shard id
--   ARGV[2] metrics, JSON: {key: {unit, completed, total, total_status}}; total may be missing
--   ARGV[3] now, Unix ms
--   ARGV[4] shortest time between two events of a phase, ms
-- Returns 1 when an event was emitted, else 0.
--- @include "journal"
local phase, revision = string.match(ARGV[1], '^(.+)%.r(%d+)%.%d+$')
local field = phase .. '.r' .. revision
local text = redis.call('HGET', KEYS[2], field)
local sums = text and cjson.decode(text) or { at = 0, metrics = {} }
local before_text = redis.call('HGET', KEYS[2], ARGV[1])
local before = before_text and cjson.decode(before_text) or {}
local reported = cjson.decode(ARGV[2])
for key, metric in pairs(reported) do
  local sum = sums.metrics[key] or { metric_key = key, unit = metric.unit, completed = 0, total = 0, total_status = metric.total_status }
  local was = before[key] or { completed = 0, total = 0 }
  sum.completed = sum.completed + metric.completed - was.completed
  sum.total = sum.total + (metric.total or 0) - (was.total or 0)
  sum.total_status = metric.total_status
  sums.metrics[key] = sum
  before[key] = { completed = metric.completed, total = metric.total or 0 }
end
local now = tonumber(ARGV[3])
local due = now - sums.at >= tonumber(ARGV[4])
if due then sums.at = now end
redis.call('HSET', KEYS[2], ARGV[1], cjson.encode(before), field, cjson.encode(sums))
if not due then return 0 end
local metrics = {}
for _, metric in pairs(sums.metrics) do metrics[#metrics + 1] = metric end
emit(KEYS[1], KEYS[3], ARGV[3], 'phase_progress', phase, '', '', cjson.encode({ revision = tonumber(revision), metrics = metrics }))
return 1
