/** The components of a release on one command line, and what a key holder is shown of them. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, expect, test } from 'vitest';
import { encodeUtf8 } from '../../formats/bytes.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { defineComponentOptions, readComponents, type DescribedComponent } from '../../cli/component-options.ts';

const folder = mkdtempSync(join(tmpdir(), 'components-'));
for (const name of ['hub.bin', 'gateway.js', 'proof.json', 'vsa.json']) writeFileSync(join(folder, name), name);
afterAll(() => rm(folder, { recursive: true }));

const at = (name: string): string => join(folder, name);
const HUB = ['--component', 'hub', '--installer', 'transfer', '--hardware', 'primehub', 'inventorhub'];
const HUB_FILES = ['--image', at('hub.bin'), '--provenance', at('proof.json'), '--vsa', at('vsa.json')];
const NUMBERS = ['--firmware-version', '7.28.0', '--security-counter', '2'];
const GATEWAY = ['--component', 'gateway', '--hardware', 'gw-1', '--image', at('gateway.js')];

function described(...args: readonly string[]): readonly DescribedComponent[] {
  const command = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
  const components = defineComponentOptions(command);
  command.parse([...args], { from: 'user' });
  return components;
}

test('each --component begins one, what follows describes it alone, and they are installed in that order', async () => {
  const gateway = [
    ...GATEWAY,
    '--provenance',
    at('proof.json'),
    '--firmware-version',
    '4.0.0',
    '--security-counter',
    '4',
  ];
  const file = (name: string): object => ({ file: name, length: name.length, sha256: sha256Hex(encodeUtf8(name)) });
  expect(await readComponents(described(...HUB, ...HUB_FILES, ...NUMBERS, ...gateway))).toEqual([
    {
      ...{ component: 'hub', installer: 'transfer', hardwareIds: ['primehub', 'inventorhub'] },
      ...{ firmwareVersion: '7.28.0', securityCounter: 2 },
      ...{ image: file('hub.bin'), provenance: file('proof.json'), vsa: file('vsa.json') },
    },
    {
      ...{ component: 'gateway', installer: 'slot', hardwareIds: ['gw-1'] },
      ...{ firmwareVersion: '4.0.0', securityCounter: 4 },
      ...{ image: file('gateway.js'), provenance: file('proof.json'), vsa: undefined },
    },
  ]);
});

test('a component that is not described whole is no release: nothing is taken over from the one before', async () => {
  expect(await readComponents([])).toBeUndefined();
  expect(await readComponents(described(...HUB, ...HUB_FILES, ...NUMBERS))).toHaveLength(1);
  expect(await readComponents(described(...HUB, ...HUB_FILES, ...NUMBERS, ...GATEWAY))).toBeUndefined();
  const parts = [HUB_FILES.slice(0, 2), HUB_FILES.slice(2, 4), NUMBERS.slice(0, 2), NUMBERS.slice(2), HUB.slice(4)];
  for (const missing of parts) {
    const rest = [HUB.slice(0, 4), ...parts.filter((part) => part !== missing)].flat();
    expect(await readComponents(described(...rest)), missing.join(' ')).toBeUndefined();
  }
});

test('a description before its component, and an installer that is none, are misuse', () => {
  expect(() => described('--image', at('hub.bin'), ...HUB)).toThrow('--component comes first');
  expect(() => described('--component', 'hub', '--installer', 'script')).toThrow('slot or transfer is expected');
  expect(() => described('--component', 'No Name')).toThrow('lower-case letters');
});
