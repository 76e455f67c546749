import type { Lexer, Parser } from 'yaml';

/** Our deepest document, a policy with cases, has seven levels. Each level is up to four frames of the parser's stack. */
const MOST_FRAMES = 256;

/**
 * Whether a YAML or JSON text nests too deep to be parsed. To be asked before any `parse` of the yaml package, whose composer recurses: near the
 * end of the stack V8 ends the whole process when a regular expression is compiled there, which nothing can catch. The parser of tokens keeps a stack
 * of its own, so that this looks without recursion, and stops at the first place that is too deep. It is handed in, so that who reads no
 * YAML need not load it.
 */
export function nestsTooDeep(
  text: string,
  yaml: { readonly Lexer: typeof Lexer; readonly Parser: typeof Parser },
): boolean {
  const parser = new yaml.Parser();
  for (const lexeme of new yaml.Lexer().lex(text)) {
    for (const _token of parser.next(lexeme)) if (parser.stack.length > MOST_FRAMES) return true;
    if (parser.stack.length > MOST_FRAMES) return true;
  }
  return false;
}
