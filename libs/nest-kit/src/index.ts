export { createHttpApp, listen } from './http-app.js';
export { type Logger, createLogger } from './logger.js';
export { type ProcessMessage, type RunningProcess, runProcess, runProgram, tellParent } from './process.js';
export { RequestVerifier } from './signed-request.js';
