/**
 * Every refusal code of the project with its meaning and what to do about it.
 *
 * - A code is never reused or renamed; a new one is added in the group of its subject.
 * - A group names the folders that raise its codes: a refusal stands where its rule is, and whoever calls it hands it on.
 * - `docs/formats/codes.md` shows this table; a test holds them equal.
 * - Verdicts (an adversary or a peer is at fault) and operation errors (the world is) share the one name space.
 */
import { ROLLOUT } from './codes-rollout.ts';
import { GRAPH } from './graph-codes.ts';
import { METADATA } from './metadata-codes.ts';
import { APPROVAL } from './approval-codes.ts';
import { PROPOSALS } from './proposal-codes.ts';
import { RECEIPTS } from './receipt-codes.ts';
import { CARE } from './care-codes.ts';
import { DATABASE_CODES } from './database-codes.ts';

import { IDENTITY_CODES } from './identity-codes.ts';

export type CodeEntry = { readonly means: string; readonly todo: string };

const JSON_AND_TEXT = {
  JSON_TOO_LARGE: { means: 'a JSON text is longer than its format allows', todo: 'ask its author for a smaller one' },
  JSON_TOO_DEEP: { means: 'JSON values nest deeper than is read', todo: 'ask its author for a flatter one' },
  JSON_MALFORMED: { means: 'a text is not JSON', todo: 'fetch it again; if it stays so, its author wrote it wrongly' },
  JSON_DUPLICATE_NAME: {
    means: 'an object has two members of one name',
    todo: 'refuse its author: parsers disagree about it',
  },
  JSON_NUMBER_NOT_CANONICAL: {
    means: 'a number is not a plain integer within 2^53-1',
    todo: 'write it as a plain integer',
  },
  UTF8_MALFORMED: { means: 'bytes are not UTF-8', todo: 'fetch it again; if it stays so, its author wrote it wrongly' },
  SHAPE_MALFORMED: { means: 'a value does not have the shape its format demands', todo: 'see the place in the detail' },
} as const;

const DEVICE_RULES = {
  REPOSITORY_MISMATCH: {
    means: 'metadata names another product or another root 1 (R1)',
    todo: 'check which repository the server serves',
  },
  ROLE_MISMATCH: {
    means: 'metadata was signed for another role than it is served as (R1)',
    todo: 'none: this is an attack or a mix-up on the server',
  },
  REPOSITORY_UNBOUND: {
    means: 'metadata does not name its repository and role (R1)',
    todo: 'publish it with firmament',
  },
  CHANNEL_ROLLBACK: { means: 'the channel is older than the floor', todo: 'none: this is an attack or a stale mirror' },
  RELEASE_MALFORMED: {
    means: 'the release of a channel lacks a part or contradicts itself',
    todo: 'see the detail, draft the release again',
  },
  HARDWARE_MISMATCH: { means: 'the release is not for this hardware', todo: 'use the channel of this hardware' },
  IMAGE_ROLLBACK: { means: 'the security counter is below the floor', todo: 'release it again with a higher counter' },
  COUNTER_JUMP: { means: 'the security counter rises by more than 16 at once (R9)', todo: 'raise it in steps' },
  IMAGE_REVOKED: { means: 'the channel has revoked this digest', todo: 'install another release' },
  IMAGE_HASH_MISMATCH: {
    means: 'the bytes are not those that were signed',
    todo: 'fetch or write them again; if it stays so, they were altered',
  },
  IMAGE_LENGTH_MISMATCH: {
    means: 'the length is not the one that was signed',
    todo: 'fetch again; if it stays so, they were altered',
  },
  IMAGE_TRIED_BEFORE: { means: 'this image has failed its trial on this device', todo: 'publish a repaired release' },
  IMAGE_TOO_LARGE: { means: 'the image does not fit the slot', todo: 'make it smaller' },
} as const;

