export { type Checkpoint, formatCheckpoint, parseCheckpoint } from './checkpoint.js';
export { CompactRange, type OnNode, treeRoot } from './compact-range.js';
export { cosign } from './cosignature.js';
export { decodeEntry, Entry, type EntryOf, encodeEntry, MAX_ENTRY_BYTES } from './entry.js';
export { formatEntryBundle, parseEntryBundle } from './entry-bundle.js';
export { hashInTile, type TileReader, tileHashReader } from './hash-tile.js';
export { EMPTY_ROOT, HASH_BYTES, leafHash, nodeHash } from './merkle.js';
export { addSignatures, type OpenedNote, openNote, signNote, type VerifiedSigner } from './note.js';
export {
  type ConsistencyClaim,
  consistencyProof,
  type HashReader,
  type InclusionClaim,
  inclusionProof,
  rootOfPrefix,
  verifyConsistency,
  verifyInclusion,
} from './proof.js';
export {
  type LogPolicy,
  type OpenedCheckpoint,
  openCheckpoint,
  signCheckpoint,
} from './signed-checkpoint.js';
export { isSoundPublicKey, isStrictEd25519 } from './strict-ed25519.js';
export {
  parseTilePath,
  TILE_HEIGHT,
  TILE_WIDTH,
  type Tile,
  type TileLevel,
  tileOfNode,
  tilePath,
  tilesOfTree,
  tileWidth,
} from './tile.js';
export {
  formatVerifierKey,
  keyId,
  labelOf,
  type NoteSigner,
  parseVerifierKey,
  type SignatureType,
  type VerifierKey,
  type VerifyEd25519,
  verifyEd25519,
} from './verifier-key.js';
export {
  formatWitnessRequest,
  parseWitnessRequest,
  type WitnessReply,
  type WitnessRequest,
  type WitnessState,
  witnessUpdate,
} from './witness.js';
