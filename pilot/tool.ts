/**
 * The installed tool of one holder: a process of its own, in which all of that holder's verbs run, one after another or side by side.
 *
 * - It is started with the first verb and loads each verb once: what a start costs is paid once a holder, not once a verb.
 * - The answer is the one JSON line of the verb; whatever it says to people belongs to the error.
 * - A refusal ends the pilot: what it does itself must be accepted. Where a refusal is what is shown, it is asked for as such.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { encodeUtf8 } from '../formats/bytes.ts';
import { isJsonObject, parseJson, type JsonObject } from '../formats/json.ts';
import { PROJECT, textOf } from './child.ts';

const TOOL = join(PROJECT, 'pilot', 'tool-process.ts');
const LINE_BYTES_MAX = 4_194_304;
const VERB_MS_MAX = 300_000;

export type Tool = {
  /** Runs `firmament ARGS` and returns its answer. @throws Error with the verb's own words if it refuses. */
  readonly run: (...args: readonly string[]) => Promise<JsonObject>;
  /** Runs `firmament ARGS` and returns the answer with which it refuses. @throws Error if it does not. */
  readonly refusal: (...args: readonly string[]) => Promise<JsonObject>;
  readonly close: () => Promise<void>;
};

type Ended = { readonly answer: JsonObject | undefined; readonly exit: number; readonly said: string };
type Started = { readonly child: ChildProcess; readonly ask: (args: readonly string[]) => Promise<Ended> };

/** A tool; its process starts with the first verb. */
export function openTool(): Tool {
  let started: Started | undefined;
  const ask = (args: readonly string[]): Promise<Ended> => {
    started ??= startTool();
    return started.ask(args);
  };
  return {
    run: async (...args) => {
      const { answer, exit, said } = await ask(args);
      if (exit === 0 && answer !== undefined) return answer;
      const refused = answer === undefined ? said : `${textOf(answer, 'code')}: ${textOf(answer, 'detail')}`;
      throw new Error(`firmament ${args[0] ?? ''} did not do its work: ${refused}`);
    },
    refusal: async (...args) => {
      const { answer, exit, said } = await ask(args);
      if (exit !== 0 && answer !== undefined) return answer;
      throw new Error(`firmament ${args[0] ?? ''} did not refuse: ${said}`);
    },
    close: async () => {
      if (started === undefined) return;
      const { child } = started;
      const ended = child.exitCode === null && child.signalCode === null ? once(child, 'close') : undefined;
      child.stdin?.end();
      await ended;
    },
  };
}

function startTool(): Started {
  const child = spawn(process.execPath, [TOOL], { stdio: ['pipe', 'pipe', 'inherit'] });
  const waiting = new Map<number, (ended: Ended) => void>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    const { id, ended } = parseLine(line);
    waiting.get(id)?.(ended);
    waiting.delete(id);
  });
  child.on('close', () => {
    for (const settle of waiting.values()) settle({ answer: undefined, exit: -1, said: 'its tool has ended' });
  });
  let asked = 0;
  const ask = (args: readonly string[]): Promise<Ended> =>
    new Promise((resolve) => {
      const id = asked++;
      const late = (): void => resolve({ answer: undefined, exit: -1, said: 'it did not end in time' });
      const timer = setTimeout(late, VERB_MS_MAX);
      waiting.set(id, (ended) => {
        clearTimeout(timer);
        resolve(ended);
      });
      child.stdin.write(`${JSON.stringify({ id, args })}\n`);
    });
  return { child, ask };
}

function parseLine(line: string): { readonly id: number; readonly ended: Ended } {
  const json = parseJson(encodeUtf8(line), { bytesMax: LINE_BYTES_MAX });
  if (!json.ok || !isJsonObject(json.value)) throw new Error('a tool of the pilot says what is no line of its own');
  const member = (name: string): unknown => (isJsonObject(json.value) ? json.value.get(name) : undefined);
  const [id, exit, said, answer] = ['id', 'exit', 'said', 'answer'].map(member);
  const told = typeof said === 'string' ? said : '';
  const read = typeof answer === 'string' ? parseJson(encodeUtf8(answer), { bytesMax: LINE_BYTES_MAX }) : undefined;
  return {
    id: typeof id === 'number' ? id : -1,
    ended: {
      answer: read?.ok === true && isJsonObject(read.value) ? read.value : undefined,
      exit: typeof exit === 'number' ? exit : -1,
      said: told,
    },
  };
}
