/** Gives the reader a file to keep. */

/** @param name - without its ending. Of it only what a file system takes everywhere is left. */
export function download(name: string, ending: string, blob: Blob): void {
  const address = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = address;
  link.download = `${name.replace(/[^\w.-]+/g, "_").slice(0, 100)}.${ending}`;
  link.click();
  // The browser has taken it when the click returns, and some ask the reader first.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
