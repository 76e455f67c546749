/**
 * `npm run bench [-- NAME..]`: runs tools/bench/NAME.bench.ts (all of them without a name) one after another and
 * prints one JSON line a figure: { name, figure, unit, peer?, ratio? }. `--help` lists them.
 */
import { readdirSync } from 'node:fs';
import { parseArgs } from 'node:util';

const folder = new URL('../dist/tools/bench/', import.meta.url);
const known = readdirSync(folder)
  .filter((file) => file.endsWith('.bench.js'))
  .map((file) => file.slice(0, -'.bench.js'.length));
const USAGE = `usage: npm run bench [-- NAME..]

Runs the named benches, or all of them (hours), and prints a JSON line a figure.
There are: ${known.join(', ')}
The first comment of tools/bench/NAME.bench.ts says what each measures and which variables choose its size.

example: npm run bench -- analytics
`;

function refuse(sentence) {
  process.stderr.write(`${sentence}\n\n${USAGE}`);
  process.exit(2);
}

function read() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: { help: { type: 'boolean', short: 'h' } },
    });
  } catch (error) {
    return refuse(error.message);
  }
}

const { values, positionals: asked } = read();
if (values.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}
const unknown = asked.filter((name) => !known.includes(name));
if (unknown.length > 0) refuse(`no bench named ${unknown.join(', ')}`);
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
