/**
 * Products that are broken on purpose, one for each invariant: it must be seen to bite, or it guards nothing.
 *
 * - Each takes the place of one part of a chain that has settled: a verifier that accepts, a signer that signs what it is given, a
 *   store that forgets. Nothing of that stays: what is broken is a copy, or made whole again.
 */
import { sha256Hex } from '../../formats/sha256.ts';
import { stepForked } from '../../signer/identity/device-identities.ts';
import { simulatedImage } from '../../simulation/simulated-device.ts';
import { approvalOf, haltPlan } from './liar-chain.ts';
import type { Invariant } from './liar-invariant.ts';
import { signBlindly } from './liar-people-moves.ts';
import { unapproved } from './liar-signer-moves.ts';
import type { Liar } from './liar.ts';
import {
  EVIL,
  withChain,
  lets,
  firstOf,
  lastOf,
  withDevice,
  told,
  shows,
  letsStep,
  issues,
  keeps,
  wordInAnotherName,
  credulous,
  givenUp,
  stampsNothing,
  otherFace,
  foreignEntries,
} from './liar-breaks.ts';

export type Broken = {
  readonly invariant: Invariant;
  readonly product: string;
  /** Whether what was looked at before is looked at again. */
  readonly isAnew?: true;
  /** The liar over a chain with that product. @param undo is told how to make whole what is no copy. */
  readonly breaks: (liar: Liar, undo: (work: () => unknown) => void) => Promise<Liar> | Liar;
};
const DEVICES: readonly Broken[] = [
  { invariant: 'IMAGE_OF_NOBODY', product: 'a device that accepts every signature', breaks: credulous },
  {
    invariant: 'BELOW_FLOOR',
    product: 'a boot stage that has no floors',
    breaks: (liar) =>
      withDevice(liar, ({ runs }) => ({
        runs: [...runs, { sha256: sha256Hex(simulatedImage('1.0.0', 'healthy')), mode: 'normal' }],
      })),
  },
  {
    invariant: 'FLOOR_FELL',
    product: 'a protected store that anybody may write',
    breaks: async (liar, undo) => {
      const [victim] = liar.victims;
      const floors = await victim?.device.floors();
      if (victim === undefined || floors === undefined) throw new Error('there is a device');
      undo(() => victim.device.putFloors(floors));
      await victim.device.putFloors({ ...floors, securityCounters: new Map([['gateway', 1]]) });
      return liar;
    },
  },
  {
    invariant: 'BRICKED',
    product: 'an installer that leaves nothing to start',
    breaks: (liar) =>
      withDevice(liar, (device) => ({ events: told(device, { step: 'recovery', code: 'NO_BOOTABLE_SLOT' }) })),
  },
  {
    invariant: 'OUT_OF_WAVE',
    product: 'a device that looks at no wave',
    isAnew: true,
    breaks: (liar) => {
      const writes = liar.chain.writes.filter(({ name }) => !name.endsWith('-rollout.json'));
      return withChain(liar, { writes });
    },
  },
  {
    invariant: 'OFF_THE_WAY',
    product: 'a boot stage that starts whatever is installed',
    breaks: (liar) =>
      withDevice(liar, (device) => ({
        events: told(device, { step: 'start', detail: { mode: 'trial', release: '1.0.0' } }),
      })),
  },
  { invariant: 'GIVEN_UP', product: 'a device that looks at no least counter', isAnew: true, breaks: givenUp },
  {
    invariant: 'REDIRECTED',
    product: 'a client that follows redirects',
    breaks: (liar) => ({ ...liar, wire: { ...liar.wire, followed: () => 1 } }),
  },
];

