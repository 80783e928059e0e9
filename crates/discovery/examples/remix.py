"""Makes new logs out of the instances of the public ones, so that one log of a kind is not all that discovery is tried on.

    python3 crates/discovery/examples/remix.py DATASETS FOLDER

DATASETS holds the public logs (leno-real, srrt-dev, rebmann-L1, miniwob-dev, cpn-mix-dev, leno-cpn-dev). FOLDER gets pairs of
`*.events.csv.zst` and `*.truth.csv.zst`, which `cargo run -p discovery --example score -- FOLDER` scores. Seeds are fixed. Needs the program
`zstd`.
"""

import csv
import io
import random
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

SEEDS = (1, 2, 3)


def rows(path):
    text = subprocess.run(["zstd", "-dcq", path], capture_output=True, text=True, check=True).stdout
    head, *rest = csv.reader(io.StringIO(text))
    return head, rest


def instances(datasets, log):
    """The columns of a log, its instances in the order of their begin as (type, [(row, time)]), and the rows of none."""
    head, events = rows(f"{datasets}/{log}.events.csv.zst")
    _, truth = rows(f"{datasets}/{log}.truth.csv.zst")
    found, noise = {}, []
    for row, (_, instance, task_type) in zip(events, truth):
        event = (row, datetime.fromisoformat(row[2].replace("Z", "+00:00")))
        if instance:
            found.setdefault((instance, task_type), []).append(event)
        else:
            noise.append(event)
    return head, [(task_type, events) for (_, task_type), events in found.items()], noise


class Mixer:
    def __init__(self, head, folder):
        self.head, self.folder = head, folder

    def write(self, name, chosen, seed, noise=None, between=0, dropped=0.0, foreign=0.0, users=1):
        """A log of instances one after the other: `between` foreign events in the mean, shares dropped and foreign inside."""
        draw = random.Random(seed)
        time, events, truth = datetime(2024, 1, 8, 8, tzinfo=timezone.utc), [], []
        pool = noise or [event for _, events in chosen for event in events]

        def put(event, user, instance, task_type):
            truth.append([len(events), instance, task_type])
            events.append([str(len(events)), user, time.isoformat(timespec="milliseconds"), *event[0][3:]])

        for at, (task_type, members) in enumerate(chosen):
            user, before = f"u{at * users // len(chosen) + 1}", None
            for _ in range(draw.randint(0, 2 * between) if between else 0):
                time += timedelta(seconds=draw.uniform(0.5, 5))
                put(draw.choice(pool), user, "", "")
            time += timedelta(seconds=draw.uniform(2, 20))
            for event in members:
                if before is not None:
                    time += max(timedelta(milliseconds=20), min(event[1] - before, timedelta(seconds=60)))
                before = event[1]
                if draw.random() < foreign:
                    put(draw.choice(pool), user, "", "")
                if draw.random() >= dropped:
                    put(event, user, str(at), task_type)
        self.save(name, "events", self.head, events)
        self.save(name, "truth", ["row", "instance", "task_type"], truth)

    def save(self, name, kind, head, lines):
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([head, *lines])
        target = self.folder / f"{name}.{kind}.csv.zst"
        subprocess.run(["zstd", "-qfo", target], input=text.getvalue(), text=True, check=True)


def shuffled(things, seed):
    things = list(things)
    random.Random(seed).shuffle(things)
    return things


def main(datasets, folder):
    folder.mkdir(parents=True, exist_ok=True)
    head, reimbursements, _ = instances(datasets, "leno-real/RT")
    _, records, _ = instances(datasets, "leno-real/SR")
    _, both, _ = instances(datasets, "srrt-dev/plus")
    _, _, noise = instances(datasets, "srrt-dev/plus_noise50")
    _, shuffle, _ = instances(datasets, "rebmann-L1/L1")
    _, web, _ = instances(datasets, "miniwob-dev/webA")
    _, five, noise_of_five = instances(datasets, "cpn-mix-dev/dev_noise0.4")
    _, second, _ = instances(datasets, "leno-cpn-dev/cpn2")
    _, fifth, _ = instances(datasets, "leno-cpn-dev/cpn5")
    write = Mixer(head, folder).write
    for seed in SEEDS:
        mix = shuffled(reimbursements + records, seed)
        write(f"mix{seed}", mix, seed)
        write(f"mix{seed}_between10", mix, seed, noise, 10)
        write(f"mix{seed}_between50", mix, seed, noise, 50)
        write(f"mix{seed}_inside", mix, seed, None, 2, 0.1, 0.1)
        write(f"mix{seed}_people", mix, seed, users=3)
        half = sorted(shuffled(range(50), seed)[:25])
        blocks = [records[at] for at in half] + [reimbursements[at] for at in half]
        write(f"blocks{seed}", blocks, seed)
        write(f"blocks{seed}_between20", blocks, seed, noise, 20)
        write(f"one_rt{seed}", [reimbursements[at] for at in half][:20], seed)
        write(f"one_sr{seed}", [records[at] for at in half][:20], seed)
        write(f"one_rt{seed}_people", [reimbursements[at] for at in half], seed, users=5)
        write(f"one_sr{seed}_between5", [records[at] for at in half], seed, noise, 5)
        write(f"plus{seed}", shuffled(both, seed), seed)
        write(f"plus{seed}_half", both[: 25 + 3 * seed] + both[60 : 85 + 2 * seed], seed)
        write(f"rebmann{seed}", shuffled(shuffle, seed), seed)
        write(f"rebmann{seed}_half", shuffled(shuffle, seed)[:100], seed, users=2)
        write(f"three{seed}", shuffled(reimbursements + records + second[:60], seed), seed)
        write(f"three{seed}_inside", shuffled(reimbursements + records + fifth[:80], seed)[:120], seed, None, 3)
        write(f"five{seed}", shuffled(five, seed)[:300], seed, noise_of_five, 2, 0.05 * seed, 0.05 * seed, users=3)
        types = set(shuffled(sorted({task_type for task_type, _ in web}), seed)[:17])
        write(f"web{seed}_types", [one for one in web if one[0] in types], seed, users=5)
        write(f"web{seed}_half", shuffled(web, seed)[:500], seed, users=5)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], Path(sys.argv[2]))
