/** The executable `tuf-client` reads repositories that python-tuf wrote, with more bins than anybody would fetch. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, expect, test } from 'vitest';
import { TUF_CLIENT } from '../../../bootloader-verifier/agent/tuf-client/bundle.ts';
import { python } from './python.ts';

const WRITER = `
import datetime, hashlib, os
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import (Delegations, DelegatedRole, Metadata, MetaFile, Root, Snapshot, SuccinctRoles, TargetFile, Targets, Timestamp)
expires = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) + datetime.timedelta(days=30)
signers = {"root": CryptoSigner.generate_rsa(), "targets": CryptoSigner.generate_ecdsa(),
    "snapshot": CryptoSigner.generate_ed25519(), "timestamp": CryptoSigner.generate_ecdsa()}
folder = given["folder"]
def put(name, signed, signer):
    metadata = Metadata(signed)
    metadata.sign(signer)
    data = metadata.to_bytes()
    with open(os.path.join(folder, "metadata", name), "wb") as file:
        file.write(data)
    return MetaFile.from_data(signed.version, data, ["sha256"])
root = Root(expires=expires, consistent_snapshot=True)
for role, signer in signers.items():
    root.add_key(signer.public_key, role)
put("1.root.json", root, signers["root"])
signer = CryptoSigner.generate_ed25519()
keys = {signer.public_key.keyid: signer.public_key}
bits = given["bits"]
if given["kind"] == "succinct":
    bins = SuccinctRoles([signer.public_key.keyid], 1, bits, "bin")
    delegations = Delegations(keys, None, bins)
    names = list(bins.get_roles())
else:
    digits = bits // 4
    names = ["bin-%0*x" % (digits, i) for i in range(2 ** bits)]
    roles = {name: DelegatedRole(name, list(keys), 1, False, None, [name[4:]]) for name in names}
    delegations = Delegations(keys, roles)
filled = {}
for name in given["targets"]:
    data = ("content of " + name).encode()
    file = TargetFile.from_data(name, data, ["sha256", "sha512"])
    bin = next(role for role, _ in delegations.get_roles_for_target(name))
    filled.setdefault(bin, Targets(expires=expires)).targets[name] = file
    for digest in file.hashes.values():
        with open(os.path.join(folder, "targets", digest + "." + name), "wb") as out:
            out.write(data)
empty = MetaFile(1, 1000, {"sha256": "0" * 64})
meta = {name + ".json": put("1." + name + ".json", filled[name], signer) if name in filled else empty for name in names}
meta["targets.json"] = put("1.targets.json", Targets(expires=expires, delegations=delegations), signers["targets"])
snapshot = put("1.snapshot.json", Snapshot(expires=expires, meta=meta), signers["snapshot"])
put("timestamp.json", Timestamp(expires=expires, snapshot_meta=snapshot), signers["timestamp"])
print(json.dumps({"bins": len(names), "filled": sorted(filled)}))
`;

const closing: (() => void)[] = [];

afterEach(() => {
  for (const close of closing.splice(0).reverse()) close();
});

/** Serves the files of `folder`, and tells what was asked for. */
function serveFolder(folder: string, asked: string[]): Promise<Server> {
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    asked.push(path);
    try {
      response.end(readFileSync(join(folder, path)));
    } catch {
      response.writeHead(404).end();
    }
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

test.each([
  { kind: 'succinct', bits: 14, what: '16,384 succinct bins' },
  { kind: 'prefixes', bits: 12, what: '4,096 roles by hash prefixes' },
])('in a repository of python-tuf with $what a target is found by one request for its bin', async ({ kind, bits }) => {
  const folder = mkdtempSync(join(tmpdir(), 'firmament-real-'));
  closing.push(() => rmSync(folder, { recursive: true }));
  for (const name of ['metadata', 'targets']) mkdirSync(join(folder, name));
  const targets = ['one', 'two', 'three', 'four'];
  const written = (await python(WRITER, { folder, kind, bits, targets })) as {
    bins: number;
    filled: readonly string[];
  };
  expect(written.bins).toBe(2 ** bits);
  const asked: string[] = [];
  const server = await serveFolder(folder, asked);
  closing.push(() => server.close());
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  const own = mkdtempSync(join(folder, 'client-'));
  const run = (...args: readonly string[]): Promise<unknown> =>
    promisify(execFile)(process.execPath, [TUF_CLIENT, '--metadata-dir', join(own, 'metadata'), ...args]);
  writeFileSync(join(own, 'root.json'), readFileSync(join(folder, 'metadata', '1.root.json')));
  await run('init', join(own, 'root.json'));
  const names = targets.flatMap((name) => ['--target-name', name]);
  const place = ['--target-dir', join(own, 'targets'), '--target-base-url', `${url}/targets`];
  await run('--metadata-url', `${url}/metadata`, ...names, ...place, 'download');
  expect(readdirSync(join(own, 'targets')).sort()).toEqual(targets.toSorted());
  for (const name of targets) expect(readFileSync(join(own, 'targets', name), 'utf8')).toBe(`content of ${name}`);
  expect(asked.filter((path) => path.includes('.bin-')).sort()).toEqual(
    written.filled.map((bin) => `/metadata/1.${bin}.json`),
  );
});
