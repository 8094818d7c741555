/**
 * The verbs of `firmament`, each run as a process of its own, as a person or a CI job would run it.
 *
 * - The answer is the one JSON line on its standard output; whatever is said on standard error belongs to the error.
 * - A refusal ends the pilot: what it does itself must be accepted. Where a refusal is what is shown, it is asked for as such.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { encodeUtf8 } from '../formats/bytes.ts';
import { isJsonObject, parseJson, type JsonObject } from '../formats/json.ts';

export const PROJECT: string = fileURLToPath(new URL('..', import.meta.url));
export const CLI: string = join(PROJECT, 'cli', 'main.ts');
const OUTPUT_BYTES_MAX = 4_194_304;
const VERB_MS_MAX = 120_000;

/** Runs `firmament ARGS --json` and returns its answer. @throws Error with the verb's own words if it refuses. */
export async function firmament(...args: readonly string[]): Promise<JsonObject> {
  const { answer, isDone, said } = await run(args);
  if (isDone && answer !== undefined) return answer;
  const refused = answer === undefined ? said : `${textOf(answer, 'code')}: ${textOf(answer, 'detail')}`;
  throw new Error(`firmament ${args[0] ?? ''} did not do its work: ${refused}`);
}

/** Runs `firmament ARGS --json` and returns the answer with which it refuses. @throws Error if it does not. */
export async function refusalOf(...args: readonly string[]): Promise<JsonObject> {
  const { answer, isDone, said } = await run(args);
  if (!isDone && answer !== undefined) return answer;
  throw new Error(`firmament ${args[0] ?? ''} did not refuse: ${said}`);
}

type Ended = { readonly answer: JsonObject | undefined; readonly isDone: boolean; readonly said: string };

function run(args: readonly string[]): Promise<Ended> {
  const options = { maxBuffer: OUTPUT_BYTES_MAX, timeout: VERB_MS_MAX };
  return new Promise((resolve) => {
    execFile(process.execPath, [CLI, ...insertJson(args)], options, (fault, stdout, stderr) => {
      const answer = parseJson(encodeUtf8(stdout), { bytesMax: OUTPUT_BYTES_MAX });
      resolve({
        answer: answer.ok && isJsonObject(answer.value) ? answer.value : undefined,
        isDone: fault === null,
        said: `${stdout.trim()} ${stderr.trim()}`,
      });
    });
  });
}

/** `--json` stands before a `--` that ends the options. */
function insertJson(args: readonly string[]): readonly string[] {
  const end = args.indexOf('--');
  return end < 0 ? [...args, '--json'] : [...args.slice(0, end), '--json', ...args.slice(end)];
}

/** A text member of an answer. */
export function textOf(answer: JsonObject, name: string): string {
  const value = answer.get(name);
  if (typeof value !== 'string') throw new Error(`the answer has no text ${name}`);
  return value;
}
