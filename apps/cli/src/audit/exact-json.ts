/**
 * Whether a signed JSON file is spelled as this program writes one: compact, or indented by two and ended by a newline. Another
 * spelling says the same and keeps its signature, so that only this shows that someone changed the file.
 */
export const isExactJson = (text: string, value: unknown): boolean =>
  text === JSON.stringify(value) || text === `${JSON.stringify(value, null, 2)}\n`;
