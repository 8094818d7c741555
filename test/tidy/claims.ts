/**
 * The three claims of the design, derived from the imports and never merely stated.
 *
 * - A claim holds or names what breaks it; the sentence is printed with the figures of the day.
 */
import ts from 'typescript';
import { importClosure, type Closure } from './imports.ts';
import { nodesOf, type SourceFile } from './source-tree.ts';

export type Claim = { readonly claim: string; readonly holds: boolean; readonly because: string };

const SIGNING =
  /^(sign|signAsync|createSign|createPrivateKey|generateKeyPair|generateKeyPairSync|createSecretKey|getPublicKey)$/;
const STARTS_PROCESSES = ['node:child_process', 'node:cluster', 'node:vm'];
const BOOT = 'bootloader-verifier/boot/';

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

/** What the server can reach contains nothing of the signer, no call that signs and no way to start a program that does. */
function serverHoldsNoKey(files: readonly SourceFile[]): Claim {
  const closure = closureOf(files, 'ota-server/');
  const signer = closure.files.map(({ path }) => path).filter((path) => path.startsWith('signer/'));
  const signing = closure.files.flatMap((file) => callsOf(file).map((name) => `${name} in ${file.path}`));
  const starts = closure.packages.filter((name) => STARTS_PROCESSES.includes(name));
  const broken = [...signer, ...signing, ...starts];
  return {
    claim: 'the server holds no key that a device or relying party trusts',
    holds: broken.length === 0,
    because:
      broken.length === 0
        ? `none of the ${closure.files.length} files that ota-server/ reaches is of the signer, signs or starts a program`
        : broken.join(', '),
  };
}

/** The names of the signing calls in `file`. */
function callsOf(file: SourceFile): readonly string[] {
  const calls = file.tree === undefined ? [] : nodesOf(file.tree).filter(ts.isCallExpression);
  return calls.flatMap(({ expression }) => {
    const name = ts.isPropertyAccessExpression(expression) ? expression.name.text : expression.getText();
    return SIGNING.test(name) ? [name] : [];
  });
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

/** The publishing function demands what only a verifier makes, and the verifier is the device's. */
function publishedIsAccepted(files: readonly SourceFile[]): Claim {
  const claim = "what is published was first accepted by the device's own code";
  const publisher = files.find(({ path }) => path === 'signer/publish.ts');
  if (publisher?.tree === undefined) return { claim, holds: false, because: 'signer/publish.ts does not exist' };
  const usesBoot = importClosure(files, [publisher.path]).files.some(({ path }) => path.startsWith(`${BOOT}verify-`));
  const publish = publisher.tree.statements
    .filter(ts.isFunctionDeclaration)
    .find(({ name }) => name?.text === 'publish');
  const demandsMark = publish?.parameters.some((parameter) => /\bVerified</.test(parameter.getText())) === true;
  return {
    claim,
    holds: usesBoot && demandsMark,
    because: !usesBoot
      ? 'signer/publish.ts does not reach a verifier of the device'
      : demandsMark
        ? `publish takes a Verified value, and signer/publish.ts reaches the verifiers of ${BOOT}`
        : 'publish takes no Verified value',
  };
}
