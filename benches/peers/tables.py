"""Results as Markdown."""

KINDS = ("instance", "group", "template", "account")


def markdown(summary):
    results = summary["results"]
    scenes = dict.fromkeys(result["scene"] for result in results)
    parts = [f"{summary['taken_at']}, {summary['machine']}, Python {summary['python']}"]
    for scene in scenes:
        inside = [result for result in results if result["scene"] == scene]
        # In a small fleet without latency, time and memory are those of starting up.
        parts += [f"### {scene}", *([] if scene == "traps" else [cost(inside)]), answers(inside)]
    return "\n\n".join(parts)


def cost(results):
    ours = next((result["wall_s"] for result in results if result["tool"] == "imdsctl"), None)
    rows = []
    for one in results:
        times = f"{one['wall_s'] / ours:.1f}" if ours else "–"
        memory = f"{one['peak_mib']:.0f} MiB" + (f" in {one['processes']} processes" if one["processes"] > 1 else "")
        rows.append(
            [
                f"{one['tool']} {one['version']}",
                str(one["calls"]),
                str(one["throttled"]),
                str(one["in_flight"]),
                f"{one['wall_s']:.2f} s",
                times,
                f"{one['cpu_s']:.2f} s",
                memory,
            ]
        )
    return table(["tool", "API calls", "throttled", "in flight", "wall", "× imdsctl", "CPU", "peak memory"], rows)


def answers(results):
    rows = []
    for one in results:
        if one["score"] is None:
            continue
        cells = [one["score"][kind] for kind in KINDS]
        total = {part: sum(cell[part] for cell in cells) for part in ("found", "missed", "wrong")}
        rows.append([one["tool"], *map(cell_text, cells), cell_text(total)])
    return table(["found / missed / wrong", *(f"{kind}s" for kind in KINDS), "all"], rows)


def cell_text(cell):
    return f"{cell['found']} / {cell['missed']} / {cell['wrong']}"


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
