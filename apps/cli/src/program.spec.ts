import { describe, expect, it } from '@jest/globals';
import type { Command } from 'commander';
import { createProgram } from './program.js';

interface Named {
  readonly name: string;
  readonly command: Command;
}

/** Every command that does something, under its whole name. */
const doing = (command: Command, path: readonly string[] = []): Named[] => {
  const inner = command.commands.filter((each) => each.name() !== 'help');
  return inner.length === 0
    ? [{ name: path.join(' '), command }]
    : inner.flatMap((each) => doing(each, [...path, each.name()]));
};

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({
    writeOut: (part) => {
      text += part;
    },
  });
  command.outputHelp();
  return text;
}

/** Their help is that of the process they hand over to. */
const HANDED_OVER = new Set(['node', 'coordinator', 'auditor']);

describe('the help of every command', () => {
  const commands = doing(createProgram()).filter(({ name }) => !HANDED_OVER.has(name));

  it.each(commands)('$name shows an example that names it', ({ name, command }) => {
    const [, examples = ''] = helpOf(command).split(/\nExamples?\b[^\n]*\n/);
    expect(examples).toMatch(new RegExp(`(?:concordat ${name}\\b|npm start)`));
  });
});
