"""python-tuf's way to hold many targets: COUNT of them in 2^BITS bins, written to FOLDER; then one more release, ADDED times.

Each target says of its file what IMAGE says, in JSON: its length, its SHA-256 and its own members. Files are written as python-tuf
writes them, which syncs each of them.
Prints one JSON object: seconds of processor time for the first, milliseconds for each of the second.
"""

import json
import sys
import time
from datetime import datetime, timezone
from pathlib import Path

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import (
    Delegations,
    MetaFile,
    Metadata,
    Snapshot,
    SuccinctRoles,
    TargetFile,
    Targets,
    Timestamp,
)

count, bits, added = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
image, folder = json.loads(sys.argv[4]), Path(sys.argv[5])
own_members = {"custom": image["custom"]}
expires = datetime(2030, 1, 1, tzinfo=timezone.utc)
signer = CryptoSigner.generate_ed25519()


def name_of(product: int, release: int) -> str:
    return f"product-{product}/{release}.0.0/gateway/image.js"


def target_of(name: str) -> TargetFile:
    return TargetFile(image["length"], image["hashes"], name, own_members)


def write(metadata: Metadata, name: str) -> None:
    metadata.sign(signer)
    metadata.to_file(str(folder / name))


start = time.process_time()
succinct = SuccinctRoles([signer.public_key.keyid], 1, bits, "bin")
bins = {name: Metadata(Targets(expires=expires)) for name in succinct.get_roles()}
for at in range(count):
    name = name_of(at // 100, at % 100)
    bins[succinct.get_role_for_target(name)].signed.targets[name] = target_of(name)
meta = {f"{name}.json": MetaFile(1) for name in [*bins, "targets"]}
for name, metadata in bins.items():
    write(metadata, f"1.{name}.json")
keys = {signer.public_key.keyid: signer.public_key}
write(Metadata(Targets(expires=expires, delegations=Delegations(keys, succinct_roles=succinct))), "1.targets.json")
write(Metadata(Snapshot(expires=expires, meta=meta)), "1.snapshot.json")
write(Metadata(Timestamp(expires=expires, snapshot_meta=MetaFile(1))), "timestamp.json")
created = time.process_time() - start

bins.clear()
versions = {name: 1 for name in succinct.get_roles()}
start = time.process_time()
for at in range(added):
    target = name_of(at, 100)
    name = succinct.get_role_for_target(target)
    former = versions[name]
    versions[name] = former + 1
    held = Metadata.from_file(str(folder / f"{former}.{name}.json"))
    held.signed.version = former + 1
    held.signed.targets[target] = target_of(target)
    write(held, f"{former + 1}.{name}.json")
    snapshot = Metadata.from_file(str(folder / f"{at + 1}.snapshot.json"))
    snapshot.signed.version = at + 2
    snapshot.signed.meta[f"{name}.json"] = MetaFile(former + 1)
    write(snapshot, f"{at + 2}.snapshot.json")
    timestamp = Metadata.from_file(str(folder / "timestamp.json"))
    timestamp.signed.version = at + 2
    timestamp.signed.snapshot_meta = MetaFile(at + 2)
    write(timestamp, "timestamp.json")
print(json.dumps({"createdS": created, "addedMs": (time.process_time() - start) * 1000 / added}))
