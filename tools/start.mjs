/**
 * `npm start`: set-up, then `concordat start` in this same process. npm hands a SIGTERM to the shell that it starts scripts with, and not every
 * shell hands it on: when that shell is gone, this process stops as if it had been told, the set-up as well.
 */
const shell = process.ppid;
setInterval(() => {
  if (process.ppid !== shell) process.kill(process.pid, 'SIGTERM');
}, 500).unref();
await import('./setup.mjs');
process.argv.splice(2, 0, 'start');
await import('../bin/concordat.mjs');
