-- Removes versions of plan templates. Runs that were started from them have plans of their own.
--   KEYS[1] templates       hash `<name>@<version>` → what is known of it
--   KEYS[2] template texts  hash `<name>@<version>` → text of the plan
--   ARGV[1…] `<name>@<version>` of each
-- Returns how many were there.
redis.call('HDEL', KEYS[2], unpack(ARGV))
return redis.call('HDEL', KEYS[1], unpack(ARGV))
