-- What wrk sends. Arguments after `--`: depth, method, path, "close" or "keep", body, content type.
-- The request, or the whole pipelined batch, is rendered once: wrk calls back into Lua only when a
-- global `request` exists, so there is none and the generator's own cost stays the least it has.
local render = wrk.init

function wrk.init(arguments)
  wrk.method = arguments[2] or "GET"
  wrk.path = arguments[3] or "/"
  if arguments[4] == "close" then
    wrk.headers["Connection"] = "close"
  end
  if arguments[5] and arguments[5] ~= "" then
    wrk.body = arguments[5]
    wrk.headers["Content-Type"] = arguments[6] or "application/json"
  end
  render(arguments)
  local batch = string.rep(wrk.request(), tonumber(arguments[1]) or 1)
  wrk.request = function()
    return batch
  end
end
