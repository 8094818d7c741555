#!/usr/bin/env node
/** Launcher of `firmament`, the tool of operators, key holders and auditors: hands over to Node 24. */
import { fileURLToPath } from 'node:url';
import { runUnderNode24 } from './node24.js';

runUnderNode24(fileURLToPath(new URL('main.ts', import.meta.url)), process.argv.slice(2));
