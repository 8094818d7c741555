/**
 * A step as the runner of GitHub Actions runs it: its bundle, its inputs in the environment, its answers in files.
 *
 * - The step gets what a runner gives, and of this process's environment nothing but the path.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleFile, type BundledAction } from '../actions/bundle-action.ts';
import { PROJECT } from './child.ts';

export type Step = {
  readonly inputs: Readonly<Record<string, string>>;
  readonly workspace: string;
  /** What the runner gives to a job that may ask for tokens; undefined for one that may not. */
  readonly oidc: { readonly url: string; readonly token: string } | undefined;
};
export type StepEnd = {
  readonly exit: number;
  /** The log, as the runner reads it: commands and all. */
  readonly log: string;
  readonly outputs: ReadonlyMap<string, string>;
  readonly summary: string;
};

/** Runs an action once. Nothing of this process's environment reaches it but the path. */
export function runStep(action: BundledAction, step: Step): Promise<StepEnd> {
  return runFile(join(PROJECT, bundleFile(action)), step);
}

/** The same for a bundle that stands elsewhere. */
export async function runFile(file: string, { inputs, workspace, oidc }: Step): Promise<StepEnd> {
  const folder = mkdtempSync(join(tmpdir(), 'firmament-runner-'));
  const fileOf = (name: string): string => {
    writeFileSync(join(folder, name), '');
    return join(folder, name);
  };
  const [output, summary] = [fileOf('output'), fileOf('summary')];
  const named = Object.entries(inputs).map(([name, value]): readonly [string, string] => [
    `INPUT_${name.toUpperCase().replaceAll(' ', '_')}`,
    value,
  ]);
  const env: Record<string, string> = {
    ...{ PATH: process.env['PATH'] ?? '', CI: 'true', GITHUB_ACTIONS: 'true', GITHUB_WORKSPACE: workspace },
    ...{ GITHUB_OUTPUT: output, GITHUB_STEP_SUMMARY: summary, GITHUB_ENV: fileOf('env'), GITHUB_PATH: fileOf('path') },
    ...{ GITHUB_STATE: fileOf('state'), RUNNER_TEMP: folder, RUNNER_TOOL_CACHE: folder, RUNNER_OS: 'Linux' },
    ...{ RUNNER_ARCH: 'X64', RUNNER_NAME: 'runner', RUNNER_ENVIRONMENT: 'github-hosted' },
    ...(oidc && { ACTIONS_ID_TOKEN_REQUEST_URL: oidc.url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: oidc.token }),
    ...Object.fromEntries(named),
  };
  const { exit, log } = await execute(file, workspace, env);
  const end = { exit, log, outputs: outputsIn(readFileSync(output, 'utf8')), summary: readFileSync(summary, 'utf8') };
  rmSync(folder, { recursive: true });
  return end;
}

function execute(
  file: string,
  cwd: string,
  env: Readonly<Record<string, string>>,
): Promise<{ readonly exit: number; readonly log: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [file], { cwd, env, timeout: 60_000 }, (_, stdout, stderr) =>
      resolve({ exit: child.exitCode ?? -1, log: stdout + stderr }),
    );
  });
}

/** The outputs in a file of the runner: `name<<MARK`, the value, `MARK`. */
function outputsIn(text: string): ReadonlyMap<string, string> {
  const found = text.matchAll(/^([^\n<]+)<<(\S+)\n(.*?)\n\2$/gms);
  return new Map([...found].map(([, name = '', , value = '']) => [name, value]));
}
