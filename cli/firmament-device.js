#!/usr/bin/env node
/** Launcher of `firmament-device`, the program on the device: hands over to Node 24. */
import { fileURLToPath } from 'node:url';
import { runUnderNode24 } from './node24.js';

runUnderNode24(fileURLToPath(new URL('../bootloader-verifier/agent/main.ts', import.meta.url)), process.argv.slice(2));
