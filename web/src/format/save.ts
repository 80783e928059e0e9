// Hands the person a file that was made in the browser.

export function saveFile(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The browser reads the address after this turn; it may go soon after.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
