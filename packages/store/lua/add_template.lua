-- Stores one version of a plan template, which nothing changes afterwards.
--   KEYS[1] templates       hash `<name>@<version>` → what is known of it, JSON
--   KEYS[2] template texts  hash `<name>@<version>` → text of the plan
--   KEYS[3] template seq    string, number of the version that was added last
--   ARGV[1] `<name>@<version>`
--   ARGV[2] what is known of it, JSON object with the `sha256` of the text; gets its number as `seq`
--   ARGV[3] text of the plan
--   ARGV[4] most versions of all templates together
-- Returns 'added', 'same' when it is there with this text, 'taken' when with another one, 'full' when there are too many.
local known = redis.call('HGET', KEYS[1], ARGV[1])
local info = cjson.decode(ARGV[2])
if known then
  return cjson.decode(known).sha256 == info.sha256 and 'same' or 'taken'
end
if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[4]) then return 'full' end
info.seq = redis.call('INCR', KEYS[3])
redis.call('HSET', KEYS[1], ARGV[1], cjson.encode(info))
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
return 'added'