const EVIDENCE = {
  ENVELOPE_MALFORMED: { means: 'bytes are not a DSSE envelope of the expected payload type', todo: 'see the detail' },
  STATEMENT_MALFORMED: { means: 'a payload is not the in-toto statement expected here', todo: 'see the detail' },
  EVIDENCE_MISMATCH: {
    means: 'evidence is not the one that the release names by digest',
    todo: 'fetch again; if it stays so, it was altered',
  },
  EVIDENCE_SIGNATURE_INVALID: {
    means: 'no signature of a builder that the root of this repository trusts',
    todo: 'sign with the key of a listed builder',
  },
  PROVENANCE_SUBJECT_MISMATCH: {
    means: 'the provenance is about other bytes',
    todo: 'attest the image that is released',
  },
  PROVENANCE_BUILDER_MISMATCH: {
    means: 'the provenance names a builder that may not use this key',
    todo: 'list the builder in the targets role',
  },
  PROVENANCE_SOURCE_MISMATCH: {
    means: 'the provenance names another source than this product is built from',
    todo: 'build from the listed source',
  },
  PROVENANCE_NOT_REPRODUCED: {
    means: 'the provenance does not show a second run with the same digest',
    todo: 'build with firmament build',
  },
  POLICY_MALFORMED: {
    means: 'a policy text does not parse, does not fit its schema, or lacks an id or a reason',
    todo: 'see the detail, correct the policy, have people sign its digest',
  },
  POLICY_UNDECIDED: {
    means: 'a policy failed while it was evaluated, or the facts do not fit its schema',
    todo: 'see the detail: a policy that cannot be evaluated counts as a refusal',
  },
  POLICY_MISMATCH: {
    means: 'a policy is not the one that people signed',
    todo: 'judge by the policy whose digest the targets role names',
  },
  JUDGEMENT_DENIED: {
    means: 'the policies that people signed do not allow this release',
    todo: 'see the reasons: each says what is demanded',
  },
  VSA_MISSING: {
    means: 'a release lacks the summary of its judgement, which the targets role demands',
    todo: 'judge it with firmament judge, draft the channel again with the summary',
  },
  VSA_SIGNATURE_INVALID: {
    means: 'no signature of a verifier that the targets role lists',
    todo: 'judge with the key of a listed verifier',
  },
  VSA_MISMATCH: {
    means: 'a summary is about another image, release, policy or provenance',
    todo: 'see the detail, judge this very release',
  },
  VSA_FAILED: { means: 'the verifier has judged the image unfit', todo: 'none: it must not be released' },
  SOURCE_REFUSED: {
    means: 'a source folder holds what cannot be copied and digested as it is, or changes meanwhile',
    todo: 'see the detail: links, devices and odd names do not belong in a source',
  },
  BUILD_NOT_REPRODUCIBLE: { means: 'two runs of one build differ', todo: 'see the report: it names each difference' },
  BUILD_FAILED: { means: 'the build command failed or wrote no output', todo: 'see the output of the build' },
} as const;

const FLASH = {
  PROTECTED_STORE_MISSING: {
    means: 'the floors cannot be read: the device must be recovered (R19)',
    todo: 'start the recovery image',
  },
  DEVICE_PROVISIONED: {
    means: 'a device has its factory record already',
    todo: 'none: a device is provisioned once',
  },
  BOOT_STATE_MALFORMED: { means: 'a boot state record is damaged', todo: 'none: the other copy or the slots decide' },
  BOOT_BUNDLE_MALFORMED: { means: 'the boot bundle of a slot is absent or damaged', todo: 'install again' },
  SLOT_EMPTY: { means: 'a slot holds no image', todo: 'install a release' },
  NO_BOOTABLE_SLOT: { means: 'neither slot passes the boot checks', todo: 'start the recovery image' },
  COMPONENT_INSTALL_FAILED: {
    means: 'a component with a flash of its own did not take the image of the release',
    todo: 'look at its connection and its flash; the device tries again at the next start',
  },
  SELF_TEST_FAILED: { means: 'the image on trial failed its self-test or ended', todo: 'publish a repaired release' },
  SELF_TEST_TIMEOUT: { means: 'the image on trial did not report in time', todo: 'publish a repaired release' },
  TRIAL_EXHAUSTED: {
    means: 'the image on trial was started too often without confirming',
    todo: 'publish a repaired release',
  },
} as const;

