/** `npm start`: set-up, then `concordat start` in this same process, so that a signal to npm reaches what runs and not only a shell before it. */
await import('./setup.mjs');
process.argv.splice(2, 0, 'start');
await import('../bin/concordat.mjs');
