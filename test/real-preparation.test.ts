/** The preparation of real parts: what it would run, and that two runs at once do the work once. */
import { expect, test } from 'vitest';
import { GO_FOLDER, REAL_PARTS } from './real/parts.ts';
import { stepsOf, withLock, type Step } from './real/preparation.ts';

const VERSION = ['true'] as const;

/** The command lines of `steps`. */
function lines(steps: readonly Step[]): readonly string[] {
  return steps.map(({ command }) => command.join(' '));
}

test('packages of Debian are installed without questions, after the lists are fetched, and wait for another apt', () => {
  const { debian, own } = stepsOf({ name: 'a', group: 'g', debian: ['chromium'], version: VERSION }, true);
  expect(lines(debian)).toEqual([
    expect.stringMatching(/^apt-get update .*-o DPkg::Lock::Timeout=400/),
    expect.stringMatching(/^apt-get install .*-y .*-o DPkg::Lock::Timeout=400 .*chromium$/),
  ]);
  expect(debian.every(({ environment }) => environment?.['DEBIAN_FRONTEND'] === 'noninteractive')).toBe(true);
  expect(own).toEqual([]);
});

test('requirements of pip go into an environment of the part, which Debian must first be able to make', () => {
  const part = { name: 'a', group: 'g', pip: ['tuf==7.0.*'], version: VERSION };
  expect(lines(stepsOf(part, true).own)).toEqual([
    expect.stringMatching(/^python3 -m venv --clear .*build\/real\/a$/),
    expect.stringMatching(/build\/real\/a\/bin\/pip install .*tuf==7\.0\.\*$/),
  ]);
  expect(stepsOf(part, true).debian).toEqual([]);
  expect(lines(stepsOf(part, false).debian).at(-1)).toMatch(/ python3-venv$/);
});

test('a command of a Go module is built into the folder of the parts', () => {
  const { own } = stepsOf({ name: 'a', group: 'g', go: ['example.org/server@v1.2.3'], version: VERSION }, true);
  expect(own).toEqual([{ command: ['go', 'install', 'example.org/server@v1.2.3'], environment: { GOBIN: GO_FOLDER } }]);
});

test('the libraries of a Maven project are copied into the folder of the part', () => {
  const { own } = stepsOf({ name: 'a', group: 'g', maven: 'pom.xml', version: VERSION }, true);
  expect(lines(own)).toEqual([
    expect.stringMatching(/^mvn -q -B -f pom\.xml \S+:copy-dependencies -DoutputDirectory=.*build\/real\/a\/jars$/),
  ]);
});

test('no two parts share a name, and none is the beginning of another in its group, so that each test file has one part', () => {
  for (const part of REAL_PARTS) {
    expect(part.name).toMatch(/^[a-z0-9-]+$/);
    const rivals = REAL_PARTS.filter(({ name, group }) => group === part.group && name.startsWith(part.name));
    expect(rivals).toEqual([part]);
  }
});

test('of two preparations of one part the second waits for the first, and a failed one frees its lock', async () => {
  const seen: string[] = [];
  const name = `test ${process.pid}`;
  const first = withLock(name, async () => {
    seen.push('first starts');
    await new Promise((resolve) => setTimeout(resolve, 300));
    seen.push('first ends');
    throw new Error('no network');
  });
  const second = withLock(name, () => {
    seen.push('second starts');
    return Promise.resolve();
  });
  await expect(first).rejects.toThrow('no network');
  await second;
  expect(seen).toEqual(['first starts', 'first ends', 'second starts']);
});
