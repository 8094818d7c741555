/** Cases of delegations by the hash of a name: prefixes, and the bins of TAP 15. */
import { keysOf, roleOf } from '../../formats/sample-repository.ts';
import { seededSigner } from '../../seeded-signer.ts';
import { digestOf, TOP, publish, type ClauseCase } from './clause-case.ts';

const UNKNOWN = 'TARGET_UNKNOWN';
const DIGEST = digestOf('file');
function prefixed(prefixes: readonly string[], fits: boolean): ClauseCase {
  return {
    ...{
      clause: '4.5 hash prefixes',
      says: `${prefixes.length} prefixes of ${prefixes[0]?.length ?? 0} digits ${fits ? 'fit' : 'do not fit'}`,
    },
    ...{
      find: 'file',
      outcome: fits ? digestOf('x') : UNKNOWN,
      asked: fits ? undefined : [...TOP],
      bugs: ['php-tuf#344'],
    },
    setup: (r) => {
      r.delegate('targets', 'A', { paths: [], pathHashPrefixes: prefixes });
      r.add('A', 'file', 'x');
    },
  } as ClauseCase;
}

/** Bins that the signer of `bins` signs; `role` lists the file. */
function bins(bitLength: number, says: string, role: (bin: string) => string = (bin) => bin): ClauseCase {
  const digits = Math.ceil(bitLength / 4);
  const number = Number.parseInt(DIGEST.slice(0, 8), 16) >>> (32 - bitLength);
  const bin = `bin-${number.toString(16).padStart(digits, '0')}`;
  const signer = seededSigner('bins');
  return {
    ...{ clause: 'TAP 15', says, find: 'file', outcome: role(bin) === bin ? digestOf('x') : UNKNOWN },
    setup: (r) => {
      const succinct = { ...roleOf([signer]), bitLength, namePrefix: 'bin' };
      r.roleOf('targets').delegations = { keys: keysOf([signer]), roles: [], bins: succinct };
      for (const name of new Set([bin, role(bin)])) {
        r.roleOf(name);
        r.signers.set(name, [signer]);
      }
      r.add(role(bin), 'file', 'x');
    },
  };
}

const other = (bin: string): string => bin.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'));
export const BIN_CASES: readonly ClauseCase[] = [
  prefixed([DIGEST.slice(0, 1)], true),
  prefixed(['0', '1', DIGEST.slice(0, 5)], true),
  prefixed([DIGEST], true),
  prefixed([DIGEST.slice(1, 4)], false),
  prefixed([`${DIGEST.slice(0, 63)}${DIGEST.endsWith('0') ? '1' : '0'}`], false),
  prefixed([], false),
  ...[1, 3, 4, 8, 14, 32].map((bits) => bins(bits, `the first ${bits} bits of the hash name the bin`)),
  bins(4, 'another bin does not vouch for it', other),
  { ...bins(4, 'what is only named like a bin does not vouch', () => 'bin-x'), bugs: ['GHSA-77hh-43cm-v8j6'] },
  {
    ...{ clause: 'TAP 15', says: 'succinct roles beside others are refused', find: 'file', outcome: 'SHAPE_MALFORMED' },
    setup: (r) => void r.delegate('targets', 'A'),
    change: async (scene) => {
      await publish(scene, 'targets');
      const succinct = { keyids: ['k'], threshold: 1, bit_length: 4, name_prefix: 'bin' };
      await scene.repository.rewrite('targets', ['delegations', 'succinct_roles'], succinct);
    },
  },
];
