-- Takes shards of a run that is removed out of the outputs that may be reused; those that another run has made its own
-- since stay.
--   KEYS[1] reuse     hash: fingerprint -> the shard that has the output
--   ARGV[1] run id
--   ARGV[2…] fingerprints
-- Returns how many were taken out.
local gone = 0
for i = 2, #ARGV do
  local text = redis.call('HGET', KEYS[1], ARGV[i])
  if text and cjson.decode(text).run_id == ARGV[1] then gone = gone + redis.call('HDEL', KEYS[1], ARGV[i]) end
end
return gone
