export { aesKeyStream } from './aes-key-stream.js';
export {
  hasErrno,
  makeDirectory,
  replaceFile,
  replaceFileSync,
  syncDirectory,
  TEMPORARY,
} from './durable-file.js';
export { verifyEd25519ByNode } from './ed25519.js';
export { makeFolders } from './folder.js';
export { osRandom } from './os-random.js';
export { packageRoot } from './package-root.js';
export { eraseFile, readPrivateFile, writePrivateFile } from './private-file.js';
export { VERSION } from './version.js';
