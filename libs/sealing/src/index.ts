export { type KeyStream, referenceKeyStream } from './key-stream.js';
export { addMask, BYTES_PER_VALUE, maskedFromBytes, maskedToBytes, share } from './mask.js';
export { answerBlind, maskSeed, SEED_BYTES } from './seed.js';
export { addMasked, unmask } from './sum.js';
