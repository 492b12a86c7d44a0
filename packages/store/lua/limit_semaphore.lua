-- Sets the limit of a concurrency key for the deployment, or goes back to the one that plans name.
--   KEYS[1] semaphores hash
--   ARGV[1] key
--   ARGV[2] limit, or '' for none
--- @include "slots"
local s = load_semaphore(KEYS[1], ARGV[1])
s.limit = tonumber(ARGV[2])
save_semaphore(KEYS[1], ARGV[1], s)
return 1
