// Takes things away from the page: the picture as a file, a link to a place.

import type {Picture} from './picture.js';

/** Saves the canvas as this page shows it, one pixel a cell. Throws if the browser cannot. */
export async function savePng(picture: Picture): Promise<void> {
  picture.paintSurface();
  const png = await new Promise<Blob | null>((resolve) => picture.surface.toBlob(resolve, 'image/png'));
  if (png === null) throw new Error('the browser made no picture');
  const time = new Date().toISOString().slice(0, 19).replaceAll(':', '-');
  const link = document.createElement('a');
  link.href = URL.createObjectURL(png);
  link.download = `parley-${picture.width}x${picture.height}-${time}.png`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** Copies a text. Returns whether the browser allowed it: it does on loopback addresses and HTTPS. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
