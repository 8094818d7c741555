/** What `npm start -- --once --json` must show, wherever the repository is published: each place's test runs this. */
import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { PROJECT } from '../results.ts';

const CHAIN_MS_MAX = 900_000;

type Line = {
  readonly step: string;
  readonly ok: boolean;
  readonly by: string;
  readonly digest: string | null;
  readonly at: string;
  readonly code: string | null;
  readonly detail: string;
};

let lines: readonly Line[] = [];
let leftBefore: readonly string[] = [];

function pilotFolders(): Promise<readonly string[]> {
  return readdir(`${PROJECT}/.run`).catch(() => []);
}

function stepsOf(prefix: string): readonly Line[] {
  return lines.filter(({ step }) => step.startsWith(prefix));
}

/** Runs the pilot with the options that `optionsOf` gives, and registers the tests of what it shows. */
export function testChain(optionsOf: () => Promise<readonly string[]>): void {
  beforeAll(async () => {
    leftBefore = await pilotFolders();
    const args = ['pilot/main.ts', '--once', '--json', ...(await optionsOf())];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: PROJECT, timeout: CHAIN_MS_MAX });
    lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);
  }, CHAIN_MS_MAX);

  test('each step is one JSON line that says what, by whom, of which digest, when, and with which code', () => {
    expect(lines.length).toBeGreaterThanOrEqual(8);
    for (const line of lines) {
      expect(Object.keys(line).slice(0, 6)).toEqual(['step', 'ok', 'by', 'digest', 'at', 'code']);
      expect(line.ok, line.step).toBe(true);
      expect(line.by).not.toBe('');
      expect(line.at).toMatch(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/);
      if (line.digest !== null) expect(line.digest).toMatch(/^[0-9a-f]{64}$/);
    }
  });

  test('what the builder made is what the device starts and confirms', () => {
    for (const release of ['1.0.0', '2.0.0', '4.0.0']) {
      const digests = ['build', 'propose', 'install', 'start', 'confirm'].map(
        (step) => stepsOf(`${step} ${release}`)[0]?.digest,
      );
      expect(new Set(digests).size, release).toBe(1);
      expect(digests[0], release).toMatch(/^[0-9a-f]{64}$/);
    }
  });

  test('every release was judged before it was approved, and what the policies forbid got no summary', () => {
    const at = (step: string): number => lines.findIndex((line) => line.step === step);
    for (const release of ['1.0.0', '2.0.0', '3.0.0', '4.0.0']) {
      expect(at(`judge ${release}`), release).toBeGreaterThan(-1);
      expect(at(`judge ${release}`), release).toBeLessThan(at(`approve ${release}`));
    }
    expect(stepsOf('deny').map(({ step, code }) => [step, code])).toEqual([
      ['deny: a build from a fork', 'JUDGEMENT_DENIED'],
      ['deny: a build that ran only once', 'JUDGEMENT_DENIED'],
    ]);
  });

  test('what is published goes through the one process that holds the online keys, which stands before the first root', () => {
    const at = (step: string): number => lines.findIndex((line) => line.step === step);
    expect(at('signer')).toBeGreaterThan(at('keys'));
    expect(at('signer')).toBeLessThan(at('root'));
    expect(new Set(stepsOf('publish').map(({ by }) => by))).toEqual(new Set(['signer']));
  });

  test('a wave opens on the confirmations of the one before, and a device of a later wave is held until then', () => {
    const at = (step: string): number => lines.findIndex((line) => line.step === step);
    const order = ['publish 2.0.0', 'wave 1 2.0.0', 'hold 2.0.0', 'confirm 2.0.0', 'wave 2 2.0.0', 'follow 2.0.0'];
    const places = [...order, 'completed 2.0.0'].map(at);
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places).not.toContain(-1);
    expect(stepsOf('hold').map(({ step, code }) => [step, code])).toEqual([
      ['hold 2.0.0', 'WAVE_NOT_OPEN'],
      ['hold 3.0.0', 'WAVE_NOT_OPEN'],
    ]);
    expect(stepsOf('hold 2.0.0')[0]?.by).not.toBe(stepsOf('confirm 2.0.0')[0]?.by);
    expect(stepsOf('follow 2.0.0')[0]?.by).toContain(stepsOf('hold 2.0.0')[0]?.by);
    expect(stepsOf('manifest').map(({ step, by }) => [step, by])).toEqual([
      ['manifest first', 'factory'],
      ['manifest second', 'factory'],
    ]);
  });

  test('one manager halts a release that fails on the first devices; the others refuse it, and take the repaired one', () => {
    expect(stepsOf('halt 3.0.0').map(({ by }) => by)).toEqual(['eli']);
    expect(stepsOf('halted').map(({ step, by, code }) => [step, by, code])).toEqual([
      ['halted 3.0.0', stepsOf('hold 3.0.0')[0]?.by, 'PLAN_HALTED'],
    ]);
    expect(stepsOf('follow 4.0.0').map(({ digest }) => digest)).toEqual([stepsOf('build 4.0.0')[0]?.digest]);
  });

  test('a release whose self-test fails is reverted to the one before', () => {
    const [reverted] = stepsOf('revert');
    expect(reverted).toMatchObject({ step: 'revert 3.0.0', code: 'SELF_TEST_FAILED' });
    expect(reverted?.digest).toBe(stepsOf('build 2.0.0')[0]?.digest);
    expect(stepsOf('confirm 3.0.0')).toEqual([]);
  });

  test("key holders' tools and the signer refuse what nobody may approve", () => {
    expect(stepsOf('refuse').map(({ step, by, code }) => [step, by, code])).toEqual([
      ['refuse: a receipt handed in twice', 'signer', 'RECEIPT_STALE'],
      ['refuse: the author approves', 'fay', 'AUTHOR_NEVER_COUNTS'],
      ['refuse: a draft that was overtaken', 'dee', 'EVENT_STALE'],
      ['refuse: a withdrawn draft', 'signer', 'EVENT_WITHDRAWN'],
    ]);
  });

  test('the microcontroller goes forward and back with its release, and each of its images is built twice, once', () => {
    const builds = new Map(stepsOf('build hub').map(({ step, digest }) => [step, digest]));
    expect([...builds.keys()]).toEqual(['build hub 7.27.0', 'build hub 7.28.0']);
    expect(new Set(builds.values()).size).toBe(2);
    expect(stepsOf('transfer').map(({ step, digest }) => [step, digest])).toEqual([
      ['transfer 1.0.0', builds.get('build hub 7.27.0')],
      ['transfer 3.0.0', builds.get('build hub 7.28.0')],
      ['transfer 4.0.0', builds.get('build hub 7.28.0')],
    ]);
    expect(stepsOf('revert 3.0.0')[0]?.detail).toContain('with hub 7.27.0');
  });

  test('a device that no network reaches starts the release in force from one file', () => {
    expect(stepsOf('capsule')).toHaveLength(1);
    expect(stepsOf('offline 4.0.0').map(({ digest }) => digest)).toEqual(
      stepsOf('build 4.0.0').map(({ digest }) => digest),
    );
  });

  test('it proves what it booted over the same files, and gets an identity that names image and counter', () => {
    const [identity, ...more] = stepsOf('offline identity');
    expect(more).toEqual([]);
    expect(identity?.digest).toBe(stepsOf('build 4.0.0')[0]?.digest);
    expect(identity?.detail).toMatch(/claimed, counter 4, until .*; the first one$/);
  });

  test('its signed receipt travels back, counts once, and completes the rollout that waited for it', () => {
    const at = (step: string): number => lines.findIndex((line) => line.step === step);
    const places = [
      'offline 4.0.0',
      'offline identity 4.0.0',
      'receipt 4.0.0',
      'completed 4.0.0',
      'refuse: a receipt handed in twice',
    ].map(at);
    expect(places).not.toContain(-1);
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(stepsOf('completed 4.0.0')[0]?.detail).toContain('4 of 4 in wave 1');
  });

  test('every attack is refused with its own code while the device runs what it ran', () => {
    expect(stepsOf('attack').map(({ step, code }) => [step, code])).toEqual([
      ['attack: a changed image', 'IMAGE_HASH_MISMATCH'],
      ['attack: an older release below the floor', 'IMAGE_ROLLBACK'],
      ['attack: one signature of two', 'METADATA_THRESHOLD_UNMET'],
      ['attack: the same key twice', 'METADATA_THRESHOLD_UNMET'],
      ['attack: approved by its own author', 'QUORUM_UNMET'],
      ["attack: another product's release", 'REPOSITORY_MISMATCH'],
      ["attack: beta's metadata served as stable's", 'ROLE_MISMATCH'],
      ['attack: a release for other hardware', 'HARDWARE_MISMATCH'],
      ['attack: a release without its microcontroller', 'HARDWARE_MISMATCH'],
      ['attack: a release that nobody judged', 'VSA_MISSING'],
      ['attack: the summary of another release', 'VSA_MISMATCH'],
      ['attack: a summary by a manager', 'VSA_SIGNATURE_INVALID'],
      ['attack: a release that is not in the log', 'LOG_PROOF_MISSING'],
      ['attack: old metadata replayed', 'TIMESTAMP_ROLLBACK'],
      ['attack: a device placed into a wave by the server', 'METADATA_THRESHOLD_UNMET'],
      ['attack: a wave opened before its soak', 'WAVE_TOO_EARLY'],
    ]);
    const current = stepsOf('confirm 4.0.0')[0]?.digest;
    const former = stepsOf('confirm 2.0.0')[0]?.digest;
    const runs = (step: string): string | null | undefined => (/image|wave/.test(step) ? former : current);
    for (const { step, digest } of stepsOf('attack')) expect(digest, step).toBe(runs(step));
  });

  test('each boot that the device keeps is proven and gets it an identity that names image and counter, one after the other', () => {
    for (const [release, counter] of [
      ['1.0.0', 1],
      ['2.0.0', 2],
      ['4.0.0', 4],
    ] as const) {
      const [identity] = stepsOf(`identity ${release}`);
      expect(identity?.digest, release).toBe(stepsOf(`build ${release}`)[0]?.digest);
      expect(identity?.detail, release).toContain(`claimed, counter ${counter}, until `);
      expect(identity?.detail.endsWith('the first one'), release).toBe(release === '1.0.0');
    }
    expect(stepsOf('identity 3.0.0')).toEqual([]);
  });

  test('whoever has the flash of a device, or hears its network, gets no identity, and ends none', () => {
    expect(stepsOf('identity attack').map(({ step, code }) => [step, code])).toEqual([
      ['identity attack: a stolen old identity', 'IDENTITY_ENDED'],
      ['identity attack: a device that was rolled back', 'IMAGE_ROLLBACK'],
      ['identity attack: an altered image', 'BOOT_NOT_APPROVED'],
      ['identity attack: a captured proof for another key', 'EVIDENCE_MISMATCH'],
      ['identity attack: a captured request, under a nonce that was used', 'EVIDENCE_STALE'],
    ]);
    expect(stepsOf('the identity in use stands')).toHaveLength(1);
  });

  test('nothing of the run is left behind', async () => {
    const left = (await pilotFolders()).filter((name) => !leftBefore.includes(name));
    expect(left).toEqual([]);
  });
}
