/**
 * The repositories of the benchmark, written into a folder as any TUF repository lies on a web server.
 *
 * - Ed25519 keys, consistent snapshots, compact JSON; an entry of a target has about 180 bytes.
 * - Plain: all targets in one role. In bins: succinct roles (TAP 15), of which only the bin that is asked for lies there; the
 *   snapshot lists all.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { encodeUtf8 } from '../../formats/bytes.ts';
import type { JsonValue } from '../../formats/json.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { binOf, type SuccinctRoles } from '../../formats/succinct-roles.ts';
import { rootToJson } from '../../formats/tuf-root.ts';
import { snapshotToJson, timestampToJson, type MetaFile } from '../../formats/tuf-snapshot.ts';
import { targetsToJson, type TargetFile } from '../../formats/tuf-targets.ts';
import { headOf, keysOf, roleOf, signedBy } from '../formats/sample-repository.ts';
import { seededSigner } from '../seeded-signer.ts';

export type BenchRepository = {
  readonly targets: number;
  /** How many bits of the hash choose the bin; none where all targets stand in one role. */
  readonly bits?: number;
};

/** The target that every client asks for: not the first of its file. */
export const ASKED = 'release-700/gateway/gateway.js';
const CONTENT = encodeUtf8('the one file that is downloaded\n');
const TOP = ['root', 'targets', 'snapshot', 'timestamp'] as const;
const BIN_SIGNERS = [seededSigner('bench bins')];
const signersOf = (role: string): readonly [ReturnType<typeof seededSigner>] => [seededSigner(`bench ${role}`)];

/** Writes the repository into `folder`, below `metadata/` and `targets/`. Answers its first root. */
export async function writeRepository(folder: string, repository: BenchRepository): Promise<Uint8Array> {
  const put = (name: string, bytes: Uint8Array): Uint8Array => {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), bytes);
    return bytes;
  };
  const sign = async (role: string, signed: JsonValue): Promise<MetaFile> => {
    const signers = role.startsWith('bin-') ? BIN_SIGNERS : signersOf(role);
    const bytes = put(`metadata/${role === 'timestamp' ? '' : '1.'}${role}.json`, await signedBy(signed, signers));
    return { version: 1, length: bytes.length, sha256: sha256Hex(bytes) };
  };
  put(`targets/${dirname(ASKED)}/${sha256Hex(CONTENT)}.gateway.js`, CONTENT);
  const meta = new Map<string, MetaFile>();
  if (repository.bits === undefined) {
    const targets = entriesOf(repository.targets);
    meta.set(
      'targets.json',
      await sign('targets', targetsToJson({ ...headOf('targets'), targets, delegations: undefined })),
    );
  } else {
    const bins: SuccinctRoles = { ...roleOf(BIN_SIGNERS), bitLength: repository.bits, namePrefix: 'bin' };
    const delegations = { keys: keysOf(BIN_SIGNERS), roles: [], bins };
    const [bin, targets] = oneBin(bins, repository.targets);
    for (const name of binNames(bins)) meta.set(`${name}.json`, { version: 1, length: undefined, sha256: undefined });
    await sign(bin, targetsToJson({ ...headOf('targets'), targets, delegations: undefined }));
    meta.set(
      'targets.json',
      await sign('targets', targetsToJson({ ...headOf('targets'), targets: new Map(), delegations })),
    );
  }
  const snapshot = await sign('snapshot', snapshotToJson({ ...headOf('snapshot'), meta }));
  await sign('timestamp', timestampToJson({ ...headOf('timestamp'), snapshot }));
  return put('metadata/1.root.json', await signedBy(rootContent(), signersOf('root')));
}

function rootContent(): JsonValue {
  const [root, targets, snapshot, timestamp] = TOP.map((role) => roleOf(signersOf(role)));
  if (root === undefined || targets === undefined || snapshot === undefined || timestamp === undefined)
    throw new Error();
  const keys = keysOf(TOP.flatMap(signersOf));
  return rootToJson({
    ...headOf('root'),
    consistentSnapshot: true,
    keys,
    roles: { root, targets, snapshot, timestamp },
  });
}

function nameOf(index: number): string {
  return `release-${index}/gateway/gateway.js`;
}

function entryOf(name: string, index: number): TargetFile {
  const isAsked = name === ASKED;
  const custom = new Map<string, JsonValue>([
    ['firmwareVersion', `1.${index}.0`],
    ['securityCounter', index],
  ]);
  return {
    length: isAsked ? CONTENT.length : 100_000 + index,
    sha256: sha256Hex(isAsked ? CONTENT : encodeUtf8(name)),
    custom,
  };
}

function entriesOf(count: number): ReadonlyMap<string, TargetFile> {
  return new Map(Array.from({ length: count }, (_, index) => [nameOf(index), entryOf(nameOf(index), index)]));
}

/** The name of the bin of the target that is asked for, and the targets that fall into it. */
function oneBin(bins: SuccinctRoles, count: number): readonly [string, ReadonlyMap<string, TargetFile>] {
  const of = (name: string): string => binOf(bins, sha256Hex(encodeUtf8(name)));
  const bin = of(ASKED);
  const names = Array.from({ length: count }, (_, index) => nameOf(index));
  const own = names.flatMap((name, index) => (of(name) === bin ? [[name, entryOf(name, index)] as const] : []));
  return [bin, new Map(own)];
}

function binNames({ bitLength, namePrefix }: SuccinctRoles): readonly string[] {
  const digits = Math.ceil(bitLength / 4);
  return Array.from({ length: 2 ** bitLength }, (_, bin) => `${namePrefix}-${bin.toString(16).padStart(digits, '0')}`);
}