const LOG = {
  ROOT_PART_MALFORMED: {
    means: 'root says something about log, witnesses or pairs that this version does not understand',
    todo: 'see the detail; where it is newer than this device, update the verifier first',
  },
  PAIR_MISSING: {
    means: 'root demands a pair of signatures that is missing or that this version cannot check (R3)',
    todo: 'none: what is demanded is never dropped; update the verifier first',
  },
  LOG_POLICY_WEAKENED: {
    means: 'a root demands less of the log than the one before it (R3)',
    todo: 'keep log, keys and quorum; freeze or distrust keys instead of leaving them out',
  },
  NOTE_MALFORMED: { means: 'bytes are not a signed note', todo: 'fetch it again; if it stays so, ask its author' },
  CHECKPOINT_MALFORMED: { means: 'bytes are not a checkpoint of a log', todo: 'check what the server serves there' },
  LOG_TILE_MALFORMED: { means: 'a file of the log is not of its width', todo: 'check what the server serves there' },
  LOG_LEAF_MALFORMED: { means: 'an entry of the log is of no known type and form', todo: 'see the detail' },
  LOG_PROOF_MALFORMED: { means: 'bytes are not a proof of a log', todo: 'fetch it again; if it stays so, prove anew' },
  LOG_PROOF_MISSING: {
    means: 'root demands that this is logged, and no proof came with it (P6)',
    todo: 'publish it with the key of the log; else none: somebody releases in secret',
  },
  LOG_PROOF_INVALID: {
    means: 'a proof does not lead from what is acted on to the root hash of the log (P6)',
    todo: 'fetch it again; if it stays so, this is an attack',
  },
  LOG_ORIGIN_MISMATCH: {
    means: 'a checkpoint is of another log than root names',
    todo: 'none: this is an attack or a mix-up on the server',
  },
  LOG_SIGNATURE_INVALID: {
    means: 'a checkpoint is not signed by a key that counts for this log, or one of its signatures is forged',
    todo: 'sign it with a key that root lists as active',
  },
  WITNESS_QUORUM_UNMET: {
    means: 'fewer administrations of witnesses have cosigned than root demands',
    todo: 'collect the missing cosignatures',
  },
  LOG_ROLLBACK: {
    means: 'the store holds a smaller log than the signer remembers (R6)',
    todo: 'restore the store: the signer signs nothing over positions that it has signed before',
  },
  LOG_FORKED: {
    means: 'two checkpoints of one log contradict each other: it shows two faces',
    todo: 'keep both checkpoints and tell everybody: together they prove it',
  },
} as const;

const TRAVEL = {
  CAPSULE_MALFORMED: {
    means: 'a file is not a capsule, or not a whole one',
    todo: 'copy it again; if it stays so, make it again with firmament capsule',
  },
  CAPSULE_INCOMPLETE: {
    means: 'a capsule lacks a file that this device needs',
    todo: 'make it again with firmament capsule, for the channel of this device',
  },
  OFFLINE_NOT_ALLOWED: {
    means: 'the plan of a release does not allow to install it from a file, or not any more (R14)',
    todo: 'connect the device, or have the release managers allow it',
  },
} as const;

const PUBLISHING = {
  DRAFT_REFUSED: {
    means: 'what is to be drafted contradicts itself or the former version',
    todo: 'see the detail, change the options',
  },
  KEY_FILE_MALFORMED: { means: 'a key file cannot be read as an encrypted key', todo: 'name the right file' },
  KEY_PASSPHRASE_WRONG: { means: 'the passphrase does not open the key file', todo: 'use the passphrase of this key' },
  PASSPHRASE_REFUSED: {
    means: 'no passphrase came, or not in a way that keeps it secret',
    todo: 'type it, or name a file that you alone can read',
  },
  KEY_NOT_OF_ROLE: { means: 'this key does not belong to the role', todo: 'sign with a key of the role' },
  SIGNING_DECLINED: { means: 'the key holder did not agree', todo: 'say yes, or --yes where nobody sits' },
  ALREADY_SIGNED: { means: 'this key has signed already', todo: 'have another key holder sign' },
  PUBLICATION_REFUSED: {
    means: "the device's own code refuses what is to be published",
    todo: 'see the code in the detail',
  },
  SIGNER_STATE_MISSING: {
    means: 'the state of the signer is gone while the repository exists (R6)',
    todo: 'restore the state from its backup',
  },
  SIGNER_STATE_STALE: {
    means: 'the repository is newer than the state of the signer (R6)',
    todo: 'restore the newest state: an older one would sign over what is past',
  },
  CLOCK_AHEAD: { means: 'the clock is over a week past the last signature', todo: 'set it, or give --clock-is' },
  CLOCK_BEHIND: { means: 'the clock lies before the last signature', todo: 'set it, or give --clock-is' },
  SIGNER_RUNNING: {
    means: 'a signer daemon works with this state, and nobody else may meanwhile',
    todo: 'hand it in with --signer SOCKET, or stop the daemon first',
  },
  REPOSITORY_CONFLICT: {
    means: 'an immutable file exists with other bytes, or another publisher was faster',
    todo: 'draft again on what is published now',
  },
} as const;

