export {
  type Correspondence,
  type CorrespondenceOptions,
  startCorrespondence,
} from './correspondence.js';
export { joinElements, splitElements } from './elements.js';
export { checkProject, type EpochName, epochFolder } from './epoch.js';
export { Holder, type HolderOptions } from './holder.js';
export { readPersonRows } from './person-rows.js';
export { type Post, postOver } from './post.js';
export { residentsAsked } from './residents.js';
export { type Box, SealedFolder } from './sealed-folder.js';
