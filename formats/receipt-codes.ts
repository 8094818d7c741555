/** The codes of receipts: what a device without network sends back. A group of the table in `codes.ts`. */

export const RECEIPTS = {
  RECEIPT_MALFORMED: {
    means: 'a file is not a receipt, or not a whole one',
    todo: 'copy it again from the device; if it stays so, have the device write it anew',
  },
  RECEIPT_SIGNATURE_INVALID: {
    means: 'a receipt is not the word of a device that is listed here, about what that device started',
    todo: 'hand in the manifest of its factory; else none: it was altered or forged',
  },
  RECEIPT_STALE: {
    means:
      'a receipt says nothing that is not known already: it was handed in before, or the device has said more since',
    todo: 'none: it has counted, or a newer word has',
  },
} as const;