const OPERATION = {
  USAGE: { means: 'the command line is not understood', todo: 'see the usage' },
  INSTALL_FAILED: { means: 'the dependencies could not be installed', todo: 'see the messages of npm' },
  NODE24_MISSING: { means: 'no Node 24 for this platform', todo: 'install Node 24' },
  FILE_UNREADABLE: { means: 'a file cannot be read', todo: 'check path and permissions' },
  FILE_EXISTS: { means: 'a file of this name stands there already', todo: 'choose another name, or move it away' },
  LOCK_HELD: { means: 'another process works on the same files', todo: 'wait until it ends' },
  FILE_UNWRITABLE: { means: 'a file cannot be written', todo: 'check path, permissions and free space' },
  NETWORK_UNREACHABLE: { means: 'a server does not answer', todo: 'check address and connection; devices try again' },
  NETWORK_TIMEOUT: { means: 'a server answers too slowly', todo: 'check the connection; devices try again' },
  RESPONSE_UNEXPECTED: {
    means: 'a server answers with a status that does not belong here',
    todo: 'check address and server',
  },
  RESPONSE_TOO_LARGE: {
    means: 'an answer is longer than its limit',
    todo: 'check the server: it may send endless data',
  },
  NOT_FOUND: { means: 'nothing of this name is here', todo: 'check the name' },
  METHOD_NOT_ALLOWED: { means: 'this address knows GET and HEAD only', todo: 'use GET or HEAD' },
  NAME_REFUSED: {
    means: 'a name is outside the allowed characters',
    todo: 'use letters, digits, dot, dash and underscore',
  },
  RANGE_NOT_SATISFIABLE: { means: 'the range lies outside the file', todo: 'ask for a range within its length' },
  REQUEST_MALFORMED: {
    means: 'a request is not HTTP/1.1, or not of the form, that is read here',
    todo: 'see the detail; correct the client',
  },
  REQUEST_TIMEOUT: { means: 'a request did not arrive in time', todo: 'check the connection; devices try again' },
  URL_TOO_LONG: { means: 'an address is longer than the server reads', todo: 'ask for a name that is published' },
  HEADERS_TOO_LARGE: { means: 'the header fields are longer than the server reads', todo: 'send fewer of them' },
  BODY_REFUSED: { means: 'this address takes no body', todo: 'send the request without a body' },
  SERVER_BUSY: { means: 'the server has as much waiting as it takes', todo: 'try again later; devices do so' },
  ADDRESS_UNAVAILABLE: { means: 'the server cannot listen at this address', todo: 'choose another host or port' },
  STORE_ACCESS_DENIED: {
    means: 'the object store does not let these credentials do that',
    todo: 'check key, secret, and the policy of this user',
  },
  CREDENTIALS_REFUSED: {
    means: 'no credentials of the object store came, or not in a way that keeps them secret',
    todo: 'name a file that you alone can read, with accessKey and secretKey',
  },
  CONDITION_FAILED: { means: 'the object is not in the expected state', todo: 'read it again, then decide again' },
  POWER_CUT: { means: 'the simulator cut the power at this write', todo: 'start again: that is the test' },
  BUG: { means: 'an assumption of ours does not hold', todo: 'report it with the message' },
} as const;

