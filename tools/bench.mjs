/**
 * `npm run bench [-- NAME..]`: runs tools/bench/NAME.bench.ts (all of them without a name) one after another and
 * prints one JSON line a figure: { name, figure, unit, peer?, ratio? }.
 */
import { readdirSync } from 'node:fs';

const folder = new URL('../dist/tools/bench/', import.meta.url);
const known = readdirSync(folder)
  .filter((file) => file.endsWith('.bench.js'))
  .map((file) => file.slice(0, -'.bench.js'.length));
const asked = process.argv.slice(2).filter((name) => !name.startsWith('-'));
const unknown = asked.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`no bench named ${unknown.join(', ')}; there are: ${known.join(', ')}\n`);
  process.exit(2);
}
for (const name of asked.length > 0 ? asked : known) {
  const { run } = await import(new URL(`${name}.bench.js`, folder).href);
  try {
    await run((line) => process.stdout.write(`${JSON.stringify(line)}\n`));
  } catch (error) {
    // Our own errors say what to do next; a stack would hide it.
    if (error?.name !== 'ConcordatError') throw error;
    process.stderr.write(`${error.code}: ${error.message}\n`);
    process.exit(1);
  }
}
