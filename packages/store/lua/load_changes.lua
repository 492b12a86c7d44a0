-- What has changed of a run since a version of it.
--   KEYS[1] run      hash
--   KEYS[2] phases   hash
--   KEYS[3] changed  sorted set: phases by the version that changed their record last
--   ARGV[1] version the caller knows
--   ARGV[2] most phases it wants; of more it would rather load the whole run
-- Returns [same] when nothing has; [] when there is no such run, it is being removed, or too much has; else
-- [fields and values of the run, ids of the phases that have changed, their records].
local version = redis.call('HGET', KEYS[1], 'version')
if not version or redis.call('HEXISTS', KEYS[1], 'removing') == 1 then return {} end
if version == ARGV[1] then return { 'same' } end
local since = '(' .. ARGV[1]
if redis.call('ZCOUNT', KEYS[3], since, '+inf') > tonumber(ARGV[2]) then return {} end
local ids = redis.call('ZRANGEBYSCORE', KEYS[3], since, '+inf')
local records = #ids > 0 and redis.call('HMGET', KEYS[2], unpack(ids)) or {}
return { redis.call('HGETALL', KEYS[1]), ids, records }
