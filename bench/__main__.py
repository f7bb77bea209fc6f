"""``python -m bench [WHAT]``: measure, print. WHAT is export, encoders, engines, startup, passes, kernels,
pipeline, embed, roofline or all.

Without more it runs ``bind-bench`` for docs/measured.md: the table, the picture, and
bench/results/bind-bench-*.json.

``export`` and ``encoders`` work at imagebind_huge's scale with random weights; ``kernels`` measures
preprocessing and has options of its own: ``python -m bench kernels --help``. ``roofline`` calculates what
the GPU kernels would take at the limits of some GPUs, ``passes`` measures what the export's rewrites gain.
``engines`` compares each encoder with what one would use instead, ``startup`` the ways to load it; both have
options of their own and take the bundle that ``export`` has made. ``pipeline`` measures what queues cost,
``embed`` compares the ways to embed a list.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Prints a table; ``--json`` also writes everything that was measured."""
    from bench import roofline
    from bench.kernels import command

    if not sys.argv[1:]:
        from bench import readme

        return readme.main()
    if sys.argv[1:2] == ["kernels"]:
        return command.main(sys.argv[2:])
    if sys.argv[1:2] == ["pipeline"]:
        from bench.pipeline import command as pipeline

        return pipeline.main(sys.argv[2:])
    if sys.argv[1:2] == ["embed"]:
        from bench import embed

        return embed.main(sys.argv[2:])
    if sys.argv[1:] == ["roofline"]:
        return roofline.main()
    if sys.argv[1:2] == ["passes"]:
        from bench import passes

        return passes.main(sys.argv[2:])
    if sys.argv[1:2] == ["startup"]:
        from bench import startup

        return startup.main(sys.argv[2:])
    if sys.argv[1:2] == ["engines"]:
        from bench.engines import command as engines

        return engines.main(sys.argv[2:])
    from bench import encoders, export, measure  # need torch, which kernels do not

    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("what", nargs="?", choices=("export", "encoders", "kernels", "all"), default="all")
    parser.add_argument("--checkpoint", default="random:0", help="default: imagebind_huge, random weights")
    parser.add_argument("--bundle", type=Path, default=ROOT / "build" / "bench" / "huge.bind", help="5 GB")
    parser.add_argument("--rounds", type=int, default=7, help="of each alternative, taking turns")
    parser.add_argument("--json", type=Path, metavar="OUT")
    args = parser.parse_args()
    if args.what == "kernels":
        parser.error("options of kernels stand after it: python -m bench kernels [options]")
    result: dict[str, Any] = {"machine": measure.machine()}
    print(f"{result['machine']['cpu']}, {result['machine']['cores']:g} cores")
    # `encoders` alone takes the bundle that is there.
    result["export"] = export.measure(args.checkpoint, args.bundle, keep=args.what == "encoders")
    print_export(result["export"])
    if args.what != "export":
        os.sync()  # 5 GB on their way to the disk would slow what follows
        result["encoders"] = []
        print("\nencoder   case         bindrt      torch   ratio  of GEMM  difference")
        for found in encoders.measure(args.bundle, args.checkpoint, args.rounds):
            result["encoders"].append(found)
            print_encoder(found)
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return command.main([]) if args.what == "all" else 0


def print_export(found: dict[str, Any]) -> None:
    kept = f" (kept: {', '.join(found['reused'])})" if found["reused"] else ""
    print(
        f"bind-export {found['checkpoint']}: {found['seconds']:.1f} s, "
        f"peak memory {found['peak_rss_bytes'] / 1e9:.2f} GB, bundle {found['bytes'] / 1e9:.2f} GB{kept}"
    )


def print_encoder(found: dict[str, Any]) -> None:
    ours, theirs = (found["timings"][name]["median"] * 1e3 for name in ("bindrt", "torch"))
    print(
        f"{found['encoder']:<9} {found['case']:<10} {ours:6.0f} ms  {theirs:6.0f} ms  {found['ratio']:5.2f}×"
        f"  {found['share_of_gemm']:6.0%}  {found['difference']:.1e}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
