/**
 * A proposal: which files a workflow asks to have released as what. It allows nothing: people's quorum alone releases.
 *
 * - Every file is named with its length and SHA-256 before a byte of it is uploaded; nothing else is ever taken for it.
 * - Components stand in the order of their installation; each has a name of its own, and so has each file within it,
 *   also on file systems that do not tell case apart.
 * - Notes are shown to those who approve: no control characters, and none that turn the direction of writing.
 * - Unknown members are refused. Specified in `docs/formats/proposal.md`.
 */
import { decodeJson, hexText, integer, list, literal, object, optional, refine, shape, text } from './decode.ts';
import type { Decoder } from './decode.ts';
import { encodeJson } from './encode-json.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { firmwareVersionDecoder, nameDecoder, segmentDecoder } from './names.ts';
import { COMPONENTS_MAX, installerDecoder, type Installer } from './release.ts';
import { accept, reject, type Verdict } from './verdict.ts';

export type ProposedFile = { readonly name: string; readonly length: number; readonly sha256: string };
export type ProposedComponent = {
  readonly component: string;
  readonly firmwareVersion: string;
  readonly securityCounter: number;
  readonly hardwareIds: readonly string[];
  readonly installer: Installer;
  readonly image: ProposedFile;
  /** Envelopes and bundles of statements about the image: provenance, rebuilds, bills of material. */
  readonly statements: readonly ProposedFile[];
};
export type Proposal = {
  readonly product: string;
  readonly release: string;
  /** In the order of installation. */
  readonly components: readonly ProposedComponent[];
  readonly notes: string | undefined;
};

export const PROPOSAL_BYTES_MAX = 65_536;
export const IMAGE_BYTES_MAX = 1_073_741_824;
export const STATEMENT_FILE_BYTES_MAX = 16_777_216;
export const STATEMENTS_MAX = 16;
export const NOTES_LENGTH_MAX = 8_000;
const HARDWARE_IDS_MAX = 32;

/** Text for people: tabs and line ends, but nothing else that controls, and nothing that turns the direction of writing. */
const NOTES = /(?:[\t\n]|[^\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069])+/u;

const fileDecoder = (lengthMax: number): Decoder<ProposedFile> =>
  object('refused', { name: segmentDecoder, length: integer(1, lengthMax), sha256: hexText(32) });

const componentDecoder: Decoder<ProposedComponent> = refine(
  object('refused', {
    component: nameDecoder,
    firmwareVersion: firmwareVersionDecoder,
    securityCounter: integer(0),
    hardwareIds: list(nameDecoder, HARDWARE_IDS_MAX, 1),
    installer: installerDecoder,
    image: fileDecoder(IMAGE_BYTES_MAX),
    statements: list(fileDecoder(STATEMENT_FILE_BYTES_MAX), STATEMENTS_MAX),
  }),
  (component) => {
    const names = [component.image, ...component.statements].map(({ name }) => name.toLowerCase());
    return new Set(names).size === names.length ? accept(component) : shape('each file has a name of its own');
  },
);

/** The folders of a published repository: `incoming/targets/…` in its bucket would look like one of its objects. */
const NO_PRODUCTS = ['metadata', 'targets'];

/** A product that takes proposals. */
export const proposalProductDecoder: Decoder<string> = refine(nameDecoder, (product) =>
  NO_PRODUCTS.includes(product) ? shape(`${product} is no name of a product here`) : accept(product),
);

export const proposalDecoder: Decoder<Proposal> = refine(
  object('refused', {
    version: literal(1),
    product: proposalProductDecoder,
    release: segmentDecoder,
    components: list(componentDecoder, COMPONENTS_MAX, 1),
    notes: optional(text(NOTES_LENGTH_MAX, NOTES)),
  }),
  ({ version: _, ...proposal }) => {
    const names = new Set(proposal.components.map(({ component }) => component));
    return names.size === proposal.components.length ? accept(proposal) : shape('each component stands once');
  },
);

/** Parses a proposal as a workflow sends it. @returns it, or `PROPOSAL_MALFORMED` with the place of the fault. Never throws. */
export function parseProposal(bytes: Uint8Array): Verdict<Proposal, 'PROPOSAL_MALFORMED'> {
  const proposal = decodeJson(bytes, PROPOSAL_BYTES_MAX, proposalDecoder);
  return proposal.ok ? proposal : reject('PROPOSAL_MALFORMED', `${proposal.code}: ${proposal.detail}`);
}

/** The bytes of a proposal: one form for one proposal. */
export function encodeProposal(proposal: Proposal): Uint8Array {
  return encodeJson(proposalToJson(proposal));
}

/** A proposal as JSON. */
export function proposalToJson({ product, release, components, notes }: Proposal): JsonObject {
  const members: [string, JsonValue][] = [
    ['version', 1],
    ['product', product],
    ['release', release],
    ['components', components.map(componentToJson)],
  ];
  return new Map(notes === undefined ? members : [...members, ['notes', notes]]);
}

function componentToJson(component: ProposedComponent): JsonObject {
  return new Map<string, JsonValue>([
    ['component', component.component],
    ['firmwareVersion', component.firmwareVersion],
    ['securityCounter', component.securityCounter],
    ['hardwareIds', component.hardwareIds],
    ['installer', component.installer],
    ['image', fileToJson(component.image)],
    ['statements', component.statements.map(fileToJson)],
  ]);
}

function fileToJson({ name, length, sha256 }: ProposedFile): JsonObject {
  return new Map<string, JsonValue>([
    ['name', name],
    ['length', length],
    ['sha256', sha256],
  ]);
}
