// SPDX-License-Identifier: MIT
// What people put on the page from elsewhere: a file that is dropped, a text that is pasted.

/** A link or a patch may be pasted anywhere where no text goes. */
export function listenPaste(use: (text: string) => void): void {
  addEventListener('paste', (e) => {
    const text = e.clipboardData?.getData('text/plain') ?? '';
    if (!/[={]/.test(text) || (e.target as Element).closest('input,textarea,dialog')) return;
    e.preventDefault();
    use(text);
  });
}

/** A file may be dropped anywhere; without this the browser would leave the page and open it. */
export function listenDrops(use: (file: File) => void): void {
  const { dataset } = document.documentElement;
  const carriesFile = (e: DragEvent) => e.dataTransfer?.types.includes('Files') ?? false;
  addEventListener('dragover', (e) => {
    if (!carriesFile(e)) return;
    e.preventDefault();
    dataset.drop = '';
  });
  addEventListener('dragleave', (e) => {
    if (!e.relatedTarget) delete dataset.drop;
  });
  addEventListener('drop', (e) => {
    delete dataset.drop;
    if (!carriesFile(e)) return;
    e.preventDefault();
    const file = e.dataTransfer?.files[0];
    if (file) use(file);
  });
}
