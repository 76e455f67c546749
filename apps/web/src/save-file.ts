/** Hands a file to the reader's downloads. */
export function save(content: string | Blob, type: string, name: string): void {
  const link = document.createElement('a');
  const blob = content instanceof Blob ? content : new Blob([content], { type });
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
