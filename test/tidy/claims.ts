/**
 * The three claims of the design, derived from the imports and never merely stated.
 *
 * - A claim holds or names what breaks it; the sentence is printed with the figures of the day.
 */
import ts from 'typescript';
import { importClosure, importsOf, type Closure } from './imports.ts';
import { nodesOf, type SourceFile } from './source-tree.ts';

export type Claim = { readonly claim: string; readonly holds: boolean; readonly because: string };

const SIGNING =
  /^(sign|signAsync|createSign|createPrivateKey|generateKeyPair|generateKeyPairSync|createSecretKey|getPublicKey)$/;
/** What the server takes of a package that can sign as well: verifying alone. */
const OF_JOSE = ['base64url', 'compactVerify', 'decodeProtectedHeader', 'errors', 'importJWK'];
/** The keys that the server does hold, by the one file that uses each. No device and no relying party trusts any of them. */
const OWN_KEYS: ReadonlyMap<string, string> = new Map([
  ['ota-server/upload-permission.ts', 'a key of the process for the addresses of uploads'],
  ['ota-server/presigned-put.ts', 'the secret of its user at the object store'],
]);
const STARTS_PROCESSES = ['node:child_process', 'node:cluster', 'node:vm'];
const BOOT = 'bootloader-verifier/boot/';
const PUBLISHER = 'signer/publish.ts';

/** The claims about `files`. */
export function claimsOf(files: readonly SourceFile[]): readonly Claim[] {
  return [serverHoldsNoKey(files), bootVerifierSize(files), publishedIsAccepted(files)];
}

function closureOf(files: readonly SourceFile[], folder: string): Closure {
  return importClosure(
    files,
    files.map(({ path }) => path).filter((path) => path.startsWith(folder)),
  );
}

/**
 * What the server can reach contains nothing of the signer, no call that signs and no way to start a program that does. Message
 * authentication codes are made in the files of `OWN_KEYS` alone, whose keys are listed with the claim.
 */
function serverHoldsNoKey(files: readonly SourceFile[]): Claim {
  const closure = closureOf(files, 'ota-server/');
  const signer = closure.files.map(({ path }) => path).filter((path) => path.startsWith('signer/'));
  const signing = closure.files.flatMap((file) =>
    callsOf(file)
      .filter((name) => SIGNING.test(name))
      .map((name) => `${name} in ${file.path}`),
  );
  const macs = closure.files.filter((file) => callsOf(file).includes('createHmac')).map(({ path }) => path);
  const unlisted = macs.filter((path) => !OWN_KEYS.has(path)).map((path) => `an unlisted key in ${path}`);
  const own = macs.flatMap((path) => OWN_KEYS.get(path) ?? []);
  const starts = closure.packages.filter((name) => STARTS_PROCESSES.includes(name));
  const broken = [...signer, ...signing, ...joseSigning(closure), ...unlisted, ...starts];
  return {
    claim: 'the server holds no key that a device or relying party trusts',
    holds: broken.length === 0,
    because:
      broken.length === 0
        ? `none of the ${closure.files.length} files that ota-server/ reaches is of the signer, signs or starts a program; ` +
          `its own keys: ${own.length === 0 ? 'none' : own.join(', ')}`
        : broken.join(', '),
  };
}

/** What is taken of jose beside verifying. */
function joseSigning({ files }: Closure): readonly string[] {
  return files.flatMap((file) =>
    importsOf(file)
      .filter(({ from }) => from === 'jose')
      .flatMap(({ names }) => (names === 'all' ? ['all of jose'] : names.filter((name) => !OF_JOSE.includes(name))))
      .map((name) => `${name} in ${file.path}`),
  );
}

/** The names of the functions and methods that `file` calls. */
function callsOf(file: SourceFile): readonly string[] {
  const calls = file.tree === undefined ? [] : nodesOf(file.tree).filter(ts.isCallExpression);
  return calls.map(({ expression }) =>
    (ts.isPropertyAccessExpression(expression) ? expression.name : expression).getText(),
  );
}

/** What must be read to trust the decision to boot. */
function bootVerifierSize(files: readonly SourceFile[]): Claim {
  const closure = closureOf(files, BOOT);
  const lines = closure.files.reduce((sum, { text }) => sum + text.split('\n').length - 1, 0);
  const foreign = closure.packages.filter((name) => !name.startsWith('@noble/'));
  return {
    claim: `the boot verifier is ${closure.files.length} files and ${closure.packages.join(', ')}`,
    holds: closure.files.length > 0 && foreign.length === 0,
    because: foreign.length === 0 ? `${lines} lines, all that ${BOOT} reaches` : `it also needs ${foreign.join(', ')}`,
  };
}

/** Publishing demands a mark, only verifiers that reach the device's own make it, and nothing else writes to the store. */
function publishedIsAccepted(files: readonly SourceFile[]): Claim {
  const broken = publishingFaults(files);
  return {
    claim: "what is published was first accepted by the device's own code",
    holds: broken.length === 0,
    because:
      broken.length === 0
        ? `${PUBLISHER} alone writes to the store, and each of its entries demands the mark of a verifier that reaches those of ${BOOT}`
        : broken.join(', '),
  };
}

/** Why what `entry` of the publisher is given need not have been accepted by the device's own code. */
function entryFaults(files: readonly SourceFile[], entry: ts.FunctionDeclaration): readonly string[] {
  const mark = /\bVerified<\w+>/.exec(entry.parameters.map((parameter) => parameter.getText()).join())?.[0];
  if (mark === undefined) return [`${entry.name?.text ?? 'an entry'} takes no Verified value`];
  const makers = files.filter((file) => file.text.includes(mark) && callsOf(file).includes('markVerified'));
  const blind = makers.filter(({ path }) => {
    const reached = importClosure(files, [path]).files;
    return !reached.some((file) => file.path.startsWith(`${BOOT}verify-`));
  });
  return [
    ...(makers.length === 0 ? [`nothing makes a ${mark}`] : []),
    ...blind.map(({ path }) => `${path} makes a ${mark} without a verifier of the device`),
  ];
}

function publishingFaults(files: readonly SourceFile[]): readonly string[] {
  const publisher = files.find(({ path }) => path === PUBLISHER);
  if (publisher?.tree === undefined) return [`${PUBLISHER} does not exist`];
  const entries = publisher.tree.statements
    .filter(ts.isFunctionDeclaration)
    .filter(({ modifiers }) => modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) === true);
  const writers = files.filter(({ path }) => /^(signer|cli|actions)\//.test(path) && path !== PUBLISHER);
  return [
    ...(entries.length === 0 ? [`${PUBLISHER} has no entry`] : []),
    ...entries.flatMap((entry) => entryFaults(files, entry)),
    ...writers.filter((file) => callsOf(file).includes('put')).map(({ path }) => `${path} writes to a store too`),
  ];
}
