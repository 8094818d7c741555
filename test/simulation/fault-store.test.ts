/** The store and the memory that tests of publishing run over do what every store and every memory must do. */
import { describe } from 'vitest';
import { makeFaultStore } from '../../simulation/fault-store.ts';
import { testObjectStore } from '../signer/object-store-contract.ts';
import { testSignerMemory } from '../signer/signer-memory-contract.ts';

describe('the store', () => {
  testObjectStore(() => Promise.resolve(makeFaultStore().store));
});

describe('the memory', () => {
  testSignerMemory(() => {
    const { memory } = makeFaultStore();
    return Promise.resolve(() => Promise.resolve(memory));
  });
});
