-- Signed deliveries, each with a comment id and a delivery id of its own.
-- The folder holds `head`, `tail` (the body around the comment's id) and `signatures`, one a line.

local folder = os.getenv("PORTER_BENCH_REQUESTS")
local offset = tonumber(os.getenv("PORTER_BENCH_OFFSET"))
local first = tonumber(os.getenv("PORTER_BENCH_FIRST_ID"))

local function read(name)
  local file = assert(io.open(folder .. "/" .. name, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

local threads = 0
function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init()
  head, tail = read("head"), read("tail")
  signatures = read("signatures")
  count = #signatures / 65
  -- wrk runs two threads; each takes every second delivery.
  position = offset + number
  refused = 0
end

function request()
  if position >= count then error("the deliveries are used up") end
  local from = position * 65 + 1
  local id = first + position
  position = position + 2
  return wrk.format("POST", "/api/webhooks/github", {
    ["Content-Type"] = "application/json",
    ["X-GitHub-Event"] = "issue_comment",
    ["X-GitHub-Delivery"] = string.format("%s-%d", os.getenv("PORTER_BENCH_RUN"), id),
    ["X-Hub-Signature-256"] = "sha256=" .. signatures:sub(from, from + 63),
  }, head .. id .. tail)
end
