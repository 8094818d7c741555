/**
 * What the signer daemon shows of itself, in the text format that Prometheus reads.
 *
 * - Names, codes, counts and times alone: nothing of a request's content, and nothing secret.
 * - Verbs and codes are from our own tables, so that no caller makes a new series; products are those that are served.
 */
import { Counter, Gauge, Registry } from 'prom-client';
import type { Instant } from '../../formats/instant.ts';
import { OperationError } from '../../formats/operation-error.ts';
import { SUMMED_ROLES, type DeploymentEnds } from './deployment-ends.ts';
import type { RoleEnd } from './role-ends.ts';
import type { VerbTable } from './verb-table.ts';

export type SignerMetrics = {
  /** `verbs`, each call counted by its outcome. */
  readonly measured: (verbs: VerbTable) => VerbTable;
  /** What was found when it was looked at: when roles end, and whether the look failed. */
  readonly looked: (look: {
    readonly product: string;
    readonly ends: readonly RoleEnd[];
    readonly now: Instant;
  }) => void;
  /** The same of a whole deployment, in sums. */
  readonly lookedAtAll: (ends: DeploymentEnds, now: Instant) => void;
  readonly lookFailed: (code: string) => void;
  /** The roles of the one product that could not be signed for want of a key. */
  readonly keysMissing: (product: string, roles: readonly string[]) => void;
  /** All of it as text. */
  readonly text: () => Promise<string>;
};

/** Metrics that are nobody else's. @param waiting how many requests wait or run now. */
export function signerMetrics(waiting: () => number): SignerMetrics {
  const registry = new Registry();
  const shared = { registers: [registry] };
  const requests = new Counter({
    name: 'firmament_signer_requests_total',
    help: 'Requests that were answered, by verb and by the code of the answer.',
    labelNames: ['verb', 'code'],
    ...shared,
  });
  const publications = new Counter({
    name: 'firmament_signer_publications_total',
    help: 'Publications that were asked for and made.',
    ...shared,
  });
  const failedLooks = new Counter({
    name: 'firmament_signer_looks_failed_total',
    help: 'Looks for what is due that were refused or failed, by code; each is done again.',
    labelNames: ['code'],
    ...shared,
  });
  const ends = new Gauge({
    name: 'firmament_signer_role_expires_seconds',
    help: 'Seconds until a role that is in force expires; negative once it has.',
    labelNames: ['product', 'role'],
    ...shared,
  });
  const versions = new Gauge({
    name: 'firmament_signer_role_version',
    help: 'The version of a role that is in force.',
    labelNames: ['product', 'role'],
    ...shared,
  });
  const missing = new Gauge({
    name: 'firmament_signer_keys_missing',
    help: 'Roles that the signer could not sign now, for want of a key: 1 each.',
    labelNames: ['product', 'role'],
    ...shared,
  });
  new Gauge({
    name: 'firmament_signer_requests_waiting',
    help: 'Requests that wait or run now.',
    ...shared,
    collect() {
      this.set(waiting());
    },
  });
  const count = (verb: string, code: string): void => {
    requests.inc({ verb, code });
    if (code === 'DONE' && PUBLISHING.includes(verb)) publications.inc();
  };
  return {
    measured: (verbs) => measuredVerbs(verbs, count),
    looked: ({ product, ends: all, now }) => {
      for (const { role, version, expires } of all) {
        ends.set({ product, role }, Math.floor((expires - now) / 1000));
        if (version !== undefined) versions.set({ product, role }, version);
      }
    },
    lookedAtAll: deploymentMetrics(registry),
    lookFailed: (code) => failedLooks.inc({ code }),
    keysMissing: (product, roles) => {
      missing.reset();
      for (const role of roles) missing.set({ product, role }, 1);
    },
    text: () => registry.metrics(),
  };
}

/** How a deployment is shown: made when it is first looked at, so that a signer of one product shows none of it. */
function deploymentMetrics(registry: Registry): SignerMetrics['lookedAtAll'] {
  const gauges = new Map<string, Gauge>();
  const gauge = (name: string, help: string, labelNames: readonly string[] = []): Gauge => {
    const made = gauges.get(name) ?? new Gauge({ name, help, labelNames: [...labelNames], registers: [registry] });
    gauges.set(name, made);
    return made;
  };
  const state =
    'Products by what the memory says of them: all, past half the life of their timestamp, unreadable, unknown, held.';
  const first = 'Seconds until the first one of all products expires, by role; negative once it has.';
  return ({ products, pastHalf, unreadable, unknown, held, earliest }, now) => {
    const counts = { all: products, 'past-half': pastHalf, unreadable, unknown, held };
    for (const [is, count] of Object.entries(counts))
      gauge('firmament_signer_products', state, ['is']).set({ is }, count);
    for (const role of SUMMED_ROLES) {
      const expires = earliest.get(role);
      const shown = gauge('firmament_signer_first_expires_seconds', first, ['role']);
      if (expires === undefined) shown.remove({ role });
      else shown.set({ role }, Math.floor((expires - now) / 1000));
    }
  };
}

const PUBLISHING: readonly string[] = ['publish', 'halt', 'refresh'];

function measuredVerbs(verbs: VerbTable, count: (verb: string, code: string) => void): VerbTable {
  return new Map(
    [...verbs].map(([name, verb]) => [
      name,
      {
        ...verb,
        run: async (body, now) => {
          try {
            const done = await verb.run(body, now);
            count(name, done.ok ? 'DONE' : done.code);
            return done;
          } catch (fault) {
            count(name, faultCode(fault));
            throw fault;
          }
        },
      },
    ]),
  );
}

function faultCode(fault: unknown): string {
  return fault instanceof OperationError ? fault.code : 'BUG';
}
