/**
 * The engine of policies by Cedar's own implementation, as WebAssembly.
 *
 * - A text is read whole or refused: each policy must parse, have an `@id` of its own and a `@reason`, and pass the validator of
 *   the schema without an error or a warning; templates are refused.
 * - The request must fit the schema as well.
 * - The engine leaves out a policy that fails while it is evaluated, a forbid too: any such failure makes the request undecided.
 * - Deeply nested texts overflow the engine's own stack and leave it unusable: it is asked nothing more, and refuses.
 * - Texts are parsed for each decision, about 2 ms: nothing is kept between two of them.
 * - Source: Cedar 4, https://docs.cedarpolicy.com; `docs/formats/policy.md`.
 */
import { readFile } from 'node:fs/promises';
import {
  isAuthorized,
  policySetTextToParts,
  policyToJson,
  validate,
  type AuthorizationAnswer,
  type DetailedError,
  type PolicyJson,
} from '@cedar-policy/cedar-wasm/nodejs';
import { encodeUtf8 } from '../formats/bytes.ts';
import { nameDecoder } from '../formats/names.ts';
import { OperationError } from '../formats/operation-error.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';
import type { PolicyDecision, PolicyEngine, PolicyNote, PolicyRequest } from './policy-engine.ts';

/** The longest policy text that is read. */
export const POLICY_BYTES_MAX = 32_768;
/** How many policies one text may hold. */
export const POLICIES_MAX = 64;
const REASON = /^[^\p{Cc}\p{Cf}]{1,200}$/u;
const LEVEL = /^[A-Z0-9_]{1,64}$/;
const SCHEMA = new URL('./release.cedarschema', import.meta.url);

/** A policy with what it says of itself. */
type NotedPolicy = { readonly note: PolicyNote; readonly text: string };
type Malformed = 'POLICY_MALFORMED';

/** The engine over the schema of releases, which lies beside this file. */
export async function openCedarEngine(): Promise<PolicyEngine> {
  const schema = await readSchema();
  let isBroken = false;
  return (text, request) => {
    if (isBroken) return refuse('the engine gave up on a text before');
    try {
      return decide(text, request, schema);
    } catch (fault) {
      // What an overflow of the engine's stack looks like from outside; anything else is a bug.
      if (!(fault instanceof Error && ['RuntimeError', 'RangeError'].includes(fault.name))) throw fault;
      isBroken = true;
      return refuse('the engine gave up on this text: it nests too deeply');
    }
  };
}

function decide(text: string, request: PolicyRequest, schema: string): ReturnType<PolicyEngine> {
  const policies = readPolicies(text);
  if (!policies.ok) return policies;
  const staticPolicies = Object.fromEntries(policies.value.map(({ note, text }) => [note.id, text]));
  const valid = validateAll(staticPolicies, schema);
  if (!valid.ok) return valid;
  const answer = isAuthorized({
    principal: { type: 'Builder', id: request.principal.id },
    action: { type: 'Action', id: 'release' },
    resource: { type: 'Image', id: request.resource.id },
    context: request.context,
    schema,
    validateRequest: true,
    policies: { staticPolicies },
    entities: [
      { uid: { type: 'Builder', id: request.principal.id }, attrs: request.principal.attributes, parents: [] },
      { uid: { type: 'Image', id: request.resource.id }, attrs: request.resource.attributes, parents: [] },
    ],
  });
  return readAnswer(
    answer,
    policies.value.map(({ note }) => note),
  );
}

function readAnswer(
  answer: AuthorizationAnswer,
  notes: readonly PolicyNote[],
): Verdict<PolicyDecision, 'POLICY_UNDECIDED'> {
  if (answer.type === 'failure') return reject('POLICY_UNDECIDED', `the facts do not fit: ${messages(answer.errors)}`);
  const { decision, diagnostics } = answer.response;
  const [failed] = diagnostics.errors;
  if (failed !== undefined) return reject('POLICY_UNDECIDED', `${failed.policyId}: ${failed.error.message}`);
  return accept({
    allowed: decision === 'allow',
    decided: notes.filter(({ id }) => diagnostics.reason.includes(id)),
    permits: notes.filter(({ effect }) => effect === 'permit'),
  });
}

/** The policies of `text`, each with its notes, in the order of their ids. */
function readPolicies(text: string): Verdict<readonly NotedPolicy[], Malformed> {
  const { length } = encodeUtf8(text);
  if (length > POLICY_BYTES_MAX) return refuse(`${length} bytes, at most ${POLICY_BYTES_MAX} are read`);
  const parts = policySetTextToParts(text);
  if (parts.type === 'failure') return refuse(messages(parts.errors));
  if (parts.policy_templates.length > 0) return refuse('a template has no place here: write the policy out');
  const { policies } = parts;
  if (policies.length === 0 || policies.length > POLICIES_MAX) {
    return refuse(`${policies.length} policies, 1 to ${POLICIES_MAX} are read`);
  }
  const noted: NotedPolicy[] = [];
  for (const policy of policies) {
    const json = policyToJson(policy);
    if (json.type === 'failure') return refuse(messages(json.errors));
    const note = readNote(json.json);
    if (!note.ok) return note;
    noted.push({ note: note.value, text: policy });
  }
  const ids = new Set(noted.map(({ note }) => note.id));
  return ids.size < noted.length ? refuse('two policies have one id') : accept(noted.sort(byId));
}

function byId(a: NotedPolicy, b: NotedPolicy): number {
  return a.note.id < b.note.id ? -1 : 1;
}

function readNote({ effect, annotations = {} }: PolicyJson): Verdict<PolicyNote, Malformed> {
  const id = nameDecoder(annotations['id'] ?? '');
  if (!id.ok) return refuse('each policy needs an @id of lower-case letters, digits and dashes');
  const reason = annotations['reason'] ?? '';
  if (!REASON.test(reason)) return refuse(`${id.value} needs a @reason, a sentence of at most 200 characters`);
  const level = annotations['level'];
  if (level !== undefined && !LEVEL.test(level)) return refuse(`${id.value}: @level is of capitals and underscores`);
  return accept({ id: id.value, effect, reason, level });
}

/** Whether the validator has nothing to say: a warning names a policy that can never apply, or letters made to be mistaken. */
function validateAll(staticPolicies: Record<string, string>, schema: string): Verdict<void, Malformed> {
  const answer = validate({ schema, policies: { staticPolicies } });
  if (answer.type === 'failure') return refuse(messages(answer.errors));
  const { validationErrors, validationWarnings, otherWarnings } = answer;
  const [fault] = [...validationErrors, ...validationWarnings];
  if (fault !== undefined) return refuse(`${fault.policyId}: ${fault.error.message}`);
  return otherWarnings.length > 0 ? refuse(messages(otherWarnings)) : accept(undefined);
}

function messages(errors: readonly DetailedError[]): string {
  return errors
    .slice(0, 3)
    .map(({ message }) => message)
    .join('; ');
}

function refuse(detail: string): Verdict<never, Malformed> {
  return reject('POLICY_MALFORMED', detail);
}

async function readSchema(): Promise<string> {
  try {
    return await readFile(SCHEMA, 'utf8');
  } catch (cause) {
    throw new OperationError('FILE_UNREADABLE', 'the schema of release policies cannot be read', {
      retriable: false,
      cause,
    });
  }
}
