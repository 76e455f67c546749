/** What the documents promise about themselves: links resolve, lists are whole, the picture is the table, nothing local leaks in. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const git = (...args: string[]): string[] =>
  execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).split('\0').filter(Boolean);

/** Committed or about to be, so that a page is checked before it lands. */
const files = git('ls-files', '-z', '--cached', '--others', '--exclude-standard').filter((path) =>
  existsSync(join(ROOT, path)),
);
const documents = files.filter((path) => path.endsWith('.md'));

/** Text without fenced blocks and inline code: what is left is what a reader can click on. */
const prose = (text: string): string =>
  text.replace(/^```[^\n]*\n[\s\S]*?^```$/gm, '').replace(/`[^`\n]*`/g, '');

const linksOf = (text: string): string[] =>
  [...prose(text).matchAll(/\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)/g)].map((match) => match[1] ?? '');

/** Anchor of a heading as GitHub makes it. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-');
const anchorsOf = (text: string): string[] =>
  [...text.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/^#{1,6}\s+(.+)$/gm)].map((match) =>
    anchorOf(match[1] ?? ''),
  );

/** Why a link of a page leads nowhere, or undefined. */
function faultOf(page: string, link: string): string | undefined {
  if (/^(?:https?|mailto):/.test(link)) return undefined;
  const [path = '', anchor] = link.split('#', 2);
  const target = path === '' ? page : normalize(join(dirname(page), decodeURI(path)));
  const known =
    files.includes(target) ||
    files.some((file) => file.startsWith(`${target.replace(/\/$/, '')}/`));
  if (!known) return `${page}: ${link} is not in the repository`;
  if (anchor !== undefined && target.endsWith('.md') && !anchorsOf(read(target)).includes(anchor)) {
    return `${page}: ${link} has no such heading`;
  }
  return undefined;
}

type ImportTable = Record<string, readonly string[] | '*'>;

/** The table as `.dependency-cruiser.cjs` holds it. */
function importTable(): ImportTable {
  const source = /const MAY_IMPORT = (\{[\s\S]*?\n\});/.exec(read('.dependency-cruiser.cjs'))?.[1];
  return runInNewContext(`(${source})`) as ImportTable;
}

/** Arrows of the first mermaid block of a page, as `from -> to` by label; `a --> b & c` is two arrows. */
function arrowsOf(page: string): string[] {
  const graph = /^```mermaid\n([\s\S]*?)^```$/m.exec(read(page))?.[1] ?? '';
  const labels = new Map(
    [...graph.matchAll(/\b(\w+)\["([^"]+)"\]/g)].map(([, id = '', label = '']) => [id, label]),
  );
  const label = (id: string): string => labels.get(id) ?? `undeclared ${id}`;
  return [...graph.matchAll(/^\s*(\w+) --> (\w+(?: & \w+)*)\s*$/gm)].flatMap(
    ([, from = '', to = '']) => to.split(' & ').map((id) => `${label(from)} -> ${label(id)}`),
  );
}

describe('the documents', () => {
  it('are the ones a newcomer, a data controller and an auditor look for', () => {
    for (const path of [
      'README.md',
      'ARCHITECTURE.md',
      'SECURITY.md',
      'STYLE_GUIDE.md',
      'CONTRIBUTING.md',
      'CHANGELOG.md',
      'LICENSE',
      'docs/glossary.md',
      'docs/dependencies.md',
      'docs/protocol/messages.md',
      'docs/protocol/log.md',
      'docs/operating/first-node.md',
      'docs/operating/running.md',
      'docs/operating/policies.md',
      'docs/privacy/not-promised.md',
    ]) {
      expect(documents.includes(path) || path === 'LICENSE' ? path : `${path} is missing`).toBe(
        path,
      );
    }
  });

  it('link only to what is there, headings included', () => {
    const faults = documents.flatMap((page) =>
      linksOf(read(page)).flatMap((link) => faultOf(page, link) ?? []),
    );
    expect(faults).toEqual([]);
  });

  it('would notice a dead link and a dead heading', () => {
    expect(linksOf('see [a](b.md), ![c](d.png "e") and `[f](g)`')).toEqual(['b.md', 'd.png']);
    expect(faultOf('README.md', 'docs/nowhere.md')).toContain('not in the repository');
    expect(faultOf('README.md', 'ARCHITECTURE.md#nowhere')).toContain('no such heading');
    expect(faultOf('docs/glossary.md', '../libs/dp')).toBeUndefined();
  });

  it('give every lib a page of its own', () => {
    const libs = new Set(
      files.filter((path) => /^libs\/[^/]+\//.test(path)).map((path) => path.split('/')[1]),
    );
    const without = [...libs].filter((lib) => !documents.includes(`libs/${lib}/README.md`));
    expect(without).toEqual([]);
  });

  it('name no path of a machine', () => {
    const local =
      /(?<![\w.~-])\/(?:home|root|Users|mnt|tmp|work|workspace|opt\/hostedtoolcache)\/|[A-Z]:\\Users/;
    const faults = documents.filter((page) => local.test(read(page)));
    expect(faults).toEqual([]);
    expect(local.test('cd /home/someone/concordat')).toBe(true);
    expect(local.test('https://example.org/home/page')).toBe(false);
  });
});

describe('docs/dependencies.md', () => {
  it('has a line of reason for every dependency, and for nothing else', () => {
    const manifest = JSON.parse(read('package.json')) as {
      dependencies: Record<string, string>;
      devDependencies: Record<string, string>;
    };
    const named = [
      ...read('docs/dependencies.md').matchAll(/^\| `([^`]+)`\s*\| ([^|]{20,}) \|$/gm),
    ].map((match) => match[1]);
    const wanted = [
      ...Object.keys(manifest.dependencies),
      ...Object.keys(manifest.devDependencies),
    ];
    expect(named.sort()).toEqual(wanted.sort());
  });
});

describe('the picture in ARCHITECTURE.md', () => {
  it('has exactly the arrows of .dependency-cruiser.cjs', () => {
    const table = Object.entries(importTable()).flatMap(([from, libs]) =>
      (libs === '*' ? ['every lib'] : libs).map((lib) => `${from.replace('libs/', '')} -> ${lib}`),
    );
    expect(table.length).toBeGreaterThan(40);
    expect(arrowsOf('ARCHITECTURE.md').sort()).toEqual(table.sort());
  });
});
