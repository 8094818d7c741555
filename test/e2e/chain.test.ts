/** `npm start -- --once --json`: the whole chain, as a newcomer runs it, read by a machine. */
import { testChain } from './chain-contract.ts';

testChain(() => Promise.resolve([]));
