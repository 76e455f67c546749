export type { CountGroup, CountRequest } from './count.js';
export type {
  FileReport,
  IngestProgress,
  IngestReport,
  IngestRequest,
  SourceFile,
} from './ingest.js';
export type { FileStatus } from './ingest-file.js';
export {
  type DatasetVersion,
  openRecords,
  type Records,
  type RecordsOptions,
  type Summary,
} from './records.js';
export type { FileCounts } from './report.js';
