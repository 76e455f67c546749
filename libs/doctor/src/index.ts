export { type Finding, fail, formatReport, ok, type Report, runChecks, warn } from './finding.js';
export { folderChecks } from './folder.js';
export { checkPrivateFiles } from './keys.js';