type CodeTable = typeof JSON_AND_TEXT &
  typeof METADATA &
  typeof DEVICE_RULES &
  typeof ROLLOUT &
  typeof GRAPH &
  typeof EVIDENCE &
  typeof FLASH &
  typeof LOG &
  typeof TRAVEL &
  typeof RECEIPTS &
  typeof PUBLISHING &
  typeof CARE &
  typeof DATABASE_CODES &
  typeof PROPOSALS &
  typeof APPROVAL &
  typeof OPERATION &
  typeof IDENTITY_CODES;

export const CODES: CodeTable = {
  ...JSON_AND_TEXT,
  ...METADATA,
  ...DEVICE_RULES,
  ...ROLLOUT,
  ...GRAPH,
  ...EVIDENCE,
  ...FLASH,
  ...LOG,
  ...TRAVEL,
  ...RECEIPTS,
  ...PUBLISHING,
  ...CARE,
  ...DATABASE_CODES,
  ...PROPOSALS,
  ...APPROVAL,
  ...IDENTITY_CODES,
  ...OPERATION,
};

export type Code = keyof CodeTable;

/** The code that `said` is; undefined for anything else that a peer may say. */
export function knownCode(said: string | undefined): Code | undefined {
  return Object.keys(CODES).find((code): code is Code => code === said);
}

/** A folder whose code may raise a code itself; whoever calls it hands the verdict on. */
export type CodeFolder =
  | 'formats'
  | 'policies'
  | 'bootloader-verifier/boot'
  | 'bootloader-verifier/agent'
  | 'signer'
  | 'ota-server'
  | 'actions'
  | 'cli'
  | 'simulation';
export type CodeGroup = {
  readonly heading: string;
  /** The folders that raise its codes, and no others: a test holds them to it. */
  readonly raisedIn: readonly CodeFolder[];
  readonly codes: Readonly<Record<string, CodeEntry>>;
};

const BOOT = 'bootloader-verifier/boot';
const AGENT = 'bootloader-verifier/agent';

/** The groups in the order of the document. */
export const CODE_GROUPS: readonly CodeGroup[] = [
  { heading: 'JSON and text', raisedIn: ['formats', BOOT, 'ota-server'], codes: JSON_AND_TEXT },
  { heading: 'TUF metadata', raisedIn: ['formats', BOOT, AGENT, 'signer', 'ota-server'], codes: METADATA },
  { heading: 'Rules of the device', raisedIn: ['formats', BOOT, AGENT, 'signer', 'cli'], codes: DEVICE_RULES },
  { heading: 'Rollout', raisedIn: ['formats', AGENT, 'signer'], codes: ROLLOUT },
  { heading: 'Ways from release to release', raisedIn: ['formats', BOOT, AGENT, 'signer'], codes: GRAPH },
  { heading: 'Evidence', raisedIn: ['formats', 'policies', BOOT, 'signer', 'actions'], codes: EVIDENCE },
  { heading: 'Flash and boot', raisedIn: ['formats', BOOT, AGENT, 'simulation'], codes: FLASH },
  { heading: 'Transparency log', raisedIn: ['formats', BOOT, 'signer'], codes: LOG },
  { heading: 'Files that travel', raisedIn: ['formats', AGENT], codes: TRAVEL },
  { heading: 'Receipts', raisedIn: ['formats', 'signer'], codes: RECEIPTS },
  { heading: 'Signing and publishing', raisedIn: ['signer', 'cli'], codes: PUBLISHING },
  { heading: 'Keeping a repository whole', raisedIn: ['signer', 'cli'], codes: CARE },
  { heading: 'Database and inventory', raisedIn: ['formats', 'ota-server'], codes: DATABASE_CODES },
  { heading: 'Proposals', raisedIn: ['formats', 'ota-server', 'actions'], codes: PROPOSALS },
  { heading: 'Approval', raisedIn: ['formats', BOOT, 'signer', 'cli'], codes: APPROVAL },
  { heading: 'Identity', raisedIn: ['formats', BOOT, AGENT, 'signer', 'ota-server'], codes: IDENTITY_CODES },
  {
    heading: 'Operation',
    raisedIn: ['formats', 'policies', AGENT, 'signer', 'ota-server', 'actions', 'cli', 'simulation'],
    codes: OPERATION,
  },
];
