export { checkClock } from './clock.js';
export { type Examination, registerDoctor } from './command.js';
export { checkDisk, checkSync } from './disk.js';
export { type Finding, fail, formatReport, ok, type Report, runChecks, warn } from './finding.js';
export { folderChecks } from './folder.js';
export { checkNamedKeys, checkPrivateFiles } from './keys.js';
