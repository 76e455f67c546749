export {
  type Correspondence,
  type CorrespondenceOptions,
  startCorrespondence,
} from './correspondence.js';
export { joinElements, splitElements } from './elements.js';
export { checkProject, type EpochName, epochFolder } from './epoch.js';
export { Holder, type HolderOptions } from './holder.js';
export { type Post, postOver } from './post.js';
export {
  loadResidents,
  parseResidents,
  RESIDENTS_FLOOR,
  type Residents,
  residentsOfArea,
} from './residents.js';
export { type Box, SealedFolder } from './sealed-folder.js';
