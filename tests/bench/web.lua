-- Asks wrk's way about the seeds of a file, one a line; prints p50 and p95 in ms, answers a second, failures.
local seeds, at = {}, 0

function init(arguments)
    for line in io.lines(arguments[1]) do seeds[#seeds + 1] = line end
end

function request()
    at = at % #seeds + 1
    return wrk.format("GET", "/api/v1/recordings/" .. seeds[at] .. "/similar")
end

function done(summary, latency)
    local errors = summary.errors
    print(string.format(
        "figures %f %f %f %d", latency:percentile(50) / 1000, latency:percentile(95) / 1000,
        summary.requests * 1e6 / summary.duration,
        errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
