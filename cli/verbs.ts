/** The verbs of `firmament`, each with one sentence and the file that is loaded when it is called. */
import type { DefineVerb } from './verb.ts';

export type VerbEntry = { readonly description: string; readonly load: () => Promise<DefineVerb> };

const verb = (description: string, load: VerbEntry['load']): VerbEntry => ({ description, load });

export const VERBS: ReadonlyMap<string, VerbEntry> = new Map([
  [
    'key-generate',
    verb('make a private key in an encrypted file', async () => (await import('./key-generate.ts')).defineKeyGenerate),
  ],
  [
    'build',
    verb('build twice, and attest what came out the same', async () => (await import('./build.ts')).defineBuild),
  ],
  [
    'root-draft',
    verb('draft the first or the next root', async () => (await import('./root-draft.ts')).defineRootDraft),
  ],
  [
    'targets-draft',
    verb(
      'draft channels, their managers, and builders',
      async () => (await import('./targets-draft.ts')).defineTargetsDraft,
    ),
  ],
  [
    'judge',
    verb('decide by policy whether to release an image, and why', async () => (await import('./judge.ts')).defineJudge),
  ],
  [
    'channel-draft',
    verb('draft a release in a channel', async () => (await import('./channel-draft.ts')).defineChannelDraft),
  ],
  ['sign', verb('show what a draft changes, and sign it', async () => (await import('./sign.ts')).defineSign)],
  ['rebase', verb('draft the same change on what is newest', async () => (await import('./rebase.ts')).defineRebase)],
  ['withdraw', verb('take a draft back, for ever', async () => (await import('./withdraw.ts')).defineWithdraw)],
  ['publish', verb('publish what people have signed', async () => (await import('./publish.ts')).definePublish)],
  [
    'capsule',
    verb('pack a release into one file, for offline devices', async () => (await import('./capsule.ts')).defineCapsule),
  ],
  [
    'receipt',
    verb('read what a device without network has answered', async () => (await import('./receipt.ts')).defineReceipt),
  ],
  [
    'signer',
    verb('hold the online keys: publish, open waves, halt', async () => (await import('./signer.ts')).defineSigner),
  ],
  [
    'manifest',
    verb('name the devices that a factory has made', async () => (await import('./manifest.ts')).defineManifest),
  ],
  [
    'identity',
    verb('carry an identity to a device without network', async () => (await import('./identity.ts')).defineIdentity),
  ],
  ['halt', verb('stop the rollout of a channel, as one manager', async () => (await import('./halt.ts')).defineHalt)],
  ['waves', verb('show how rollouts stand', async () => (await import('./waves.ts')).defineWaves)],
  ['fsck', verb('check that a published repository is whole', async () => (await import('./fsck.ts')).defineFsck)],
  [
    'backup',
    verb('keep all that a signer may not lose in one file', async () => (await import('./backup.ts')).defineBackup),
  ],
  [
    'restore',
    verb('put a backup of a signer into an empty folder', async () => (await import('./restore.ts')).defineRestore),
  ],
  [
    'resume',
    verb('have a restored signer go on from the newest', async () => (await import('./resume.ts')).defineResume),
  ],
  [
    'adopt',
    verb('move the signer of one product into a deployment', async () => (await import('./adopt.ts')).defineAdopt),
  ],
  ['devices', verb('list what devices say of themselves', async () => (await import('./devices.ts')).defineDevices)],
  ['gc', verb('remove what no device and no publisher can need', async () => (await import('./gc.ts')).defineGc)],
  [
    'mirror',
    verb('keep a verified static copy for any web server', async () => (await import('./mirror.ts')).defineMirror),
  ],
  [
    'why-not',
    verb('explain why a device does not run a release', async () => (await import('./why-not.ts')).defineWhyNot),
  ],
  ['serve', verb('serve a published repository to devices', async () => (await import('./serve.ts')).defineServe)],
  [
    'control',
    verb('take proposals of workflows and their files', async () => (await import('./control.ts')).defineControl),
  ],
]);
