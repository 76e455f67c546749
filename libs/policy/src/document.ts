/** Documents people write, read strictly: one way to read every text, or a refusal. */
import { isScalar, Lexer, Parser, parseDocument as parseYaml, visit } from 'yaml';
import { ConcordatError, nestsTooDeep } from '#libs/bytes';

const MAX_CHARACTERS = 1_000_000;
// biome-ignore lint/suspicious/noControlCharactersInRegex: YAML 1.2 section 5.1 leaves these out
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]|\p{Surrogate}/u;
const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype']);

const refuse = (code: string, message: string): never => {
  throw new ConcordatError(code, message);
};

function refuseProperties({ anchor, tag }: { anchor?: string; tag?: string }): void {
  if (anchor !== undefined) refuse('document-alias', 'remove the anchors');
  if (tag !== undefined) refuse('document-tag', 'remove the tags');
}

/**
 * The value of a YAML 1.2 (core schema) or JSON text. Refused, one code each: over a million characters
 * (`document-too-large`), a repeated key (`duplicate-key`), `__proto__` and its like (`forbidden-key`), anchors
 * (`document-alias`), tags (`document-tag`), text that is not in Unicode NFC (`document-not-nfc`), everything else that
 * does not parse (`malformed-document`). Dates stay strings.
 */
export function parseDocument(text: string): unknown {
  if (text.length > MAX_CHARACTERS) refuse('document-too-large', 'shorten the document');
  if (text !== text.normalize('NFC'))
    refuse('document-not-nfc', 'save the document in Unicode NFC');
  if (CONTROL.test(text)) refuse('malformed-document', 'save the document as plain UTF-8 text');
  if (nestsTooDeep(text, { Lexer, Parser }))
    refuse('malformed-document', 'nest the document less deeply');
  const document = parseYaml(text, {
    version: '1.2',
    schema: 'core',
    strict: true,
    stringKeys: true,
    // looked for below: the parser compares every key with every other
    uniqueKeys: false,
    merge: false,
    prettyErrors: false,
    // 'silent' would read the first of several documents and say nothing
    logLevel: 'error',
  });
  const [error] = document.errors;
  if (error) refuse('malformed-document', 'the document is neither YAML 1.2 nor JSON');
  if (document.warnings.length > 0) refuse('document-tag', 'remove the tags');
  visit(document, {
    Alias: () => refuse('document-alias', 'write the value out instead of an alias'),
    Scalar: (_key, node) => refuseProperties(node),
    Seq: (_key, node) => refuseProperties(node),
    Map: (_key, node) => {
      refuseProperties(node);
      const keys = new Set<string>();
      for (const { key } of node.items) {
        const name = isScalar(key) ? String(key.value) : '';
        if (FORBIDDEN_KEYS.has(name)) refuse('forbidden-key', 'rename the key');
        if (keys.has(name)) refuse('duplicate-key', 'name every key once');
        keys.add(name);
      }
    },
  });
  return document.toJS({ maxAliasCount: 0 });
}
