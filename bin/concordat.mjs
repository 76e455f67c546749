#!/usr/bin/env node
/** Starts the command line; on a fresh clone it first installs and builds. */
import { existsSync } from 'node:fs';

const main = new URL('../dist/apps/cli/src/main.js', import.meta.url);
if (!existsSync(main)) await import('../tools/setup.mjs');
await import(main.href);
