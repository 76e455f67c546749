export { areaToCells, disk, widen } from './area.js';
export {
  type Area,
  type AreaKind,
  type Areas,
  type AreasFile,
  areaDomainName,
  findArea,
  parseAreas,
} from './areas.js';
export {
  cellAt,
  cellBoundary,
  cellCentre,
  cellFromText,
  cellToText,
  childrenOf,
  isCell,
  parentOf,
  type Resolution,
  resolutionFrom,
  resolutionOf,
} from './cell.js';
export { type Chunk, type ChunkColumns, COVERAGE, decodeChunk, encodeChunk } from './chunk.js';
export { compact, decompact } from './compaction.js';
export {
  type Domain,
  domainFromCells,
  formatDomainFile,
  intersectDomains,
  parseDomainFile,
  sortedCells,
  unionDomains,
} from './domain.js';
export { type NeighbourLists, neighbourLists } from './neighbours.js';
export { overlap } from './overlap.js';
export {
  buildTree,
  embed,
  type GridTree,
  indexOf,
  parentsOf,
  rollUp,
  type TreeResolutions,
} from './tree.js';