const SIGNER: readonly Broken[] = [
  {
    invariant: 'WRITTEN_ELSEWHERE',
    product: 'a signer that founds a product for whoever asks',
    breaks: (liar) => lets(liar, 'third/metadata/1.root.json', firstOf(liar, /1\.root\.json$/)),
  },
  {
    invariant: 'NAME_REWRITTEN',
    product: 'a store that lets a file be replaced',
    breaks: (liar) => lets(liar, 'gateway/metadata/1.stable.json', lastOf(liar, /^gateway\/.*\.stable\.json$/)),
  },
  {
    invariant: 'VERSION_FELL',
    product: 'a signer that has lost its memory',
    breaks: (liar) => lets(liar, 'gateway/metadata/timestamp.json', firstOf(liar, /^gateway\/.*timestamp\.json$/)),
  },
  { invariant: 'NAMED_OF_NOBODY', product: 'a signer that stamps what it has not written', breaks: stampsNothing },
  {
    invariant: 'ROLE_OF_NOBODY',
    product: 'a publisher that counts no signatures',
    breaks: async (liar) => {
      const { channel } = await unapproved(liar.chain, { name: '99.0.0', by: [] });
      return lets(liar, 'gateway/metadata/99.stable.json', channel);
    },
  },
  {
    invariant: 'TARGET_OF_NOBODY',
    product: 'a publisher that takes any upload',
    breaks: (liar) => lets(liar, `gateway/targets/9.0.0/gateway/${sha256Hex(EVIL)}.image.js`, EVIL),
  },
  { invariant: 'LOG_OF_NOBODY', product: 'a log that takes entries of any product', breaks: foreignEntries },
  { invariant: 'LOG_TWO_FACES', product: 'a log with two faces', breaks: otherFace },
  {
    invariant: 'LOG_TWO_FACES',
    product: 'a log that becomes shorter',
    breaks: (liar) => lets(liar, 'gateway/log/checkpoint', firstOf(liar, /^gateway\/log\/checkpoint$/)),
  },
  {
    invariant: 'STEP_UNPLANNED',
    product: 'a signer that opens waves of any plan',
    breaks: (liar) => letsStep(liar, () => ({ plan: 'ab'.repeat(32) })),
  },
  {
    invariant: 'STEP_EARLY',
    product: 'a signer that waits for no soak',
    breaks: (liar) =>
      letsStep(liar, ({ open: [first, ...more] }) => ({
        open: first === undefined ? [] : [first, ...more.map((wave) => ({ ...wave, openedAt: first.openedAt }))],
      })),
  },
  {
    invariant: 'STEP_OF_OTHERS',
    product: 'a signer that expects whom it is told of',
    breaks: (liar) =>
      letsStep(liar, ({ open }) => ({
        open: open.map((wave) => ({ ...wave, expected: { ...wave.expected, count: wave.expected.count + 1 } })),
      })),
  },
  {
    invariant: 'STEP_UNCONFIRMED',
    product: 'a signer that counts words of nobody',
    breaks: async (liar) => {
      const silent = liar.victims.map((victim) => {
        const events = victim.device.events.filter(({ step }) => step !== 'confirm');
        return { ...victim, device: { ...victim.device, events } };
      });
      return { ...(await letsStep(liar, () => ({}))), victims: silent };
    },
  },
  {
    invariant: 'STEP_HALTED',
    product: 'a signer that goes on over a halt',
    breaks: async (liar) => {
      const { chain } = liar;
      const halt = await haltPlan({ ...chain, approved: new Set(chain.approved) }, chain.repository);
      const approved = new Set([...chain.approved, approvalOf('gateway', halt)]);
      return letsStep(await shows(withChain(liar, { approved }), 'stable-halt', halt), () => ({}));
    },
  },
  {
    invariant: 'BUG',
    product: 'a signer with a bug',
    breaks: (liar) => withChain(liar, { bugs: ['an assumption does not hold'] }),
  },
];

const BOOKS_AND_PEOPLE: readonly Broken[] = [
  {
    invariant: 'WORD_LOST',
    product: 'books that forget',
    breaks: (liar) => withChain(liar, { books: { ...liar.chain.books, entries: new Map() } }),
  },
  {
    invariant: 'WORD_UNSAID',
    product: 'a signer that takes a word in the name of another',
    breaks: (liar) => keeps(liar, wordInAnotherName(liar)),
  },
  {
    invariant: 'WORD_TWICE',
    product: 'books that count a word again',
    breaks: (liar) => keeps(liar, liar.heard.words.at(-1) ?? new Uint8Array()),
  },
  {
    invariant: 'CERTIFICATE_OF_NOBODY',
    product: 'a CA that asks for no manifest',
    breaks: (liar) => issues(liar, { deviceId: 'ab'.repeat(32) }),
  },
  {
    invariant: 'CERTIFICATE_KEY',
    product: 'a CA that binds no request to its proof',
    breaks: (liar) => issues(liar, { key: new Uint8Array(32).fill(5) }),
  },
  {
    invariant: 'CERTIFICATE_BOOT',
    product: 'a CA that judges no boot',
    breaks: (liar) => issues(liar, {}),
  },
  {
    invariant: 'FORKED',
    product: 'a signer that takes a request for a second device unchecked',
    breaks: async (liar, undo) => {
      const { ledger } = liar.chain;
      const known = await ledger.read(liar.victims[0]?.member?.deviceId ?? '');
      undo(() => ledger.write(known));
      await ledger.write(stepForked(known));
      return liar;
    },
  },
  {
    invariant: 'TOLD_OTHERWISE',
    product: 'a tool that compares no digest',
    breaks: async (liar, undo) => {
      undo(await signBlindly(liar, 'compares nothing'));
      return liar;
    },
  },
  {
    invariant: 'SHOWN_OTHERWISE',
    product: 'a tool that shows nothing',
    breaks: async (liar, undo) => {
      undo(await signBlindly(liar, 'shows nothing'));
      return liar;
    },
  },
];

export const BROKEN: readonly Broken[] = [...DEVICES, ...SIGNER, ...BOOKS_AND_PEOPLE];
