/**
 * How the tests run: files in parallel, two processes at a time; random tests print their seed.
 *
 * - Files share the process that runs them and the modules it has loaded, which spares most of the cost of a start.
 * - A file that leaves a module unusable on purpose has a process of its own.
 */
import { defineConfig, type ViteUserConfig } from 'vitest/config';

const ALONE = ['test/policies/policy-engine-cedar.test.ts'];
const limits = { testTimeout: 60_000, hookTimeout: 60_000, pool: 'forks' } as const;

const config: ViteUserConfig = defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      {
        test: {
          ...limits,
          name: 'shared',
          include: ['test/**/*.test.ts'],
          exclude: ['test/real/**', 'node_modules/**', 'build/**', '.run/**', ...ALONE],
          isolate: false,
        },
      },
      { test: { ...limits, name: 'alone', include: ALONE } },
    ],
  },
});
export default config;
