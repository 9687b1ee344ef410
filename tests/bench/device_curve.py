#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures an NVIDIA GPU and computes the constants of its row in core/catalog/accelerators.json.

  device_curve.py > curve.csv                   measure (PyTorch and a GPU)
  device_curve.py --fit curve.csv --device ID   the row's constants (Python alone)

The model is that of core/envelope/operations.cpp; the constants that no device owns are read from
core/envelope/physics.h. A product is limited by arithmetic, or by memory: only rows of the first
kind tell what share of the peak is reached. The median over shapes counts, so that one odd shape
does not.
"""
import argparse
import csv
import datetime
import json
import pathlib
import re
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
COLUMNS = ("date", "device", "driver", "cuda", "torch", "clock_mhz", "kind", "precision",
           "m", "n", "k", "groups", "heads", "head_dim", "causal", "seconds")
VALUE = {"bf16": 2, "fp16": 2, "tf32": 4, "fp8": 2}  # bytes of a result
OPERAND = {"bf16": 2, "fp16": 2, "tf32": 4, "fp8": 1}  # bytes of what enters a product
TILE = 64  # keys that attention computes beside the mask
PLAIN_HEAD = 128  # rates of attention are of such heads


def physics():
    """The constants of the model, by name."""
    text = (ROOT / "core/envelope/physics.h").read_text()
    return {name: float(value)
            for name, value in re.findall(r"(\w+) =\s*([-+.\deE]+)\s*[;,]", text)}


def catalog_row(device):
    """What the catalog has of a device: its peaks and its memory."""
    rows = json.loads((ROOT / "core/catalog/accelerators.json").read_text())
    rows = rows if isinstance(rows, list) else next(v for v in rows.values() if isinstance(v, list))
    for row in rows:
        if row["id"] == device:
            return {key.removeprefix("gpu."): value for key, value in row["set"].items()}
    sys.exit(f"{device} is no row of core/catalog/accelerators.json: add its data sheet first.")


# The model: seconds of each measurement. `gpu` has peaks, bandwidth and the constants to be found.

def peak_of(gpu, precision):
    return gpu.get(precision)


def product_seconds(row, gpu, c, reach):
    m, n, k, groups = row["m"], row["n"], row["k"], row["groups"]
    flop = 2 * m * n * k * groups
    moved = groups * (OPERAND[row["precision"]] * (m * k + n * k) + VALUE[row["precision"]] * m * n)
    wasted = (1 + c["depth"] / k) * (1 + c["outputs"] / (m * n * groups))
    return flop * wasted / (peak_of(gpu, row["precision"]) * reach), moved


def attention_seconds(row, gpu, c, reach):
    """Of `heads` heads, sequences of n tokens, m tokens in all; without the ramp."""
    keys = min(row["n"], row["n"] / 2 + TILE) if row["causal"] else row["n"]
    flop = 2 * row["m"] * keys * 2 * row["heads"] * row["head_dim"]
    extra = 4 * c["softmax"] / (2 * 2 * row["head_dim"])
    usual = 4 * c["softmax"] / (4 * PLAIN_HEAD)
    seconds = flop / (peak_of(gpu, row["precision"]) * reach) * (1 + extra) / (1 + usual)
    return seconds if row["kind"] == "attention_forward" else 2.5 * seconds / c["backward"]


def ramps(row):
    return 2 if row["kind"] == "attention_backward" else 1


# The fit: each row says what it reached; the median of its kind is the constant.

def fit(rows, gpu):
    c = physics()
    reached = {}

    def note(kind, value):
        reached.setdefault(kind, []).append(value)

    for row in rows:
        if row["kind"] == "copy":  # m bytes, read and written
            note("bandwidth", 2 * row["m"] / (row["seconds"] - c["ramp"]) / gpu["bandwidth"])
    share = statistics.median(reached["bandwidth"]) if "bandwidth" in reached else c["bandwidth"]

    for row in rows:
        spent = row["seconds"] - ramps(row) * c["ramp"]
        if row["kind"] == "copy" or spent <= 0 or not peak_of(gpu, row["precision"]):
            continue
        if row["kind"] in ("matmul", "grouped"):
            ideal, moved = product_seconds(row, gpu, c, 1)
            if spent <= 1.05 * moved / (gpu["bandwidth"] * share):
                continue  # the memory's time
            kind = "grouped" if row["kind"] == "grouped" else row["precision"]
            note(kind, ideal / spent)
        else:
            note("reach_attention", attention_seconds(row, gpu, c, 1) / spent)

    middle = {kind: statistics.median(values) for kind, values in reached.items()}
    out = {}
    sixteen = middle.get("bf16", middle.get("fp16"))
    if sixteen:
        out["gpu.reach16"] = sixteen
    if "fp8" in middle:
        out["gpu.reach8"] = middle["fp8"]
    if "reach_attention" in middle:
        out["gpu.reach_attention"] = middle["reach_attention"]
    if "grouped" in middle and sixteen:
        out["gpu.reach_experts"] = middle["grouped"] / sixteen
    notes = {"bandwidth": middle.get("bandwidth"), "tf32": middle.get("tf32"),
             "rows": {kind: len(values) for kind, values in reached.items()}}
    return out, notes


def read_rows(path):
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    missing = [name for name in COLUMNS if rows and name not in rows[0]]
    if missing or not rows:
        sys.exit(f"{path} has no column {', '.join(missing)}." if missing else f"{path} is empty.")
    for row in rows:
        for name in ("m", "n", "k", "groups", "heads", "head_dim", "causal", "seconds"):
            row[name] = float(row[name] or 0)
    return rows


# Measuring: the only part that needs PyTorch and a GPU.

def shapes():
    """Products of transformer layers: tokens x widths, from small to large."""
    for tokens in (512, 2048, 4096, 8192, 16384):
        for n, k in ((1024, 4096), (4096, 4096), (8192, 8192), (14336, 4096), (4096, 14336),
                     (28672, 8192), (16384, 16384)):
            yield tokens, n, k


def measure(write):
    import torch  # noqa: PLC0415, only here

    if not torch.cuda.is_available():
        sys.exit("There is no NVIDIA GPU that PyTorch can use. --fit needs none.")
    torch.backends.cuda.matmul.allow_tf32 = True

    def asked(what):
        line = subprocess.run(["nvidia-smi", f"--query-gpu={what}", "--format=csv,noheader,nounits"],
                              capture_output=True, text=True, check=False).stdout
        return line.splitlines()[0].strip() if line else ""

    software = {"date": datetime.date.today().isoformat(),
                "device": torch.cuda.get_device_name(0), "driver": asked("driver_version"),
                "cuda": torch.version.cuda, "torch": torch.__version__}

    def timed(call, repeats=10):
        """Seconds of one call: the median, after warming up."""
        for _ in range(3):
            call()
        torch.cuda.synchronize()
        times = []
        for _ in range(repeats):
            start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            start.record()
            call()
            end.record()
            torch.cuda.synchronize()
            times.append(start.elapsed_time(end) / 1000)
        return statistics.median(times)

    def put(kind, precision, seconds, **what):
        write({**software, "clock_mhz": asked("clocks.sm"), "kind": kind, "precision": precision,
               "m": 0, "n": 0, "k": 0, "groups": 1, "heads": 0, "head_dim": 0, "causal": 0,
               **what, "seconds": repr(seconds)})

    types = {"bf16": torch.bfloat16, "fp16": torch.float16, "tf32": torch.float32}
    for precision, dtype in types.items():
        for m, n, k in shapes():
            a, b = (torch.randn(s, device="cuda", dtype=dtype) for s in ((m, k), (k, n)))
            put("matmul", precision, timed(lambda a=a, b=b: a @ b), m=m, n=n, k=k)

    if hasattr(torch, "_scaled_mm") and torch.cuda.get_device_capability() >= (8, 9):
        one = torch.ones((), device="cuda")
        for m, n, k in shapes():
            a, b = (torch.randn(s, device="cuda").to(torch.float8_e4m3fn) for s in ((m, k), (n, k)))
            put("matmul", "fp8", timed(lambda a=a, b=b: torch._scaled_mm(
                a, b.t(), scale_a=one, scale_b=one, out_dtype=torch.bfloat16)), m=m, n=n, k=k)

    for groups, m, n, k in ((8, 2048, 14336, 4096), (8, 2048, 4096, 14336), (32, 512, 4096, 7168),
                            (32, 512, 7168, 2048), (64, 256, 2816, 2048), (64, 256, 2048, 1408)):
        a = torch.randn((groups, m, k), device="cuda", dtype=torch.bfloat16)
        b = torch.randn((groups, k, n), device="cuda", dtype=torch.bfloat16)
        call = lambda a=a, b=b: torch.bmm(a, b)  # noqa: E731
        if hasattr(torch, "_grouped_mm"):
            flat = a.reshape(groups * m, k)
            ends = torch.arange(m, (groups + 1) * m, m, device="cuda", dtype=torch.int32)
            grouped = lambda f=flat, b=b, e=ends: torch._grouped_mm(f, b, offs=e)  # noqa: E731
            try:
                grouped()
                call = grouped
            except RuntimeError:
                pass  # not for this GPU: one batched product is what is left
        put("grouped", "bf16", timed(call), m=m, n=n, k=k, groups=groups)

    attend = torch.nn.functional.scaled_dot_product_attention
    for length in (2048, 4096, 8192, 16384):
        for heads, size in ((32, 128), (32, 64)):
            q, k, v = (torch.randn((max(1, 16384 // length), heads, length, size), device="cuda",
                                   dtype=torch.bfloat16, requires_grad=True) for _ in range(3))
            what = {"m": q.shape[0] * length, "n": length, "heads": heads, "head_dim": size,
                    "causal": 1}
            with torch.no_grad():
                put("attention_forward", "bf16", timed(lambda: attend(q, k, v, is_causal=True)),
                    **what)
            out = attend(q, k, v, is_causal=True)
            gradient = torch.randn_like(out)
            put("attention_backward", "bf16", timed(lambda: torch.autograd.grad(
                out, (q, k, v), gradient, retain_graph=True)), **what)

    for size in (2**26, 2**28, 2**30):
        a = torch.empty(size, device="cuda", dtype=torch.uint8)
        b = torch.empty_like(a)
        put("copy", "", timed(lambda a=a, b=b: b.copy_(a)), m=size)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fit", metavar="CSV", help="compute constants from measurements")
    parser.add_argument("--device", metavar="ID", help="the row of the catalog, for --fit")
    given = parser.parse_args()
    if not given.fit:
        writer = csv.DictWriter(sys.stdout, COLUMNS)
        writer.writeheader()
        measure(writer.writerow)
        return
    if not given.device:
        parser.error("--fit needs --device: which row of the catalog has the peaks?")
    constants, notes = fit(read_rows(given.fit), catalog_row(given.device))
    print(json.dumps({"set": {name: float(f"{value:.3g}") for name, value in constants.items()},
                      "measured": notes}, indent=1))


if __name__ == "__main__":
    main()
