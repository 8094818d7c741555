/** Where the project's programs lie, and how answers of theirs are read. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { JsonObject } from '../formats/json.ts';

export const PROJECT: string = fileURLToPath(new URL('..', import.meta.url));
export const CLI: string = join(PROJECT, 'cli', 'main.ts');

/** A text member of an answer. */
export function textOf(answer: JsonObject, name: string): string {
  const value = answer.get(name);
  if (typeof value !== 'string') throw new Error(`the answer has no text ${name}`);
  return value;
}
