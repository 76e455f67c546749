export { type Agency, matchesFiles, parseAgency } from './agency.js';
export {
  DELIMITERS,
  type Delimiter,
  type Mapping,
  mappedColumns,
  parseMapping,
  recognise,
} from './mapping.js';
export { formatMonth, type Month, parseMonth } from './month.js';
export { REJECTIONS, type Rejection } from './rejection.js';
export {
  columnIndex,
  compileMapping,
  declaredCategories,
  type MappedRow,
  type RejectedRow,
  type RowMapper,
} from './row.js';
export { categoryNumbers, parseTaxonomy, type Taxonomy } from './taxonomy.js';
