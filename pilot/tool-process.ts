/** The process of a holder's tool: verbs of `firmament` come as lines on its standard input, each is answered by a line. */
import { randomBytes, randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import { systemClock } from '../bootloader-verifier/agent/clock-system.ts';
import type { Output } from '../cli/outcome.ts';
import { runFirmament } from '../cli/run-firmament.ts';
import type { Host } from '../cli/verb.ts';
import { decodeJson, integer, list, object, text } from '../formats/decode.ts';
import { encodeUtf8 } from '../formats/bytes.ts';

const LINE_BYTES_MAX = 1_048_576;
const ARGS_MAX = 256;
const ARG_LENGTH_MAX = 65_536;
const lineDecoder = object('refused', { id: integer(0), args: list(text(ARG_LENGTH_MAX), ARGS_MAX) });
const never = new AbortController();

createInterface({ input: process.stdin }).on('line', (line) => void runLine(line));

async function runLine(line: string): Promise<void> {
  const asked = decodeJson(encodeUtf8(line), LINE_BYTES_MAX, lineDecoder);
  if (!asked.ok) throw new Error(`a line that is no call: ${asked.detail}`);
  let answer = '';
  let said = '';
  const host: Host = {
    now: systemClock().now,
    newId: () => randomUUID(),
    newKey: (sizeBytes) => Uint8Array.from(randomBytes(sizeBytes)),
    env: process.env,
    say: (words) => void (said += words),
    isInteractive: false,
    stop: never.signal,
  };
  const output: Output = { json: true, out: (words) => void (answer += words), say: host.say, debug: false };
  const exit = await runFirmament(asked.value.args, host, output);
  process.stdout.write(`${JSON.stringify({ id: asked.value.id, exit, answer: answer.trim(), said })}\n`);
}
